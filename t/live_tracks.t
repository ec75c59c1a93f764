#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Streams that lack a track, at first, for a while or for ever.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my @bare = grep { $_->[0] != 18 } @tags;

my $t = live_nginx(reload => 1);
my %p;

# audio between from and to is not sent; announced or not

sub without {
    my ($type, $from, $to) = @_;

    return sub {
        return $_[0] == $type && $_[1] >= $from && $_[1] < $to ? () : [@_];
    };
}

# the header comes with the first frame

sub late {
    my ($type, $from) = @_;

    my @header = map { @$_ } grep {
        $_->[0] == $type
        && Test::Media::RTMP::is_header($_->[0], $_->[2])
    } @tags;

    my $said;

    return sub {
        return [@_] if $_[0] != $type;
        return () if $_[1] < $from;
        return [@_] if $said++;
        return ([$type, $_[1], $header[2]], [@_]);
    };
}

my %cases = (
    audio => [[live_tags('audio')]],
    video => [[live_tags('video')]],
    announced => [\@tags, late(8, 99000)],
    unannounced => [\@bare, late(8, 99000)],
    late_announced => [\@tags, late(8, 4000)],
    late_unannounced => [\@bare, late(8, 4000)],
    late_video => [\@bare, late(9, 3000)],
    late_video_announced => [\@tags, late(9, 3000)],
    paused => [\@tags, without(8, 3000, 6000)],
    stopped => [\@tags, without(8, 5000, 99000)],
    no_video => [\@tags, without(9, 4000, 7000)],
    both => [\@tags, sub { $_[1] >= 3000 && $_[1] < 6000 ? () : [@_] }],
);

# what is expected: tracks, runs, GAP segments of video, silent frames from
# and to, frames that are missing

my %expect = (
    audio => { tracks => 'a1' },
    video => { tracks => 'v1' },
    unannounced => { tracks => 'v1' },
    announced => { silent => [435, 470] },
    late_announced => { runs => 2, silent => [180, 200] },
    late_unannounced => { late => 1, lost => 2 },
    late_video => { late => 1, lost => 50 },
    late_video_announced => { lost => 145 },
    paused => { silent => [138, 144] },
    stopped => { silent => [200, 235] },
    no_video => { },
    both => { runs => 2, lost => 2 },
);

my @names = $ENV{ONLY} ? split / /, $ENV{ONLY} : sort keys %cases;

$p{$_} = live_publish($t, "live/$_") for @names;

live_play(map {
    [$p{$_}, $cases{$_}[0], speed => 1, to => 10000,
     $cases{$_}[1] ? (map => $cases{$_}[1]) : ()]
} @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my %e = (tracks => 'a1 v1', runs => 1, gaps => 0, silent => [0, 0],
             lost => 1, late => 0, %{$expect{$name}});
    my $r = live_check($t, "/live/$name", runs => $e{runs}, name => $name,
                       tracks => $e{tracks}, gaps => $e{gaps},
                       late => $e{late});
    my $m = live_match($r, $p{$name});
    my $s = live_stream($t, $name);
    my ($v, $a) = map { $_ && $_->{runs} } @{$r->{tracks}}{qw/ v1 a1 /};

    is($m->{video}{missing}, 0, "$name: all frames");
    cmp_ok($m->{audio}{missing}, '<=', $e{lost}, "$name: no more is lost");

    if ($e{silent}[1]) {
        cmp_ok($m->{audio}{silent}, '>=', $e{silent}[0], "$name: silence");
        cmp_ok($m->{audio}{silent}, '<=', $e{silent}[1], "$name: no more");

        # those that wait for new parameters, too
        cmp_ok(abs($s->{track}{a1}{silent_frames} - $m->{audio}{silent}),
               '<=', 1, "$name: counted");

    } else {
        is($m->{audio}{silent}, 0, "$name: no silence");
    }

    cmp_ok($m->{av}, '<', 3, "$name: sound and picture");
    cmp_ok($a->[-1]{gap}, '<', 25, "$name: sound has no hole") if $a;

    # audio may be as much behind as it is waited for

    cmp_ok(abs($a->[-1]{end} - $v->[-1]{end}), '<', 0.6,
           "$name: tracks end together") if $a && $v;

    # those that come late begin with a segment of all, and with a period

    if ($e{late}) {
        my ($late, $other) = $name =~ /video/ ? ($v, $a) : ($a, $v);
        my ($same) = grep { $_->{msn} == $late->[0]{msn} }
            @{$other->[0]{segments}};

        cmp_ok(abs($late->[0]{start} - $same->{start} / $same->{scale}), '<',
               0.03, "$name: begins with a segment");
        is($r->{periods}[1]{attr}{id}, $late->[0]{msn},
           "$name: begins a period");
        is($t->log_count(qr/media track joins.*: $name$/), 1,
           "$name: said once");
    }
}

is($t->log_count(qr/silence stands in for it.*: (?:late_)?announced$/), 2,
   'silence: said once');
is($t->log_count(qr/parameters changed.*: late_announced$/), 1,
   'parameters: said once');
cmp_ok(live_stream($t, 'no_video')->{track}{v1}{repeated_frames}, '>', 40,
       'a picture stands still: it is held') if grep { /no_video/ } @names;
is($t->log_count(qr/\[info\].* media .*: (?:paused|stopped|audio|video)$/), 0,
   'nothing else to tell');

$t->done();
