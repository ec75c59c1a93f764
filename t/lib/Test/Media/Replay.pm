package Test::Media::Replay;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Replay - what a stream must have become, by the rules

=head1 SYNOPSIS

    use Test::Media::Replay;

    my $replay = Test::Media::Replay->new($t->log(), 'app/name');

    is($replay->wrong(), '', 'decided by the rules');
    is($replay->differs(\%published), '', 'and published');

=head1 DESCRIPTION

An error log with C<debug_core> has a line for each frame that came to a
stream (its stamps, whether it is a key frame, its size, when it came) and for
each decision: dropped, time, cut, part.  This reads the first, and makes the
second anew: by the rules of F<docs/timing.md>, which are written down here a
second time and share nothing with the module.  Times are in
L<Test::Media::Replay::Time>, cuts and parts in this file.

=over

=item new($log, $name)

Of all publishers that the stream had, in turn.

=item wrong()

The first lines in which the log has something else than what was derived.

=item skipped()

Why the rest was not derived, or ''.  Not derived is what a clock decides that
is not in the log, and what the three tests that this is for do not have: a
picture that is held, parameters that change, parts for which there was no
room, an anchor that moves, what is derived of a track, a publisher that lost
its stream or whose worker exited.

=item differs({ v1 => { number => [part, ...], ... }, ... })

How that is different from the parts that were derived, each { part time
duration sizes key }; see published().

=item published($segment, $init)

The parts of a segment's bytes, for differs().

=item counts()

{ v1 => { segments parts forced_cuts frames dropped_key dropped_late
silent_frames }, ... }: as they are in the status.

=item summary()

A line: how many frames, cuts, forced ones, parts and dropped frames.

=item list()

A line for each part.

=back

=cut

use strict;
use warnings;
use integer;

use List::Util qw/ max min sum0 /;

use Test::Media::Formats;
use Test::Media::Replay::Time;

use constant {
    CUTS => 32,                     # that a track may lag behind
    SAMPLES => 256,                 # of a part
    BYTES => 16 * 1024 * 1024,
    AGAIN => 4,                     # 1/90000 s
    AGAIN_FRAMES => 1500,
    WRONG => 10,
};


sub new {
    my ($class, $log, $name) = @_;

    my $self = bless { name => $name, streams => 0, wrong => [], skipped => '',
                       parts => {}, counts => {}, log => {}, made => {},
                       sum => {} }, $class;

    my ($from, %of);

    # a connection's lines name it, as the first line of its writer does

    for my $line (split /\n/, $log) {
        my ($c, $text) = $line =~ /^\S+ \S+ \[\w+\] \d+\#\d+: (\*\d+) (.*)/
            or next;

        if ($text =~ /^media writer of "(.*)", epoch/) {

            # whoever had it before writes nothing any more

            delete @of{grep { $of{$_} eq $1 } keys %of};

            $of{$c} = $1;
            $self->finish() if $1 eq $name;
        }

        $self->line($text)
            if defined $of{$c} && $of{$c} eq $name && !$self->{skipped};
    }

    $self->finish();

    return $self;
}


sub wrong { return join "\n", @{$_[0]{wrong}} }
sub skipped { return $_[0]{skipped} }
sub counts { return $_[0]{counts} }


sub summary {
    my ($self) = @_;

    return join ', ', map { ($self->{sum}{$_} || 0) . " $_" }
        qw/ frames cuts forced parts dropped /;
}


sub list {
    my ($self) = @_;

    my $of = $self->{parts};

    return map {
        my $name = $_;
        map {
            my $number = $_;
            map { "$name $number." . text($_) } @{$of->{$name}{$number}};
        } sort { $a <=> $b } keys %{$of->{$name}};
    } sort keys %$of;
}


sub complain {
    my ($self, $text) = @_;

    push @{$self->{wrong}}, $text if @{$self->{wrong}} < WRONG;
}


# the log

# "#" stands for a number

my @lines = map { [pattern($_->[0]), $_->[1]] } (
    ['media writer of ".*", epoch:# number:# floor:# wall:# returned:#',
     \&writer],
    ['media writer has segment:# max:# part:# target:# grace:# wait:# '
     . 'timebase:# wrap:#', \&configure],
    ['media writer is announced video:# audio:#', \&announced],
    ['media line of track #, id:# type:# timescale:# frame:# since:# end:#',
     \&track],
    ['media frame to come of track # lasts:#',
     sub { $_[0]{lasts} = $_[2] }],
    ['media frame comes, track:# stamp:# cts:# nsec:# key:# repeat:# '
     . 'arrival:# size:#', \&frame],
    ['media ready,', sub { $_[0]{w}{ready} = 1 }],
    ['media stands still', \&rests],
    ['media audio has not come', \&stands_in],
    ['media track # has its parameters again',
     sub {
         my $line = $_[0]{w}{index}{$_[1]}{line};
         $line->{lag} = $line->{least};
     }],
    ['media track # comes in lumps, ms:#',
     sub { Test::Media::Replay::Time::lump($_[0]{w}{index}{$_[1]}{line},
                                           $_[2]) }],
    ['media stamps begin anew', sub { $_[0]{w}{time}->restart }],
    ['media period ends,', sub { $_[0]{w}{told}++ }],

    # decisions, to be compared

    ['media time of track #, dts:# pts:# duration:# locked:# silent:# '
     . 'period:# resume:#', \&told_time],
    ['media frame of track # is dropped: (\w+)', \&told_drop],
    ['media cut # opens a period, track:# time:#', \&told_period],
    ['media cut #, track:# time:# period:# forced:# discontinuity:# '
     . 'joined:#', \&told_cut],
    ['media frame of track # in #\.#, dts:# pts:# duration:# size:# key:#',
     \&told_frame],
    ['media part #\.# of track #, (\w+): time:# duration:# frames:# rc:#',
     \&told_part],
);

# what is not derived

push @lines, map {
    my ($pattern, $why) = @$_;
    [pattern($pattern), sub { $_[0]{skipped} = $why }];
} (
    ['media picture (?:held|still|cannot be held)', 'a picture is held'],
    ['media picture moves, .* period:0', 'a picture is held'],
    ['media parameters of track', 'parameters change'],
    ['media track of type', 'a track is of no use'],
    ['media track has gone', 'a track has gone'],
    ['media anchor moves', 'the anchor moves'],
    ['media new period, clocks differ', 'the clocks differ'],
    ['media track # is derived of', 'a track is derived'],
    ['media frame of track # is dropped: (?:nomem|bad)', 'frames are lost'],
);


sub pattern {
    my ($text) = @_;

    $text =~ s/#/(-?\\d+)/g;
    return qr/^$text/;
}


sub line {
    my ($self, $text) = @_;

    for my $case (@lines) {
        my @values = $text =~ $case->[0] or next;
        $case->[1]->($self, @values);
    }
}


# both sides, one after the other: in what order they come is the log's affair

sub told { push @{$_[0]{log}{$_[1]}}, $_[2] }
sub made { push @{$_[0]{made}{$_[1]}}, $_[2] }

sub told_time {
    my ($self, $track, @v) = @_;

    $self->told("time of track $track", sprintf
        'dts:%d pts:%d duration:%d locked:%d silent:%d period:%d resume:%d',
        @v);
}

sub told_drop { $_[0]->told("dropped of track $_[1]", $_[2]) }
sub told_period { $_[0]->told('cut', "$_[1] time:$_[3] opens a period") }

sub told_cut {
    my ($self, $number, $track, $time, undef, $forced, undef, $joined) = @_;

    $self->told('cut', "$number time:$time forced:$forced joined:$joined");
}

sub told_frame {
    my ($self, $track, $number, $part, $dts, $pts, undef, $size, $key) = @_;

    $self->told("frame of track $track",
                "$number.$part dts:$dts pts:$pts key:$key");
}

sub told_part {
    my ($self, $number, $part, $track, $why, $time, $duration, $frames, $rc)
        = @_;

    return $self->{skipped} = $rc == -5 ? 'another publisher has the stream'
                                        : 'there is no room' if $rc != 0;

    $self->told("part of track $track", "$number.$part $why time:$time "
                . "duration:$duration frames:$frames");
}


# at the end of a publisher: what the log says, and what was derived

sub finish {
    my ($self) = @_;

    my $w = delete $self->{w} or return;

    if (!$self->{skipped}) {
        $self->{w} = $w;
        $self->end_period()
            if ($w->{told} || 0) > ($w->{ended} || 0) && $w->{clock};
        delete $self->{w};
    }

    for my $what (sort keys %{{ %{$self->{log}}, %{$self->{made}} }}) {
        my $log = $self->{log}{$what} || [];
        my $made = $self->{made}{$what} || [];

        for my $i (0 .. max($#$log, $#$made)) {
            my ($x, $y) = map { defined $_->[$i] ? $_->[$i] : 'nothing' }
                $log, $made;

            next if $x eq $y;
            last if $self->{skipped} && ($x eq 'nothing' || $y eq 'nothing');

            $self->complain("$what, line $i: decided $x, derived $y");
            last;
        }
    }

    $self->{log} = {};
    $self->{made} = {};
}


# the publisher

sub writer {
    my ($self, undef, $number, $floor, $wall, $returned) = @_;

    # one that is born has other numbers, and no tracks

    if (!$returned || !$self->{stream}) {
        $self->{stream} = { number => $number, names => {}, whole => {} };

    } elsif ($self->{stream}{number} != $number) {
        $self->complain("its number is $number, derived "
                        . $self->{stream}{number});
    }

    $self->{w} = { floor => $floor, wall => $wall, returned => $returned,
                   tracks => [], index => {} };
}


sub configure {
    my ($self, @v) = @_;

    my $w = $self->{w};

    @{$w->{conf}}{qw/ segment max part target grace wait timebase wrap /} = @v;

    $w->{time} = Test::Media::Replay::Time->new(
        timebase => $v[6], wrap => $v[7], wait => $v[5],
        floor => $w->{floor}, wall => $w->{wall});
}


sub announced {
    my ($self, $video, $audio) = @_;

    $self->{w}{time}{announced}{v} = 1 if $video;
    $self->{w}{time}{announced}{a} = 1 if $audio;
}


# its publisher's, or above all that were ever used

sub number {
    my ($used, $id) = @_;

    my $n = $id < 64 && !$used->{$id + 1} ? $id + 1
            : 1 + (sort { $b <=> $a } 0, keys %$used)[0];

    $used->{$n} = 1;

    return $n;
}


sub track {
    my ($self, $index, $id, $type, $scale, $frame, undef, $end) = @_;

    my $w = $self->{w};
    my $s = $self->{stream};

    $type = (qw/ v a t /)[$type];
    $s->{name}{$index} ||= $type . number($s->{names}{$type} ||= {}, $id);

    my $t = { index => $index, name => $s->{name}{$index}, type => $type,
              scale => $scale, number => 0, samples => [], size => 0,
              duration => 0, again => 0, whole => 0, since => 0,
              since_bytes => 0, past => [], offered => 0, bytes => 0,
              ticks => 0, silent => 0 };

    $t->{line} = $w->{time}->add(type => $type, timescale => $scale,
                                 frame => $frame);
    @{$t->{line}}{qw/ ever dts next /} = (1, $end, $end) if $end;
    $t->{frame} = $t->{line}{frame};

    push @{$w->{tracks}}, $t;
    $w->{index}{$index} = $t;

    $self->{counts}{$t->{name}} ||= { map { ($_ => 0) } qw/ segments parts
        forced_cuts frames silent_frames dropped_key dropped_late / };

    $self->joins($t) if $w->{ready} && $w->{clock};
}


# 2: silence until it comes, from the begin of the period on if that is open

sub stands_in {
    my ($self) = @_;

    my $t = $self->{w}{tracks}[-1];
    my $start = $t->{line}{start};

    $self->{w}{time}->absent($t->{line});
    $t->{line}{start} = $start if $t->{joining};
}


# the clock of the machine said so

sub rests {
    my ($self) = @_;

    $self->end_period();
    $self->{w}{time}{breaking} = 1 if $self->{w}{time}{open};
}


sub rescale {
    my ($time, $from, $to) = @_;

    return $time / $from * $to + $time % $from * $to / $from;
}


# a frame comes: what is done with it

sub frame {
    my ($self, $index, $stamp, $cts, $nsec, $key, $repeat, $arrival, $size)
        = @_;

    my $w = $self->{w};
    my $t = $w->{index}{$index} or return;
    my $f = { key => $key, repeat => $repeat, size => $size };
    my $room = 0;

    # what its part has left

    $room = max($w->{conf}{part} * $t->{scale} / 10000 - $t->{duration}, 0)
        if @{$t->{samples}};

    my $time = $w->{time}->frame($t->{line}, {
        stamp => $stamp, cts => $cts, nsec => $nsec, key => $key,
        arrival => $arrival, limit => $room,
        duration => delete $self->{lasts} });

    $time->{key} = $key;

    $self->{sum}{frames}++;
    $self->made("time of track $index", sprintf
        'dts:%d pts:%d duration:%d locked:%d silent:%d period:%d resume:%d',
        map { $_ || 0 } @$time{qw/ dts pts duration locked silent period
                                   resume /}) if !$time->{drop};

    $self->end_period() if $time->{broken};

    if ($time->{anew}) {
        $self->flush($t, 'left');
        $self->close_segment($t);
        $t->{away} = 1;
    }

    if ($time->{drop}) {
        broken($t) if $t->{type} eq 'v';
        return $self->drop($t, $w->{clock} ? 'late' : 'key');
    }

    $self->period($t, $time) if $time->{period};
    $self->clock();

    $self->joins($t) if delete $t->{away} && $t != $w->{clock};

    $self->timed($t, $time, $f);
}


sub drop {
    my ($self, $t, $why) = @_;

    $self->{sum}{dropped}++;
    $self->{counts}{$t->{name}}{"dropped_$why"}++;
    $self->made("dropped of track $t->{index}", $why);
}


sub timed {
    my ($self, $t, $time, $f) = @_;

    my $w = $self->{w};
    my $again = 0;

    $self->silent($t, $time->{dts} - $time->{silent} * $t->{frame},
                  $time->{silent}) if $time->{silent};

    if ($time->{resume}) {

        # 1: what was since the last key frame comes again before it

        if (!$t->{whole} || !$t->{since}) {
            broken($t);
            $w->{time}{breaking} = $w->{time}{open};
            return $self->drop($t, 'key');
        }

        $self->again($t, $time);
        $again = 1;
    }

    my $out = $self->sample($t, $time, $f, $time->{period} || $again);

    if ($t->{type} eq 'v') {
        $out ? went_on($w, $t, $f) : broken($t);
    }

    # 2: sound is fed where it is behind

    for my $other (grep { $_->{type} eq 'a' } @{$w->{tracks}}) {
        while (my ($n, $dts) = $w->{time}->silence($other->{line})) {
            $self->silent($other, $dts, $n);
        }
    }
}


sub broken {
    my ($t) = @_;

    $t->{whole} = $t->{line}{whole} = 0;
}


# could what was since the last key frame be shown again?  Bytes without boxes

sub went_on {
    my ($w, $t, $f) = @_;

    my $usual = $t->{bytes} / ($t->{ticks} / ($w->{conf}{segment} * $t->{scale}
                                              / 1000) + 1);

    $t->{whole} = $f->{repeat} if $f->{key};
    $t->{whole} = 0
        if $t->{since} > AGAIN_FRAMES
           || $t->{since_bytes} > min(8 << 20, max(1 << 20, 4 * $usual));

    $t->{line}{whole} = $t->{whole};
}


sub again {
    my ($self, $t, $time) = @_;

    my @past = @{$t->{past}};
    my $shown = 0;
    my %place = map { ($_ => $shown++) }
        sort { $past[$a]{pts} <=> $past[$b]{pts} } 0 .. $#past;

    for my $i (0 .. $#past) {
        my $at = $time->{held} + $i * AGAIN;

        $self->settle($t, $at);

        my %again = (dts => $at, pts => $time->{held} + $place{$i} * AGAIN,
                     duration => AGAIN);
        my %f = (key => $i == 0, size => $past[$i]{size}, again => 1);

        $self->follow($t, \%again, \%f);
        $t->{again}++;
        $self->append($t, \%again, \%f);
    }

    $time->{dts} = max($time->{dts}, $time->{held} + @past * AGAIN);
    $time->{pts} = max($time->{pts}, $time->{dts});
}


# the period ends: sound is fed up to where the picture ends, all is closed

sub end_period {
    my ($self) = @_;

    my $w = $self->{w};
    my $clock = $w->{clock};

    if ($clock && $clock->{type} eq 'v' && $clock->{open}) {
        my $end = $clock->{line}{next};

        for my $t (@{$w->{tracks}}) {
            next if $t->{type} ne 'a' || !$t->{open}
                    || $t->{number} >= $w->{cut}{number};

            my ($n, $dts) = $w->{time}->owed($t->{line}, $end);
            $self->silent($t, $dts, $n) if $n;
        }
    }

    for my $t (@{$w->{tracks}}) {
        $self->flush($t, 'period');
        $self->close_segment($t);
    }

    $w->{ended}++ if $w->{clock};
    @$w{qw/ clock cuts /} = (undef, []);
}


sub period {
    my ($self, $t, $time) = @_;

    my $w = $self->{w};

    $self->end_period();

    $w->{clock} = $t;
    $self->segmenter($t, $time->{pts});

    @$_{qw/ joining missed away /} = (0, 0, 0) for @{$w->{tracks}};

    $w->{cut} = { number => $self->{stream}{number}, time => $time->{dts},
                  scale => $t->{scale} };
    $w->{cut}{period} = $w->{cut}{number};
    $w->{cuts} = [{ %{$w->{cut}} }];

    $self->{sum}{cuts}++;
    $self->made('cut', "$w->{cut}{number} time:$time->{dts} opens a period");
}


# 2: who decides the cuts

sub clock {
    my ($self) = @_;

    my $w = $self->{w};
    my $line = $w->{time}{open} && $w->{time}{clock};

    return if !$w->{clock} || !$line || $w->{clock}{line} == $line;

    my ($t) = grep { $_->{line} == $line } @{$w->{tracks}};

    $self->segmenter($t, rescale($w->{cut}{time}, $w->{cut}{scale},
                                 $t->{scale}));

    $t->{joining} = 1 if $t->{type} eq 'v' && !$t->{open};
    $w->{clock} = $t;
}


# 3: where segments end

sub segmenter {
    my ($self, $t, $pts) = @_;

    my $w = $self->{w};
    my $s = $w->{segmenter} = { type => $t->{type}, scale => $t->{scale},
        regular => 0, gap_max => 0, gap_recent => 0, gap_old => 0 };

    $s->{segment} = max($w->{conf}{segment} * $t->{scale} / 1000, 1);
    $s->{max} = max($w->{conf}{max} * $t->{scale} / 1000, $s->{segment});

    start($s, $pts, 1);

    # no playlist before a segment is whole

    @$s{qw/ early awaited /} = (1, 1) if !$self->{stream}{whole}{$t->{name}};
}


sub start {
    my ($s, $pts, $period) = @_;

    @$s{qw/ start early awaited /} = ($pts, $period, 0);

    if ($period) {
        @$s{qw/ key keys gap aligned aligning /}
            = ($pts, 1, 0, $pts + $s->{segment}, 1);
        return;
    }

    $s->{aligned} += (($pts - $s->{aligned}) / $s->{segment} + 1)
                     * $s->{segment} if $s->{aligned} <= $pts;
}


sub due {
    my ($s, $at, $duration, $key) = @_;

    my $e = $at - $s->{start};
    my $cut = 0;

    if ($s->{type} eq 'a') {
        $cut = $at >= $s->{aligned} || $s->{early} && $e >= $s->{segment} / 4;

    } elsif ($key) {
        $cut = due_key($s, $at, $e);
    }

    if (!$cut && $s->{type} ne 'a' && $e > 0) {

        # by force: nothing is waited for if key frames are too far apart

        my $limit = $s->{gap_max} > $s->{max} || $at - $s->{key} > $s->{max}
            ? $s->{segment} : $s->{max};

        $limit = min($limit, $s->{segment} * 3 / 2) if $s->{awaited};
        $cut = $key ? 1 : 2 if $e + $duration > $limit;
    }

    start($s, $at, 0) if $cut;

    return $cut;
}


sub due_key {
    my ($s, $at, $e) = @_;

    my $previous = $s->{key};
    my $gap = $at > $previous ? $at - $previous : $s->{gap};

    @$s{qw/ key gap /} = ($at, $gap);

    # gmax, of the last 32 to 64

    @$s{qw/ gap_old gap_recent /} = ($s->{gap_recent}, 0)
        if ++$s->{keys} % 32 == 0;
    $s->{gap_recent} = max($s->{gap_recent}, $gap);
    $s->{gap_max} = max($s->{gap_recent}, $s->{gap_old});

    my $passed = $at / $s->{segment} > $previous / $s->{segment};

    my $cut = $e >= $s->{segment} - min($gap, $s->{segment}) / 2
        || $e + $s->{gap_max} > $s->{max} && $e >= $s->{segment} / 4
        || $s->{early} && $e >= $s->{segment} / 4
        || $s->{aligning} && $e >= $s->{segment} / 5 && $passed;

    $s->{aligning} = 0 if $cut && $passed;

    return $cut ? 1 : 0;
}


sub clock_sample {
    my ($self, $t, $time, $f) = @_;

    my $w = $self->{w};
    my $cut = due($w->{segmenter}, $f->{key} ? $time->{pts} : $time->{dts},
                  $time->{duration}, $f->{key});

    start($w->{segmenter}, $time->{pts}, 1) if $t->{joining} && !$cut;

    $self->cut($t, $time->{dts}, $cut == 2) if $cut || $t->{joining};
    $t->{joining} = 0;
}


sub cut {
    my ($self, $t, $time, $forced) = @_;

    my $w = $self->{w};
    my $cut = $w->{cut};
    my $joined = 0;

    $cut->{number}++;
    @$cut{qw/ time scale joined /} = ($time, $t->{scale}, 0);

    # what other tracks have been waiting for

    for my $other ($forced ? () : grep { $_->{joining} } @{$w->{tracks}}) {
        next if $other != $t && $other->{offered} > $other->{number};
        $other->{offered} = $cut->{number};
        $joined = 1;
    }

    @{$w->{segmenter}}{qw/ early awaited /} = (1, 1) if $joined;
    @$cut{qw/ joined period /} = (1, $cut->{number}) if $joined;

    push @{$w->{cuts}}, { %$cut };
    shift @{$w->{cuts}} if @{$w->{cuts}} > CUTS;

    $self->{sum}{cuts}++;
    $self->{sum}{forced}++ if $forced;
    $self->{counts}{$t->{name}}{forced_cuts}++ if $forced;

    $self->made('cut', sprintf '%d time:%d forced:%d joined:%d',
                $cut->{number}, $time, $forced ? 1 : 0, $joined);
}


# has the track come to the cut?

sub reached {
    my ($cut, $time, $scale) = @_;

    my ($x, $y) = ($time / $scale, $cut->{time} / $cut->{scale});

    return $x > $y if $x != $y;
    return $time % $scale * $cut->{scale} >= $cut->{time} % $cut->{scale}
                                             * $scale;
}


sub cut_of {
    my ($self, $t, $time) = @_;

    my @cuts = @{$self->{w}{cuts}};

    return $self->{w}{cut} if $t == $self->{w}{clock};

    pop @cuts while @cuts > 1
                    && !reached($cuts[-1], $time->{pts}, $t->{scale});
    return $cuts[-1];
}


# 2: it comes later than the playlists, and takes part from a cut on

sub joins {
    my ($self, $t) = @_;

    @$t{qw/ joining number /} = (1, $self->{w}{cut}{number});
    $self->{w}{segmenter}{early} = 1;
}


sub waits {
    my ($self, $t, $time, $key) = @_;

    my $w = $self->{w};

    for my $cut (grep { $_->{number} > $t->{number} } @{$w->{cuts}}) {
        last if !reached($cut, $time->{pts}, $t->{scale});
        next if !$cut->{joined};
        return 1 if !$key && !$t->{missed};

        my $own = $self->cut_of($t, $time);

        if (!$t->{missed} && $own->{number} != $own->{period}) {
            $self->joins($t);
            $t->{missed} = 1;
            return 1;
        }

        @$t{qw/ joining missed /} = (0, 0);
        return 0;
    }

    if ($t->{offered} > $t->{number}
        && $t->{offered} < $w->{cuts}[0]{number})
    {
        $self->joins($t);
        $t->{missed} = 1;
    }

    return 1;
}


sub silent {
    my ($self, $t, $dts, $n) = @_;

    my $end = $dts + $n * $t->{frame};

    $t->{silent} = 1;

    while ($dts < $end) {
        my $rest = $end - $dts;
        my $d = $rest < 2 * $t->{frame} ? $rest : $t->{frame};

        $self->sample($t, { dts => $dts, pts => $dts, duration => $d,
                            locked => 1 }, { key => 1, size => 0 }, 0);
        $dts += $d;
    }

    $t->{silent} = 0;
}


# false: it does not go out

sub sample {
    my ($self, $t, $time, $f, $period) = @_;

    my $w = $self->{w};
    my $clock = $t == $w->{clock};

    if (!$clock && !$t->{open} && !$t->{joining} && $w->{ready}) {
        my $own = $self->cut_of($t, $time);
        $self->joins($t) if $own->{number} != $own->{period};
    }

    $self->settle($t, $time->{dts});

    if ($clock) {
        $self->clock_sample($t, $time, $f) if !$period;

    } elsif ($t->{joining} && $self->waits($t, $time, $f->{key})) {
        $self->drop($t, 'key');
        return 0;
    }

    Test::Media::Replay::Time::moved($t->{line}, $time) if $t->{type} eq 'v';

    $self->{counts}{$t->{name}}{silent_frames}++ if $t->{silent};

    $self->follow($t, $time, $f);
    $self->append($t, $time, $f);
    return 1;
}


# 3: goes over to the segment that the frame belongs to

sub follow {
    my ($self, $t, $time, $f) = @_;

    my $w = $self->{w};

    if (!$t->{open}) {
        my $number = max($self->cut_of($t, $time)->{number},
                         $t->{number} + 1);

        $t->{number} = min($number, $w->{cut}{number});
        return $self->begin($t, $time);
    }

    while ($t->{number} < $w->{cut}{number}) {
        my ($cut) = grep { $_->{number} > $t->{number} } @{$w->{cuts}};

        return if $t != $w->{clock}
                  && !reached($cut, $time->{pts}, $t->{scale});

        $self->flush($t, 'cut');
        $self->close_segment($t);
        $t->{number} = $cut->{number};
        $self->begin($t, $time);
    }
}


sub begin {
    my ($self, $t, $time) = @_;

    @$t{qw/ segment nparts open /} = ($t->{number}, 0, 1);
}


# 7: a part

sub settle {
    my ($self, $t, $dts) = @_;

    my $last = $t->{samples}[-1] or return;

    $last->{duration} = $dts - $last->{dts};
    $t->{duration} += $last->{duration};
}


sub fits {
    my ($self, $t, $duration) = @_;

    return $duration * 10000 <= $self->{w}{conf}{part} * $t->{scale};
}


sub append {
    my ($self, $t, $time, $f) = @_;

    my $samples = $t->{samples};

    $self->flush($t, 'late')
        if @$samples
           && (@$samples == SAMPLES + $t->{again}
               || $t->{size} + $f->{size} > BYTES
               || !$self->fits($t, $t->{duration} + $time->{duration}));

    $samples = $t->{samples};

    push @$samples, { dts => $time->{dts}, size => $f->{size},
                      duration => $time->{duration}, key => $f->{key} };
    $t->{size} += $f->{size};

    @$t{qw/ since since_bytes past /} = (0, 0, []) if $f->{key};
    $t->{since}++;
    $t->{since_bytes} += $f->{size};
    push @{$t->{past}}, { pts => $time->{pts}, size => $f->{size} };

    $self->{counts}{$t->{name}}{frames}++ if !$f->{again};
    $self->made("frame of track $t->{index}",
                sprintf '%d.%d dts:%d pts:%d key:%d', $t->{segment},
                $t->{nparts}, $time->{dts}, $time->{pts}, $f->{key} ? 1 : 0);

    return if !$time->{locked}
              || $self->fits($t, $t->{duration} + 2 * $time->{duration});

    # its last frame is known, so it closes now

    Test::Media::Replay::Time::fix($t->{line}, $time->{duration})
        if !$t->{silent};
    $self->flush($t, 'early');
}


sub flush {
    my ($self, $t, $why) = @_;

    my @samples = @{$t->{samples}} or return;
    my $duration = sum0 map { $_->{duration} } @samples;

    $self->{sum}{parts}++;
    $self->{counts}{$t->{name}}{parts}++;
    $self->made("part of track $t->{index}",
                "$t->{segment}.$t->{nparts} $why time:$samples[0]{dts} "
                . "duration:$duration frames:" . @samples);

    push @{$self->{parts}{$t->{name}}{$t->{segment}}}, {
        part => $t->{nparts}, time => $samples[0]{dts},
        duration => $duration, key => $samples[0]{key} ? 1 : 0,
        sizes => join(' ', map { $_->{size} } @samples) };

    $t->{nparts}++;
    $t->{bytes} += $t->{size};
    $t->{ticks} += $duration;
    @$t{qw/ samples size duration again /} = ([], 0, 0, 0);

    $self->{stream}{number} = max($self->{stream}{number},
                                  $t->{segment} + 1);
}


sub close_segment {
    my ($self, $t) = @_;

    return if !delete $t->{open} || !$t->{nparts};

    $self->{stream}{whole}{$t->{name}} = 1;
    $self->{counts}{$t->{name}}{segments}++;
}


# what was published

sub published {
    my ($bytes, $init) = @_;

    my @moofs = grep { $_->{type} eq 'moof' } @{mp4_boxes($bytes)};
    my @parts;

    for my $i (0 .. $#moofs) {
        my $from = $moofs[$i]{offset};
        my $to = $i < $#moofs ? $moofs[$i + 1]{offset} : length $bytes;
        my @samples = mp4_samples(substr($bytes, $from, $to - $from), $init);
        my $mfhd = mp4_find($moofs[$i]{boxes}, 'mfhd')->{data};

        push @parts, {
            part => unpack('x4 N', $mfhd) & 1023, time => $samples[0]{dts},
            duration => sum0(map { $_->{duration} } @samples),
            key => $samples[0]{key} ? 1 : 0,
            sizes => join(' ', map { $_->{size} } @samples) };
    }

    return \@parts;
}


sub differs {
    my ($self, $published) = @_;

    my @bad;

    for my $name (sort keys %{{ %$published, %{$self->{parts}} }}) {
        my $there = $published->{$name} || {};
        my $made = $self->{parts}{$name} || {};

        for my $number (sort { $a <=> $b } keys %{{ %$there, %$made }}) {
            my ($x, $y) = map { $_->{$number} || [] } $there, $made;

            for my $i (0 .. max($#$x, $#$y)) {
                my ($has, $must) = map { text($_->[$i]) } $x, $y;

                # silence has a size that is not in the log

                $has =~ s/(sizes:).*/$1/ && $must =~ s/(sizes:).*/$1/
                    if $must =~ /sizes:.*\b0\b/;

                push @bad, "$name $number.$i: published $has, derived $must"
                    if $has ne $must;
            }
        }
    }

    return join "\n", @bad[0 .. min($#bad, WRONG)];
}


sub text {
    my ($part) = @_;

    return 'nothing' if !$part;
    return join ' ', $part->{part}, map { "$_:$part->{$_}" }
                                    qw/ time duration key sizes /;
}


1;
