package Test::Media::Records;

# Copyright (C) ngx_stream_vod_module authors

# Tracks of a file as ffprobe sees them, and as records for the tools that
# write them into another container, t/tools/ts.c and t/tools/flv.c.

use strict;
use warnings;

use base qw/ Exporter /;

our @EXPORT_OK = qw/ probe records fourcc /;

my %fourcc = (h264 => 'avc1', hevc => 'hvc1', aac => 'mp4a', mp3 => '.mp3',
              ac3 => 'ac-3', eac3 => 'ec-3', av1 => 'av01', vp8 => 'vp08',
              vp9 => 'vp09', opus => 'Opus', flac => 'fLaC');


# of a stream of ffprobe's; undef: unknown

sub fourcc { return $fourcc{$_[0]{codec_name}} }


# streams with their packets

sub probe {
    my ($file) = @_;

    my (@streams, @packets, $cur, $hex);

    open my $fh, '-|', "ffprobe -v error -show_streams -show_packets"
                       . " -show_data $file 2>&1" or die "ffprobe: $!\n";

    while (<$fh>) {
        if (/^\[(STREAM|PACKET)\]/) {
            $cur = {};
            push @{$1 eq 'STREAM' ? \@streams : \@packets}, $cur;

        } elsif (/^(data|extradata)=/) {
            $cur->{$hex = $1} = '';

        } elsif (/^[0-9a-f]{8}: ((?:[0-9a-f]+ )+) ?/) {
            my $s = $1;
            $s =~ s/ //g;
            $cur->{$hex} .= pack 'H*', $s;

        } elsif (/^(\w+)=(.*)/ && !exists $cur->{$1}) {
            $cur->{$1} = $2;
        }
    }

    close $fh;

    for my $stream (@streams) {
        $stream->{packets} = [grep { $_->{stream_index} == $stream->{index} }
                              @packets];
    }

    return @streams;
}


# writes a file of records of one stream; delay, in its time base, is added to
# decode times

sub records {
    my ($stream, $file, $delay) = @_;

    my ($num, $unit) = split '/', $stream->{time_base};
    my @packets = @{$stream->{packets}};

    my $config = $stream->{extradata};
    $config = $packets[0]{data} if $stream->{codec_name} eq 'mp3';
    $config = '' if !defined $config;

    # libav has the block alone
    $config = "fLaC\x80\0\0\x22$config" if $stream->{codec_name} eq 'flac';

    open my $fh, '>', $file or die "$file: $!\n";
    binmode $fh;
    print $fh fourcc($stream),
        pack('NNNN', $unit / $num, $stream->{sample_rate} || 0, $delay,
             length $config), $config;

    for my $i (0 .. $#packets) {
        my ($packet, $next) = @packets[$i, $i + 1];
        my $duration = $next ? $next->{dts} - $packet->{dts}
                             : $packet->{duration};

        print $fh pack('NNl>Nq>', length $packet->{data}, $duration,
                       $packet->{pts} - $packet->{dts},
                       $packet->{flags} =~ /K/ ? 1 : 0,
                       $packet->{dts} + $delay),
              $packet->{data};
    }

    close $fh or die "$file: $!\n";
}

1;
