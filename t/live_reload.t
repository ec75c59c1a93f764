#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Ten reloads during a stream: its publisher stays where it is, and whoever
# watches notices nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

my $t = live_nginx();
my $p = live_publish($t, 'live/x');
my ($first) = live_stream($t, 'x');
my (%seen, %workers, @lists);

for my $i (0 .. 9) {

    # beyond a key frame: playlists wait for the first whole segment

    live_play([$p, \@tags, speed => 1.25, from => $i ? $i * 1000 + 200 : 0,
               to => $i * 1000 + 1200, $i ? (headers => 0) : ()]);

    $t->reload();

    my $list = m3u8_parse($t->wait_playlist('/live/x/v1.m3u8')->{text});
    push @lists, $list;
    $workers{live_stream($t, 'x')->{worker}} = 1;

    # a new worker serves what an old one wrote

    my @worker = $t->worker_pids();
    my $r = $t->http_get("/live/x/$list->{segments}[0]{uri}",
                         worker => $worker[$i % 2]) if @{$list->{segments}};
    $seen{$r->{status}}++ if $r;
}

is(join(' ', keys %seen), 200, 'segments from new workers');
cmp_ok(scalar keys %workers, '>=', 8, 'new workers');

my @backwards = grep {
    $lists[$_]{next_msn} < $lists[$_ - 1]{next_msn}
    || $lists[$_]{msn} != $lists[0]{msn}
} 1 .. $#lists;

is(scalar @backwards, 0, 'playlists only grow');
is(live_stream($t, 'x')->{publisher}{pid}, $first->{publisher}{pid},
   'the publisher is where it was');
wait_ok(sub { $t->old_workers() == 1 }, 10,
        'only its worker is left of the old ones');

$p->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $r = live_check($t, '/live/x', runs => 1, name => 'x');
my $m = live_match($r, $p);

is($m->{video}{missing}, 0, 'all frames');
is($m->{audio}{missing}, 1, 'all sound but a frame');
is($m->{audio}{silent}, 0, 'no silence');
cmp_ok($m->{av}, '<', 3, 'sound and picture');

wait_ok(sub { !$t->old_workers() }, 5,
        'the old worker goes with its publisher');

$t->done();
