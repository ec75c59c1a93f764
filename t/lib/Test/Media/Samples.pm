package Test::Media::Samples;

# Copyright (C) ngx_stream_vod_module authors

# Small files that are unusual in one way each, made by ffmpeg and by our own
# writers, and files of other people that are unusual in the same way: those
# are no part of the project, they are there if the folder shared/media is,
# beside it.  What is tested with one is tested with the other.
#
#   media_samples(qr/\.ts$/)    names of files, of both kinds; says which
#   media_sample('vp9.mp4')     the name of the one that is made here
#   media_refused($file)        it, or what it is like, is not served
#   shared_media()              all files in shared/media
#
# Files are kept in build/samples, and made again when what they are made of
# changes.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw/ basename dirname /;
use File::Path qw/ make_path /;
use Test::More ();

use Test::Media::Boxes;
use Test::Media::Formats;
use Test::Media::Tools;
use Test::Media::TS;

our @EXPORT = qw/ media_sample media_samples media_refused shared_media /;

my $root = Cwd::abs_path(dirname(__FILE__) . '/../../../..');
my $shared = "$root/../shared/media";

my @fragments = qw/ -movflags frag_keyframe+empty_moov+default_base_moof /;
my @x265 = ('-x265-params', 'log-level=none:keyint=10:bframes=2', '-preset',
            'ultrafast');
my @av1 = qw/ -cpu-used 8 -usage realtime -row-mt 0 /;

# a tone that is different at any time
my @chirp = ('-f', 'lavfi', '-i', 'aevalsrc=sin(3000*t*(1+t)):s=48000',
             qw/ -t 0.3 /);

# name, what is unusual, the same of other people, how it is made: a name or a
# reference to bytes

my @samples = (
    ['vp9.mp4', 'VP9', 'mp4/bbb_800x640_768kbps_30fps_vp9.mp4', sub {
        made('vp9.mp4', seconds => 4, audio => 0, vcodec => 'libvpx-vp9',
             more => [qw/ -deadline realtime -cpu-used 8 /])
    }],
    ['sound_first.mov', 'QuickTime, sound first, BT.601', 'mp4/bt601.mov',
     sub {
        made('sound_first.mov', bframes => 1, sample_rate => 44100,
             rate => '30000/1001', delay => [1, 0.044],
             more => [qw/ -map 1:a -map 0:v -colorspace smpte170m
                          -color_primaries smpte170m -color_trc bt709 /])
    }],
    ['bad_chunk.mp4', 'a chunk of a number that is not there',
     'broken/chunk_out_of_range.mp4', \&bad_chunk],
    ['picture.avif', 'no moov',
     'broken/clusterfuzz-testcase-minimized-avif-4914209301856256.avif',
     \&picture],
    ['video_later.mp4', 'video begins one second later',
     'mp4/edit_list_positive_shift.mp4', sub {
        my ($video, $sound) = tracks();
        unshift @{$video->{edits}}, [1000, -1];
        \mp4_movie([$video, $sound])
    }],
    ['captions.mp4', 'fragments, captions in SEI',
     'mp4/fragmented_captions.mp4', \&captions],
    ['hevc.mp4', 'HEVC, B-frames', 'mp4/h265_bframes.mp4', sub {
        made('hevc.mp4', audio => 0, vcodec => 'libx265', more => \@x265)
    }],
    ['no_media.mp4', 'udta is broken, and the media are missing',
     'broken/invalid_userdata.mp4', \&no_media],
    ['cut_sound.mp4', 'an edit that begins in the middle',
     'mp4/long_edit_list_audioonly.mp4', \&cut_sound],
    ['two_descriptions.mp4', 'two descriptions of one track',
     'broken/opus_audioinit_two_desc.mp4', \&two_descriptions],
    ['bframes.flv', 'FLV, B-frames', 'flv/sample.flv', sub {
        made('bframes.flv', bframes => 2, sample_rate => 44100, channels => 1)
    }],
    ['ac3.mkv', 'Matroska, H.264 and AC-3 at 44.1 kHz', 'mkv/sample.mkv', sub {
        made('ac3.mkv', bframes => 2, acodec => 'ac3', sample_rate => 44100)
    }],
    ['sound_later.mp4', 'B-frames, the sound begins later', 'mp4/sample.mp4',
     sub {
        made('sound_later.mp4', bframes => 2, sample_rate => 44100,
             channels => 1, delay => [1, 0.044])
    }],
    ['ac3.ts', 'MPEG-TS that begins and ends in the middle of a frame',
     'ts/sample_ac3.ts', \&ac3_ts],
    ['ac3_aac.mp4', 'AC-3 and AAC, no video', 'mp4/sample_ac3_aac.mp4', sub {
        fixture('sample-ac3_aac.mp4', @chirp, qw/ -map 0 -map 0 -c:a:0 ac3
                -ac:a:0 6 -c:a:1 aac -ac:a:1 2 /)
    }],
    ['irregular.mp4', 'variable frame rate',
     'mp4/sample_android_slow_motion.mp4', sub {
        made('irregular.mp4', audio => 0, more => ['-vf',
             "select='not(mod(n\\,3))+gt(random(1)\\,0.5)'",
             qw/ -fps_mode vfr /])
    }],
    ['sound.mp4', 'AAC alone', 'mp4/sample_audio_only.mp4', sub {
        made('sound.mp4', video => 0, sample_rate => 44100, channels => 1)
    }],
    ['av1.mkv', 'AV1, BT.2020', 'mkv/sample_av1.mkv', sub {
        made('av1.mkv', audio => 0, seconds => 0.2, vcodec => 'libaom-av1',
             size => '90x160', more => [@av1, qw/ -colorspace bt2020nc
             -color_primaries bt2020 -color_trc smpte2084 /])
    }],
    ['av1.mp4', 'AV1', 'mp4/sample_av1.mp4', sub {
        made('av1.mp4', vcodec => 'libaom-av1', sample_rate => 44100,
             channels => 1, more => \@av1)
    }],
    ['empty_track.mp4', 'a track of no samples',
     'broken/sample_empty_track.mp4', \&empty_track],
    ['no_duration.mp4', 'fragments, duration unknown',
     'mp4/sample_fragmented.mp4', \&no_duration],
    ['sidx.mp4', 'several sidx',
     'mp4/sample_fragmented_seekable_multiple_sidx.mp4', sub {
        made('sidx.mp4', audio => 0, seconds => 3, bframes => 2,
             more => [qw/ -movflags dash /])
    }],
    ['h264.ts', 'MPEG-TS', 'ts/sample_h264.ts', sub {
        made('h264.ts', audio => 0, bframes => 2)
    }],
    ['hevc.ts', 'MPEG-TS, HEVC', 'ts/sample_h265.ts', sub {
        made('hevc.ts', audio => 0, vcodec => 'libx265', more => \@x265)
    }],
    ['no_delimiters.ts', 'no access unit delimiters',
     'ts/sample_h264_no_access_unit_delimiters.ts', \&no_delimiters],
    ['latm.ts', 'AAC in LATM, which is not served', 'ts/sample_latm.ts', sub {
        made('latm.ts', video => 0, seconds => 0.2,
             more => [qw/ -mpegts_flags latm /])
    }],
    ['bad_free.mp4', 'a box with a wrong size',
     'broken/sample_malformed_free_box.mp4', sub {
        my $bytes = whole();
        substr $bytes, mp4_at($bytes, 'free'), 4, pack 'N', 3;
        \$bytes
    }],
    ['no_stsd.mp4', 'a track without a description',
     'broken/sample_missing_stsd.mp4', \&no_stsd],
    ['long_mdat.mp4', 'mdat is longer than the file',
     'broken/sample_mdat_too_long.mp4', sub {
        my $bytes = whole(first => 1);
        my $at = mp4_at($bytes, 'mdat');
        substr $bytes, $at, 4, pack 'N', length($bytes) - $at + 8;
        \$bytes
    }],
    ['no_stss.mp4', 'all are key frames, and no stss says so',
     'broken/sample_without_stss.mp4', sub {
        made('no_stss.mp4', audio => 0, gop => 1)
    }],
    ['opus.mp4', 'Opus, an edit that begins in the middle',
     'mp4/sample_opus.mp4', \&opus],
    ['opus_pieces.mp4', 'Opus in fragments, in microseconds',
     'mp4/sample_opus_fragmented.mp4', \&opus_pieces],
    ['partly.mp4', 'samples in moov, more in fragments',
     'mp4/sample_partially_fragmented.mp4', sub {
        made('partly.mp4', bframes => 2, gop => 5, sample_rate => 44100,
             channels => 1, more => [qw/ -movflags frag_keyframe /])
    }],
    ['mpeg2.ts', 'MPEG-2 video and SCTE 35, which are not served',
     'ts/sample_scte35.ts', \&mpeg2_ts],
    ['sound_shorter.mp4', 'sound ends sooner', 'mp4/sample_shorter_audio.mp4',
     sub {
        made('sound_shorter.mp4', rate => 60, sample_rate => 44100,
             channels => 1, more => [qw/ -af atrim=end=0.7 /])
    }],
    ['opus.mkv', 'Opus with a delay and padding',
     'mkv/sample_with_opus_audio.mkv', sub {
        made('opus.mkv', video => 0, seconds => 0.123, acodec => 'libopus',
             channels => 1)
    }],
    ['sdt.ts', 'AC-3, and MPEG-2 video without a picture',
     'ts/sample_with_sdt.ts', \&sdt_ts],
    ['srt.mkv', 'Matroska with subtitles', 'mkv/sample_with_srt.mkv',
     \&srt_mkv],
    ['encrypted.mp4', 'encrypted', 'broken/short-cenc.mp4', sub {
        made('encrypted.mp4', seconds => 0.4, sample_rate => 44100, more => [
            qw/ -encryption_scheme cenc-aes-ctr -encryption_key /, '07' x 16,
            '-encryption_kid', '13' x 16])
    }],
    ['damaged.mp4', 'a wrong timescale, damaged samples',
     'broken/test_case_1185230.mp4', \&damaged],
);


my %refused = map { $_ => 1 } qw/ bad_chunk.mp4 picture.avif bad_free.mp4
                                  encrypted.mp4 no_media.mp4 latm.ts
                                  mpeg2.ts /;


# the file is left alone as long as its bytes are the same

sub keep {
    my ($name, $bytes) = @_;

    my $dir = "$root/build/samples";
    my $file = "$dir/$name";

    return $file if -e $file && slurp($file) eq $bytes;

    # others may be at it

    make_path($dir);
    spew("$dir/.$$-$name", $bytes);
    rename "$dir/.$$-$name", $file or die "$file: $!\n";

    return $file;
}


sub make {
    my ($name, $what, $like, $how) = @{$_[0]};

    my $made = $how->();

    return keep($name, ref $made ? $$made : slurp($made));
}


sub media_sample {
    my ($name) = @_;

    my ($sample) = grep { $_->[0] eq $name } @samples
        or die "no sample $name\n";

    return make($sample);
}


sub media_samples {
    my ($match) = @_;

    my @made = map { make($_) } grep { $_->[0] =~ $match } @samples;
    my @theirs = grep { -e } map { "$shared/$_->[2]" }
                 grep { $_->[2] =~ $match } @samples;

    Test::More::diag(scalar @made . ' files made here, '
        . (-d $shared ? scalar @theirs . ' of other people in shared/media'
                      : 'none of other people, there is no ../shared/media'));

    return (@made, @theirs);
}


sub media_refused {
    my ($file) = @_;

    my $name = basename($file);
    my ($sample) = grep { $_->[0] eq $name || basename($_->[2]) eq $name }
                   @samples or die "no sample $name\n";

    return $refused{$sample->[0]};
}


sub shared_media { return grep { -f } glob "$shared/*/*" }


# a picture and a tone of a second; delay => [input, seconds]

sub made {
    my ($name, %opt) = @_;

    my @source = ffmpeg_source(re => 0, size => '160x90', bitrate => '100k',
                               gop => 10, %opt);

    if ($opt{delay}) {
        my ($input, $seconds) = @{$opt{delay}};
        my @at = grep { $source[$_] eq '-f' } 0 .. $#source;

        splice @source, $at[$input], 0, '-itsoffset', $seconds;
    }

    return fixture("sample-$name", @source, '-t', $opt{seconds} || 1,
        '-threads', 1, exists $opt{video} && !$opt{video}
                       ? () : qw/ -pix_fmt yuv420p /, @{$opt{more} || []});
}


# tracks of a picture with B-frames and of a tone

sub tracks {
    my @tracks = mp4_media(made('tracks.mp4', bframes => 2, channels => 1,
                                sample_rate => 44100, more => \@fragments));

    # shown from its first picture on
    $tracks[0]{edits} = [[1000, $tracks[0]{samples}[0]{cto}]];

    return @tracks;
}


sub whole { return mp4_movie([tracks()], @_) }


sub opus_track {
    my ($track) = mp4_media(made('opus-track.mp4', video => 0, channels => 1,
                                 acodec => 'libopus', more => \@fragments));

    return $track;
}


sub bad_chunk {
    my ($video) = tracks();
    my $bytes = mp4_movie([$video]);
    my $at = mp4_at($bytes, 'moov/trak/mdia/minf/stbl/stsc');

    # of the first run
    substr $bytes, $at + 16, 4, pack 'N', 0x80000001;

    return \$bytes;
}


sub picture {
    my $bytes = mp4_box('ftyp', 'avif', pack('N', 0), 'avifmif1miaf')
        . mp4_box('meta', pack('N', 0),
                  mp4_box('hdlr', pack('x8a4x13', 'pict')),
                  mp4_box('pitm', pack('Nn', 0, 1)))
        . mp4_box('mdat', "\x12\0\x0a\x0a" . 'no picture');

    return \$bytes;
}


# an SEI message of closed captions, ATSC A/53, empty ones of CEA-608, before
# the first slice

sub captions {
    my ($video) = tracks();

    my $user = "\xb5\0\x31GA94\x03\xc1\xff\xfc\x80\x80\xff";
    my $sei = pack('CCC', 6, 4, length $user) . $user . "\x80";

    for my $sample (@{$video->{samples}}) {
        my ($out, $seen) = ('');

        for my $nal (unpack '(N/a)*', $sample->{data}) {
            my $type = ord($nal) & 0x1f;

            $out .= pack 'N/a', $sei if ($type == 1 || $type == 5) && !$seen++;
            $out .= pack 'N/a', $nal;
        }

        $sample->{data} = $out;
    }

    delete $video->{edits};

    return \mp4_fragments([$video]);
}


# an item of metadata is longer than what it is in

sub no_media {
    my $bytes = whole(first => 1, more => mp4_box('udta',
        mp4_box('meta', pack('N', 0), mp4_box('hdlr', pack('x8a4x13', 'mdir')),
                mp4_box('ilst', pack('Na4', 200, "\xa9too"), 'x' x 20))));

    return \substr $bytes, 0, mp4_at($bytes, 'mdat');
}


sub cut_sound {
    my ($video, $sound) = tracks();

    $sound->{edits} = [[500, 20000]];

    return \mp4_movie([$sound]);
}


# the second one says another pre-skip, and no sample has it; decode times are
# not written

sub two_descriptions {
    my $track = opus_track();
    my $entry = substr $track->{stsd}, 8;

    (my $other = $entry) =~ s/(dOps..)../$1\x02\x9c/s
        or die "no dOps in Opus\n";

    $track->{stsd} = pack('NN', 0, 2) . $entry . $other;

    return \mp4_fragments([$track], no_tfdt => 1, samples => 30);
}


sub empty_track {
    my ($video, $sound) = tracks();

    return \mp4_movie([$video, { %$video, samples => [], edits => undef },
                       $sound]);
}


sub no_duration {
    my @tracks = tracks();

    delete $_->{edits}, $_->{unknown} = 1 for @tracks;

    return \mp4_fragments(\@tracks, no_tfdt => 1, samples => 100);
}


sub no_stsd {
    my $bytes = whole(first => 1);
    my (undef, $stsd) = mp4_find_all(mp4_boxes($bytes),
                                     'moov/trak/mdia/minf/stbl/stsd');

    substr $bytes, $stsd->{offset} + 4, 4, 'free';

    return \$bytes;
}


sub opus {
    my $track = opus_track();

    $track->{edits} = [[500, 21912]];

    return \mp4_movie([$track]);
}


sub opus_pieces {
    my $track = opus_track();

    $track->{timescale} = 1_000_000;
    $_->{duration} = $_->{duration} * 1_000_000 / 48000
        for @{$track->{samples}};

    return \mp4_fragments([$track], samples => 25);
}


# only the first three pictures are in the file, and they are none

sub damaged {
    my ($video, $sound) = tracks();

    $video->{chunk} = 1;
    $_->{data} = "\x55" x length $_->{data} for @{$video->{samples}};

    my $bytes = mp4_movie([$video, $sound], first => 1);
    my (undef, $mdhd) = mp4_find_all(mp4_boxes($bytes), 'moov/trak/mdia/mdhd');

    substr $bytes, $mdhd->{offset} + 20, 4, pack 'N', 0xcfc90000;

    # where the fourth begins
    my $end = unpack 'N', substr $bytes,
        mp4_at($bytes, 'moov/trak/mdia/minf/stbl/stco') + 16 + 3 * 4, 4;

    return \substr $bytes, 0, $end;
}


# frames of AC-3 are all as long, and last 2880 ticks

sub ac3_frames {
    my $bytes = slurp(fixture('sample-frames.ac3', @chirp, qw/ -ac 6 -c:a ac3
                                                               -b:a 384k /));

    return unpack '(a1536)*', $bytes;
}


sub ac3_ts {
    my $bytes = join '', ac3_frames();
    my $pes = 3 * 1536;
    my ($n, @pes) = (0);

    # from the middle of a frame on, and so is each packet
    $bytes = substr $bytes, 700;

    for (; length $bytes > $pes; $n++) {
        push @pes, { pts => 126000 + 3 * 2880 * $n,
                     data => substr $bytes, 0, $pes, '' };
    }

    return \ts_write({ pid => 0x100, type => 0x81, id => 0xbd, pes => \@pes });
}


sub sdt_ts {
    my @frames = ac3_frames();
    my $service = pack 'CC/aC/a', 1, 'maker', 'service';
    my $sdt = ts_section(0x42, 1, pack('nCnCn', 1, 0xff, 1, 0xfc,
                         0x8000 | 2 + length $service)
                         . pack('CC/a', 0x48, $service));

    return \ts_write(
        { pid => 0x150, type => 0x02 },
        { pid => 0x151, type => 0x81, id => 0xbd, pes => [map {
            { pts => 8174045 + 2880 * $_, data => $frames[$_] } } 0, 1] },
        { pid => 0x11, sections => [$sdt] });
}


sub mpeg2_ts {
    my $video = slurp(fixture('sample-mpeg2.m2v', qw/ -f lavfi -i
        testsrc2=size=160x90:rate=25 -t 0.2 -c:v mpeg2video /));
    my $sound = slurp(fixture('sample-mpeg2.mp2', qw/ -f lavfi -i sine -t 0.2
                                                      -c:a mp2 /));
    my @pictures = split /(?=\x00\x00\x01\x00)/, $video;

    # splice_null()
    my $splice = "\xfc\x30\x11" . "\0" x 6 . "\x01\xff\xf0\0\0\0\0"
                 . "\x7a\x4f\xbf\xff";

    return \ts_write(
        { pid => 0x100, type => 0x02, id => 0xe0, program => "\5\4CUEI",
          pes => [map {
            { pts => 129000 + 3600 * $_, data => $pictures[$_] }
          } 0 .. $#pictures] },
        { pid => 0x101, type => 0x03, id => 0xc0,
          pes => [{ pts => 129000, data => $sound }] },
        { pid => 0x102, type => 0x86, sections => [$splice] });
}


# ffmpeg would put them in

sub no_delimiters {
    my ($video) = tracks();
    my ($avcc) = mp4_find_all(mp4_boxes(mp4_box('stsd', $video->{stsd})),
                              'stsd/avc1/avcC');
    my ($sps, $pps) = unpack 'x6n/axn/a', $avcc->{data};
    my ($dts, @pes) = (126000);

    for my $sample (@{$video->{samples}}) {
        push @pes, {
            dts => $dts, pts => $dts + $sample->{cto} * 90000
                                       / $video->{timescale},
            data => join '', map { "\0\0\0\1$_" }
                    $sample->{key} ? ($sps, $pps) : (),
                    grep { (ord($_) & 0x1f) != 9 }
                    unpack '(N/a)*', $sample->{data},
        };

        $dts += $sample->{duration} * 90000 / $video->{timescale};
    }

    return \ts_write({ pid => 0x100, type => 0x1b, id => 0xe0, pes => \@pes });
}


sub srt_mkv {
    my $srt = keep('srt.srt',
                   "1\n00:00:00,000 --> 00:00:00,500\nfirst\n\n"
                   . "2\n00:00:00,500 --> 00:00:00,900\nsecond\n\n");
    my @source = ffmpeg_source(re => 0, size => '160x90', bitrate => '100k',
                               gop => 10, bframes => 2, acodec => 'ac3',
                               sample_rate => 44100);
    my ($codec) = grep { $source[$_] eq '-c:v' } 0 .. $#source;

    splice @source, $codec, 0, '-i', $srt, qw/ -map 0 -map 1 -map 2 /;

    return fixture('sample-srt.mkv', @source, qw/ -t 1 -threads 1 -pix_fmt
                                                  yuv420p -c:s srt /);
}


1;
