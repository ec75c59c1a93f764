#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What encoders, gateways and networks do to MPEG-TS, one stream each: the
# frames that come out are those that were sent, with their times.

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw/ min /;

use Test::Media;
use Test::Media::Live;
use Test::Media::TSLive;

use constant { VIDEO => 0x100, AUDIO => 0x101, HZ => 90000 };

my %usual = (video => { pid => VIDEO, type => 0x1b },
             audio => { pid => AUDIO, type => 0x0f });
my $both = [@usual{qw/ video audio /}];

sub lang { return pack 'CC/a', 10, $_[0] . chr $_[1] }

# every n-th frame of a type begins a PES packet

sub every {
    my (%n) = @_;

    my %seen;

    return sub { return $seen{$_[0]{type}}++ % ($n{$_[0]{type}} || 1) == 0 };
}

# the n-th packets of a PID, of those that begin nothing

sub packets {
    my ($pid, $n, $do) = @_;

    my $seen = 0;

    return sub {
        my ($packet, $at) = @_;
        my $head = unpack 'x n', $packet;

        return $packet if ($head & 0x1fff) != $pid || $head & 0x4000;
        return $seen++ % $n == $n - 1 ? $do->($packet, $at) : $packet;
    };
}

srand 7;

sub flip {
    my ($packet) = @_;

    for (0 .. length($packet) * 8 - 1) {
        vec($packet, $_, 1) ^= 1 if rand() < 1e-5;
    }

    return $packet;
}

# time_signal(), ANSI/SCTE 35, 9.7.4; splice_null(), 9.7.1: one of this tier

sub splice_null {
    my ($p, $pid, $tier) = @_;

    my $bytes = pack('Cn', 0xfc, 0x3000 | 17) . "\0" x 7
                . substr(pack('N', $tier << 12 | 0), 1) . "\0" x 3;

    return Test::Media::TS::packets(\$p->{cc}{$pid}, $pid,
        "\0$bytes" . Test::Media::TS::crc($bytes));
}

sub splice_at {
    my ($p, $pid, $time) = @_;

    my $bytes = pack('Cn', 0xfc, 0x3000 | 22) . "\0" x 6 . "\xff\xff\xf0\5\6"
                . pack('CNn', 0xfe | $time >> 32, $time & 0xffffffff, 0);

    return Test::Media::TS::packets(\$p->{cc}{$pid}, $pid,
        "\0$bytes" . Test::Media::TS::crc($bytes));
}

my $junk = join '', map { chr(($_ * 37 + 11) & 0xff) } 1 .. 301;
my $n = 0;

# fixture, what the muxer does, what is expected

my %cases = (
    no_aud => { mux => { aud => 0 } },
    sized => { mux => { sized => 1 } },

    # 15 frames of sound in a packet, 4 of pictures
    groups => { mux => { heard => HZ,
                         group => every(audio => 15, video => 4) } },
    # 480 ms of pictures in a packet: sound goes on before the next one comes
    lumps => { mux => { heard => HZ, group => every(video => 12) } },
    groups_no_aud => { mux => { heard => HZ, aud => 0,
                                group => every(video => 3) } },

    pyramid => { fixture => 'pyramid', mux => { } },

    # stamps of sound: the first only; none at all
    few_pts => { mux => { pts => sub { $_[0]{type} eq 'video'
                                       || $n++ % 50 == 0 } } },

    # 33 bits go round in the midst of it, the clock a little later
    wrap => { base => 2 ** 33 - 3 * HZ, mux => { pcr => 45000 } },

    no_pcr => { mux => { pcr => undef } },

    # other PIDs from 3 s on; the version says that all is as it was
    pids => { mux => {
        pids => sub { $_[0] < 3 ? {} : { video => 0x200, audio => 0x201 } },
        streams => sub { $_[0] < 3 ? $both : [
            { pid => 0x200, type => 0x1b }, { pid => 0x201, type => 0x0f }
        ] } } },

    # PIDs that nobody knows: declared, and not; the null PID
    unknown => { mux => {
        streams => [@$both, { pid => 0x1e2, type => 0x06 },
                    { pid => 0x1e3, type => 0x86 },
                    { pid => 0x1e4, type => 0xc0 }],
        mangle => sub {
            my ($packet) = @_;
            return ($packet, map { pack 'CnCa184', 0x47, 0x4000 | $_, 0x10,
                                   "\0\0\1\xbd\0\0\x80\0\0abc" x 16 }
                             0x1e2, 0x1e4, 0x333, 0x1fff);
        } } },

    # what is no packet, in between, and datagrams of any length
    junk => { mux => {
        mangle => sub { return $n++ % 90 == 89 ? ($junk, $_[0]) : $_[0] } } },
    lengths => { mux => { },
                 datagram => sub { return unpack '(a1264)*', $_[0] } },

    # each packet twice
    twice => { mux => { mangle => sub { return ($_[0], $_[0]) } } },

    # M2TS: a time before each packet; 16 bytes behind each one
    m2ts => { mux => { mangle => sub { return "\0\1\2\3$_[0]" } } },
    rs => { mux => { mangle => sub { return $_[0] . "\x55" x 16 } } },

    # the programme that was asked for is the second
    second => { conf => 'media_ts_program 7;', mux => {
        tables => { programs => { 5 => 0x20, 7 => 0x1000 }, program => 7 } } },

    # sound is declared at 2 s
    late => { late => 1, mux => {
        heard => 4 * HZ,
        streams => sub { $_[0] < 2 ? [$usual{video}] : $both } } },

    # stamps and clock are 2 s ahead, all at once: no pause
    jump => { runs => 2, frames => sub {
        my ($f) = @_;
        my $since = $f->{dts} - 4.02 * HZ;

        # as at the begin: before the picture is whole

        $f->{lost} = $f->{type} eq 'audio' && $since >= 0 && $since < HZ / 10;
        $f->{real} = $f->{dts};
        $_ += 2 * HZ for $since >= 0 ? @$f{qw/ dts pts /} : ();
    }, mux => { mangle => do {
        my $done;

        # discontinuity_indicator, with the first PCR of then

        sub {
            my ($packet, $at) = @_;
            my ($head, $has, $len, $flags) = unpack 'x n C C C', $packet;

            vec($packet, 47, 1) = $done = 1
                if !$done && $at >= 2 && ($head & 0x1fff) == VIDEO
                   && $has & 0x20 && $len && $flags & 0x10;
            return $packet;
        }
    } } },

    # a file again, from its begin, with a PCR at every second picture only
    again => { runs => 2, frames => sub {
        my ($f) = @_;
        my $since = $f->{dts} - 4.02 * HZ;

        $f->{lost} = $f->{type} eq 'audio' && $since >= 0 && $since < HZ / 10;
        $f->{real} = $f->{dts};
        $_ -= 2 * HZ for $since >= 0 ? @$f{qw/ dts pts /} : ();
    }, mux => { mangle => do {
        my $n = 0;

        sub {
            my ($packet) = @_;
            my ($has, $len, $flags) = unpack 'x3 C C C', $packet;

            vec($packet, 5, 8) &= ~0x10
                if $has & 0x20 && $len && $flags & 0x10 && $n++ % 2;
            return $packet;
        }
    } } },

    # ID3 five times; sections that say two things, each of them twice
    data => { data => 7, mux => {
        streams => [@$both, { pid => 0x110, type => 0x15,
                              info => "\x26\x0d\xff\xffID3 \xffID3 \0\x0f" },
                    { pid => 0x111, type => 0x86,
                      info => "\5\4CUEI" }],
        extra => sub {
            my ($p, $f, $at) = @_;

            return '' if !$f->{key} || $f->{type} ne 'video';

            my $n = int(($f->{dts} - 2 * HZ) / HZ + 0.5);
            my $time = 2 * HZ + int($n / 2) * 4 * HZ;
            my $tag = "ID3\4\0\0\0\0\0\x0dTXXX\0\0\0\3\0\0\3a\0";

            return $p->pes(0x110, 0xbd, $tag, pts => $f->{pts}, sized => 1)
                   . splice_null($p, 0x111, $n)
                   . ($n < 4 ? splice_at($p, 0x111, $time) : '');
        } } },

    early => { conf => 'media_ts_early on;', mux => { } },

    # RTP, with and without what its header may have besides, some of it twice
    rtp => { mux => { }, datagram => sub {
        my $seq = $n++ & 0xffff;
        my $ext = $n % 3 == 0;
        my $pad = $n % 2;

        my $bytes = pack('CCnNN', 0x80 | ($ext && 0x10) | ($pad && 0x20), 33,
                         $seq, $n * 9, 77)
                    . ($ext ? pack 'nnN', 1, 1, 5 : '') . $_[0]
                    . ($pad ? "\0\0\3" : '');

        return ($bytes) x ($n % 5 ? 1 : 2);
    } },

    # languages, and what is for the blind
    languages => { tracks => 'a1 a2 v1', mux => {
        streams => [$usual{video}, { %{$usual{audio}}, info => lang('deu', 0) },
                    { pid => 0x102, type => 0x0f, info => lang('eng', 3) }],
        mangle => sub {
            my ($packet) = @_;
            my $head = unpack 'x n', $packet;
            return $packet if ($head & 0x1fff) != AUDIO;
            return ($packet, pack('Cn', 0x47, $head + 1) . substr $packet, 3);
        } } },
);

# what is lost is not expected, nor is what it takes to find out about time

my %lost = (
    no_dts => { any => 0.99, fixture => 'bframes', mux => { dts => 0 } },

    # one packet in 400 of video is missing, and one in 40 of sound
    missing => { any => 0.5, mux => { mangle => do {
        my $v = packets(VIDEO, 400, sub { () });
        my $a = packets(AUDIO, 40, sub { () });
        sub { return map { $v->($_, $_[1]) } $a->(@_) }
    } } },

    flipped => { any => 0.7, mux => { mangle => sub { flip($_[0]) } } },

    # they say themselves that they are broken
    tei => { any => 0.5, mux => { mangle => packets(VIDEO, 400, sub {
        my ($packet) = @_;
        vec($packet, 15, 1) = 1;
        return $packet;
    }) } },
);

my %all = (%cases, %lost);
my @names = grep { !$ENV{ONLY} || " $ENV{ONLY} " =~ / $_ / } sort keys %all;

my $t = ts_nginx(names => \@names, zone => '256m', debug => 1,
                 map { ($_ => $all{$_}{conf} || '') } @names);

my %p = map {
    my $case = $all{$_};
    my $p = ts_publisher($_, ts_frames($case->{fixture} || 'plain', to => 5,
                                       base => $case->{base} // 2 * HZ));
    $case->{frames}->($_) for $case->{frames} ? @{$p->{frames}} : ();
    $p->mux(%{$case->{mux}});
    $p->{datagram} = $case->{datagram};
    push @{$p->{sent_frames}}, grep { $_->{type} eq 'audio' }
        @{$p->{sent_frames}} if $_ eq 'languages';
    ($_ => $p);
} @names;

ts_play($t, 1.5, @p{@names});

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 10, 'end');

    my $case = $all{$name};

    # what is not whole cannot be decoded whole

    if ($case->{any}) {
        my $s = live_stream($t, $name);

        for my $track (qw/ v1 a1 /) {
            my $type = $track eq 'v1' ? 'video' : 'audio';
            my $sent = grep { $_->{type} eq $type } @{$p{$name}{sent_frames}};

            cmp_ok($s->{track}{$track}{frames}, '>', $sent * $case->{any},
                   "$name: $type");
        }

        next;
    }

    my $r = live_check($t, "/live/$name", name => $name,
                       tracks => $case->{tracks} || 'a1 v1',
                       runs => $case->{runs} || 1,
                       map { $case->{$_} ? ($_ => 1) : () } qw/ late /);
    my $m = live_match($r, $p{$name});
    live_replay($r, $name);

    is($m->{video}{missing}, 0, "$name: all frames");
    is($m->{audio}{missing}, 0, "$name: all sound");
    cmp_ok($m->{av}, '<', 5, "$name: sound and picture");

    is(live_stream($t, $name)->{data}, $case->{data} || 0, "$name: data");

    is($t->log_count(qr/a datagram of RTP that came too late/), 1,
       "$name: said once") if $name eq 'rtp';
}

$t->done();
