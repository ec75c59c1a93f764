#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# mpegts.js plays a live stream in Chromium, without a stall, and over a
# publisher that returns.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Players;

players_needed();

my $t = live_nginx(app => 'grace 10s;', http => 'media_cors on;');

my $pub = $t->ffmpeg_publish('live/s');
my @tags = live_tags('plain');

$t->background('return', sub {
    for my $to (7000, 11000) {
        my $p = $t->rtmp();

        $p->open('live/back');
        $p->send_tags(\@tags, speed => 1, to => $to);
        $p->close();

        select undef, undef, undef, 1;
    }
});

$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 2 }, 20);
$t->wait_playlist('/live/back/v1.m3u8', sub { @{$_[0]{segments}} >= 1 }, 20);

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live';
my $seconds = 12;

my ($s, $returns) = players_play(
    $t, $seconds, [[mpegts => "$at/s.flv"], [mpegts => "$at/back.flv"]],
    again => sub { $_[0]{url} =~ /s\.flv/ && @{$_[0]{stalls}} });

is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$s->{stalls}}), '',
   'no stall');
is(join(', ', @{$s->{errors}}, @{$s->{bad}}), '', 'no error');
cmp_ok($s->{played}, '>', $seconds * 0.9, 'played');
cmp_ok($s->{frames}, '>', $seconds * 25 * 0.85, 'frames');
cmp_ok($s->{audio}, '>', 0, 'sound');

is(join(', ', @{$returns->{errors}}, @{$returns->{bad}}), '',
   'a publisher that returns: no error');
cmp_ok($returns->{played}, '>', $seconds * 0.5, 'and it goes on')
    or diag(explain($returns));

$t->done();
