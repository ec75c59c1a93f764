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

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw/ ts_section ts_write /;

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


1;
