package Test::Media::TSFile;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::TSFile - publishers of transport streams that are files

=head1 SYNOPSIS

    my $file = ts_made('x', 5, [qw/ libx264 /], [qw/ ac3 -ac 6 /, 'deu']);
    my $p = ts_file('x', $file);

    ts_play($t, 1.5, $p);                 # of Test::Media::TSLive

    my $r = live_check($t, '/live/x', runs => 1);
    my $m = live_match($r, $p);

=head1 FUNCTIONS

=over

=item ts_made($name, $seconds, \@video, \@audio, ...)

A stream of ffmpeg: a small moving picture, if there are options of its encoder,
and noise for each sound, which is not the same twice; options of an encoder and
at the end its language, or undef.

=item ts_source($file)

Its streams of codecs that are played, in order: { codec type lang channels pid
packets }, packets as ffprobe has them: { pts dts ends } of 90 kHz, { size },
and { key data } as ISO BMFF has them, where it can.

=item ts_file($name, $file, %opt)

A publisher for ts_play(), which sends the packets in the time of their clock,
C<speed> times as fast.  What ts_source() says is in C<source>, and of each
stream the packets that are expected to come out in C<heard>, C<frames> of them:
not sound that ends before there is a picture.  The same are in sent_frames, for
live_match(), but of the codecs of C<unlisted>, a hash.  C<latm>: another file
with the same frames of sound, where those of this one are in LATM.

C<tail>: how many pictures may be missing at the end: one, if it is not known to
be whole before another begins (docs/ts.md).

=back

=cut

use strict;
use warnings;

use Digest::MD5 qw/ md5 /;
use Exporter 'import';
use List::Util qw/ min /;

use Test::Media::Formats;
use Test::Media::Tools qw/ ffprobe_json fixture sh slurp /;
use Test::Media::TSLive;

our @EXPORT = qw/ ts_made ts_source ts_file /;

use constant { HZ => 90000, PACKET => 188 };

my $played = qr/^(?:h264|hevc|aac|aac_latm|mp2|mp3|ac3|eac3|opus)$/;

my @fragments = (qw/ -f mp4 -movflags
                     frag_keyframe+empty_moov+delay_moov+default_base_moof
                     -frag_duration 1000000 /);


sub ts_made {
    my ($name, $seconds, $video, @audio) = @_;

    my (@in, @out, @maps);

    if ($video) {
        push @in, qw/ -f lavfi -i testsrc2=size=160x90:rate=25 /;
        push @out, '-c:v', @$video, qw/ -pix_fmt yuv420p -threads 1 /;
        push @maps, '-map', 0;
    }

    for my $i (0 .. $#audio) {
        my ($codec, @options) = @{$audio[$i]};
        my $lang = pop @options;
        my $n = @maps / 2;

        # options of this sound alone, "-b:a" is that of all

        s/^(-\w+)$/$1:a:$i/ for @options;

        push @in, '-f', 'lavfi', '-i', 'anoisesrc=amplitude=0.1:'
                  . "sample_rate=48000:seed=$n";
        push @out, "-c:a:$i", $codec, @options;
        push @out, "-metadata:s:a:$i", "language=$lang" if defined $lang;
        push @maps, '-map', $n;
    }

    return fixture("$name.ts", @in, @maps, @out, '-t', $seconds);
}


# frames as MP4 has them: without what only MPEG-TS needs

sub data_of {
    my ($file, $i, $codec) = @_;

    my $copy = fixture("copy$i.mp4", '-i', $file, '-map', "0:$i", '-c', 'copy',
                       $codec eq 'aac' ? qw/ -bsf aac_adtstoasc / : (),
                       @fragments);

    my @samples = mp4_samples(slurp($copy));

    # no NAL unit ends with 0, but ffmpeg takes a start code's for one's last

    if ($codec =~ /^(?:h264|hevc)$/) {
        $_->{data} = join '', map { pack 'N/a', s/\0+\z//r }
                     unpack '(N/a)*', $_->{data} for @samples;
    }

    return @samples;
}


sub ts_source {
    my ($file) = @_;

    my $json = ffprobe_json($file, '-show_packets', '-show_streams');
    my @streams;

    for my $s (@{$json->{streams}}) {
        next if ($s->{codec_name} // '') !~ $played;

        my @packets = map { { pts => $_->{pts}, dts => $_->{dts} // $_->{pts},
                              ends => $_->{pts} + ($_->{duration} // 0),
                              size => $_->{size} } }
                      grep { $_->{stream_index} == $s->{index} }
                      @{$json->{packets}};

        push @streams, { codec => $s->{codec_name}, type => $s->{codec_type},
                         lang => $s->{tags}{language}, packets => \@packets,
                         channels => $s->{channels}, pid => hex $s->{id} };

        next if $s->{codec_name} eq 'aac_latm';

        my @samples = data_of($file, $s->{index}, $s->{codec_name});

        # what lacks at the end of a file is not taken for a frame by all

        @{$packets[$_]}{qw/ data key /} = @{$samples[$_]}{qw/ data key /}
            for 0 .. min($#samples, $#packets);
    }

    return \@streams;
}


# [seconds, bytes]: what comes up to a clock is sent at it; clocks may jump

sub queue_of {
    my ($bytes, $speed) = @_;

    my ($last, $at, $waits, @queue) = (undef, 0, '');

    for my $packet (unpack '(a' . PACKET . ')*', $bytes) {
        my ($has, $len, $flags, $high, $low) = unpack 'x3 C C C N C', $packet;

        $waits .= $packet;

        # no more than a socket has room for

        if (length $waits >= 100 * PACKET) {
            $at += 0.005 / $speed;
            push @queue, [$at, $waits];
            $waits = '';
        }

        next if !($has & 0x20) || !$len || !($flags & 0x10);

        my $pcr = $high * 2 + ($low >> 7);

        my $step = $pcr - ($last // $pcr);

        $at += $step / HZ / $speed if $step > 0 && $step < HZ;
        push @queue, [$at, $waits];
        ($last, $waits) = ($pcr, '');
    }

    return [@queue, [$at, $waits]];
}


# is the last packet of a stream stuffed?

sub stuffed {
    my ($bytes, $pid) = @_;

    my ($last) = grep { (unpack('x n', $_) & 0x1fff) == $pid }
                 reverse unpack '(a' . PACKET . ')*', $bytes;

    return ord(substr $last, 3) & 0x20;
}


sub ts_file {
    my ($name, $file, %opt) = @_;

    my $p = ts_publisher($name, []);
    my $bytes = slurp($file);

    $p->{source} = ts_source($file);
    $p->{queue} = queue_of($bytes, $opt{speed} || 1);

    my ($video) = grep { $_->{type} eq 'video' } @{$p->{source}};
    my $first = $video ? min(map { $_->{pts} } @{$video->{packets}}) : 0;

    $p->{tail} = $video && !stuffed($bytes, $video->{pid}) ? 1 : 0;

    for my $s (@{$p->{source}}) {
        my @packets = @{$s->{packets}};

        if ($opt{latm} && $s->{codec} eq 'aac_latm') {
            my ($aac) = grep { $_->{codec} eq 'aac' } @{ts_source($opt{latm})};

            $packets[$_]{data} = $aac->{packets}[$_]{data} for 0 .. $#packets;
        }

        @packets = grep { $_->{ends} > $first } @packets
            if $s->{type} eq 'audio';
        $s->{heard} = \@packets;
        $s->{frames} = @packets;

        next if $opt{unlisted}{$s->{codec}};

        push @{$p->{sent_frames}}, map {
            { type => $s->{type}, stamp => $_->{dts} / 90, key => $_->{key},
              cts => ($_->{pts} - $_->{dts}) / 90, md5 => md5($_->{data}) }
        } grep { defined $_->{data} } @packets;
    }

    return $p;
}


1;
