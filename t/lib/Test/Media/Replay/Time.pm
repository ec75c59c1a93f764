package Test::Media::Replay::Time;

# Copyright (C) ngx_stream_vod_module authors

# What stamps become, written down a second time: docs/timing.md, sections 1,
# 2, 9 and 10.  It is told what came, and when; nothing of what was decided.
# Times are integers, in u (1/360000 s) where they are of all tracks.
# Of the manual of Test::Media::Replay this is the first half.

use strict;
use warnings;
use integer;

use List::Util qw/ max min /;

use constant {
    U => 360000,
    MSEC => 360,
    STEP => 360,                # the least from picture to picture
    BOUND => 540,               # 1.5 ms
    GAP_MAX => 3600000,
    BACK => 360000,             # stamps that go back by more jump, and
    AHEAD => 1080000,           # those ahead of arrival by more
    FOLLOW => 1000,             # ms in which the other tracks jump, too
    LAG => 500,                 # ms that sound may be behind the others
    LAG_MAX => 3000,
    LUMP => 100,                    # more than two of them
    GUESS => 14400,             # 40 ms
    NEAR => 720,
    LOCK => 16,
};


sub muldiv {
    my ($v, $num, $den) = @_;

    my ($q, $r) = ($v / $den, $v % $den);
    ($r, $q) = ($r + $den, $q - 1) if $r < 0;

    return $q * $num + $r * $num / $den;
}


sub clamp { return $_[0] < $_[1] ? $_[1] : $_[0] > $_[2] ? $_[2] : $_[0] }


sub new {
    my ($class, %conf) = @_;

    return bless { %conf, lines => [], base => 0, head => 0, cut => 0,
                   head_arrival => 0, jumped => 0, anchor => 0,
                   announced => {}, open => 0, keep => 0 }, $class;
}


sub add {
    my ($self, %o) = @_;

    my $line = { rebase => 0, pending => 0, start => 0, dts => 0, next => 0,
                 media => 0, arrival => 0, stamp => 0, u => 0, lag => LAG,
                 least => LAG,
                 reorder => 0, early => 0, key => 0, recent => [], error => 0,
                 off => 0, off_least => 0, shift => 0, steady => 0,
                 ever => 0, whole => 0, %o };

    my $hint = $o{type} eq 'v' ? $o{frame} : 0;
    $hint = 0 if $hint < 720 || $hint > 10 * U;

    $line->{cadence} = { hint => $hint, num => $hint, den => 1, out => 0,
                         frac => 0, error => 0, correction => 0, window => [],
                         due => 0, run => 0, odd => 0, slow => 0 };

    $line->{start} = $self->{head} - $self->{cut} <= GAP_MAX
        ? $self->{cut} : $self->{head} if $self->{open};

    push @{$self->{lines}}, $line;
    return $line;
}


# a frame: { stamp cts nsec key arrival limit }; what becomes of it

sub frame {
    my ($self, $line, $in) = @_;

    my $out = { dts => 0, pts => 0, duration => 0, silent => 0 };

    if (delete $self->{breaking}) {
        $self->close(1, $out);
    }

    $self->jump($line, $in, $out) if $self->unroll($line, $in);

    if (!$self->{open}) {
        $self->wait($line, $in, $out);
        return $out;
    }

    if (!$line->{synced} && !$self->sync($line, $in, $out)) {
        $out->{drop} = 1;
        return $out;
    }

    my $media = $line->{u} + $line->{rebase} + $self->{base};

    $line->{type} eq 'v' ? $self->video($line, $in, $media, $out)
                         : $self->audio($line, $in, $media, $out);
    return $out;
}


# 9: wraps are unrolled; has it jumped?

sub unroll {
    my ($self, $line, $in) = @_;

    my $full = 1 << $self->{wrap};
    my $raw = $in->{stamp} & $full - 1;
    my $d = $raw - $line->{stamp} & $full - 1;

    $line->{stamp} = !$line->{seen} ? $raw
        : $line->{stamp} + ($d < $full / 2 ? $d : $d - $full);

    my $nsec = min($in->{nsec}, 999999999) * 9 / 25000;
    my $u = muldiv($line->{stamp}, U, $self->{timebase}) + $nsec;
    my $jump = 0;

    if ($line->{seen}) {
        my $waited = max($in->{arrival} - $line->{arrival}, 0);

        $d = $u - $line->{u};
        $jump = $d < -BACK || $d > AHEAD + $waited * MSEC;
    }

    if ($jump) {
        $line->{stamp} = $raw;
        $u = muldiv($raw, U, $self->{timebase}) + $nsec;
    }

    @$line{qw/ seen u arrival /} = (1, $u, $in->{arrival});

    return $jump;
}


# a picture that jumps ends the period; sound may be ahead of the others

sub jump {
    my ($self, $line, $in, $out) = @_;

    if ($in->{arrival} - $self->{jumped} > FOLLOW
        || $in->{arrival} < $self->{jumped})
    {
        $self->{jumped} = $in->{arrival};
        $out->{jump} = 1;
    }

    $line->{jumped} = 1;

    if ($self->{open} && $line->{type} ne 'v' && $line != $self->{clock}) {
        $line->{synced} = 0;
        $line->{pending} = 0;
        return;
    }

    $_->{jumped} = 1 for @{$self->{lines}};
    $self->close(0, $out);
}


# how far its stamp is from the common clock, or from where that should be

sub off {
    my ($self, $line, $in) = @_;

    my $d = $line->{u} + $line->{rebase} + $self->{base} - $self->{head};
    my $full = 1 << $self->{wrap};
    my $turn = muldiv($full, U, $self->{timebase});
    my $turns = muldiv($d + $turn / 2, 1, $turn);

    $line->{u} -= $turns * $turn;
    $line->{stamp} -= $turns * $full;
    $d -= $turns * $turn;

    return $d if $d <= 0;
    return max(0, $d - MSEC * max(0, $in->{arrival} - $self->{head_arrival}));
}


sub sync {
    my ($self, $line, $in, $out) = @_;

    my $d = $self->off($line, $in);

    if (abs $d > ($line->{jumped} ? U : 3 * U)) {

        if ($line->{jumped}) {
            $line->{pending} = $in->{arrival}
                if $line->{pending} == 0
                   || $line->{pending} > $in->{arrival};

            return 0 if $in->{arrival} - $line->{pending} < FOLLOW;
        }

        # another base: it is moved, once

        $line->{rebase} = $self->{head} - $self->{base} - $line->{u}
            + MSEC * max($in->{arrival} - $self->{head_arrival}, 0)
            if abs $d > 3 * U;
    }

    @$line{qw/ pending jumped synced /} = (0, 0, 1);

    return 1;
}


sub cts {
    my ($self, $line, $in) = @_;

    return 0 if $line->{type} ne 'v';
    return clamp(muldiv($in->{cts}, U, $self->{timebase}), -10 * U, 10 * U);
}


sub close {
    my ($self, $keep, $out) = @_;

    $out->{broken} = 1 if $self->{open};
    $self->{keep} = 0 if !$keep;
    @$self{qw/ open waiting clock /} = (0, 0, undef);
}


# 1, 2: no period is open, does this frame open one?

sub wait {
    my ($self, $line, $in, $out) = @_;

    if ($line->{type} eq 'v') {
        return $self->open($line, $in, $out) if $in->{key} || $line->{whole};

    } else {
        my $video = $self->{announced}{v}
                    || grep { $_->{type} eq 'v' } @{$self->{lines}};

        return $self->open($line, $in, $out) if !$video;

        ($self->{waiting}, $self->{wait_from}) = (1, $line->{u})
            if !$self->{waiting} || $line->{u} < $self->{wait_from};

        return $self->open($line, $in, $out)
            if $line->{u} - $self->{wait_from} >= $self->{wait} * MSEC;
    }

    $out->{drop} = 1;
}


# 6, 10: media time of its first frame is the wall clock's, or goes on

sub open {
    my ($self, $line, $in, $out) = @_;

    $self->{keep} = 0
        if $self->{keep} && abs($self->off($line, $in)) > 3 * U;

    my $cts = $self->cts($line, $in);
    my $lead = $line->{type} eq 'v' && !$in->{key} ? $line->{reorder} : $cts;
    my $start = $self->base($line, $in, $line->{u} + $lead);
    my $media = $start - $lead;

    for my $other (@{$self->{lines}}) {
        @$other{qw/ synced started reopen pending start /}
            = (0, 0, 0, 0, $start);
    }

    @$line{qw/ synced jumped /} = (1, 0);
    @$self{qw/ cut head head_arrival clock open opened keep /}
        = ($start, $media, $in->{arrival}, $line, 1, 1, 1);
    $out->{period} = 1;

    $line->{type} eq 'v'
        ? $self->video_start($line, $media, $cts, $in->{key}, $out)
        : $self->audio_line($line, $in, $media, $out);

    $self->accept($line, $in, $media);
}


sub base {
    my ($self, $line, $in, $pts) = @_;

    my ($start, $wall);
    $pts += $line->{rebase};

    my $end = $self->{floor} * MSEC;
    $end = max($end, line_end($_)) for grep { $_->{ever} } @{$self->{lines}};

    if ($self->{keep}) {
        $start = $pts + $self->{base};
        $wall = $start + $self->{anchor} * MSEC;
        $start = max($start, line_end($line)) if $line->{ever};

    } else {
        my $last = $self->{opened} ? $end + $self->{anchor} * MSEC
                                   : $self->{wall} * MSEC;

        $wall = $in->{arrival} * MSEC;
        $wall = $last if $wall < $last && $last - $wall < 1000 * MSEC;
        $start = max($wall, $end);
    }

    if (!$self->{keep} || $start != $pts + $self->{base}) {
        $self->{base} = $start - $pts;
        $self->{anchor} = muldiv($wall - $start, 1, MSEC);
    }

    return $start;
}


sub line_end { return -muldiv(-$_[0]{next}, U, $_[0]{timescale}) }


sub accept {
    my ($self, $line, $in, $media) = @_;

    $line->{media} = $media;
    @$self{qw/ head head_arrival /} = ($media, $in->{arrival})
        if $media > $self->{head};
}


# video

sub video {
    my ($self, $line, $in, $media, $out) = @_;

    my $cts = $self->cts($line, $in);
    my $clock = $self->{clock} == $line;

    if (!$line->{started}) {

        if (!$in->{key}) {
            $out->{drop} = 1;
            return;
        }

        if ($line->{reopen}) {
            $self->close(1, $out);
            return $self->open($line, $in, $out);
        }

        $self->video_start($line, $media, $cts, 1, $out);
        $self->{clock} = $line if $self->{clock}{type} ne 'v';

        return $self->accept($line, $in, $media);
    }

    if ($self->video_line($line, $in, $media, $cts, $out)) {

        if ($line->{reopen}) {
            $line->{reopen} = 0;
            $self->{clock} = $line;
        }

        return $self->accept($line, $in, $media);
    }

    if (!$in->{key} && $line->{reopen}) {
        $line->{started} = 0;
        $out->{drop} = 1;
        return;
    }

    if (!$clock && !$line->{reopen} && $self->{clock}{type} eq 'v') {
        $out->{anew} = 1;
        $line->{started} = 0;
        return $self->video($line, $in, $media, $out);
    }

    $self->close(1, $out);
    $self->wait($line, $in, $out);
}


# 1: the longest pause after which it goes on

sub video_limit {
    my ($self, $line) = @_;

    return GAP_MAX if $self->{clock} != $line && !$line->{reopen};

    my $silence = video_silence($line);
    return $line->{whole} ? max($silence, 3 * U) : $silence;
}


sub video_silence {
    my ($line) = @_;

    return known($line->{cadence}) ? max(3 * duration($line->{cadence}), U)
                                   : 5 * U;
}


# false: it was silent, the period is over

sub video_line {
    my ($self, $line, $in, $media, $cts, $out) = @_;

    my $c = $line->{cadence};
    my $interval = $media - $line->{media};

    if ($interval > $self->video_limit($line)) {
        learn($c, $interval);
        return 0;
    }

    if ($c->{out} - $media > 2 * U) {
        $out->{drop} = 1;
        return 1;
    }

    learn($c, $interval);

    if ($self->{clock} == $line && $interval > video_silence($line)) {
        start($c, $media);
        $line->{fixed} = 0;
        @$out{qw/ resume held /} = (1, $line->{next});

    } else {
        move($c, $media);
    }

    my $pts = unique($line, place($c, $media, $cts), $media + $cts);
    my $aim = place($c, $media, $line->{reorder});

    if ($in->{key}) {
        my $off = $line->{early} - $line->{key};

        $line->{reorder} = clamp($line->{reorder} + $off, -10 * U, 10 * U)
            if abs $off > duration($c) / 2;

        $aim = place($c, $media, $line->{reorder});
        $aim = $pts if abs($pts - $aim) <= 2 * BOUND;

        @$line{qw/ key early /} = ($aim, $pts);

    } elsif ($pts < $line->{early}) {
        $line->{early} = $pts;
    }

    $line->{dts} = $out->{resume} ? max($aim, $line->{next})
                                  : video_dts($line, $in, $aim);
    @$out{qw/ dts pts /} = ($line->{dts}, $pts);

    expect($line, $aim, $out);
    return 1;
}


# 1: the decode line makes up for what is missing, or falls back

sub video_dts {
    my ($line, $in, $aim) = @_;

    return $line->{next} if delete $line->{fixed};

    my $least = $line->{dts} + STEP;
    my $most = $line->{dts} + (known($line->{cadence})
                               ? 2 * duration($line->{cadence}) : 5 * U);

    if ($in->{limit} && $in->{limit} >= $line->{next} - $line->{dts}) {
        $most = min($most, $line->{dts} + $in->{limit});
        $least = min($least, $most);
    }

    return clamp($aim, $least, $most);
}


sub video_start {
    my ($self, $line, $media, $cts, $key, $out) = @_;

    start($line->{cadence}, $media);

    my $pts = $media + $cts;

    $key ? ($line->{reorder} = $cts) : ($out->{resume} = 1);

    $line->{early} = $pts;
    $line->{key} = $media + $line->{reorder};
    $line->{recent} = [];
    $line->{dts} = max($line->{key}, $line->{start});
    $line->{dts} = $line->{next}
        if $line->{ever} && $line->{dts} < $line->{next};

    unique($line, $pts, $pts);

    @$line{qw/ started ever reopen /} = (1, 1, 0);
    @$out{qw/ dts pts held /} = ($line->{dts}, $pts, $line->{dts});

    expect($line, $line->{key}, $out);
}


# no two frames are shown at one time

sub unique {
    my ($line, $pts, $stamp) = @_;

    my $recent = $line->{recent};
    my $step = $pts > $stamp ? -1 : 1;

    $pts += $step while grep { $_ == $pts } @$recent;

    push @$recent, $pts;
    shift @$recent if @$recent > 32;

    return $pts;
}


# how long it lasts, if nothing is missing

sub expect {
    my ($line, $aim, $out) = @_;

    my $c = $line->{cadence};
    my $step = step($c, $line->{reorder});
    my $d = max($aim + $step - $line->{dts}, STEP);

    $out->{locked} = $c->{run} >= LOCK && $d <= $step + BOUND ? 1 : 0;
    $d = min($d, $step) if !$out->{locked};

    $line->{next} = $line->{dts} + $d;
    $line->{fixed} = 0;
    $out->{duration} = $d;
}


# 9: the smoothed stamp, out = out + k D within the bound

sub start {
    my ($c, $stamp) = @_;

    @$c{qw/ out frac error correction run odd slow /}
        = ($stamp, 0, 0, 0, 0, 0, 0);
}


sub duration { return $_[0]{num} ? $_[0]{num} / $_[0]{den} : GUESS }
sub known { return $_[0]{hint} || @{$_[0]{window}} >= 3 }


sub count {
    my ($c, $v) = @_;

    return muldiv(2 * $v * $c->{den} + $c->{num}, 1, 2 * $c->{num});
}


sub move {
    my ($c, $stamp) = @_;

    my $previous = $c->{out};

    if ($c->{num} == 0) {
        $c->{out} = $stamp;

    } else {
        my $k = max(count($c, $stamp - $c->{out}), 1);
        my $total = $c->{frac} + $k * $c->{num};

        $c->{out} += $total / $c->{den} + $c->{correction};
        $c->{frac} = $total % $c->{den};
    }

    for my $bound ($c->{out} >= $stamp + BOUND ? $stamp + BOUND : (),
                   $c->{out} < $stamp - BOUND ? $stamp - BOUND : ())
    {
        @$c{qw/ out frac /} = ($bound, 0);
    }

    @$c{qw/ out frac /} = ($previous + STEP, 0)
        if $c->{out} < $previous + STEP;

    correct($c, $stamp - $c->{out});
}


# a lasting error is worked off, D / 512 a frame

sub correct {
    my ($c, $error) = @_;

    if ($c->{run} < LOCK) {
        @$c{qw/ error correction /} = (0, 0);
        return;
    }

    $c->{error} += $error - $c->{error} / 16;

    my $off = $c->{error} / 16;

    if (abs $off <= ($c->{correction} ? 18 : 108)) {
        $c->{correction} = 0;
        return;
    }

    my $step = $c->{num} / $c->{den} / 512 + 1;

    $c->{correction} = $off > 0 ? $step : -$step;
    $c->{error} -= $c->{correction} * 16;
}


# the smoothed stamp of what is shown so much later

sub place {
    my ($c, $stamp, $cts) = @_;

    if ($c->{num}) {
        my $k = count($c, $cts);
        my $v = $c->{out} + muldiv($c->{frac} + $k * $c->{num}, 1, $c->{den});

        return $v if abs($v - $stamp - $cts) <= BOUND;
    }

    my $v = $c->{out} + $cts;

    return $v if abs($stamp - $c->{out}) > BOUND;
    return clamp($v, $stamp + $cts - BOUND, $stamp + $cts + BOUND);
}


sub step {
    my ($c, $cts) = @_;

    return GUESS if $c->{num} == 0;

    my $k = count($c, $cts);

    return muldiv($c->{frac} + ($k + 1) * $c->{num}, 1, $c->{den})
           - muldiv($c->{frac} + $k * $c->{num}, 1, $c->{den})
           + $c->{correction};
}


# D, of up to 300 intervals

sub learn {
    my ($c, $interval) = @_;

    if ($interval <= 0 || $interval > GAP_MAX) {
        @$c{qw/ run slow /} = (0, 0);
        return;
    }

    my $d = duration($c);
    my $window = $c->{window};

    if ($c->{num} && abs($interval - $d) <= NEAR) {
        $c->{run}++;
        $c->{odd} = 0;

    } else {
        $c->{run} = 0;
        $c->{odd}++;
    }

    $c->{slow} = $interval > $d + $d / 2 ? $c->{slow} + 1 : 0;

    push @$window, $interval;
    shift @$window if @$window > 300;

    forget($c, $c->{slow} >= 4 && @$window > 4 ? 4
           : $c->{odd} >= LOCK && @$window > LOCK ? LOCK : 0);

    return if $c->{due} > 1 && $c->{due}--;

    estimate($c);

    my $n = @{$c->{window}};
    $c->{due} = $n < 8 ? 1 : $n < 64 ? 8 : $n < 300 ? 16 : 50;
}


# the rate is another one: only the last n count

sub forget {
    my ($c, $n) = @_;

    return if !$n;

    my @kept = @{$c->{window}}[-$n .. -1];
    my $sum = 0;
    $sum += $_ for @kept;

    @$c{qw/ odd slow /} = (0, 0);

    return if $c->{num} && within($sum, $n, $c->{num}, $c->{den}, 50);

    $c->{window} = \@kept;
    $c->{due} = 0;
}


sub within {
    my ($sum, $n, $num, $den, $mille) = @_;

    return abs($sum * $den - $num * $n) * 1000 <= $mille * $num * $n;
}


# a mean of what is near the median, once, twice or three times

sub estimate {
    my ($c) = @_;

    my @sorted = sort { $a <=> $b } @{$c->{window}};
    my $median = $sorted[@sorted / 2];
    my $tolerance = max($median / 4, NEAR);
    my ($sum, $n) = (0, 0);

    for my $interval (@sorted) {
        my $k = (2 * $interval + $median) / (2 * $median);

        next if $k < 1 || $k > 3
                || abs($interval - $k * $median) > $tolerance;
        $sum += $interval;
        $n += $k;
    }

    ($sum, $n) = ($median, 1) if !$n;
    snap($c, max($sum, 720 * $n), $n);
}


# taken for exact near a usual rate: of N or N * 1000 / 1001 a second

sub snap {
    my ($c, $sum, $n) = @_;

    my $count = @{$c->{window}};

    return set($c, $c->{hint}, 1)
        if $c->{hint} && $count < 64
           && within($sum, $n, $c->{hint}, 1, $count < 8 ? 100 : 6);

    my ($diff, $m, $num);

    for my $nominal (2 * U, 2 * 360360) {
        my $middle = (2 * $nominal * $n + $sum) / (2 * $sum);

        for my $try ($middle - 1 .. $middle + 1) {
            next if $try < 1 || $try > 31 && $try % 2
                    || !within($sum, $n, $nominal, $try, $count < 32 ? 6 : 2);

            my $off = abs($sum * $try - $nominal * $n);

            ($diff, $m, $num) = ($off, $try, $nominal)
                if !$m || $off * $m < $diff * $try;
        }
    }

    return set($c, $sum, $n) if !$m;

    # no change of mind for less than half of what 60 and 59.94 are apart

    return if ($c->{num} == 2 * U || $c->{num} == 2 * 360360)
              && abs($sum * $c->{den} - $n * $c->{num}) * 1667
                 <= $n * $c->{num};

    set($c, $num, $m);
}


sub set {
    my ($c, $num, $den) = @_;

    @$c{qw/ num den frac /} = ($num, $den, 0)
        if $c->{num} != $num || $c->{den} != $den;
}


# audio

sub audio {
    my ($self, $line, $in, $media, $out) = @_;

    my $clock = $self->{clock};

    if ($clock != $line && $media - $self->{head} > AHEAD
        || !$self->audio_line($line, $in, $media, $out))
    {
        $self->close(1, $out);
        return $self->wait($line, $in, $out);
    }

    return if $out->{drop};

    $self->accept($line, $in, $media);

    return if $clock->{type} ne 'v';

    # 2: video has stopped and cannot be held

    if ($media - $clock->{media} > video_silence($clock) && !$clock->{whole}
        && $in->{arrival} - $clock->{arrival} > FOLLOW)
    {
        $clock->{reopen} = 1;
        $self->{clock} = $line;
    }
}


sub msec { return $_[1] * $_[0]{timescale} / 1000 }


# false: it was silent for too long

sub audio_line {
    my ($self, $line, $in, $media, $out) = @_;

    my $stamp = muldiv($media, $line->{timescale}, U);

    my $frame = $in->{duration} || $line->{frame};

    return $line->{started} ? $self->audio_next($line, $stamp, $frame, $out)
                            : $self->audio_first($line, $stamp, $frame, $out);
}


# from where on it is owed frames

sub audio_start {
    my ($line) = @_;

    my $start = -muldiv(-$line->{start}, $line->{timescale}, U);

    return $line->{ever} ? max($start, $line->{next}) : $start;
}


sub audio_first {
    my ($self, $line, $stamp, $frame, $out) = @_;

    my $start = audio_start($line);
    my $dts = $stamp;

    if ($stamp < $start) {
        my $late = $line->{ever} ? $line->{next} - $stamp : 0;

        if ($stamp + $frame <= $start
            || $late > 0 && $late > $frame / 2)
        {
            $out->{drop} = 1;
            return 1;
        }

        $dts = $line->{next} if $late > 0;

    } else {
        return 0 if $stamp - $start > msec($line, 10000);

        $out->{silent} = ($stamp - $start) / $line->{frame};
        $dts = $start + $out->{silent} * $line->{frame};
        $dts = $stamp if !$line->{ever} || $start != $line->{next}
                         || $stamp - $dts > msec($line, 3);
    }

    $line->{error} = ($stamp - $dts) * 64;
    $line->{shift} = $stamp - $dts;
    @$line{qw/ off steady silent correcting /} = (0, 0, 0, 0);

    audio_put($line, $dts, $frame, $out);
    return 1;
}


sub audio_next {
    my ($self, $line, $stamp, $frame, $out) = @_;

    my $error = $stamp - $line->{next};

    return 0 if $error > msec($line, $self->{clock} == $line ? 1000 : 10000);

    # 40 ms off, how often in a row

    my $small = max(msec($line, 40), $line->{frame});

    if ($error > $small) {
        $line->{off_least} = $line->{off} > 0
            ? min($line->{off_least}, $error) : $error;
        $line->{off} = $line->{off} > 0 ? $line->{off} + 1 : 1;

    } elsif ($error < -$small) {
        $line->{off} = $line->{off} < 0 ? $line->{off} - 1 : -1;

    } else {
        $line->{off} = 0;
    }

    if ($self->audio_late($line, $error, $stamp)) {
        $out->{drop} = 1;
        return 1;
    }

    my $silent = audio_silent($line, $error);
    $error -= $silent * $line->{frame};

    $line->{steady} = abs($error - $line->{shift}) <= msec($line, 3)
        ? $line->{steady} + 1 : 0;
    $line->{shift} = $error;

    if ($silent || $line->{silent}) {
        @$line{qw/ error off /} = ($error * 64, 0);

    } else {
        $line->{error} += $error - $line->{error} / 64;
    }

    $line->{silent} = 0;
    $out->{silent} = $silent;

    audio_put($line, $line->{next} + $silent * $line->{frame}, $frame, $out);
    return 1;
}


# an overlap: dropped until they are due

sub audio_late {
    my ($self, $line, $error, $stamp) = @_;

    my $large = max(msec($line, 100), 2 * $line->{frame});

    return 0 if $error >= -($line->{frame} / 2);
    return 0 if !$line->{silent} && $line->{off} > -3 && $error >= -$large;

    my $head = muldiv($self->{head}, $line->{timescale}, U);
    my $behind = muldiv($head - $stamp, 1000, $line->{timescale}) + 200;

    $line->{lag} = min($behind, LAG_MAX)
        if $line->{silent} && $behind > $line->{lag};
    $line->{silent} = 1;

    return 1;
}


# a gap: so many frames of silence

sub audio_silent {
    my ($line, $error) = @_;

    my $n = ($error + $line->{frame} / 2) / $line->{frame};
    my $near = msec($line, 3);

    return 0 if $error <= 0 || $n <= 0;
    return $n if $line->{silent};

    return ($line->{off_least} + $line->{frame} / 2) / $line->{frame}
        if $line->{off} >= 3;

    # lost ones are an exact number where stamps are good

    if ($line->{steady} >= 8) {
        my $late = $error - $line->{shift};
        my $lost = ($late + $line->{frame} / 2) / $line->{frame};

        return $n if abs($error - $n * $line->{frame}) <= $near;
        return $lost
            if $lost > 0 && abs($late - $lost * $line->{frame}) <= $near;
    }

    return $n if $error > msec($line, 100) && $error > 2 * $line->{frame};
    return 0;
}


sub audio_put {
    my ($line, $dts, $frame, $out) = @_;

    my $d = $frame + audio_correction($line);

    @$line{qw/ dts next started ever fixed /} = ($dts, $dts + $d, 1, 1, 0);
    @$out{qw/ dts pts duration locked /} = ($dts, $dts, $d, 1);
}


# beyond 1 ms, until hardly anything is left: at most 0.25 ms a frame

sub audio_correction {
    my ($line) = @_;

    my $error = $line->{error} / 64;
    my $most = max($line->{timescale} / 4000, 1);

    if (!$line->{correcting}) {
        return 0 if abs $error <= msec($line, 1);
        $line->{correcting} = 1;
    }

    my $step = $error / 64;

    if ($step == 0) {
        if (abs $error <= msec($line, 1) / 4) {
            $line->{correcting} = 0;
            return 0;
        }

        $step = $error > 0 ? 1 : -1;
    }

    $step = $error > 0 ? $most : -$most if abs $error > msec($line, 2);
    $step = clamp($step, -$most, $most);

    $line->{error} -= $step * 64;
    return $step;
}


# 2: it is behind the others by more than its lag

sub silence {
    my ($self, $line) = @_;

    return if !$self->{open} || $self->{breaking} || $line->{type} ne 'a';

    my $start = $line->{started} ? $line->{next} : audio_start($line);
    my $head = muldiv($self->{head}, $line->{timescale}, U)
               - msec($line, $line->{lag});

    return if $head < $start;

    my $n = min(($head - $start) / $line->{frame} + 1, 64);

    feed($line, $start, $n);
    return ($n, $start);
}


# what is owed where a period ends

sub owed {
    my ($self, $line, $end) = @_;

    return if !$line->{started};

    my $n = muldiv($end, $line->{timescale}, U) - $line->{next};
    $n = ($n + $line->{frame} / 2) / $line->{frame};

    return if $n <= 0 || $n * $line->{frame} > msec($line, LAG_MAX);

    my $dts = $line->{next};
    feed($line, $dts, $n);
    return ($n, $dts);
}


sub feed {
    my ($line, $start, $n) = @_;

    $line->{dts} = $start + ($n - 1) * $line->{frame};
    $line->{next} = $start + $n * $line->{frame};
    @$line{qw/ error off steady started ever fixed silent correcting /}
        = (0, 0, 0, 1, 1, 0, 1, 0);
}


# silence that stands in for it: nothing else is waited for

sub absent {
    my ($self, $line) = @_;

    $line->{lag} = 0;
    $line->{start} = $self->{cut};
}


# 2: it comes in lumps

sub lump {
    my ($line, $msec) = @_;

    # of pictures it is a matter of when they are held

    return if $line->{type} eq 'v';

    $line->{least} = max($line->{least}, min(2 * $msec + LUMP, LAG_MAX));
    $line->{lag} = max($line->{lag}, $line->{least});
}


# 9: stamps are of another clock from here on

sub restart {
    my ($self) = @_;

    $self->{breaking} = 1 if $self->{open};
    $self->{keep} = 0;
    $_->{jumped} = 1 for @{$self->{lines}};
}


# what its part settled

sub fix {
    my ($line, $duration) = @_;

    @$line{qw/ next fixed /} = ($line->{dts} + $duration, 1);
}


sub moved {
    my ($line, $time) = @_;

    return if $time->{dts} == $line->{dts};

    $line->{dts} = $time->{dts};
    $line->{next} = max($line->{next}, $line->{dts} + STEP);
    @$time{qw/ duration locked /} = ($line->{next} - $line->{dts}, 0);
}


1;
