#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What receives SRT, with libsrt's sender: over a network on which packets are
# lost, one by one and in bursts, reordered and doubled, all of them are handed
# on, in order and once, in time or early.  The latency is long enough for a
# machine that has other things to do; how few are late where it is short:
# scripts/srt-loss.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Lossy;

my $dir = tempdir('media-srt-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $lossy = Test::Media::Lossy->new(dir => $dir, sanitize => 1);

my %run = (receiver => 'ours', latency => 2000, packets => 2000, rate => 500);

my @runs = (
    ['paced', network => 'delay=50 loss=10 reorder=5 late=15 duplicate=5 '
     . 'burst=0.5 length=60 seed=1'],
    ['early', early => 1, network => 'delay=50 jitter=5 loss=5 reorder=10 '
     . 'late=30 duplicate=10 seed=2'],
    ['clean', network => 'delay=5']
);

my @started = map { $lossy->start(@$_, %run) } @runs;

for my $started (@started) {
    my $name = $started->{name};
    my $got = $started->finish();
    my ($relay, $sink) = @$got{qw/ relay sink /};

    ok($got->{packets} > 1000, "$name: packets came") or diag($got->{log});
    is($got->{late}, 0, "$name: none is late") or diag($got->{log});
    is($got->{order}, 0, "$name: all in order, once");
    is($sink->{pktRcvDrop}, 0, "$name: none is given up");

    if ($name eq 'clean') {
        is($sink->{pktRcvLoss}, 0, "$name: none was missing");
        is($sink->{pktSentNAK}, 0, "$name: none was asked for");
        is($relay->{resent}, 0, "$name: none was sent once more");
        next;
    }

    ok($relay->{forth_lost} > 50 && $relay->{back_lost} > 5,
       "$name: many were lost, both ways");
    ok($sink->{pktRcvLoss} >= 50, "$name: they were missing");
    ok($sink->{pktRcvRetrans} >= 50, "$name: and sent once more");
    ok($sink->{duplicate} + $sink->{pktRcvBelated} > 20,
       "$name: some came twice");
    ok($sink->{pktReorderDistance} > 0, "$name: some were reordered");
}

done_testing();
