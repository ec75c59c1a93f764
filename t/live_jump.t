#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Time stamps that jump: a new period in all tracks at once, and said once.
# Media time goes on with the wall clock.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

# what is added to stamps from the middle on, in ms
my %by = (
    back => -4000, far_back => -3600_000, ahead => 10_000,
    far_ahead => 86400_000, half => 0x7ff00000, turn => 0x80100000,
);

my @names = sort keys %by;

my $t = live_nginx(reload => 1, debug => 1);
my %p = map { $_ => live_publish($t, "live/$_") } (@names, 'beside');

# of the first ones audio jumps first; the far ones jump amid a GOP

sub jump {
    my ($from, $by) = @_;

    return sub {
        my ($type, $ts, $bytes) = @_;
        return [$type, $ts - 4000_000 < $from ? $ts : $ts + $by, $bytes];
    };
}

# arrival counts, so this takes its time

live_play([$p{beside}, \@tags, speed => 1, to => 8000], map {
    [$p{$_}, \@tags, speed => 1, to => 8000, shift => 4000_000,
     map => jump(/far/ ? 4500 : 4000, $by{$_})]
} @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $r = live_check($t, "/live/$name", runs => 2, name => $name);
    my $m = live_match($r, $p{$name});
    live_replay($r, $name);

    # the period opens with whatever picture comes; sound waits for it

    is($m->{video}{missing}, 0, "$name: frames");
    cmp_ok($m->{audio}{missing}, '<=', $name =~ /far/ ? 26 : 4,
           "$name: sound");
    cmp_ok($m->{audio}{silent}, '<=', 1, "$name: nothing else");
    cmp_ok($m->{av}, '<', 3, "$name: sound and picture");
    is(@{$r->{periods}}, 2, "$name: two periods");

    is($t->log_count(qr/\[info\].* media timestamps jumped.*: $name$/), 1,
       "$name: said once");
    is(live_stream($t, $name)->{jumps}, 1, "$name: counted");
}

my $r = live_check($t, '/live/beside', runs => 1, name => 'beside');
is(live_match($r, $p{beside})->{video}{missing}, 0, 'beside: all frames');

$t->done();
