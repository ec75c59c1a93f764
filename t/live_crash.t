#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Workers that are killed while they publish: the stream waits, its publisher
# returns, the others notice nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

my $t = live_nginx();
my @all;

# the one beside is published by the worker that lives on

my ($victim, $other) = $t->worker_pids();
my $beside = live_publish($t, 'live/beside', worker => $other);

for my $i (0 .. 2) {
    ($victim) = grep { $_ != $other } $t->worker_pids();

    my $p = live_publish($t, 'live/x', worker => $victim);
    push @all, $p;

    my %range = (speed => 1, from => $i * 3000, to => $i * 3000 + 2300);

    live_play([$p, \@tags, %range],
              [$beside, \@tags, %range, to => $i * 3000 + 3000,
               $i ? (headers => 0) : ()]);

    is(live_stream($t, 'x')->{publisher}{pid}, $victim, 'its publisher');

    $t->kill_worker($victim);
    ok($p->wait_closed(5), 'the publisher is cut off');

    # what it has published stays

    my $list = m3u8_parse($t->http_get('/live/x/v1.m3u8',
                                       worker => $other)->{body});
    my $r = $t->http_get("/live/x/$list->{segments}[-1]{uri}",
                         worker => $other);
    is($r->{status}, 200, 'the other worker has it');

    $t->wait_log(qr/"x" lost its publisher: process $victim died/, 5);
    is($t->log_count(qr/lost its publisher: process $victim died/), 1,
       'said once');
    is(live_stream($t, 'x')->{state}, 'grace', 'the stream waits');
}

$beside->close();

my $r = live_check($t, '/live/x', runs => 3, name => 'x');
my $m = live_match($r, @all);

# the open part is lost

cmp_ok($m->{video}{missing}, '<=', 3 * 6, 'most frames');
cmp_ok($m->{audio}{missing}, '<=', 3 * 13, 'most sound');
cmp_ok($m->{av}, '<', 3, 'sound and picture');

$r = live_check($t, '/live/beside', runs => 1, name => 'beside');
$m = live_match($r, $beside);
is($m->{video}{missing}, 0, 'beside: all frames');
is($m->{audio}{missing}, 1, 'beside: all sound but a frame');
is($m->{audio}{silent}, 0, 'beside: no silence');

$t->done();
