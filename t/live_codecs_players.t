#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# hls.js, dash.js and shaka-player play a live stream with a track each of AAC,
# AC-3, Enhanced AC-3, Opus and MP3: what Chromium has no decoder for stops
# nobody.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Codecs;
use Test::Media::Live;
use Test::Media::Players;

players_needed();

my $t = live_nginx(http => 'media_cors on;');
my @tags = codecs_tags(12);

$t->background('publisher', sub {
    my $p = $t->rtmp();

    $p->open('live/x');

    for my $round (0 .. 9) {
        $p->send_tags(\@tags, speed => 1, offset => $round * 12000,
                      skip_headers => $round);
    }
});

$t->wait_playlist('/live/x/v1.m3u8', sub { @{$_[0]{segments}} >= 3 }, 30);

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/x';
my $seconds = 8;

my @results = players_play($t, $seconds,
    [[hls => "$at/index.m3u8"], [shaka => "$at/index.m3u8"],
     [dash => "$at/manifest.mpd"], [shaka => "$at/manifest.mpd"]],
    again => sub { @{$_[0]{stalls}} });

for my $r (@results) {
    my $name = "$r->{player} " . ($r->{url} =~ /(\w+)$/)[0];

    is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$r->{stalls}}), '',
       "$name: no stall");

    my @errors = grep { !/^mediaError bufferStalled/ } @{$r->{errors}};
    is(join(', ', @errors, @{$r->{bad}}), '', "$name: no error");
    cmp_ok($r->{played}, '>', $seconds * 0.9, "$name: played");
    cmp_ok($r->{audio}, '>', 0, "$name: sound");
}

$t->done();
