package Test::Media::Codecs;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Codecs - a publisher's tags with a sound of each codec

=head1 SYNOPSIS

    my @tags = codecs_tags(8);      # seconds, at most 12

Tags for Test::Media::RTMP: the picture and AAC of the fixture "plain", and as
tracks 1 to 4 of Enhanced RTMP AC-3 of six channels, Enhanced AC-3, Opus, in
packets of 20 ms and then of 40 ms, and MP3.  All is noise, so no two frames
have the same bytes.

=cut

use strict;
use warnings;

use Exporter 'import';

use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::RTMP;
use Test::Media::Tools qw/ fixture slurp /;

our @EXPORT = qw/ codecs_tags /;

my @fragments = (qw/ -f mp4 -movflags
                     frag_keyframe+empty_moov+delay_moov+default_base_moof
                     -frag_duration 1000000 /);


# frames: [ms, bytes], ...

sub sound {
    my ($from, $to, @codec) = @_;

    my $seconds = $to - $from;
    my $file = fixture(join('-', 'codecs', @codec, $seconds) . '.mp4',
                       qw/ -f lavfi -i /, 'anoisesrc=amplitude=0.1:'
                       . 'sample_rate=48000:seed=' . ($from + 1),
                       '-t', $seconds, '-c:a', @codec, @fragments);
    my $bytes = slurp($file);
    my ($track) = values %{mp4_tracks(mp4_boxes($bytes))};
    my @samples = mp4_samples($bytes);

    return map {
        [$from * 1000 + ($_->{dts} - $samples[0]{dts}) * 1000
                        / $track->{timescale}, $_->{data}]
    } @samples;
}


# a track in a message, its number behind the codec

sub message {
    my ($id, $codec, $kind, $bytes) = @_;

    return chr(0x95) . chr($kind) . $codec . chr($id) . $bytes;
}


# headers first

sub order {
    my ($tag) = @_;

    return $tag->[1] * 2 + !Test::Media::RTMP::is_header(@$tag[0, 2])
           - 2 * ($tag->[2] =~ /OpusHead/);
}


sub codecs_tags {
    my ($seconds) = @_;

    my @short = grep { $_->[0] < 4000 }
                sound(0, 5, qw/ libopus -b:a 64k -ac 2 /);
    my $half = $short[-1][0] / 1000 + 0.02;

    my @tracks = (
        ['ac-3' => sound(0, $seconds, qw/ ac3 -b:a 192k -ac 6 /)],
        ['ec-3' => sound(0, $seconds, qw/ eac3 -b:a 96k -ac 2 /)],
        ['Opus' => @short, sound($half, $seconds, qw/ libopus -b:a 64k -ac 2
                                                     -frame_duration 40 /)],
        ['.mp3' => sound(0, $seconds, qw/ libmp3lame -b:a 64k -ac 2 /)],
    );

    my @tags = grep { $_->[1] < $seconds * 1000 } live_tags('plain');

    for my $i (0 .. $#tracks) {
        my ($codec, @frames) = @{$tracks[$i]};

        push @tags, map { [8, int($_->[0] + 0.5),
                           message($i + 1, $codec, 1, $_->[1])] } @frames;
    }

    push @tags, [8, 0, message(3, 'Opus', 0, 'OpusHead'
                               . pack('CCvVvC', 1, 2, 312, 48000, 0, 0))];

    return sort { order($a) <=> order($b) } @tags;
}


1;
