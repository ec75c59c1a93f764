#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Tracks that ffmpeg's encoders make go through the MPEG-TS muxer: every frame
# decodes to the same picture or the same samples as from the original file,
# with the same time stamps, and the segments in a row are one stream.  So they
# are where frames are pushed one by one, in the order in which they arrive.
#
#   TEST_MEDIA="a.mp4 b.mp4"   these files too

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;
use Test::Media::Records qw/ probe records /;
use Test::Media::TS;

my $dir = tempdir('media-ts-XXXXXX', TMPDIR => 1, CLEANUP => 1);

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version >/dev/null 2>&1');

my $bin = tool('ts');

# what MPEG-TS may have
my %known = map { $_ => 1 } qw/ h264 hevc aac mp3 ac3 eac3 /;

# where the tool lets a time of zero be
my $offset = 900000;

my $picture = '-f lavfi -i testsrc2=s=%s:r=%s:d=%s';
my $tone = '-f lavfi -i sine=440:r=%d:d=%s';

# name, inputs and encoders, container, what else

my @tests = (
    ['h264, b-frames, and aac',
     sprintf("$picture $tone", '320x180', 25, 4, 48000, 4)
     . ' -c:v libx264 -g 25 -bf 3 -pix_fmt yuv420p -c:a aac -ac 2', 'mp4'],

    ['h264 with a delay of our own, 29.97 fps, aac 44.1 kHz mono',
     sprintf("$picture $tone", '352x288', '30000/1001', 4, 44100, 4)
     . ' -c:v libx264 -g 30 -bf 2 -pix_fmt yuv420p -c:a aac -ac 1', 'mp4',
     delay => 1],

    ['h264, large key frames, 60 fps',
     sprintf($picture, '1280x720', 60, 1)
     . ' -c:v libx264 -preset ultrafast -g 30 -qp 8 -pix_fmt yuv420p', 'mp4'],

    ['h264, 5 fps, and mp3',
     sprintf("$picture $tone", '320x180', 5, 6, 44100, 6)
     . ' -c:v libx264 -g 10 -pix_fmt yuv420p -c:a libmp3lame -ac 2', 'mp4'],

    ['h264 with delimiters and sets in the frames, variable rate',
     sprintf($picture, '320x240', 25, 4)
     . q( -vf "select='not(eq(mod(n,7),3))'" -fps_mode vfr -c:v libx264 -g 25)
     . ' -x264-params aud=1:repeat-headers=1:scenecut=0 -pix_fmt yuv420p',
     'mp4'],

    ['h264, open gop', sprintf($picture, '352x288', 25, 4)
     . ' -c:v libx264 -g 15 -bf 2 -x264-params open-gop=1:scenecut=0'
     . ' -pix_fmt yuv420p', 'mp4', open => 1],

    ['hevc and e-ac-3',
     sprintf("$picture $tone", '320x180', 25, 3, 48000, 3)
     . ' -c:v libx265 -preset ultrafast -x265-params log-level=error:'
     . 'keyint=25:min-keyint=25:bframes=3:scenecut=0:open-gop=0'
     . ' -pix_fmt yuv420p -c:a eac3 -ac 2', 'mp4'],

    ['h264 and ac-3 5.1',
     sprintf("$picture $tone", '320x180', 25, 3, 48000, 3)
     . ' -c:v libx264 -g 25 -pix_fmt yuv420p'
     . ' -c:a ac3 -af aformat=channel_layouts=5.1', 'mp4'],

    ['aac alone', sprintf($tone, 48000, 5) . ' -c:a aac -ac 2', 'mp4'],

    ['aac of a layout of its own', sprintf($tone, 48000, 3)
     . ' -af aformat=channel_layouts=2.1 -c:a aac', 'mp4'],

    ['aac of 8 channels', sprintf($tone, 48000, 3)
     . ' -af aformat=channel_layouts=octagonal -c:a aac', 'mp4'],

    ['mp3 of half rate, alone', sprintf($tone, 22050, 5)
     . ' -c:a libmp3lame -ac 1', 'mp4'],

    ['h264, aac and timed id3',
     sprintf("$picture $tone", '320x180', 25, 4, 48000, 4)
     . ' -c:v libx264 -g 25 -pix_fmt yuv420p -c:a aac -ac 2', 'mp4',
     id3 => 1],
);

for my $test (@tests) {
    my ($name, $make, $format, %more) = @$test;
    my $source = "$dir/source.$format";

    subtest $name => sub {
        is(system("ffmpeg -nostdin -v error -y $make $source"), 0, 'made')
            and file($source, %more);
    };
}

# pushed: name, what each track is late, ms, streams of the file, how many
# frames come too late for their decoders, at least

my @pushed = (
    ['h264 with b-frames, aac, mp3', '0,0,0',
     sprintf("$picture $tone $tone", '320x180', 25, 6, 48000, 6, 44100, 6)
     . ' -map 0 -map 1 -map 2 -c:v libx264 -g 40 -bf 3 -pix_fmt yuv420p'
     . ' -c:a:0 aac -ac:a:0 2 -c:a:1 libmp3lame', 0],
    ['audio behind by 300 ms, other audio ahead', '0,300,-200',
     sprintf("$picture $tone $tone", '320x180', '30000/1001', 5, 44100, 5,
             48000, 5)
     . ' -map 0 -map 1 -map 2 -c:v libx264 -g 30 -bf 2 -pix_fmt yuv420p'
     . ' -c:a aac', 0],
    ['video behind by 900 ms', '900,0',
     sprintf("$picture $tone", '320x180', 25, 5, 48000, 5)
     . ' -c:v libx264 -g 25 -bf 2 -pix_fmt yuv420p -c:a aac', 0],
    ['video behind by 3 s', '3000,0',
     sprintf("$picture $tone", '320x180', 25, 5, 48000, 5)
     . ' -c:v libx264 -g 25 -pix_fmt yuv420p -c:a aac', 100],
    ['hevc, a frame a second', '0,0',
     sprintf("$picture $tone", '320x180', 1, 6, 48000, 6)
     . ' -c:v libx265 -preset ultrafast -x265-params log-level=error:'
     . 'keyint=2:min-keyint=2:bframes=0 -pix_fmt yuv420p -c:a ac3', 0],
    ['audio alone', '0', sprintf($tone, 48000, 5) . ' -c:a aac -ac 2', 0],
);

for my $test (@pushed) {
    my ($name, $lags, $make, $late) = @$test;
    my $source = "$dir/source.mp4";

    subtest "pushed: $name" => sub {
        is(system("ffmpeg -nostdin -v error -y $make $source"), 0, 'made')
            and pushed($source, $lags, $late);
    };
}

for my $file (split ' ', $ENV{TEST_MEDIA} || '') {
    subtest $file => sub { file($file, media => 1) };
}

done_testing();


sub file {
    my ($source, %more) = @_;

    unlink glob "$dir/out*";

    my @streams = probe($source);
    my (@tracks, @records);

    for my $type (qw/ video audio /) {
        my ($first) = grep { $_->{codec_type} eq $type
                             && $known{$_->{codec_name}} } @streams;
        push @tracks, $first if $first;
    }

    for my $track (@tracks) {
        push @records, "$dir/records" . @records;
        records($track, $records[-1], delay($track, %more));
    }

    if ($more{id3}) {
        push @records, "$dir/records.id3";
        id3($records[-1]);
    }

    my @said = `$bin $dir/out @records 2>&1`;
    is($?, 0, 'written') or diag(@said), return;

    my @sizes = map { /size (\d+)/ } @said;
    my @keys = map { /key (\d+)/ } @said;
    my $n = @said;

    cmp_ok($n, '>', $more{media} ? 0 : 1, "$n segments");
    is(join(' ', map { -s "$dir/out$_.ts" } 0 .. $n - 1), "@sizes", 'sizes');
    is(scalar(grep { !/damaged 0$/ } @said), 0, 'nothing damaged');

    # a playlist, read by ffmpeg's own client: it says nothing at all

    open my $fh, '>', "$dir/out.m3u8" or die "$dir/out.m3u8: $!\n";
    print $fh "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n",
        map({ "#EXTINF:1,\nout$_.ts\n" } 0 .. $n - 1), "#EXT-X-ENDLIST\n";
    close $fh;

    my $quiet = `ffmpeg -nostdin -v warning -xerror -i $dir/out.m3u8 -map 0 \\
                 -c copy -copyts -f null - 2>&1`;

    # from audio alone, its own too, it reads the first two frames twice; and
    # it may tell how it names channels
    $quiet =~ s/^Guessed Channel Layout .*\n//mg;
    $quiet =~ s/^.* non monotonically increasing dts .*\n//m
        if $tracks[0]{codec_type} ne 'video';

    is($quiet, '', 'ffmpeg has nothing to say') if !$more{media};

    my @got = probe("$dir/out.m3u8");
    my @kinds = map { $_->{codec_name} } @tracks;
    push @kinds, 'timed_id3' if $more{id3};

    is_deeply([map { $_->{codec_name} } @got], \@kinds, 'streams');

    # all packets with their time stamps, whatever the segment

    system("cat @{[map { qq($dir/out$_.ts) } 0 .. $n - 1]} > $dir/out.ts");

    my @all = probe("$dir/out.ts");

    for my $i (0 .. $#tracks) {
        stamps($tracks[$i], $all[$i]);
        is(frames("$dir/out.ts", $i), frames($source, $tracks[$i]{index}),
           "$tracks[$i]{codec_type} decodes to the same");
    }

    # each segment decodes on its own

    my $bad = '';
    for my $i (0 .. $n - 1) {
        next if $more{open} || $more{media};
        $bad .= `ffmpeg -nostdin -v error -i $dir/out$i.ts -map 0:0 \\
                 -f null - 2>&1`;
    }

    is($bad, '', 'segments stand alone');

    # the range of the key frame decodes, with the tables before it

    if ($tracks[0]{codec_type} eq 'video') {
        my $i = $n - 1;
        my $len = 376 + $keys[$i];
        system("head -c $len $dir/out$i.ts > $dir/key.ts");
        my $one = `ffmpeg -nostdin -v error -i $dir/key.ts -f framemd5 - 2>&1`;
        my @lines = grep { !/^#/ } split /\n/, $one;
        is(scalar @lines, 1, 'key frame') or diag($one);
    }

    return if !$more{id3};

    # ffmpeg takes five bytes for the header of a metadata access unit, which
    # Apple's timed metadata has not
    my @tags = map { $_->{data} } @{$all[-1]{packets}};
    is_deeply([map { length > 22 ? substr($_, 5) : $_ } @tags],
              [map { substr(tag($_), 5) } 0 .. 5], 'id3 tags');
}


sub pushed {
    my ($source, $lags, $late) = @_;

    my @tracks = probe($source);
    my $video = $tracks[0]{codec_type} eq 'video';
    my ($keys, $n, @records) = (0, 0);

    for my $track (@tracks) {
        push @records, "$dir/records" . @records;
        records($track, $records[-1], 0);
        $n += @{$track->{packets}};
    }

    $keys = grep { $_->{flags} =~ /K/ } @{$tracks[0]{packets}} if $video;

    my $said = `$bin -push $dir/push.ts $lags @records 2>&1`;
    like($said, qr/^pushed $n late \d+ breaks 0 damaged 0$/, 'pushed');

    my ($found) = $said =~ /late (\d+)/;
    $late ? cmp_ok($found, '>=', $late, 'late') : is($found, 0, 'not late');

    my $walked = ts_walk("$dir/push.ts");

    is(join("\n", @{$walked->{bad}}), '', 'packets');
    cmp_ok($walked->{pcr}, '<=', 9000, 'the clock is every 100 ms');
    cmp_ok($walked->{tables}, '<=', 45000, 'tables are every 500 ms');
    is($walked->{keys}, $keys, 'they are before each key frame');

    my $quiet = `ffmpeg -nostdin -v warning -xerror -i $dir/push.ts -map 0 \\
                 -c copy -copyts -f null - 2>&1`;
    $quiet =~ s/^Guessed Channel Layout .*\n//mg;

    # its reader takes two frames of audio that comes first twice, as above
    $quiet =~ s/^.* non monotonically increasing dts .*\n//m if !$video;

    is($quiet, '', 'ffmpeg has nothing to say');

    my @got = probe("$dir/push.ts");

    is_deeply([map { $_->{codec_name} } @got],
              [map { $_->{codec_name} } @tracks], 'streams');

    for my $i (0 .. $#tracks) {
        stamps($tracks[$i], $got[$i], 1);
        is(frames("$dir/push.ts", $i), frames($source, $i),
           "$tracks[$i]{codec_type} decodes to the same");
    }
}


# presentation and decode times: of each frame, in 90 kHz; exact: each frame has
# one of its own

sub stamps {
    my ($track, $got, $exact) = @_;

    my @packets = @{$track->{packets}};
    my @found = @{$got->{packets}};
    my ($num, $den) = split '/', $track->{time_base};
    my $video = $track->{codec_type} eq 'video';

    is(scalar @found, scalar @packets, "$track->{codec_type} packets")
        or return;

    my ($dts, $pts, $key, $size) = (0, 0, 0, 0);

    for my $i (0 .. $#packets) {
        my $p = int($packets[$i]{pts} * 90000 * $num / $den + 1e6)
                - 1e6 + $offset;
        my $d = int($packets[$i]{dts} * 90000 * $num / $den + 1e6)
                - 1e6 + $offset;

        # a parser counts frames behind the first of a PES packet on
        my $slack = $video || $exact ? 0 : 5;

        $pts = $p - $found[$i]{pts} if abs($p - $found[$i]{pts}) > $slack;
        $dts = $d - $found[$i]{dts} if abs($d - $found[$i]{dts}) > $slack;
        $key++ if $video && $packets[$i]{flags} =~ /K/
                  && $found[$i]{flags} !~ /K/;
    }

    is($pts, 0, "$track->{codec_type} pts");
    is($dts, 0, "$track->{codec_type} dts");
    is($key, 0, "$track->{codec_type} key frames");
}


# a delay of our own: with it, key frames are shown at their decode time

sub delay {
    my ($track, %more) = @_;

    return 0 if !$more{delay} || $track->{codec_type} ne 'video';

    my $delay = $track->{packets}[0]{pts} - $track->{packets}[0]{dts};
    cmp_ok($delay, '>', 0, 'a delay');

    return $delay;
}


# hashes of all decoded frames

sub frames {
    my ($file, $index) = @_;

    my $option = $file =~ /mp4$/ ? '-ignore_editlist 1' : '';
    my $said = `ffmpeg -nostdin -v error -flags2 +skip_manual $option \\
                -i $file -map 0:$index -fps_mode passthrough -f hash \\
                -hash md5 - 2>&1`;

    # errors are those of the source, if it has any
    $said =~ s/^\[\w+ @ \w+\] //mg;

    return $said;
}


# ID3v2.4 tags of one text frame

sub tag {
    my ($n) = @_;

    my $text = "\x03\0tag $n";
    my $frame = 'TXXX' . pack('Nn', length $text, 0) . $text;

    return "ID3\x04\0\0" . pack('N', length $frame) . $frame;
}


sub id3 {
    my ($file) = @_;

    open my $fh, '>', $file or die "$file: $!\n";
    binmode $fh;
    print $fh 'ID3 ', pack('NNNN', 1000, 0, 0, 0);

    for my $n (0 .. 5) {
        my $tag = tag($n);
        print $fh pack('NNl>Nq>', length $tag, 600, 0, 1, $n * 600 + 100),
              $tag;
    }

    close $fh or die "$file: $!\n";
}
