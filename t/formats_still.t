#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A picture that stands still: what is made for it decodes to the picture on
# show, whatever the encoder's tools are, and pictures that follow are as they
# would be without it.  The decoder is ffmpeg's, and it has nothing to say.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw/ tempdir /;
use Test::More;

use Test::Media::Build qw/ tool /;

my $dir = tempdir('media-still-XXXXXX', TMPDIR => 1, CLEANUP => 1);

my $bin = tool('still');

# name, options of the encoder, size, whether there is none

my @tests = (
    ['no B-frames, order of type 2', '-tune zerolatency'],
    ['CAVLC', '-bf 0 -coder 0'],
    ['B-frames', '-bf 3 -x264-params b-pyramid=none'],
    ['a pyramid', '-bf 3 -x264-params b-pyramid=normal:b-adapt=0'],
    ['a pyramid, CAVLC', '-bf 3 -coder 0 -x264-params b-pyramid=normal'],
    ['many references, weights', '-bf 2 -refs 8 -x264-params weightp=2'],
    ['no deblocking', '-bf 0 -x264-params no-deblock=1'],
    ['slices', '-bf 0 -slices 4'],
    ['interlaced, in pairs of macroblocks', '-flags +ildct+ilme -bf 2'],
    ['interlaced, CAVLC', '-flags +ildct+ilme -bf 0 -coder 0'],
    ['10 bit 4:2:2', '-bf 2 -pix_fmt yuv422p10le -profile:v high422'],
    ['4:4:4', '-bf 0 -pix_fmt yuv444p'],
    ['baseline', '-profile:v baseline'],
    ['a large picture', '-bf 0', '1920x1080'],
    ['a size that is cropped', '-bf 2', '322x182'],
    ['sets in the stream', '-bf 0 -x264-params repeat-headers=1'],
    ['intra refresh: a key frame, and on', '-bf 0 -x264-params'
     . ' intra-refresh=1:keyint=15'],
);

for my $test (@tests) {
    my ($name, $options, $size) = @$test;
    $size ||= '320x180';

    subtest $name => sub { stream($options, $size) };
}

done_testing();


sub stream {
    my ($options, $size) = @_;

    is(system("ffmpeg -nostdin -v error -y -f lavfi"
              . " -i testsrc2=s=$size:r=25:d=1.6"
              . ' -pix_fmt yuv420p -c:v libx264 -preset veryfast -g 100'
              . " $options $dir/in.mp4"), 0, 'made');
    is(system("ffmpeg -nostdin -v error -y -i $dir/in.mp4 -c copy -bsf:v"
              . ' h264_mp4toannexb,h264_metadata=aud=insert'
              . " $dir/in.h264"), 0, 'as a stream');

    # pictures behind which nothing comes that is shown before them

    my @pts = `ffprobe -v error -select_streams v -show_entries packet=pts \\
               -of csv=p=0 $dir/in.mp4`;
    @pts = map { int } @pts;

    my @at;
    my $most = $pts[0];

    for my $i (0 .. $#pts - 1) {
        $most = $pts[$i] if $pts[$i] > $most;
        push @at, $i if !grep { $_ < $most } @pts[$i + 1 .. $#pts];
    }

    @at = @at[map { int($_ * $#at) } 0, .3, .6, 1];
    my %seen;
    @at = grep { !$seen{$_}++ } @at;

    cmp_ok(scalar @at, '>', 2, "behind @at");

    my @said = `$bin $dir/in.h264 $dir/out.h264 3 @at 2>&1`;
    is($?, 0, 'written') or return diag(@said);
    is(scalar(grep { /^still (\d+) bytes/ && $1 < 400 } @said), @at,
       'bytes: ' . join ' ', map { /(\d+)/ } @said);

    my ($before, @was) = pictures("$dir/in.h264");
    my ($after, @is) = pictures("$dir/out.h264");

    is($before, '', 'as encoded: nothing is wrong');
    is($after, '', 'with stills: nothing is wrong');

    # in output order

    my @order = sort { $pts[$a] <=> $pts[$b] } 0 .. $#pts;
    my %shown;

    for my $at (@at) {
        my ($last) = sort { $pts[$b] <=> $pts[$a] } 0 .. $at;
        $shown{$last} = 1;
    }

    my @want;

    for my $i (0 .. $#order) {
        push @want, $was[$i];
        push @want, ($was[$i]) x 3 if $shown{$order[$i]};
    }

    is_deeply(\@is, \@want, 'pictures');
}


sub pictures {
    my ($file) = @_;

    my $error = `ffmpeg -nostdin -v warning -y -i $file -fps_mode passthrough \\
                 -f framemd5 $dir/md5 2>&1`;

    # a stream of this kind has no times
    $error =~ s/^.*(?:Timestamps are unset|non monoton|Non-monoton).*\n//mg;

    open my $fh, '<', "$dir/md5" or return $error;

    return $error, map { (split /,\s*/)[-1] } grep { !/^#/ } <$fh>;
}
