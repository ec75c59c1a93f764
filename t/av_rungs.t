#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Films of all kinds become rungs: one picture for each, shown at the same
# time, key frames where the film has them and nowhere else, of the colors it
# has, and ffmpeg decodes all of it.

use strict;
use warnings;

use Test::More;
use File::Temp qw/ tempdir /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Build;

my $root = $Test::Media::Build::root;
my $tool = "$root/t/tools/rungs.c";

plan skip_all => 'no ffmpeg' if `ffmpeg -hide_banner -encoders 2>&1`
                                !~ /libx264 /;

my $build = Test::Media::Build->new(name => 'tools-fast',
                                    cc => $ENV{CC} || 'gcc',
                                    cflags => ['-O2', '-DNGX_MEDIA_UNIT=1']);
my %built = $build->programs($tool);
my $bin = $built{$tool} or BAIL_OUT($build->log($tool));

plan skip_all => 'built without libav' if `$bin 2>&1` =~ /^no libav/;

my $dir = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);

my $src = 'testsrc2=s=320x180:r=30000/1001:d=2';
my @x264 = qw/ -c:v libx264 -preset ultrafast -g 20 -sc_threshold 0 /;
my @b = qw/ -bf 3 -x264-params b-adapt=0:b-pyramid=normal /;
my $bt709 = 'setparams=color_primaries=bt709:color_trc=bt709'
            . ':colorspace=bt709';

# what ffmpeg makes them of, and with; sizes of rungs

my %films = (
    'B-frames' => [$src, [@x264, @b]],
    'open GOP' => [$src, [@x264, '-bf', 2, '-flags', '-cgop',
                          '-x264-params', 'open-gop=1:b-adapt=0']],
    'variable rate' => ["$src,select='not(eq(mod(n\\,7)\\,3))"
                        . "*not(between(n\\,20\\,29))'",
                        [@x264, @b, '-fps_mode', 'vfr']],
    'HEVC, 4:2:2, 10 bits' => ["$src,$bt709",
                               [qw/ -c:v libx265 -preset ultrafast -pix_fmt
                                    yuv422p10 -x265-params
                                    keyint=20:scenecut=0:log-level=none /]],
    'full range' => ["$src,scale=out_range=pc,$bt709",
                     [@x264, qw/ -pix_fmt yuvj420p -color_range pc /]],
    'odd size, 4:4:4' => ['testsrc2=s=321x181:r=30:d=1',
                          [@x264, qw/ -pix_fmt yuv444p /]],
    'portrait' => ['testsrc2=s=180x320:r=25:d=1', [@x264], '106x190',
                   '60x106'],
);

for my $name (sort keys %films) {
    my ($graph, $codec, @sizes) = @{$films{$name}};
    my $film = "$dir/film.mp4";

    run(qw/ ffmpeg -v error -y -f lavfi -i /, $graph, @$codec, $film) == 0
        or BAIL_OUT("no film of $name");

    @sizes = qw/ 214x120 106x60 / if !@sizes;
    test_rungs($name, $film, map { [$_, "$dir/$_.mp4"] } @sizes);
}

# what players do not take at all

my %others = (
    'MPEG-2' => [qw/ mpeg2video -bf 2 -g 15 -qscale 3 /],
    'MPEG-4, part 2' => [qw/ mpeg4 -bf 1 -g 15 -qscale 3 /],
    'Motion JPEG' => [qw/ mjpeg -pix_fmt yuvj422p -color_range pc -qscale 3 /],
    'ProRes' => [qw/ prores_ks -profile 2 /],
);

for my $name (sort keys %others) {
    my ($encoder, @more) = @{$others{$name}};
    my $film = "$dir/film.mov";

    run(qw/ ffmpeg -v error -y -f lavfi -i testsrc2=s=320x180:r=25:d=1
            -c:v /, $encoder, @more, $film) == 0
        or BAIL_OUT("no film of $name");

    test_rungs($name, $film, ['214x120', "$dir/rung.mp4"]);
}

# who does not say how far pictures are reordered loses one where the decoder
# is not told

my $film = "$dir/film.mp4";
run(qw/ ffmpeg -v error -y -f lavfi -i /, $src, @x264, @b, $film);
silent($film);

is(pictures($film, '-r0'), 59, 'no word of reordering: one is lost');
is(pictures($film), 60, 'no word of reordering: none is, if one is told');

done_testing();


sub test_rungs {
    my ($name, $film, @rungs) = @_;

    my @out = split /\n/, `$bin -pultrafast $film @{[
        map { "$_->[0],200000,$_->[1]" } @rungs ]}`;

    is($? >> 8, 0, "$name: rungs are made") or return;
    like($out[0], qr/ late 0 errors 0$/, "$name: nothing is lost");

    my @film = packets($film);
    my @color = colors($film);

    for my $rung (@rungs) {
        my ($size, $file) = @$rung;
        my @packets = packets($file);

        is(scalar @packets, scalar @film, "$name, $size: pictures");

        # a tick of 90 kHz, in which both files are, and the film's own

        my $first = $film[0][0] - $packets[0][0];
        my @off = grep {
            abs($film[$_][0] - $first - $packets[$_][0]) > 0.0001
        } 0 .. $#packets;

        is("@off", '', "$name, $size: each at its time");
        is(join(' ', grep { $packets[$_][1] } 0 .. $#packets),
           join(' ', grep { $film[$_][1] } 0 .. $#film),
           "$name, $size: key frames");

        is(`ffmpeg -v warning -i $file -f null - 2>&1`, '',
           "$name, $size: ffmpeg has nothing to say");

        is(join(' ', colors($file)), join(' ', 'tv', @color[1 .. 3]),
           "$name, $size: colors");

        my $psnr = psnr($film, $file, $size);
        cmp_ok($psnr, '>', 28, "$name, $size: is the film, $psnr dB");
    }
}


# in order of presentation: when, and whether it is a key frame

sub packets {
    my ($file) = @_;

    my @packets = map { [split /,/] } split /\n/,
        `ffprobe -v error -select_streams v -show_entries \\
         packet=pts_time,flags -of csv=p=0 $file`;

    return map { [$_->[0], $_->[1] =~ /K/ ? 1 : 0] }
           sort { $a->[0] <=> $b->[0] } @packets;
}


sub colors {
    my ($file) = @_;

    my %c = `ffprobe -v error -select_streams v -show_entries \\
             stream=color_range,color_primaries,color_transfer,color_space \\
             -of default=nw=1 $file` =~ /^color_(\w+)=(\w+)$/mg;

    $c{range} = 'tv' if $c{range} eq 'unknown';

    return @c{qw/ range primaries transfer space /};
}


sub psnr {
    my ($film, $file, $size) = @_;
    my ($w, $h) = split /x/, $size;

    my ($y) = `ffmpeg -v info -i $film -i $file -lavfi '
        [0:v]scale=$w:$h:flags=bicubic:out_range=tv,format=yuv420p[a];
        [a][1:v]psnr=shortest=1' -fps_mode passthrough -f null - 2>&1`
        =~ /PSNR y:([\d.]+|inf)/;

    return $y || 0;
}


sub pictures {
    my ($film, @more) = @_;

    my ($n) = `$bin -pultrafast @more $film 106x60,100000,$dir/x.mp4`
              =~ /^pictures (\d+)/;

    return $n;
}


# VUI without bitstream_restriction, ISO/IEC 14496-10, E.1.1: what x264 ends an
# SPS with; zeros behind it keep its length

sub silent {
    my ($file) = @_;

    open my $fh, '+<:raw', $file or die "$file: $!\n";
    my $data = do { local $/; <$fh> };

    my $at = index($data, 'avcC') + 10;
    my $len = unpack 'n', substr $data, $at, 2;
    my $sps = substr $data, $at + 2, $len;

    my $bits = unpack 'B*', $sps =~ s/\x00\x00\x03/\x00\x00/gr;
    my $ue = '(?:1|01.|001..|0001...|00001....)';

    $bits =~ s/0001111(?:$ue){4}10*$/00001/ or die "no bitstream_restriction";
    $bits .= '0' x (-length($bits) % 8);

    $sps = pack('B*', $bits) =~ s/\x00\x00(?=[\x00-\x03])/\x00\x00\x03/gr;
    substr($data, $at + 2, $len) = $sps . "\0" x ($len - length $sps);

    seek $fh, 0, 0;
    print $fh $data;
    close $fh;
}


sub run { return system(@_) }
