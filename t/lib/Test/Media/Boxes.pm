package Test::Media::Boxes;

# Copyright (C) ngx_stream_vod_module authors

# Writes ISO BMFF files that ffmpeg would not: tracks are read from what it has
# made, changed, and written again, whole or in fragments.
#
#   my ($video, $audio) = mp4_media($file);
#   $video->{edits} = [[1000, -1], [0, 512]];
#   spew($name, mp4_movie([$video, $audio]));
#
# A track is
#
#   handler, timescale, width, height
#   stsd            contents of the box
#   samples         [{ data, duration, cto, key }, ...]
#   edits           [[duration in ms, media time or -1], ...], or none
#   no_stss         all are called key frames
#   unknown         the media's duration is not known
#   chunk           samples in a chunk, 10

use strict;
use warnings;

use Exporter 'import';

use Test::Media::Formats;
use Test::Media::Tools;

our @EXPORT = qw/ mp4_box mp4_media mp4_movie mp4_fragments mp4_at /;

use constant MATRIX => pack('N9', 0x10000, 0, 0, 0, 0x10000, 0, 0, 0,
                            0x40000000);
use constant MS => 1000;


sub mp4_box {
    my ($type, @content) = @_;

    my $body = join '', @content;

    return pack('Na4', 8 + length $body, $type) . $body;
}


# a box with version and flags

sub full {
    my ($type, $version, $flags, @content) = @_;

    return mp4_box($type, pack('N', $version << 24 | $flags), @content);
}


# tracks of a file of fragments, as ffmpeg writes them

sub mp4_media {
    my ($file) = @_;

    my $bytes = slurp($file);
    my $boxes = mp4_boxes($bytes);
    my $tracks = mp4_tracks($boxes);
    my @media;

    for my $trak (mp4_find_all($boxes, 'moov/trak')) {
        my $tkhd = mp4_find($trak->{boxes}, 'tkhd')->{data};
        my $id = unpack 'N', substr($tkhd, ord $tkhd ? 20 : 12, 4);
        my $stsd = mp4_find($trak->{boxes}, 'mdia/minf/stbl/stsd');
        my %track = map { $_ => $tracks->{$id}{$_} }
                    qw/ id handler timescale width height /;

        push @media, { %track, stsd => $stsd->{data}, samples => [] };
    }

    my %by = map { $_->{id} => $_ } @media;

    push @{$by{$_->{track}}{samples}}, $_ for mp4_samples($bytes);

    return @media;
}


# where the first box of a path is in a file

sub mp4_at {
    my ($bytes, $path) = @_;

    my $box = mp4_find(mp4_boxes($bytes), $path) or die "no $path\n";

    return $box->{offset};
}


sub total {
    my ($track) = @_;

    my $sum = 0;
    $sum += $_->{duration} for @{$track->{samples}};

    return $sum;
}


# [number, value] for values that repeat

sub runs {
    my @runs;

    for my $value (@_) {
        push @runs, [0, $value] if !@runs || $runs[-1][1] != $value;
        $runs[-1][0]++;
    }

    return @runs;
}


sub table {
    my ($type, @rows) = @_;

    return full($type, 0, 0, pack('N', scalar @rows),
                map { pack 'N*', @$_ } @rows);
}


# sample tables; chunks are [offset, samples], or none in files of fragments

sub stbl {
    my ($track, @chunks) = @_;

    my @samples = @chunks ? @{$track->{samples}} : ();
    my @keys = grep { $samples[$_ - 1]{key} } 1 .. @samples;
    my @cto = map { $_->{cto} || 0 } @samples;
    my ($n, @stsc) = (0);

    for my $run (runs(map { $_->[1] } @chunks)) {
        push @stsc, [$n + 1, $run->[1], 1];
        $n += $run->[0];
    }

    return mp4_box('stbl', mp4_box('stsd', $track->{stsd}),
        table('stts', runs(map { $_->{duration} } @samples)),
        (grep { $_ } @cto) ? table('ctts', runs(@cto)) : (),
        @keys < @samples && !$track->{no_stss}
            ? table('stss', map { [$_] } @keys) : (),
        table('stsc', @stsc),
        full('stsz', 0, 0, pack('N*', 0, scalar @samples,
                                map { length $_->{data} } @samples)),
        table('stco', map { [$_->[0]] } @chunks));
}


sub trak {
    my ($track, $id, @chunks) = @_;

    my $video = $track->{handler} eq 'vide';
    my $length = @chunks ? total($track) : 0;
    my $edits = $track->{edits};

    return mp4_box('trak',
        full('tkhd', 0, 3, pack('N*', 0, 0, $id, 0,
                                int($length * MS / $track->{timescale}),
                                0, 0, 0, $video ? 0 : 0x01000000), MATRIX,
             pack('NN', map { ($track->{$_} || 0) * 65536 }
                        qw/ width height /)),
        $edits ? mp4_box('edts', table('elst', map {
                     [$_->[0], $_->[1] & 0xffffffff, 0x10000]
                 } @$edits)) : (),
        mp4_box('mdia',
            full('mdhd', 0, 0, pack('NNNNnn', 0, 0, $track->{timescale},
                                    $track->{unknown} ? 0xffffffff : $length,
                                    0x55c4, 0)),
            full('hdlr', 0, 0, pack('Na4x12x', 0, $track->{handler})),
            mp4_box('minf',
                $video ? full('vmhd', 0, 1, pack('x8'))
                       : full('smhd', 0, 0, pack('x4')),
                mp4_box('dinf', full('dref', 0, 0, pack('N', 1),
                                     full('url ', 0, 1))),
                stbl($track, @chunks))));
}


sub mvhd {
    my ($length, $next) = @_;

    return full('mvhd', 0, 0, pack('NNNNNnx10', 0, 0, MS, $length, 0x10000,
                                   0x100), MATRIX, pack('x24N', $next));
}


sub ftyp { return mp4_box('ftyp', 'isom', pack('N', 512), 'isomiso2avc1mp41') }


# a whole file: ftyp, free, mdat, moov; options:
#
#   first       moov comes before the media
#   more        further boxes in moov

sub mp4_movie {
    my ($tracks, %opt) = @_;

    my @rest = map { [@{$_->{samples}}] } @$tracks;
    my ($mdat, @chunks) = ('');

    while (grep { @$_ } @rest) {
        for my $i (grep { @{$rest[$_]} } 0 .. $#rest) {
            my @samples = splice @{$rest[$i]}, 0, $tracks->[$i]{chunk} || 10;

            push @{$chunks[$i]}, [length $mdat, scalar @samples];
            $mdat .= join '', map { $_->{data} } @samples;
        }
    }

    my ($length) = sort { $b <=> $a }
                   map { int(total($_) * MS / $_->{timescale}) } @$tracks;

    my $moov = sub {
        my ($at) = @_;

        return mp4_box('moov', mvhd($length, @$tracks + 1), map({
            trak($tracks->[$_], $_ + 1,
                 map({ [$_->[0] + $at, $_->[1]] } @{$chunks[$_] || []}))
        } 0 .. $#$tracks), $opt{more} || ());
    };

    my $head = ftyp() . mp4_box('free');

    return $opt{first}
        ? $head . $moov->(8 + length($head) + length $moov->(0))
          . mp4_box('mdat', $mdat)
        : $head . mp4_box('mdat', $mdat) . $moov->(8 + length $head);
}


# ftyp and moov, then a fragment each so many samples of the first track, with
# those of others that belong to the same time; options:
#
#   samples     in a fragment, 10
#   no_tfdt     decode times are not written

sub mp4_fragments {
    my ($tracks, %opt) = @_;

    my @rest = map { [@{$_->{samples}}] } @$tracks;
    my @time = (0) x @$tracks;
    my ($n, $ends) = (0, 0);

    my $file = ftyp() . mp4_box('moov', mvhd(0, @$tracks + 1),
        map({ trak($tracks->[$_], $_ + 1) } 0 .. $#$tracks),
        mp4_box('mvex', map { full('trex', 0, 0, pack('N5', $_, 1, 0, 0, 0)) }
                        1 .. @$tracks));

    while (grep { @$_ } @rest) {
        my @runs;

        for my $i (0 .. $#rest) {
            my ($list, $scale) = ($rest[$i], $tracks->[$i]{timescale});
            my @run;

            my $from = $time[$i];

            while (@$list && ($i ? $time[$i] / $scale < $ends || !@{$rest[0]}
                                 : @run < ($opt{samples} || 10)))
            {
                push @run, shift @$list;
                $time[$i] += $run[-1]{duration};
            }

            $ends = $time[0] / $scale if !$i;
            push @runs, [$i + 1, $from, @run] if @run;
        }

        $file .= fragment(++$n, $opt{no_tfdt}, @runs);
    }

    return $file;
}


sub fragment {
    my ($n, $no_tfdt, @runs) = @_;

    my $moof = sub {
        my ($at) = @_;

        return mp4_box('moof', full('mfhd', 0, 0, pack('N', $n)), map {
            my ($id, $from, @samples) = @$_;
            my $data = pack 'N', $at;

            $at += length $_->{data} for @samples;

            # sync samples depend on no others; signed offsets
            mp4_box('traf',
                full('tfhd', 0, 0x20000, pack('N', $id)),
                $no_tfdt ? () : full('tfdt', 1, 0, pack('Q>', $from)),
                full('trun', 1, 0xf01, pack('N', scalar @samples), $data, map {
                    pack 'NNNN', $_->{duration}, length $_->{data},
                         $_->{key} ? 0x2000000 : 0x1010000,
                         ($_->{cto} || 0) & 0xffffffff
                } @samples));
        } @runs);
    };

    return $moof->(8 + length $moof->(0))
           . mp4_box('mdat', map { my (undef, undef, @s) = @$_;
                                   map { $_->{data} } @s } @runs);
}


1;
