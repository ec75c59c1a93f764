#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Frames that are lost, and frames that are late: decode times have no hole,
# presentation times are true, sound does not move.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my (%lost, %p);

# frames of the tracks are counted; { type => [first, how many], ... }

my %lose = (
    one => { 9 => [60, 1] },
    two => { 9 => [88, 2] },
    many => { 9 => [105, 15] },
    key => { 9 => [100, 1] },
    often => { 9 => sub { $_[0] % 7 == 3 } },
    sound => { 8 => [100, 1] },
    sounds => { 8 => [100, 30] },
    sounds_often => { 8 => sub { $_[0] > 20 && $_[0] % 11 == 5 } },
);

my @names = sort keys %lose;

my $t = live_nginx(reload => 1, debug => 1);

sub lossy {
    my ($name) = @_;

    my %seen;

    return sub {
        my ($type, $ts, $bytes) = @_;
        my $which = $lose{$name}{$type};

        return [@_]
            if !$which || Test::Media::RTMP::is_header($type, $bytes);

        my $n = $seen{$type}++;
        my $lose = ref $which eq 'CODE' ? $which->($n)
            : $n >= $which->[0] && $n < $which->[0] + $which->[1];

        $lost{$name}++ if $lose;
        return $lose ? () : [@_];
    };
}

$p{$_} = live_publish($t, "live/$_") for @names, 'stalled', 'uneven';

# arrives late, all at once, at its old time; has stamps that are not even

my @held;

live_play(
    map({ [$p{$_}, \@tags, speed => 2, to => 8000, map => lossy($_)] }
        @names),
    [$p{stalled}, \@tags, speed => 2, to => 8000, map => sub {
        push @held, [@_];
        return $_[1] > 4000 && $_[1] < 6500 ? () : splice @held;
    }],
    [$p{uneven}, \@tags, speed => 2, to => 8000, map => sub {
        my ($type, $ts, $bytes) = @_;
        return [$type, $ts ? $ts + $ts * 7 % 13 : 0, $bytes];
    }]);

$_->close() for values %p;

for my $name (sort keys %p) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    # the frames after a lost key frame cannot be shown, and cuts are forced

    my $key = $name =~ /^(?:key|often)$/;
    my $r = live_check($t, "/live/$name", runs => 1, name => $name,
                       short => 1, forced => $key, undecoded => $key);
    my $m = live_match($r, $p{$name});
    live_replay($r, $name);

    is($m->{video}{missing}, 0, "$name: all frames");
    is($m->{audio}{missing}, 1, "$name: all sound but a frame");
    is($m->{audio}{silent}, $name =~ /sound/ ? $lost{$name} : 0,
       "$name: silence");
    cmp_ok($m->{av}, '<', $name eq 'uneven' ? 15 : 3,
           "$name: sound and picture");

    my ($v) = @{$r->{tracks}{v1}{runs}};
    cmp_ok($v->{longest}, '<=', 2 * $v->{usual},
           "$name: no step is too long");
}

is($t->log_count(qr/\[info\].* media /), 0, 'nothing to tell');

$t->done();
