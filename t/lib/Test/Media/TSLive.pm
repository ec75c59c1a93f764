package Test::Media::TSLive;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::TSLive - publishers of MPEG-TS that do what encoders do

=head1 SYNOPSIS

    use Test::Media::Live;
    use Test::Media::TSLive;

    my $t = ts_nginx(names => ['x'], app => '', x => 'media_ts_early on;');
    my $p = ts_publisher('x', ts_frames('plain'));

    $p->mux();                      # or packets of the test's own making
    ts_play($t, 1.5, $p);

    my $r = live_check($t, '/live/x', runs => 1);
    my $m = live_match($r, $p);

=head1 FUNCTIONS

=over

=item ts_nginx(%opt)

As live_nginx(), with a server for datagrams of each of C<names>, UDP_NAME,
which publishes live/NAME; the option of that name has more of it.  That of the
name C<shared> has no C<reuseport>.  C<servers>: others of the stream block.

=item ts_frames($fixture, %opt)

Frames of a fixture of Test::Media::Live in decoding order: { type dts pts key,
nals => [...] or raw }, 90 kHz; C<base>: added to the stamps, C<to>: seconds of
it.

=item ts_publisher($name, \@frames, %opt)

$p->mux(%opt) makes packets of all frames. What an encoder may do otherwise is
in the options: C<aud> 0: no access unit delimiters; C<sized>: PES packets of
video say their length; C<group>: sub that says of a frame whether it begins a
PES packet; C<dts> 0: none; C<pts>: sub that says whether the frame has stamps;
C<streams>: what the PMT lists, a list, or a sub of the time in seconds;
C<pcr>: ticks that the clock is before stamps, or undef; C<mangle>: sub that
gets each packet and the time, and returns those that are sent; C<extra>: sub
that gets the publisher, a frame and the time, and returns packets before those
of it.  A frame is sent at its dts, or at "real".

Frames that are expected to come out are in sent_frames, for live_match(); a
frame of which C<lost> is set is none of them, nor is sound of the first 100
ms, which may come before the picture that it belongs to is whole (C<heard>:
ticks of it).

=item ts_play($t, $speed, @publishers)

Sends them, 7 packets a datagram, in their time, and no more than the kernel
keeps where nginx has no time to read. C<< $p->{datagram} >>: a sub that gets
the bytes of one and returns those of some.

=back

=cut

use strict;
use warnings;

use Digest::MD5 qw/ md5 /;
use Exporter 'import';
use IO::Socket::INET;
use Time::HiRes qw/ time sleep /;

use Test::Media;
use Test::Media::Live;
use Test::Media::RTMP;
use Test::Media::TS;

our @EXPORT = qw/ ts_nginx ts_frames ts_publisher ts_play /;

use constant { VIDEO => 0x100, AUDIO => 0x101, PMT => 0x1000, HZ => 90000,
               FULL => 2 ** 33,
               HEARD => 9000,
               BURST => 8192, FILLED => 65536, STUCK => 10 };


sub ts_nginx {
    my (%opt) = @_;

    my $servers = join '', map { "
    server {
        listen 127.0.0.1:%%UDP_$_%% udp"
        . ($_ eq 'shared' ? '' : ' reuseport') . ";
        media_ts live name=$_;
        " . (($opt{$_} || '') =~ /timeout/ ? '' : 'media_ts_timeout 3s;')
          . ($opt{$_} || '') . '
    }' } @{$opt{names}};

    # the server of RTMP is closed, and that of nothing ends with its brace

    $servers .= $opt{servers} || '';

    return live_nginx(%opt, rtmp => "} $servers server { listen "
                            . '127.0.0.1:%%PORT_NONE%%; media_rtmp;');
}


sub ts_frames {
    my ($name, %opt) = @_;

    my $base = $opt{base} // 2 * HZ;
    my (@frames, @sets, $asc);

    for my $tag (live_tags($name)) {
        my ($type, $ts, $bytes) = @$tag;

        if (Test::Media::RTMP::is_header($type, $bytes)) {
            $asc = substr $bytes, 2 if $type == 8;

            # avcC: one SPS, one PPS

            @sets = map { $_->[0], $_->[1] } [unpack 'x11 n/a x n/a', $bytes]
                if $type == 9;
            next;
        }

        my $f = Test::Media::Live::frame_of($type, $ts, $bytes) or next;

        last if defined $opt{to} && $ts >= $opt{to} * 1000;

        my %out = (type => $f->{type}, dts => $base + $ts * 90,
                   pts => $base + ($ts + $f->{cts}) * 90, key => $f->{key});

        if ($f->{type} eq 'video') {
            $out{nals} = [unpack '(N/a)*', $f->{data}];
            $out{sets} = [@sets] if $f->{key};

        } else {
            $out{raw} = $f->{data};
            $out{asc} = $asc;
        }

        push @frames, \%out;
    }

    return [sort { $a->{dts} <=> $b->{dts} } @frames];
}


sub ts_publisher {
    my ($name, $frames) = @_;

    return bless { name => $name, frames => $frames, cc => {}, queue => [],
                   sent_frames => [] };
}


# ADTS, ISO/IEC 14496-3, 1.A.2.2

sub adts {
    my ($f) = @_;

    my $asc = unpack 'n', $f->{asc};
    my $size = 7 + length $f->{raw};

    return pack('n C C n C', 0xfff1,
                (($asc >> 11) - 1) << 6 | ($asc >> 7 & 15) << 2,
                ($asc >> 3 & 3) << 6 | $size >> 11,
                ($size << 5 & 0xffff) | 0x1f, 0xfc) . $f->{raw};
}


sub units {
    my ($f, %opt) = @_;

    return ((!exists $opt{aud} || $opt{aud} ? "\x09\xf0" : ()),
            @{$f->{sets} || []}, @{$f->{nals}});
}


# a PSI section in packets

sub section {
    my ($self, $pid, $table, $id, $body) = @_;

    return Test::Media::TS::packets(\$self->{cc}{$pid}, $pid,
                                    "\0" . ts_section($table, $id, $body));
}


# { pid type info }

sub tables {
    my ($self, $streams, %opt) = @_;

    my $programs = $opt{programs} || { 1 => PMT };
    my $body = join '', map { pack 'nn', $_, 0xe000 | $programs->{$_} }
                        sort { $a <=> $b } keys %$programs;

    my $pmt = pack 'nn', 0xe000 | ($opt{pcr_pid} // VIDEO), 0xf000;

    $pmt .= pack 'Cnn/a', $_->{type}, 0xe000 | $_->{pid}, $_->{info} // ''
        for @$streams;

    return $self->section(0, 0, 1, $body)
           . $self->section($opt{pmt} // PMT, 2, $opt{program} // 1, $pmt);
}


# PES packets, 2.4.3.6

sub pes {
    my ($self, $pid, $id, $data, %o) = @_;

    my ($flags, $head) = (0, '');

    if (defined $o{pts}) {
        my @t = map { $_ % FULL } $o{pts}, $o{dts} // $o{pts};
        my $both = defined $o{dts} && $t[0] != $t[1];

        $flags = $both ? 0xc0 : 0x80;
        $head = Test::Media::TS::stamp($both ? 3 : 2, $t[0]);
        $head .= Test::Media::TS::stamp(1, $t[1]) if $both;
    }

    my $body = pack('CCC/a', 0x80, $flags, $head) . $data;
    my $size = $o{sized} ? length $body : 0;

    return Test::Media::TS::packets(\$self->{cc}{$pid}, $pid,
               "\0\0\1" . pack('Cn', $id, $size) . $body,
               defined $o{pcr} ? $o{pcr} % FULL : undef);
}


my @usual = ({ pid => VIDEO, type => 0x1b }, { pid => AUDIO, type => 0x0f });


sub mux {
    my ($self, %opt) = @_;

    my $streams = $opt{streams} || \@usual;
    my $lead = exists $opt{pcr} ? $opt{pcr} : 18000;
    my $mangle = $opt{mangle} || sub { $_[0] };
    my ($first, $tables) = ($self->{frames}[0]{dts}, -1);
    my ($key) = grep { $_->{key} } @{$self->{frames}};
    my $heard = $key->{pts} + ($opt{heard} // HEARD);
    my ($was, %wait, @queue) = ('');

    my $flush = sub {
        my ($type) = @_;

        my $w = delete $wait{$type} or return;

        push @queue, [$w->{last} / HZ, $type, $w];
    };

    my $packets = sub {
        my ($at, $type, $w) = @_;
        my %o = (sized => $type eq 'audio' || $opt{sized});

        if (!$opt{pts} || $opt{pts}->($w->{frame})) {
            $o{pts} = $w->{frame}{pts};
            $o{dts} = $w->{frame}{dts} if $opt{dts} // 1;
        }

        my $pids = $opt{pids} ? $opt{pids}->($at) : {};
        my $pid = $pids->{$type} // ($type eq 'video' ? VIDEO : AUDIO);
        my $out = '';

        my $list = ref $streams eq 'CODE' ? $streams->($at) : $streams;
        my $is = join ' ', map { "$_->{pid} $_->{type}" } @$list;

        if ($at - $tables >= 0.1 || $w->{frame}{key} || $is ne $was) {
            ($tables, $was) = ($at, $is);
            $out .= $self->tables($list, %{$opt{tables} || {}},
                                  pcr_pid => $pids->{video} // VIDEO);
        }

        $out .= $opt{extra}->($self, $w->{frame}, $at) if $opt{extra};

        $o{pcr} = $w->{frame}{dts} - $lead
            if $type eq ($opt{clock} || 'video') && defined $lead;

        $out .= $self->pes($pid, $type eq 'video' ? 0xe0 : 0xc0, $w->{data},
                           %o);

        return [$at, join '', map { $mangle->($_, $at) } $out =~ /(.{188})/gs];
    };

    for my $f (@{$self->{frames}}) {
        my ($type, $data) = $f->{type};

        if ($type eq 'video') {
            my @nals = units($f, %opt);

            $data = join '', map { "\0\0\0\1$_" } @nals;
            $f->{md5} = md5(join '', map { pack 'N/a', $_ } @nals);

        } else {
            $data = adts($f);
            $f->{md5} = md5($f->{raw});
        }

        my $begins = !$opt{group} || $opt{group}->($f);

        $flush->($type) if $begins;

        $wait{$type}{frame} ||= $f;
        $wait{$type}{data} .= $data;
        $wait{$type}{last} = ($f->{real} // $f->{dts}) - $first;

        push @{$self->{sent_frames}},
             { type => $type, stamp => $f->{dts} / 90, key => $f->{key},
               cts => ($f->{pts} - $f->{dts}) / 90, md5 => $f->{md5} }
            if !$f->{lost} && ($type eq 'video' || $f->{dts} >= $heard);
    }

    $flush->($_) for sort keys %wait;

    @queue = sort { $a->[0] <=> $b->[0] } @queue;
    $self->{queue} = [map { $packets->(@$_) } @queue];

    return $self;
}


# bytes that wait in the kernel for who listens to this port

sub waiting {
    my ($port) = @_;

    open my $fh, '<', '/proc/net/udp' or return 0;

    my $sum = 0;

    for (<$fh>) {
        my (undef, $local, undef, undef, $queues) = split;

        $sum += hex((split /:/, $queues)[1])
            if $local =~ /^[0-9A-F]+:([0-9A-F]+)$/ && hex $1 == $port;
    }

    return $sum;
}


# UDP is not told that nobody has time: what is too much would be lost

sub keep_back {
    my ($p, $sent) = @_;

    return 0 if ($p->{burst} += $sent) < BURST;

    my ($port, $start) = ($p->{socket}->peerport(), time());

    $p->{burst} = 0;

    sleep 0.01
        while waiting($port) > FILLED && time() - $start < STUCK;

    return time() - $start;
}


sub ts_play {
    my ($t, $speed, @publishers) = @_;

    my $start = time();

    for my $p (@publishers) {
        $p->{socket} ||= IO::Socket::INET->new(
            Proto => 'udp', PeerAddr => '127.0.0.1',
            PeerPort => $t->udp($p->{name})) or die "socket: $!\n";
        $p->{left} = '';
    }

    my @senders = map { [$_, [@{$_->{queue}}]] } @publishers;

    $start -= (sort { $a <=> $b } map { $_->[1][0][0] } @senders)[0] / $speed;

    while (@senders = grep { @{$_->[1]} } @senders) {
        my ($next) = sort { $a->[1][0][0] <=> $b->[1][0][0] } @senders;
        my ($p, $queue) = @$next;
        my ($at, $bytes) = @{shift @$queue};
        my $wait = $start + $at / $speed - time();

        sleep $wait if $wait > 0.0005;

        # a sender that is late does not make up for it all at once

        $start -= $wait + 0.2 if $wait < -0.2;

        $p->{left} .= $bytes;
        my $all = !@$queue;

        while (length $p->{left} >= 1316 || $all && length $p->{left}) {
            my $datagram = substr $p->{left}, 0, 1316, '';

            $p->{socket}->send($_)
                for $p->{datagram} ? $p->{datagram}->($datagram) : $datagram;

            $start += keep_back($p, length $datagram);
        }
    }

    return;
}


1;
