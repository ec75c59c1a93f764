#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A file that kills whoever decodes it: a worker dies, another one that takes
# over what viewers wait for does, and then it is left alone, by all of them;
# other files have their ladders.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

system('gcc', qw/ -O1 -w -shared -fPIC -o /, $t->path('fake.so'),
       $t->root() . '/t/tools/fake_decoder.c', '-ldl') == 0
    or BAIL_OUT('t/tools/fake_decoder.c is not built');

$t->write_conf(<<'EOC');
worker_processes 2;
thread_pool encode threads=1;
http {
    media_vod_segment 1s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder web threads=encode;
        }
        location = /status { media_status; }
    }
}
media_ladder web { video 72p 60k preset=ultrafast; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

my $film = slurp(vod_made('ladder_crash.mp4', seconds => 4, gop => 25,
                          size => '192x108', bitrate => '200k'));

$t->write_file('media/good.mp4', $film);

# within the key frame of the third segment, or of the first

my ($status, $out) = sh(qw{ ffprobe -v error -select_streams v -of csv=p=0
                            -show_entries },
                        'packet=pts_time,size,pos,flags',
                        $t->path('media/good.mp4'));

my @keys = grep { $_->[3] =~ /^K/ } map { [split /,/] } split /\n/, $out;

die "four key frames: $out\n" if @keys != 4;

for my $bad (['bad.mp4', $keys[2], 'abort within libav'],
             ['early.mp4', $keys[0], 'abort within libav'],
             ['poor.mp4', $keys[1], 'no RAM with libav!'])
{
    my ($name, $key, $text) = @$bad;
    my $bytes = $film;

    substr($bytes, $key->[2] + $key->[1] - 40, 18) = $text;
    $t->write_file("media/$name", $bytes);
}

{
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD},
                                       $t->path('fake.so');
    $t->run();
}

$t->allow_alerts(qr/exited on signal 6/);

sub died { return $t->log_count(qr/exited on signal 6/) }

my @good = vod_fetch($t, '/vod/good.mp4/v2.m3u8') =~ m|^(v2/.*m4s)$|mg;
my @bad = vod_fetch($t, '/vod/bad.mp4/v2.m3u8') =~ m|^(v2/.*m4s)$|mg;

is(scalar @bad, 4, 'segments');
is($t->http_get("/vod/bad.mp4/$bad[0]")->{status}, 200, 'one of it is fine');

sub dies {
    my ($uri, $n) = @_;

    my $viewer = $t->start_get($uri);

    wait_ok(sub { $t->pump(0.01); return died() == $n }, 20,
            "a worker dies, $n");
    $viewer->cancel();

    wait_until(sub { return $t->worker_pids() == 2 }, 10, 'another one');
}

for my $n (1, 2) {
    dies("/vod/bad.mp4/$bad[2]", $n);

    is($t->http_get("/vod/good.mp4/$good[$n]")->{status}, 200,
       'other files are made');
}

is($t->http_get("/vod/bad.mp4/$bad[2]")->{status}, 500, 'then nobody tries');
is($t->http_get("/vod/bad.mp4/$bad[3]")->{status}, 500, 'any of this file');
is($t->http_get("/vod/bad.mp4/$bad[0]")->{status}, 200,
   'what is there is served');
is(died(), 2, 'and nobody dies');
ok($t->log_count(qr/segment 2: file ended workers twice/), 'the log says so');

is($t->http_get("/vod/good.mp4/$good[3]")->{status}, 200, 'others are made');

# its parameters are found out with a picture of it

dies('/vod/early.mp4/index.m3u8', $_) for 3, 4;

my $list = vod_fetch($t, '/vod/early.mp4/index.m3u8');

like($list, qr/^v1/m, 'one that dies of its first picture plays');
unlike($list, qr/^v2/m, 'without rungs');
is(died(), 4, 'and nobody dies');

# a worker has no memory once: what it cannot make then is not kept

my ($poor) = vod_fetch($t, '/vod/poor.mp4/v2.m3u8') =~ m|^(v2/.*-1\.m4s)$|m;

is($t->http_get("/vod/poor.mp4/$poor")->{status}, 500, 'no memory');

wait_ok(sub { $t->http_get("/vod/poor.mp4/$poor")->{status} == 200 }, 10,
        'it is made when there is some');

$t->done();
