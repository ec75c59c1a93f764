package Test::Media::SRT;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::SRT - an SRT caller that does as it is told

=head1 SYNOPSIS

    my $p = Test::Media::SRT->new(port => $t->udp('SRT'),
                                  streamid => 'publish:live/test');
    is($p->connect(), 1, 'connected');          # or 1010, or undef: silence

    $p->send_ts($bytes, seconds => 2);          # paced, 1316 bytes a packet
    $p->shutdown();

connect() is induction and conclusion, each repeated every 250 ms for 3 s, as
libsrt does; each step may be taken alone:

    my $reply = $p->induce();                   # a packet, see below, or undef
    my $reply = $p->conclude();
    my $bytes = $p->conclusion(%opt);           # the datagram, to be sent
    $p->raw($bytes);                            # anything at all

Options of new() and of each of these: streamid, passphrase, pbkeylen (16),
latency (120, or [receiver's, sender's]), isn, mtu, window, version, cookie,
flags (0xbf), srt (0x010501), field, id, hsreq => 0 (without), blocks =>
[[type, bytes], ...] behind all others, km => bytes (in place of its own).
new(), too: host, from (an address of ours), from_port.

Packets are hashes: control, type, subtype, info, seq, msg, pp, order, kk,
rexmit, ts, dst, body, raw, at; handshakes have version, encryption, field,
isn, mtu, window, req, id, cookie, and ext {type} = bytes.  parse($raw) makes
them; control($type, $subtype, $info, $ts, $dst, $body) and reversed($text) make
bytes.

    $p->data($payload, %opt);   # seq, msg, pp, kk, rexmit, ts, clear, dst: any
    $p->control_packet($type, $body, info => .., subtype => .., dst => ..);
    $p->ack($seq, %opt); $p->nak([$from, $to], ...); $p->ackack($number);
    $p->dropreq($from, $to); $p->keepalive(); $p->shutdown();
    $p->refresh();                              # KMREQ of a new key

    $p->pump($seconds, sub { done? });          # true when sub is

pump() takes what comes: it answers ACK by ACKACK, NAK by repeats, and KMREQ,
unless quiet => 1 was given to new(), counts in {count}{type}, keeps packets
that are not data in {got}, the ACK's number in {acked}, whole ACKs in {acks},
ranges of NAKs in {naks}, payloads in {in}{seq}, and sets {closed} at SHUTDOWN.
As a viewer, it acknowledges what is contiguous every 10 ms with viewer => 1.

Options of send_ts(): seconds (how long it shall take, 0: at once), size, lose
=> sub { is this sequence number not to be sent }, at => sub ($index) { before
each packet }.

=head1 FUNCTIONS

srt_caller($t, $streamid, %opt): a caller of the port UDP_SRT, or UDP_NAME with
server => NAME.  srt_let_in(...), likewise: one that has connected, the first of
as many as it takes, each from a port of its own; undef: none within 15 s.

srt_source(): bytes of MPEG-TS, 10 s of video of 25 Hz with a key frame each
second.

=cut

use strict;
use warnings;

use IO::Socket::IP;
use Exporter 'import';
use Time::HiRes qw/ time sleep /;

use Test::Media ();
use Test::Media::AES qw/ aes_ctr aes_unwrap aes_wrap pbkdf2_sha1 /;
use Test::Media::Tools qw/ fixture slurp /;

our @EXPORT = qw/ srt_caller srt_let_in srt_source /;
our @EXPORT_OK = qw/ control parse reversed HANDSHAKE KEEPALIVE ACK NAK
                     SHUTDOWN ACKACK DROPREQ EXT /;

use constant {
    HANDSHAKE => 0, KEEPALIVE => 1, ACK => 2, NAK => 3, SHUTDOWN => 5,
    ACKACK => 6, DROPREQ => 7, EXT => 0x7fff,
};

my $seq_max = 0x7fffffff;


sub srt_caller {
    my ($t, $streamid, %opt) = @_;

    return Test::Media::SRT->new(port => $t->udp($opt{server} || 'SRT'),
                                 streamid => $streamid, %opt);
}


sub srt_let_in {
    my ($t, $streamid, %opt) = @_;

    my $p;

    return eval {
        Test::Media::wait_until(sub {
            $p->close() if $p;
            $p = srt_caller($t, $streamid, %opt);

            return ($p->connect() // 0) == 1 && $p;
        }, 15, "$streamid to be let in");
    };
}


sub srt_source {
    return slurp(fixture('srt.ts', qw/ -f lavfi -i
        testsrc=size=160x90:rate=25:duration=10 -c:v libx264
        -preset ultrafast -g 25 -f mpegts /));
}


# packets

sub control {
    my ($type, $subtype, $info, $ts, $dst, $body) = @_;

    return pack('nnNNN', 0x8000 | $type, $subtype, $info,
                $ts & 0xffffffff, $dst) . $body;
}


sub parse {
    my ($raw) = @_;

    return undef if length $raw < 16;

    my ($first, $second, $ts, $dst) = unpack 'N4', $raw;
    my %p = (ts => $ts, dst => $dst, body => substr($raw, 16), raw => $raw,
             at => time);

    if (!($first & 0x80000000)) {
        @p{qw/ control seq msg pp order kk rexmit /} =
            (0, $first, $second & 0x3ffffff, $second >> 30,
             $second >> 29 & 1, $second >> 27 & 3, $second >> 26 & 1);
        return \%p;
    }

    @p{qw/ control type subtype info /} =
        (1, $first >> 16 & 0x7fff, $first & 0xffff, $second);

    if ($p{type} == HANDSHAKE && length $p{body} >= 48) {
        @p{qw/ version encryption field isn mtu window req id cookie /} =
            unpack 'NnnN6', $p{body};
        $p{peer} = substr $p{body}, 32, 16;

        my $rest = substr $p{body}, 48;

        while (length $rest >= 4) {
            my ($type, $words) = unpack 'nn', $rest;

            $p{ext}{$type} = substr $rest, 4, $words * 4;
            $rest = length $rest > 4 + $words * 4
                    ? substr($rest, 4 + $words * 4) : '';
        }
    }

    return \%p;
}


# text as handshakes have it

sub reversed {
    my ($text) = @_;

    $text .= "\0" x (-length($text) % 4);

    return join '', map { scalar reverse $_ } unpack '(a4)*', $text;
}


sub block {
    my ($type, $bytes) = @_;

    return pack('nn', $type, length($bytes) / 4) . $bytes;
}


# the peer

sub new {
    my ($class, %opt) = @_;

    my $socket = IO::Socket::IP->new(
        Proto => 'udp',
        PeerHost => $opt{host} || '127.0.0.1', PeerPort => $opt{port},
        $opt{from} ? (LocalHost => $opt{from}) : (),
        $opt{from_port} ? (LocalPort => $opt{from_port}) : ())
        or die "SRT: $@\n";

    $socket->blocking(0);

    my $self = bless {
        opt => {
            latency => 120, mtu => 1500, window => 8192, flags => 0xbf,
            srt => 0x010501, hsreq => 1, version => 5, pbkeylen => 16,
            isn => int rand 0x7ffffff0, id => 1 + int rand 0x3ffffff0, %opt,
        },
        socket => $socket, start => time, msg => 1, peer => 0,
        got => [], acks => [], naks => [], in => {}, sent => {},
        count => {}, closed => 0,
    }, $class;

    $self->{seq} = $self->{end} = $self->{opt}{isn};

    return $self;
}


sub port { return $_[0]{socket}->sockport }


# us since the beginning

sub ts { return int((time - $_[0]{start}) * 1e6) & 0xffffffff }


sub raw {
    my ($self, $bytes) = @_;

    # what ICMP had to say of the last one is no error of this one

    defined $self->{socket}->send($bytes) or $self->{socket}->send($bytes);

    return $self;
}


sub close { return $_[0]{socket}->close }


# the next packet, or undef

sub take {
    my ($self, $seconds) = @_;

    my $until = time + $seconds;

    while (1) {
        my $raw;

        return parse($raw)
            if defined $self->{socket}->recv($raw, 2048) && length $raw;

        my $left = $until - time;
        return undef if $left <= 0;

        vec(my $in = '', fileno $self->{socket}, 1) = 1;
        select $in, undef, undef, $left;
    }
}


# handshakes

sub handshake {
    my ($self, %opt) = @_;

    my %o = (%{$self->{opt}}, %opt);

    return control(HANDSHAKE, 0, 0, $self->ts(), $o{dst} || 0,
                   pack('NnnN6', @o{qw/ version encryption field isn mtu window
                                        req id cookie /})
                   . "\x01\0\0\x7f" . "\0" x 12 . $o{ext});
}


sub induction {
    my ($self, %opt) = @_;

    return $self->handshake(version => 4, encryption => 0, field => 2,
                            req => 1, cookie => 0, ext => '', %opt);
}


sub conclusion {
    my ($self, %opt) = @_;

    my %o = (%{$self->{opt}}, %opt);
    my $field = 0;
    my $ext = '';

    if ($o{hsreq}) {
        my @latency = ref $o{latency} ? @{$o{latency}} : ($o{latency}) x 2;

        $ext .= block(1, pack 'NNnn', @o{qw/ srt flags /}, @latency);
        $field |= 1;
    }

    if (defined $o{streamid} && $o{streamid} ne '') {
        $ext .= block(5, reversed($o{streamid}));
        $field |= 4;
    }

    if (defined $o{passphrase} || defined $o{km}) {
        $ext .= block(3, $o{km} // $self->km(1, $o{passphrase}));
        $field |= 2;
    }

    for my $block (@{$o{blocks} || []}) {
        $ext .= block(@$block);
        $field |= 4;
    }

    return $self->handshake(
        encryption => defined $o{passphrase} ? $o{pbkeylen} / 8 : 0,
        version => 5, field => $field, req => 0xffffffff,
        cookie => $self->{cookie} || 0, %opt, ext => $ext);
}


# the answer to a handshake that is repeated for a while; those to an induction
# may still come when it is the conclusion's that is waited for

sub ask {
    my ($self, $bytes, $seconds) = @_;

    my $until = time + $seconds;
    my $induction = parse($bytes)->{req} == 1;

    while (time < $until) {
        $self->raw($bytes);

        my $again = time + 0.25;

        while ((my $left = $again - time) > 0) {
            my $p = $self->take($left);
            return $p if $p && $p->{control} && $p->{type} == HANDSHAKE
                         && ($induction || $p->{req} != 1);
        }
    }

    return undef;
}


sub induce {
    my ($self, %opt) = @_;

    my $p = $self->ask($self->induction(%opt), $opt{seconds} || 3);

    $self->{cookie} = $p->{cookie} if $p;

    return $p;
}


sub conclude {
    my ($self, %opt) = @_;

    my $p = $self->ask($self->conclusion(%opt), $opt{seconds} || 3);

    if ($p && $p->{req} == 0xffffffff) {
        $self->{peer} = $p->{id};
        $self->{hs} = $p;
    }

    return $p;
}


sub connect {
    my ($self, %opt) = @_;

    my $p = $self->induce() or return undef;

    $p = $self->conclude(%opt) or return undef;

    return $p->{req} == 0xffffffff ? 1 : $p->{req};
}


# encryption: keys by KK

sub random { return join '', map { chr int rand 256 } 1 .. $_[0] }


# KMREQ of those keys, 1, 2 or 3; what is not there is made

sub km {
    my ($self, $kk, $passphrase) = @_;

    my $len = $self->{opt}{pbkeylen};
    my $k = $self->{keys} ||= { kk => 1, salt => random(16) };

    if (!defined $k->{kek} || $k->{passphrase} ne $passphrase) {
        $k->{passphrase} = $passphrase;
        $k->{kek} = pbkdf2_sha1($passphrase, substr($k->{salt}, 8), 2048, $len);
    }

    my @kk = grep { $kk & $_ } 1, 2;
    $k->{$_} //= random($len) for @kk;

    return pack('Cn C N C4 n CC', 0x12, 0x2029, $kk, 0, 2, 0, 2, 0, 0,
                4, $len / 4)
        . $k->{salt} . aes_wrap($k->{kek}, join '', map { $k->{$_} } @kk);
}


# the other key is new, and both are said; switch() sends by it

sub refresh {
    my ($self) = @_;

    my $k = $self->{keys};

    delete $k->{3 - $k->{kk}};

    $self->control_packet(EXT, $self->km(3, $k->{passphrase}), subtype => 3);
}


sub switch { $_[0]{keys}{kk} = 3 - $_[0]{keys}{kk} }


sub crypt {
    my ($self, $seq, $kk, $bytes) = @_;

    my $k = $self->{keys};
    my $iv = substr($k->{salt}, 0, 14) . "\0\0";

    $iv ^= "\0" x 10 . pack('N', $seq) . "\0\0";

    return aes_ctr($k->{$kk}, $iv, $bytes);
}


# what a peer's KMREQ has

sub learn {
    my ($self, $km) = @_;

    my $k = $self->{keys} or return;
    my $kk = unpack('x3C', $km) & 3;
    my $len = 4 * unpack 'x15C', $km;
    my $keys = aes_unwrap($k->{kek}, substr $km, 32) // return;

    for (grep { $kk & $_ } 1, 2) {
        $k->{$_} = substr $keys, 0, $len, '';
    }
}


# sending

sub data {
    my ($self, $payload, %opt) = @_;

    my $seq = $opt{seq} // $self->{seq};
    my $k = $self->{keys};
    my $kk = $opt{kk} // ($k && !$opt{clear} ? $k->{kk} : 0);
    my $bytes = $kk && $k ? $self->crypt($seq, $kk, $payload) : $payload;
    my $msg = $opt{msg} // $self->{msg};

    my $packet = pack('N4', $seq,
                      ($opt{pp} // 3) << 30 | ($opt{order} // 0) << 29
                      | $kk << 27 | ($opt{rexmit} // 0) << 26 | $msg,
                      $opt{ts} // $self->ts(), $opt{dst} // $self->{peer})
                 . $bytes;

    if (!defined $opt{seq}) {
        $self->{sent}{$seq} = $packet;
        delete $self->{sent}{($seq - 8192) & $seq_max};
        $self->{seq} = ($seq + 1) & $seq_max;
        $self->{msg} = $msg % 0x3ffffff + 1;
    }

    $self->raw($packet) if !$opt{lose};

    return $seq;
}


sub control_packet {
    my ($self, $type, $body, %opt) = @_;

    return $self->raw(control($type, $opt{subtype} || 0, $opt{info} || 0,
                              $opt{ts} // $self->ts(),
                              $opt{dst} // $self->{peer}, $body));
}


sub ack {
    my ($self, $seq, %opt) = @_;

    my $number = $opt{number} // ++$self->{ack_number};

    return $self->control_packet(
        ACK, pack('N7', $seq, $opt{rtt} // 10_000, $opt{rttvar} // 1000,
                  $opt{buffer} // 8192, 500, 1000, 500_000), info => $number);
}


sub nak {
    my ($self, @ranges) = @_;

    return $self->control_packet(NAK, join '', map {
        my ($from, $to) = ref $_ ? @$_ : ($_, $_);
        $from == $to ? pack('N', $from) : pack('NN', $from | 0x80000000, $to);
    } @ranges);
}


sub ackack { return $_[0]->control_packet(ACKACK, "\0" x 4, info => $_[1]) }
sub keepalive { return $_[0]->control_packet(KEEPALIVE, "\0" x 4) }
sub shutdown { return $_[0]->control_packet(SHUTDOWN, "\0" x 4) }


sub dropreq {
    my ($self, $from, $to, %opt) = @_;

    return $self->control_packet(DROPREQ, pack('NN', $from, $to), %opt);
}


sub send_ts {
    my ($self, $bytes, %opt) = @_;

    my $size = $opt{size} || 1316;
    my @payloads = unpack "(a$size)*", $bytes;
    my $begin = time;

    for my $i (0 .. $#payloads) {
        my $due = $begin + ($opt{seconds} || 0) * $i / @payloads;

        $self->pump($due - time);
        last if $self->{closed};

        $opt{at}->($i) if $opt{at};
        $self->data($payloads[$i],
                    lose => $opt{lose} && $opt{lose}->($self->{seq}));
    }

    return scalar @payloads;
}


# receiving

sub pump {
    my ($self, $seconds, $done) = @_;

    my $until = time + $seconds;

    while (1) {
        return 1 if $done && $done->();

        my $left = $until - time;
        my $wait = $self->{opt}{viewer} && $left > 0.01 ? 0.01 : $left;
        my $p = $self->take($wait > 0 ? $wait : 0);

        $self->handle($p) if $p;
        $self->acknowledge() if $self->{opt}{viewer};

        return $done && $done->() ? 1 : 0 if !$p && $until <= time;
    }
}


sub acknowledge {
    my ($self) = @_;

    return if time - ($self->{ack_at} || 0) < 0.01;

    $self->{end} = $self->{end} + 1 & $seq_max
        while exists $self->{in}{$self->{end}};

    return if $self->{end} == ($self->{ack_end} // -1);

    $self->{ack_end} = $self->{end};
    $self->{ack_at} = time;
    $self->ack($self->{end});
}


sub handle {
    my ($self, $p) = @_;

    my $loud = !$self->{opt}{quiet};

    if (!$p->{control}) {
        $self->{count}{data}++;
        $self->{in}{$p->{seq}} = $p->{kk} && $self->{keys}
            ? $self->crypt($p->{seq}, $p->{kk}, $p->{body}) : $p->{body};
        return;
    }

    my $type = $p->{type};

    $self->{count}{$type}++;
    push @{$self->{got}}, $p;

    if ($type == ACK) {
        my @words = unpack 'N*', $p->{body};

        $self->{acked} = $words[0];
        push @{$self->{acks}}, { number => $p->{info}, words => \@words,
                                 at => $p->{at} };
        $self->ackack($p->{info}) if $loud && $p->{info};

    } elsif ($type == NAK) {
        my @words = unpack 'N*', $p->{body};

        while (@words) {
            my $from = shift @words;
            my $to = $from & 0x80000000 ? shift @words : $from;

            $from &= $seq_max;
            push @{$self->{naks}}, [$from, $to];
            $self->repeat($from, $to) if $loud;
        }

    } elsif ($type == SHUTDOWN) {
        $self->{closed} = 1;

    } elsif ($type == EXT && $p->{subtype} == 3 && $loud) {
        $self->learn($p->{body});
        $self->control_packet(EXT, $p->{body}, subtype => 4);
    }
}


sub repeat {
    my ($self, $from, $to) = @_;

    for (my $seq = $from; ; $seq = $seq + 1 & $seq_max) {
        my $packet = $self->{sent}{$seq};

        if (defined $packet) {
            $self->raw($packet | pack 'NN', 0, 1 << 26);
            $self->{repeated}++;
        }

        last if $seq == $to;
    }
}


1;
