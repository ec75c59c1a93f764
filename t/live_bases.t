#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Tracks whose time stamps have different bases are brought together by the
# time they arrive; those that are merely apart stay so.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

# what is added to the stamps of audio, in ms
my %by = (
    ahead => 3600_000, behind => -3600_000, wrapped => -0x70000000,
    lips => 80, lead => -1500,
);

my @names = sort keys %by;

my $t = live_nginx(reload => 1);
my %p = map { $_ => live_publish($t, "live/$_") } @names;

sub other {
    my ($by) = @_;

    return sub {
        my ($type, $ts, $bytes) = @_;
        return [$type, $type == 8 ? $ts + $by : $ts, $bytes];
    };
}

live_play(map {
    [$p{$_}, \@tags, speed => 1, to => 7000, shift => 4000_000,
     map => other($by{$_})]
} @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $near = abs $by{$name} < 3000;
    my $r = live_check($t, "/live/$name", runs => 1, name => $name);
    my $m = live_match($r, $p{$name});
    my ($v, $a) = map { $m->{$_}{runs}[0] } qw/ video audio /;

    is($m->{video}{missing}, 0, "$name: all frames");

    # after silence sound may be half a frame off, until it is worked off
    my $even = $m->{audio}{silent} ? 11 : 4;

    cmp_ok($a->{to} - $a->{from}, '<', $even, "$name: sound is even");

    my $off = ($a->{from} + $a->{to} - $v->{from} - $v->{to}) / 2
              + ($near ? 0 : $by{$name});

    if (!$near) {
        # what arrived together is played together, as far as this process
        # was on time
        $off -= 1 << 32 while $off > 1 << 31;
        $off += 1 << 32 while $off < -(1 << 31);
    }

    cmp_ok(abs($off), '<', $near ? $even : 70 + late($p{$name}),
           "$name: sound and picture")
        or diag($off);

    is($t->log_count(qr/\[info\].* media timestamps rebased.*: $name$/),
       $near ? 0 : 1, "$name: said once");

}

$t->done();


# ms that a frame of the begin was sent later than it was due

sub late {
    my ($p) = @_;

    my @frames = @{$p->{sent_frames}};
    my ($first) = grep { $_->{type} eq 'video' } @frames;

    my @late = map { ($_->{at} - $first->{at}) * 1000
                     - ($_->{stamp} - $first->{stamp}) }
               grep { $_->{type} eq 'video' } @frames[0 .. 60];

    return (sort { $b <=> $a } @late)[0];
}
