#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# hls.js, dash.js and shaka-player go from a file to its rungs and back while
# they play, without a stall; rungs are made as they are watched.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;
use Test::Media::Vod;

my $seconds = 10;

players_needed();

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
thread_pool encode threads=2;
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;
        location / {
            root %%DIR%%/media;
            media_vod on;
            media_vod_segment 2s;
            media_vod_temp_path temp;
            media_vod_ladder web threads=encode;
        }
    }
}
media_ladder web { video 180p 200k; video 120p 90k fps=half; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

# hls.js and dash.js play the same at once: what one waits for, all do

$t->write_file('media/film.mp4', slurp(vod_made('ladder_270.mp4',
    seconds => 30, bframes => 2, gop => 50, size => '480x270',
    bitrate => '400k')));

$t->run();

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/film.mp4';

my @played = players_play($t, $seconds,
    [map { ["$_->[0]\@10+switch", "$at/$_->[1]"] }
         ['hls', 'index.m3u8'], ['hls', 'ts.m3u8'], ['dash', 'manifest.mpd'],
         ['shaka', 'manifest.mpd']],
    again => sub { return @{$_[0]{stalls}} || @{$_[0]{sizes}} < 2 });

for my $r (@played) {
    my $name = "$r->{player} " . ($r->{url} =~ m|/([^/]+)$|)[0];

    is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$r->{stalls}}), '',
       "$name: no stall");

    my @errors = grep {
        !/^mediaError buffer(?:Stalled|SeekOverHole|NudgeOnStall)/
        && !/^networkError aborted/
    } @{$r->{errors}};

    is(join(', ', @errors), '', "$name: no error");
    is(join(', ', @{$r->{bad}}), '', "$name: all requests were answered");
    is(scalar @{$r->{jumps}}, 0, "$name: no jump");
    cmp_ok($r->{frames}, '>', 100, "$name: frames");
    cmp_ok(scalar @{$r->{sizes}}, '>=', 2, "$name: other sizes")
        or diag("@{$r->{sizes}}");
}

$t->done();
