#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Ladders of files under load: what nobody waits for is not made on, more than
# may wait are told so, a worker that is killed, one that leaves and a
# directory that cannot be written leave nothing that looks whole.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

# an encoder that takes its time: some seconds for a segment

$t->write_conf(<<'EOC');
worker_processes 1;
thread_pool encode threads=1;
http {
    media_vod_segment 10s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder slow threads=encode max=1;
        }
        location /fast/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder fast threads=encode;
        }
        location = /status { media_status; }
    }
}
media_ladder slow { video 270p 300k preset=placebo lookahead=40; }
media_ladder fast { video 120p 80k preset=ultrafast; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

$t->write_file('media/film.mp4', slurp(vod_made('ladder_load.mp4',
    seconds => 100, gop => 250, size => '480x270', bitrate => '200k')));

$t->run();

my $name = '/vod/film.mp4/v2/';
my @uris = segments('/vod/film.mp4/v2.m3u8');

is(scalar @uris, 10, 'segments');

cancelled();
rejected();
killed();
leaves();
full();

$t->done();


sub segments {
    my ($path) = @_;

    return vod_fetch($t, $path) =~ m|^v2/(.*m4s)$|mg;
}


sub ladder { return $t->status('/status')->{vod}{ladder} }


sub names {
    opendir my $dh, $t->path('temp') or return ();

    return grep { !/^\./ } readdir $dh;
}


sub unfinished { return grep { /\.tmp\./ } names() }


sub cancelled {
    my $viewer = $t->start_get($name . $uris[0]);

    wait_ok(sub { $t->pump(0.01); return unfinished() }, 20,
            'a segment is being made');

    $viewer->cancel();

    wait_ok(sub { return ladder()->{cancelled} == 1 && !unfinished() }, 10,
            'nobody waits for it: it is not made on');
    is(scalar names(), 0, 'and nothing is left of it');
}


# one is made, four wait; whoever else asks is told so, and those that were
# there already are served nevertheless

sub rejected {
    my ($fast) = segments('/fast/film.mp4/v2.m3u8');
    my $bytes = vod_fetch($t, "/fast/film.mp4/v2/$fast");

    my @viewers = map { $t->start_get($name . $uris[$_]) } 0 .. 4;

    wait_ok(sub { $t->pump(0.01); return unfinished() }, 20,
            'a segment is being made');
    wait_ok(sub { return ladder()->{waited} >= 6 }, 10, 'others wait');

    my $one = $t->http_get($name . $uris[8]);

    is($one->{status}, 503, 'one too many');
    ok($one->{headers}{'retry-after'}, 'Retry-After');
    is(ladder()->{rejected}, 1, 'it is counted');

    is(vod_fetch($t, "/fast/film.mp4/v2/$fast"), $bytes,
       'what is there is served');

    $_->cancel() for @viewers;

    wait_ok(sub { return ladder()->{cancelled} == 6 && !unfinished() }, 10,
            'and all of them go');
}


sub killed {
    my $viewer = $t->start_get($name . $uris[0]);

    wait_ok(sub { $t->pump(0.01); return unfinished() }, 20,
            'a segment is being made');

    $t->kill_worker($t->worker_pids());
    $viewer->cancel();

    my @whole = grep { !/\.tmp\./ } names();

    is(scalar @whole, 1, 'a worker is killed: there is what was there before');

    my ($fast) = (segments('/fast/film.mp4/v2.m3u8'))[1];

    is($t->http_get("/fast/film.mp4/v2/$fast")->{status}, 200,
       'its successor makes others');
}


# a worker that leaves makes what somebody waits for

sub leaves {
    my $fast = (segments('/fast/film.mp4/v2.m3u8'))[2];
    my $viewer = $t->start_get("/fast/film.mp4/v2/$fast");

    $t->pump(0.05);
    $t->reload();

    is($viewer->result()->{status}, 200, 'over a reload');
}


# what is written is not there: t/unit/ngx_media_vod_made.c has disks that are
# full; one that was not made ahead

sub full {
    my $fast = (segments('/fast/film.mp4/v2.m3u8'))[7];

    chmod 0500, $t->path('temp') or die "temp: $!\n";

    my $r = $t->http_get("/fast/film.mp4/v2/$fast");

    chmod 0700, $t->path('temp') or die "temp: $!\n";

    is($r->{status}, 500, 'it cannot be written');
    is(ladder()->{failed}, 1, 'that is counted');
    ok($t->log_count(qr/segment 7: file cannot be created: Permission denied/),
       'and said');
    is($t->http_get("/fast/film.mp4/v2/$fast")->{status}, 200, 'until it can');
}
