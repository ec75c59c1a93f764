#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# hls.js, dash.js and shaka-player play both manifests for 30 seconds in
# Chromium, without a stall.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;

my $seconds = $ENV{TEST_PLAY_SECONDS} || 30;

players_needed();

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s');

$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 5 }, 20);

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/s';

my @all = ([hls => "$at/index.m3u8"], [shaka => "$at/index.m3u8"],
           [dash => "$at/manifest.mpd"], [shaka => "$at/manifest.mpd"]);

my @results = players_play($t, $seconds, \@all,
                           again => sub { @{$_[0]{stalls}} });

for my $r (@results) {
    my $name = "$r->{player} " . ($r->{url} =~ /(\w+)$/)[0];

    is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$r->{stalls}}), '',
       "$name: no stall");

    # hls.js reports what it takes for a stall; those were counted above
    my @errors = grep { !/^mediaError bufferStalled/ } @{$r->{errors}};
    is(join(', ', @errors), '', "$name: no error");
    is(join(', ', @{$r->{bad}}), '', "$name: all requests were answered");
    is(scalar @{$r->{jumps}}, 0, "$name: no jump");
    cmp_ok($r->{played}, '>', $seconds * 0.95, "$name: played");
    cmp_ok($r->{frames}, '>', $seconds * 25 * 0.9, "$name: frames");
    cmp_ok($r->{audio}, '>', 0, "$name: sound");

    note(sprintf "%s: %.1f s played, started in %d ms, latency %.2f s at "
         . 'median, %.2f at most', $name, $r->{played}, $r->{startup},
         $r->{latency}{median} || 0, $r->{latency}{max} || 0);

    next if $name !~ /^hls/;

    # it wants to be where the playlist says, and does not make up for what it
    # needed to start, which is the machine's affair

    cmp_ok($r->{latency}{target}, '<', 1, "$name: parts are played");
    cmp_ok($r->{latency}{median}, '<', $r->{latency}{target} + 1
           + $r->{startup} / 1000, "$name: low latency");
}

$t->done();
