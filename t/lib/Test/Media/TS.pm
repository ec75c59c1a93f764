package Test::Media::TS;

# Copyright (C) ngx_stream_vod_module authors

# Writes MPEG-2 transport streams that ffmpeg would not.
#
#   ts_write({ pid => 256, type => 0x1b, id => 0xe0,
#              pes => [{ pts, dts, data }, ...], program => '' }, ...)
#
# pts and dts are of 90 kHz, dts may be missing.  A stream without PES packets
# is in the PMT only, one without a type is not in it; "sections" instead of
# "pes", as of ts_section(table, id, body), come at the beginning.  The first
# stream has the clock, and "program", the descriptors of all.
#
#   my $walked = ts_walk($file);
#
# Packets of a stream that goes on: counters that do not, clocks that go back or
# are marked and bytes that are none ("bad", a list of sentences), the largest
# steps of the clock ("pcr") and between tables ("tables"), both 90 kHz, and how
# many key frames stand right behind tables ("keys").

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw/ ts_section ts_walk ts_write /;

use constant PMT => 0x1000;


sub crc {
    my ($crc) = (0xffffffff);

    for my $byte (unpack 'C*', $_[0]) {
        $crc ^= $byte << 24;
        $crc = ($crc << 1 ^ ($crc & 0x80000000 ? 0x04c11db7 : 0)) & 0xffffffff
            for 1 .. 8;
    }

    return pack 'N', $crc;
}


sub ts_section {
    my ($table, $id, $body) = @_;

    my $bytes = pack('CnnCCC', $table, 0xb000 | length($body) + 9, $id, 0xc1,
                     0, 0) . $body;

    return $bytes . crc($bytes);
}


# packets of a payload, what is left of the last one is stuffed

sub packets {
    my ($cc, $pid, $payload, $pcr) = @_;
    my ($out, $start) = ('', 0x4000);

    while (length $payload) {
        my $room = 184 - length $payload;
        my ($has, $field) = ($room > 0, $room > 1 ? "\0" : '');

        ($has, $field) = (1, pack 'CNn', 0x10, $pcr >> 1,
                                  ($pcr & 1) << 15 | 0x7e00) if defined $pcr;

        $field .= "\xff" x ($room - 1 - length $field)
            if $room > 1 + length $field;

        $out .= pack 'CnC', 0x47, $start | $pid,
                     ($has ? 0x30 : 0x10) | $$cc++ & 15;
        $out .= pack 'C/a', $field if $has;
        $out .= substr $payload, 0, 184 - ($has ? 1 + length $field : 0), '';

        ($start, $pcr) = (0, undef);
    }

    return $out;
}


sub stamp {
    my ($mark, $t) = @_;

    return pack 'Cnn', $mark << 4 | ($t >> 29 & 0xe) | 1,
                ($t >> 14 & 0xfffe) | 1, ($t << 1 & 0xfffe) | 1;
}


sub pes {
    my ($id, $p) = @_;

    my $both = defined $p->{dts} && $p->{dts} != $p->{pts};
    my $head = $both ? stamp(3, $p->{pts}) . stamp(1, $p->{dts})
                     : stamp(2, $p->{pts});
    my $body = pack('CCC/a', 0x80, $both ? 0xc0 : 0x80, $head) . $p->{data};
    my $size = length $body;

    # that of video need not say its length
    return "\0\0\1" . pack('Cn', $id, $id < 0xe0 ? $size : 0) . $body;
}


sub ts_write {
    my (@streams) = @_;

    my %cc;
    my $program = $streams[0]{program} || '';
    my $pmt = join '', pack('nn', 0xe000 | $streams[0]{pid},
                            0xf000 | length $program), $program,
              map { pack 'Cnn', $_->{type}, 0xe000 | $_->{pid}, 0xf000 }
              grep { defined $_->{type} } @streams;

    my $out = packets(\$cc{0}, 0,
                      "\0" . ts_section(0, 1, pack 'nn', 1, 0xe000 | PMT))
              . packets(\$cc{+PMT}, PMT, "\0" . ts_section(2, 1, $pmt));

    for my $stream (@streams) {
        $out .= packets(\$cc{$stream->{pid}}, $stream->{pid}, "\0$_")
            for @{$stream->{sections} || []};
    }

    # by decode time

    my @all = sort { $a->[0] <=> $b->[0] } map {
        my $stream = $_;
        map { [$_->{dts} // $_->{pts}, $stream, $_] } @{$stream->{pes} || []};
    } @streams;

    for (@all) {
        my ($time, $stream, $p) = @$_;

        $out .= packets(\$cc{$stream->{pid}}, $stream->{pid},
                        pes($stream->{id}, $p),
                        $stream == $streams[0] ? $time - 9000 : undef);
    }

    return $out;
}


sub ts_walk {
    my ($file) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";

    my (%cc, $pcr, $table, $packet);
    my %r = (bad => [], pcr => 0, tables => 0, keys => 0, last => '');
    my $at = 0;

    while (read $fh, $packet, 188) {
        my ($sync, $pid, $cc) = unpack 'CnC', $packet;
        my $start = $pid & 0x4000;
        my $field = $cc & 0x20 ? unpack 'x4C', $packet : -1;
        my $flags = $field > 0 ? unpack 'x5C', $packet : 0;

        $pid &= 0x1fff;
        push @{$r{bad}}, "sync at $at" if $sync != 0x47;
        push @{$r{bad}}, "flags at $at" if $flags & 0x80;

        if ($cc & 0x10) {
            push @{$r{bad}}, "counter of $pid at $at"
                if defined $cc{$pid} && ($cc & 15) != ($cc{$pid} + 1) % 16;
            $cc{$pid} = $cc & 15;
        }

        if ($flags & 0x10) {
            my ($high, $low) = unpack 'x6NC', $packet;
            my $time = $high * 2 + ($low >> 7);
            my $step = defined $pcr ? ($time - $pcr) % 2 ** 33 : 1;

            push @{$r{bad}}, "clock at $at" if $step == 0 || $step > 2 ** 32;
            $r{pcr} = $step if $step > $r{pcr};
            $pcr = $time;
        }

        # tables, and how long ago they were at each frame

        $table = undef if $pid == 0;

        if ($start && $pid >= 0x100 && $pid < 0x1000) {
            my $pes = substr $packet, 4 + ($field + 1);
            my ($flag, @t) = unpack 'x7CxCnn', $pes;
            my $pts = ($t[0] >> 1 & 7) << 30 | $t[1] >> 1 << 15 | $t[2] >> 1;

            if ($flag == 0xc0) {
                @t = unpack 'x14Cnn', $pes;
                $pts = ($t[0] >> 1 & 7) << 30 | $t[1] >> 1 << 15 | $t[2] >> 1;
            }

            $table = $pts if !defined $table;
            $r{tables} = $pts - $table if $pts - $table > $r{tables};

            # behind PAT, PMT, and clocks alone
            $r{keys}++ if $flags & 0x40 && $r{last} =~ /^0 4096 (?:256 )*$/;
        }

        $r{last} = $pid == 0 ? "$pid "
                   : $pid == 4096 || !($cc & 0x10) ? "$r{last}$pid " : '';

        $at += 188;
    }

    return \%r;
}


1;
