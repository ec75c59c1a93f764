#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A disk that hangs: who wants files from it waits, and nobody else does.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Samples;

my $t = Test::Media->new();

my ($status, $said) = sh('gcc', '-shared', '-fPIC', '-O1', '-Wall', '-o',
    $t->path('hang.so'), $t->root() . '/t/tools/hang.c', '-ldl');

BAIL_OUT("t/tools/hang.c is not built: $said") if $status;

mkdir $t->path('media');

for my $name ('slow', 'fast') {
    $t->write_file("media/$name.mp4", slurp(media_sample('vp9.mp4')));
    $t->write_file("media/$name-ts.mp4", slurp(media_sample('hevc.mp4')));
}

$t->write_conf(<<'EOC');
worker_processes 1;
http {
    sendfile on;
    aio threads;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_segment 1s;
            media_vod_valid 100ms;
        }
        location /known/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_segment 1s;
            media_vod_valid 1h;
        }
        location /status { media_status; }
    }
}
EOC

$ENV{HANG_FILE} = $t->path('hang');
$ENV{HANG_LOG} = $t->path('hang.log');

{
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD},
                                  $t->path('hang.so');
    $t->run();
}

sub hang { $t->write_file('hang', '') }
sub go { unlink $t->path('hang') }

# while the disk hangs: what is on it is not answered, all else is

sub others_go_on {
    my ($what, @waiting) = @_;

    select undef, undef, undef, 0.3;

    for my $i (1 .. 3) {
        is($t->http_get('/vod/fast.mp4/index.m3u8')->{status}, 200,
           "$what: another file, $i");
    }

    is($t->http_get('/status')->{status}, 200, "$what: status");

    for my $w (@waiting) {
        ok(!$w->done(), "$what: still waits");
    }
}

sub names {
    my ($path, $re) = @_;

    my $text = $t->http_get($path)->{body};

    (my $base = $path) =~ s|[^/]*$||;

    return map { $base . $_ } $text =~ /^($re)$/mg;
}


# before anything is known of it

hang();

my @first = map { $t->start_get('/vod/slow.mp4/index.m3u8') } 1 .. 3;
push @first, $t->start_get('/known/slow.mp4/manifest.mpd');

others_go_on('opening', @first);
go();

is($_->result(10)->{status}, 200, 'answered in the end') for @first;


# when it has to be looked at again

select undef, undef, undef, 0.3;
hang();

my $again = $t->start_get('/vod/slow.mp4/v1.m3u8');

others_go_on('looking again', $again);
go();

is($again->result(10)->{status}, 200, 'looked at again');


# when it has to be read: by sendfile, and for a transport stream

my ($segment) = names('/known/slow.mp4/v1.m3u8', qr/v1\/.*\.m4s/);
my ($ts) = names('/known/slow-ts.mp4/v1.ts.m3u8', qr/v1\/.*\.ts/);

ok($segment && $ts, 'segments');

my $whole = $t->http_get($segment)->{body};
my $whole_ts = $t->http_get($ts)->{body};

hang();

my @reads = ($t->start_get($segment), $t->start_get($ts),
             $t->start_get($segment), $t->start_get($ts));

others_go_on('reading', @reads);

# clients that lose patience

$reads[2]->cancel();
$reads[3]->cancel();

others_go_on('after some went away', @reads[0, 1]);
go();

ok($reads[0]->result(10)->{body} eq $whole, 'all of the segment');
ok($reads[1]->result(10)->{body} eq $whole_ts, 'all of the transport stream');


# the worker that waits for the disk is replaced

hang();

my $old = $t->start_get($segment);

select undef, undef, undef, 0.2;

$t->reload();

others_go_on('after a reload', $old);
go();

ok($old->result(10)->{body} eq $whole, 'all of the segment from the old one');

my $blocked = -f $t->path('hang.log') ? $t->read_file('hang.log') : '';

is($blocked, '', 'no worker has waited for the disk itself');

$t->done();
