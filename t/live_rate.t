#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Clocks that are wrong: of the publisher, of one of its tracks.  The stamps
# are followed, and sound stays with the picture.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

# by how much stamps are stretched: video, audio
my %by = (
    fast => [1.0003, 1.0003], slow => [0.9997, 0.9997],
    fast_sound => [1, 1.0003], slow_sound => [1, 0.9997],
    wrong => [1.05, 1.05], wrong_slow => [0.95, 0.95],
);

my @names = sort keys %by;

my $t = live_nginx(reload => 1);
my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map {
    my $by = $by{$_};

    [$p{$_}, \@tags, speed => 2, to => 10000, map => sub {
        my ($type, $ts, $bytes) = @_;
        return [$type, int($ts * $by->[$type == 8 ? 1 : 0]), $bytes];
    }]
} @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    # sound that has too many or too few samples is cut or filled: beyond
    # 1 % no sample durations can follow

    my $wrong = $name =~ /wrong/;
    my $r = live_check($t, "/live/$name", runs => 1, name => $name);
    my $m = live_match($r, $p{$name});

    is($m->{video}{missing}, 0, "$name: all frames");

    if (!$wrong) {
        is($m->{audio}{missing}, 1, "$name: all sound but a frame");
        is($m->{audio}{silent}, 0, "$name: nothing else");
    }

    cmp_ok($m->{av}, '<', $wrong ? 100 : 5, "$name: sound and picture");

}

$t->done();
