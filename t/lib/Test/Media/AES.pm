package Test::Media::AES;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::AES - what SRT needs of AES, without a library

=head1 SYNOPSIS

    my $kek = pbkdf2_sha1($passphrase, $salt, 2048, 16);
    my $wrapped = aes_wrap($kek, $keys);            # RFC 3394
    my $keys = aes_unwrap($kek, $wrapped);          # undef: it is none
    my $bytes = aes_ctr($key, $iv, $bytes);         # both ways

A megabyte takes seconds: it is for some packets.

=cut

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha1 /;
use Exporter 'import';

our @EXPORT_OK = qw/ pbkdf2_sha1 aes_wrap aes_unwrap aes_ctr /;

# FIPS 197: the S-box, and what columns become

my (@s, @is);

{
    my ($p, $q) = (1, 1);

    do {
        $p = ($p ^ $p << 1 ^ ($p & 0x80 ? 0x1b : 0)) & 0xff;

        $q ^= $q << 1;
        $q ^= $q << 2;
        $q ^= $q << 4;
        $q &= 0xff;
        $q ^= 0x09 if $q & 0x80;

        my $x = $q ^ ($q << 1 | $q >> 7) ^ ($q << 2 | $q >> 6)
                ^ ($q << 3 | $q >> 5) ^ ($q << 4 | $q >> 4);
        $s[$p] = ($x ^ 0x63) & 0xff;

    } while ($p != 1);

    $s[0] = 0x63;
    @is[@s] = 0 .. 255;
}

sub mul {
    my ($x, $n) = @_;

    my $sum = 0;

    while ($n) {
        $sum ^= $x if $n & 1;
        $x = ($x << 1 ^ ($x & 0x80 ? 0x1b : 0)) & 0xff;
        $n >>= 1;
    }

    return $sum;
}

my @t = map {
    my $x = $s[$_];
    mul($x, 2) << 24 | $x << 16 | $x << 8 | mul($x, 3);
} 0 .. 255;

my @inverse = map {
    my $n = $_;
    [map { mul($_, $n) } 0 .. 255];
} 14, 11, 13, 9;


sub expand {
    my ($key) = @_;

    my @w = unpack 'N*', $key;
    my $n = @w;
    my $rcon = 1;

    for my $i ($n .. 4 * ($n + 7) - 1) {
        my $x = $w[$i - 1];

        $x = ($x << 8 | $x >> 24) & 0xffffffff if $i % $n == 0;
        $x = unpack 'N', pack 'C4', map { $s[$_] } unpack 'C4', pack 'N', $x
            if $i % $n == 0 || ($n > 6 && $i % $n == 4);

        if ($i % $n == 0) {
            $x ^= $rcon << 24;
            $rcon = mul($rcon, 2);
        }

        $w[$i] = $w[$i - $n] ^ $x;
    }

    return \@w;
}


sub rotate { return ($_[0] >> $_[1] | $_[0] << 32 - $_[1]) & 0xffffffff }


sub encrypt {
    my ($w, $block) = @_;

    my $rounds = @$w / 4 - 1;
    my @c = unpack 'N4', $block;
    $c[$_] ^= $w->[$_] for 0 .. 3;

    for my $round (1 .. $rounds - 1) {
        @c = map {
            $t[$c[$_] >> 24]
            ^ rotate($t[$c[($_ + 1) & 3] >> 16 & 0xff], 8)
            ^ rotate($t[$c[($_ + 2) & 3] >> 8 & 0xff], 16)
            ^ rotate($t[$c[($_ + 3) & 3] & 0xff], 24)
            ^ $w->[4 * $round + $_];
        } 0 .. 3;
    }

    return pack 'N4', map {
        ($s[$c[$_] >> 24] << 24
         | $s[$c[($_ + 1) & 3] >> 16 & 0xff] << 16
         | $s[$c[($_ + 2) & 3] >> 8 & 0xff] << 8
         | $s[$c[($_ + 3) & 3] & 0xff])
        ^ $w->[4 * $rounds + $_];
    } 0 .. 3;
}


sub decrypt {
    my ($w, $block) = @_;

    my $rounds = @$w / 4 - 1;
    my $add = sub {
        my ($c, $round) = @_;
        return pack 'N4', map { $c->[$_] ^ $w->[4 * $round + $_] } 0 .. 3;
    };
    my @b = unpack 'C16', $add->([unpack 'N4', $block], $rounds);

    for my $round (reverse 0 .. $rounds - 1) {
        @b = map { $is[$b[($_ - 4 * ($_ & 3)) & 15]] } 0 .. 15;
        @b = unpack 'C16', $add->([unpack 'N4', pack 'C16', @b], $round);

        next if $round == 0;

        @b = map {
            my ($c, $r) = ($_ & 12, $_ & 3);
            my $x = 0;
            $x ^= $inverse[$_][$b[$c + (($r + $_) & 3)]] for 0 .. 3;
            $x;
        } 0 .. 15;
    }

    return pack 'C16', @b;
}


sub aes_ctr {
    my ($key, $iv, $bytes) = @_;

    my $w = expand($key);
    my @c = unpack 'N4', $iv;
    my $stream = '';

    while (length $stream < length $bytes) {
        $stream .= encrypt($w, pack 'N4', @c);

        for my $i (3, 2, 1, 0) {
            last if $c[$i] = $c[$i] + 1 & 0xffffffff;
        }
    }

    return $bytes ^ substr $stream, 0, length $bytes;
}


sub aes_wrap {
    my ($key, $bytes) = @_;

    my $w = expand($key);
    my @r = unpack '(a8)*', $bytes;
    my $a = "\xa6" x 8;

    for my $i (1 .. 6 * @r) {
        my $b = encrypt($w, $a . $r[($i - 1) % @r]);

        $a = substr($b, 0, 8) ^ pack 'Q>', $i;
        $r[($i - 1) % @r] = substr $b, 8;
    }

    return join '', $a, @r;
}


sub aes_unwrap {
    my ($key, $bytes) = @_;

    my $w = expand($key);
    my ($a, @r) = unpack '(a8)*', $bytes;

    for my $i (reverse 1 .. 6 * @r) {
        my $b = decrypt($w, ($a ^ pack 'Q>', $i) . $r[($i - 1) % @r]);

        $a = substr $b, 0, 8;
        $r[($i - 1) % @r] = substr $b, 8;
    }

    return $a eq "\xa6" x 8 ? join('', @r) : undef;
}


# RFC 8018, 5.2

sub pbkdf2_sha1 {
    my ($password, $salt, $count, $len) = @_;

    my $key = '';

    for (my $i = 1; length $key < $len; $i++) {
        my $u = hmac_sha1($salt . pack('N', $i), $password);
        my $sum = $u;

        for (2 .. $count) {
            $u = hmac_sha1($u, $password);
            $sum ^= $u;
        }

        $key .= $sum;
    }

    return substr $key, 0, $len;
}


1;
