#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Tracks that ffmpeg's encoders make go through the codec table and the CMAF
# writers: what we say of them is what ffprobe says, and every frame decodes
# to the same picture or the same samples as from the original file.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;

my $dir = tempdir('media-cmaf-XXXXXX', TMPDIR => 1, CLEANUP => 1);

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version >/dev/null 2>&1');

my $bin = tool('cmaf');

my $picture = '-f lavfi -i testsrc2=s=%s:r=%s:d=%s';
my $tone = '-f lavfi -i sine=440:r=%d:d=2 -af aformat=channel_layouts=%s';

# name, fourcc, input and encoder, container, codecs, what else we say

my @tests = (
    ['h264 main, b-frames', 'avc1',
     sprintf($picture, '320x180', 25, 3)
     . ' -c:v libx264 -profile:v main -g 25 -bf 3 -pix_fmt yuv420p',
     'mp4', qr/^avc1\.4d40/, { keys => 3, leading => 0 }],

    ['h264 baseline, 1080p cropped', 'avc1',
     sprintf($picture, '1920x1080', 30, 0.5)
     . ' -c:v libx264 -preset ultrafast -profile:v baseline'
     . ' -pix_fmt yuv420p', 'mp4', qr/^avc1\.42c0/, { }],

    ['h264 high, open gop, sar, bt.709', 'avc1',
     sprintf($picture, '352x288', '30000/1001', 4)
     . ' -vf setsar=16/11 -c:v libx264 -g 15 -bf 2 -x264-params'
     . ' open-gop=1:scenecut=0:colorprim=bt709:transfer=bt709'
     . ':colormatrix=bt709 -pix_fmt yuv420p', 'mp4', qr/^avc1\.6400/,
     { keys => 8, leading => 7, color => '1,1,1,0' }],

    ['h264 interlaced, odd sar', 'avc1',
     sprintf($picture, '720x576', 25, 1)
     . ' -vf setsar=37/29 -c:v libx264 -flags +ilme+ildct -x264-params tff=1'
     . ' -pix_fmt yuv420p', 'mp4', qr/^avc1\.6400/, { }],

    ['h264 10 bit 4:2:2, full range', 'avc1',
     sprintf($picture, '322x182', '24000/1001', 1)
     . ' -c:v libx264 -pix_fmt yuv422p10le -color_range pc', 'mp4',
     qr/^avc1\.7a00/, { }],

    ['h264 4:4:4, odd size', 'avc1',
     sprintf($picture, '321x181', '60', 1)
     . ' -c:v libx264 -pix_fmt yuv444p', 'mp4', qr/^avc1\.f400/, { }],

    ['h264 cbr with hrd, variable frame rate', 'avc1',
     sprintf($picture, '320x240', '25', 3)
     . q( -vf "select='not(eq(mod(n,7),3))'" -fps_mode vfr -c:v libx264)
     . ' -b:v 300k -maxrate 300k -bufsize 300k -x264-params nal-hrd=cbr'
     . ' -pix_fmt yuv420p', 'mp4', qr/^avc1\./, { }],

    ['hevc main, open gop', 'hvc1',
     sprintf($picture, '320x180', 25, 3)
     . ' -c:v libx265 -preset ultrafast -x265-params'
     . ' log-level=error:keyint=25:min-keyint=25:bframes=3:scenecut=0'
     . ' -pix_fmt yuv420p', 'mp4', qr/^hvc1\.1\.6\.L60\.90$/,
     { keys => 3, leading => 2 }],

    ['hevc main, closed gop, 1080p cropped, sar', 'hvc1',
     sprintf($picture, '1920x1080', '30000/1001', 0.5)
     . ' -vf setsar=4/3 -c:v libx265 -preset ultrafast -x265-params'
     . ' log-level=error:open-gop=0:keyint=10:scenecut=0 -pix_fmt yuv420p',
     'mp4', qr/^hvc1\.1\.6\.L120\.90$/, { leading => 0 }],

    ['hevc main 10, hdr10', 'hvc1',
     sprintf($picture, '640x360', 50, 0.5)
     . ' -c:v libx265 -preset ultrafast -x265-params log-level=error'
     . ':colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1'
     . ':master-display="G(13250,34500)B(7500,3000)R(34000,16000)'
     . 'WP(15635,16450)L(10000000,1)":max-cll="1000,400":repeat-headers=1'
     . ' -pix_fmt yuv420p10le', 'mp4', qr/^hvc1\.2\.4\.L\d+\.90$/,
     { color => '9,16,9,0' }],

    ['hevc 4:4:4 12 bit, odd size', 'hvc1',
     sprintf($picture, '321x181', 24, 0.5)
     . ' -c:v libx265 -preset ultrafast -x265-params log-level=error'
     . ' -pix_fmt yuv444p12le', 'mp4', qr/^hvc1\.4\./, { }],

    ['hevc temporal layers, scaling lists, hrd, vfr', 'hvc1',
     sprintf($picture, '320x240', '25', 2)
     . q( -vf "select='not(eq(mod(n,7),3))'" -fps_mode vfr -c:v libx265)
     . ' -preset ultrafast -x265-params log-level=error:temporal-layers=2'
     . ':scaling-list=default:hrd=1:vbv-bufsize=300:vbv-maxrate=300'
     . ':bitrate=300 -pix_fmt yuv420p', 'mp4', qr/^hvc1\.1\./, { }],

    ['mp3 stereo', '.mp3', sprintf($tone, 44100, 'stereo')
     . ' -c:a libmp3lame -b:a 128k -write_xing 0', 'mp3', 'mp4a.6B', { }],

    ['mp3 mono, half rate, vbr', '.mp3', sprintf($tone, 22050, 'mono')
     . ' -c:a libmp3lame -q:a 4 -write_xing 0', 'mp3', 'mp4a.69', { }],

    ['mp3 mono, quarter rate', '.mp3', sprintf($tone, 8000, 'mono')
     . ' -c:a libmp3lame -b:a 16k -write_xing 0', 'mp3', 'mp4a.69', { }],

    ['aac lc stereo', 'mp4a', sprintf($tone, 48000, 'stereo')
     . ' -c:a aac', 'mp4', 'mp4a.40.2', { }],

    ['aac lc mono 44.1', 'mp4a', sprintf($tone, 44100, 'mono')
     . ' -c:a aac', 'mp4', 'mp4a.40.2', { }],

    ['aac lc 5.1', 'mp4a', sprintf($tone, 48000, '5.1')
     . ' -c:a aac', 'mp4', 'mp4a.40.2', { }],

    ['aac 7.1 at 96 kHz', 'mp4a', sprintf($tone, 96000, '7.1')
     . ' -c:a aac', 'mp4', 'mp4a.40.2', { }],

    ['aac 2.1: program config element', 'mp4a',
     sprintf($tone, 48000, '2.1') . ' -c:a aac', 'mp4', 'mp4a.40.2', { }],

    ['aac main', 'mp4a', sprintf($tone, 48000, 'stereo')
     . ' -c:a aac -profile:a aac_main', 'mp4', 'mp4a.40.1', { }],
);

for my $test (@tests) {
    subtest $test->[0] => sub { track(@$test) };
}

# silence of each kind, alone: 16 frames of nothing but zeros

# name, fourcc, configuration

my @silences = (
    ['aac, mono', 'mp4a', '1188'], ['aac, stereo', 'mp4a', '1190'],
    ['aac, 3.0', 'mp4a', '1198'], ['aac, 4.0', 'mp4a', '11a0'],
    ['aac, 5.0', 'mp4a', '11a8'], ['aac, 5.1', 'mp4a', '11b0'],
    ['aac, 7.1 wide', 'mp4a', '11b8'], ['aac, 6.1', 'mp4a', '11d8'],
    ['aac, 7.1', 'mp4a', '11e0'], ['aac, 960', 'mp4a', '1194'],
    ['aac, a layout of its own', 'mp4a',
     '118004c844002000c40d4c61766335392e33372e31303056e500'],
    ['aac main', 'mp4a', '0990'],
    ['he-aac, mono', 'mp4a', '2b8a0800'],
    ['he-aac, stereo', 'mp4a', '2b920800'],
    ['he-aac, 5.1', 'mp4a', '2bb20800'],
    ['he-aac v2', 'mp4a', 'eb098800'],
    ['he-aac, backward compatible', 'mp4a', '139056e5a0'],
    (map { ['mp3, ' . $_, '.mp3', $_] }
     qw/ fffb9064 fffb94c4 fffb9864 fff390c4 fff39464 fff398c4 ffe39064
         ffe394c4 ffe39864 /),
);

for my $test (@silences) {
    subtest "silence, $test->[0]" => sub { silence(@$test) };
}

done_testing();


sub silence {
    my ($name, $fourcc, $config) = @_;

    my $out = "$dir/silence.mp4";

    open my $fh, '>', "$dir/records" or die "$dir/records: $!\n";
    binmode $fh;
    print $fh pack('NNNQ>', length($config) / 2, 0, 0, 0),
              pack('H*', $config);
    close $fh;

    my @said = `$bin $fourcc $dir/records $out 5 16 2>&1`;
    is($?, 0, 'written') or diag(@said);

    my ($samples) = "@said" =~ /frame (\d+)/;
    my ($rate) = "@said" =~ /rate (\d+)/;

    my $pcm = `ffmpeg -nostdin -v error -xerror -flags2 +skip_manual \\
               -i $out -f s16le -ac 1 - 2>&1`;

    # decoders may hold the last frame back
    cmp_ok(length $pcm, '>=', $samples * 15 * 2, 'all frames');
    is($pcm =~ tr/\0//c, 0, 'zeros');
    is(probe($out)->{stream}{sample_rate}, $rate, 'rate');
}


sub track {
    my ($name, $fourcc, $make, $format, $codecs, $more) = @_;

    my $source = "$dir/source.$format";
    my $out = "$dir/out.mp4";

    is(system("ffmpeg -nostdin -v error -y $make -t 4 $source"), 0, 'made')
        or return;

    my $probe = probe($source);
    my $stream = $probe->{stream};
    my $video = $stream->{codec_type} eq 'video';

    records($probe, $video);

    my @said = `$bin $fourcc $dir/records $out 5 2>&1`;
    is($?, 0, 'written') or diag(@said);

    my %said = map { /^(\w+) (.*)/ ? ($1 => $2) : () } @said;

    like($said{codecs}, ref $codecs ? $codecs : qr/^\Q$codecs\E$/, 'codecs');

    my ($frames, $keys, $leading) = $said{frames} =~ /(\d+)/g;

    is($frames, scalar @{$probe->{packets}}, 'frames');

    if ($video) {
        my ($w, $h) = $said{size} =~ /^(\d+)x(\d+)/;
        my ($sar) = $said{size} =~ /sar (\S+)/;
        my ($fps) = $said{size} =~ /fps (\S+)/;

        is("$w $h", "$stream->{width} $stream->{height}", 'size');
        is($sar, $stream->{sample_aspect_ratio}, 'sar')
            if $stream->{sample_aspect_ratio} ne 'N/A';
        is($fps, $stream->{r_frame_rate}, 'fps') if $name !~ /variable/;
        like($said{color}, qr/^\d+,\d+,\d+,1 /, 'full range')
            if $stream->{color_range} eq 'pc';
        like($said{color}, qr/ depth 10$/, 'bit depth')
            if $stream->{pix_fmt} =~ /10le/;

        # what the muxer flagged is what we see ourselves, IDR or not
        is($keys, scalar(grep { $_->{flags} =~ /K/ } @{$probe->{packets}}),
           'key frames') if !$more->{leading};

    } else {
        like($said{audio}, qr/rate $stream->{sample_rate} /, 'rate');
        like($said{audio}, qr/channels $stream->{channels} /, 'channels');
    }

    is($keys, $more->{keys}, 'key frames') if defined $more->{keys};
    is($leading, $more->{leading}, 'leading') if defined $more->{leading};
    like($said{color}, qr/^$more->{color} /, 'color') if $more->{color};

    my $again = probe($out);

    for my $key (qw/ codec_name profile width height sample_aspect_ratio
                     sample_rate channels color_range color_space
                     color_transfer color_primaries nb_read_packets /)
    {
        is($again->{stream}{$key}, $stream->{$key}, "ffprobe, $key")
            if defined $stream->{$key};
    }

    is(decode($out), decode($source), 'decodes to the same');
}


sub probe {
    my ($file) = @_;

    my (%stream, @packets, $cur, $hex);

    open my $fh, '-|', "ffprobe -v error -count_packets -show_streams"
                       . " -show_packets -show_data $file"
        or die "ffprobe: $!\n";

    while (<$fh>) {
        if (/^\[(STREAM|PACKET)\]/) {
            $cur = $1 eq 'STREAM' ? \%stream : {};
            push @packets, $cur if $1 eq 'PACKET';

        } elsif (/^(data|extradata)=/) {
            $cur->{$hex = $1} = '';

        } elsif (/^[0-9a-f]{8}: ((?:[0-9a-f]+ )+) ?/) {
            my $s = $1;
            $s =~ s/ //g;
            $cur->{$hex} .= pack 'H*', $s;

        } elsif (/^(\w+)=(.*)/) {
            $cur->{$1} = $2;
        }
    }

    close $fh;

    return { stream => \%stream, packets => \@packets };
}


# one record for the tool: head and bytes

sub records {
    my ($probe, $video) = @_;

    my ($unit) = $probe->{stream}{time_base} =~ m|/(\d+)|;
    my $scale = ($video ? 360000 : $probe->{stream}{sample_rate}) / $unit;
    my @packets = @{$probe->{packets}};
    my $delay = $packets[0]{pts} - $packets[0]{dts};
    my $config = $probe->{stream}{extradata};

    # MP3: any frame will do
    $config = $packets[0]{data} if !length($config || '');

    open my $fh, '>', "$dir/records" or die "$dir/records: $!\n";
    binmode $fh;
    print $fh pack('NNNQ>', length $config, 0, 0, 0), $config;

    for my $i (0 .. $#packets) {
        my ($packet, $next) = @packets[$i, $i + 1];
        my $duration = $next ? $next->{dts} - $packet->{dts}
                             : $packet->{duration};
        my $cto = $packet->{pts} - $packet->{dts} - $delay;

        print $fh pack('NNl>Q>', length $packet->{data},
                       int($duration * $scale), int($cto * $scale),
                       int(($packet->{dts} - $packets[0]{dts}) * $scale)
                       + (1 << 33)),
              $packet->{data};
    }

    close $fh or die "$dir/records: $!\n";
}


sub decode {
    my ($file) = @_;

    my $option = $file =~ /mp4$/ ? '-ignore_editlist 1' : '';
    my $said = `ffmpeg -nostdin -v error -flags2 +skip_manual -xerror \\
                $option -i $file -fps_mode passthrough \\
                -f hash -hash md5 - 2>&1`;

    return $said =~ /^MD5=\w+\n$/ ? $said : "$file: $said";
}
