#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Tracks that ffmpeg's encoders make are written as FLV: every tag is what the
# specifications say of it; and with codecs that ffmpeg has always known there,
# every frame decodes to the same picture or the same samples as from the
# original file, with the same time stamps in ms.  Those of Enhanced RTMP are
# read by ffmpeg 6.1 and newer, if it is that.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;
use Test::Media::Records qw/ probe records /;

my $dir = tempdir('media-flv-XXXXXX', TMPDIR => 1, CLEANUP => 1);

my ($major, $minor)
    = `ffmpeg -version 2>&1` =~ /^ffmpeg version n?(\d+)\.(\d+)/
    or die "no ffmpeg: run scripts/deps test\n";

my $bin = tool('flv');

my $picture = '-f lavfi -i testsrc2=s=%s:r=%s:d=%s';
my $tone = '-f lavfi -i sine=440:r=%d:d=%s';

# name, inputs and encoders, container, what else

my @tests = (
    ['h264, b-frames, and aac',
     sprintf("$picture $tone", '160x90', 25, 2, 48000, 2)
     . ' -c:v libx264 -g 25 -bf 3 -pix_fmt yuv420p -c:a aac -ac 2', 'mp4'],

    ['29.97 fps, aac 44.1 kHz mono, from 16776216 ms on',
     sprintf("$picture $tone", '160x90', '30000/1001', 2, 44100, 2)
     . ' -c:v libx264 -g 30 -bf 2 -pix_fmt yuv420p -c:a aac -ac 1', 'mp4',
     offset => 0xffffff - 999],

    ['h264 and mp3', sprintf("$picture $tone", '160x90', 5, 2, 48000, 2)
     . ' -c:v libx264 -g 10 -pix_fmt yuv420p -c:a libmp3lame -ac 2', 'mp4'],

    ['mp3 of half rate, alone', sprintf($tone, 22050, 2)
     . ' -c:a libmp3lame -ac 1', 'mp4'],

    ['mp3 of 8 kHz, alone', sprintf($tone, 8000, 2)
     . ' -c:a libmp3lame -ac 1', 'mp4'],

    ['hevc and aac', sprintf("$picture $tone", '160x90', 25, 2, 48000, 2)
     . ' -c:v libx265 -preset ultrafast -x265-params log-level=error:'
     . 'keyint=25:min-keyint=25:bframes=3:scenecut=0:open-gop=0'
     . ' -pix_fmt yuv420p -c:a aac -ac 2', 'mp4', since => [6, 1]],

    ['vp9 and aac', sprintf("$picture $tone", '160x90', 25, 1, 48000, 1)
     . ' -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -pix_fmt yuv420p'
     . ' -c:a aac', 'mp4', since => [6, 1]],

    ['av1', sprintf($picture, '160x90', 12, 1)
     . ' -c:v libaom-av1 -usage realtime -cpu-used 8 -pix_fmt yuv420p', 'mp4',
     since => [6, 1]],

    ['opus', sprintf($tone, 48000, 1) . ' -c:a libopus -ac 2', 'mp4',
     since => [8, 0]],

    ['flac', sprintf($tone, 44100, 1) . ' -c:a flac -ac 2', 'mp4',
     since => [8, 0]],

    ['ac-3', sprintf($tone, 48000, 1) . ' -c:a ac3 -ac 2', 'mp4',
     since => [8, 0]],

    ['e-ac-3', sprintf($tone, 48000, 1) . ' -c:a eac3 -ac 2', 'mp4',
     since => [8, 0]],
);

# headers of frames, key and not, and of a configuration

my %heads = (
    h264 => [qr/^\x17\x01/, qr/^\x27\x01/, qr/^\x17\0\0\0\0/],
    hevc => [qr/^[\x91\x93]hvc1/, qr/^[\xa1\xa3]hvc1/, qr/^\x90hvc1/],
    vp9 => [qr/^\x91vp09/, qr/^\xa1vp09/, undef],
    av1 => [qr/^\x91av01/, qr/^\xa1av01/, qr/^\x90av01\x81/],
    aac => [qr/^\xaf\x01/, qr/^\xaf\x01/, qr/^\xaf\0/],
    mp3 => [qr/^[\x26\x2a\x2e\x2f]/, qr/^[\x26\x2a\x2e\x2f]/, undef],
    opus => [qr/^\x91Opus/, qr/^\x91Opus/, qr/^\x90OpusOpusHead\x01/],
    flac => [qr/^\x91fLaC/, qr/^\x91fLaC/,
             qr/^\x90fLaCfLaC[\0\x80]\0\0\x22/],
    ac3 => [qr/^\x91ac-3/, qr/^\x91ac-3/, undef],
    eac3 => [qr/^\x91ec-3/, qr/^\x91ec-3/, undef],
);

for my $test (@tests) {
    my ($name, $make, $format, %more) = @$test;
    my $source = "$dir/source.$format";

    subtest $name => sub {
        is(system("ffmpeg -nostdin -v error -y $make -strict -2 $source"), 0,
           'made')
            and file($source, offset => 1000, %more);
    };
}

done_testing();


sub file {
    my ($source, %more) = @_;

    my $out = "$dir/out.flv";
    my @tracks = probe($source);
    my @records;

    for my $track (@tracks) {
        push @records, "$dir/records" . @records;
        records($track, $records[-1], 0);
    }

    my $said = `$bin $out $more{offset} @records 2>&1`;
    is($said, '', 'written') or return;

    my $tags = walk($out, \@tracks);

    for my $i (0 .. $#tracks) {
        bodies($tracks[$i], $more{offset},
               $tags->{$tracks[$i]{codec_type} eq 'video' ? 9 : 8});
    }

    my $since = $more{since};

  SKIP: {
        skip("ffmpeg $major.$minor does not know it", 1)
            if $since && ($major < $since->[0] || $major == $since->[0]
                                                  && $minor < $since->[1]);

        decodes($out, $source, $more{offset}, @tracks);
    }
}


# E.2 to E.4.1: what a file is; tags by type

sub walk {
    my ($file, $tracks) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    my $data = <$fh>;
    close $fh;

    my $flags = 0;
    $flags |= $_->{codec_type} eq 'video' ? 1 : 4 for @$tracks;

    is(unpack('H*', substr $data, 0, 13),
       unpack('H*', "FLV\1" . pack 'CNN', $flags, 9, 0), 'header');

    my ($pos, $wrong, %tags) = (13, 0);

    while ($pos + 11 <= length $data) {
        my ($type, @b) = unpack 'C11', substr $data, $pos, 11;
        my $size = $b[0] << 16 | $b[1] << 8 | $b[2];
        my $time = $b[6] << 24 | $b[3] << 16 | $b[4] << 8 | $b[5];

        $wrong++ if $b[7] || $b[8] || $b[9]
                    || $pos + 15 + $size > length $data
                    || unpack('N', substr $data, $pos + 11 + $size, 4)
                       != 11 + $size;

        push @{$tags{$type}}, [$time, substr $data, $pos + 11, $size];
        $pos += 15 + $size;
    }

    is($pos, length $data, 'nothing but tags');
    is($wrong, 0, 'tags');
    is(scalar @{$tags{18} || []}, 1, 'one onMetaData');
    like($tags{18}[0][1], qr/^\x02\0\x0aonMetaData\x08.*\0\0\x09$/s,
         'which is an array');

    return \%tags;
}


# a configuration or none, frames, an end or none

sub bodies {
    my ($track, $offset, $tags) = @_;

    my $name = $track->{codec_name};
    my ($key, $inter, $config) = @{$heads{$name}};
    my ($num, $den) = split '/', $track->{time_base};
    my ($heads, $data, $times) = (0, 0, 0);
    my @tags = @$tags;

    if ($config) {
        my $tag = shift @tags;
        like($tag->[1], $config, "$name: configuration");
    }

    for my $packet (@{$track->{packets}}) {
        my $tag = shift @tags;
        my ($time, $body) = $tag ? @$tag : (0, '');
        my $at = length($body) - length $packet->{data};
        my $dts = msec($packet->{dts} * $num / $den) + $offset;

        my $cts = substr($body, 0, $at) =~ /^[\x17\x27]\x01(...)/s
                  || substr($body, 0, $at) =~ /^[\x91\xa1]hvc1(...)/s
                  ? unpack('l>', "$1\0") >> 8 : 0;
        $cts -= 1 << 24 if $cts >= 1 << 23;

        $heads++ if $body !~ ($packet->{flags} =~ /K/ ? $key : $inter);
        $data++ if $at < 1 || substr($body, $at) ne $packet->{data};
        $times++ if $time != $dts
                    || $dts + $cts
                       != msec($packet->{pts} * $num / $den) + $offset;
    }

    is($heads, 0, "$name: headers of frames");
    is($data, 0, "$name: frames");
    is($times, 0, "$name: times");

    is(scalar @tags, $name =~ /^(?:aac|mp3)$/ ? 0 : 1, "$name: end");
}


sub msec { return int($_[0] * 1000 + 1000000.5) - 1000000 }


# by ffmpeg, which has nothing to say

sub decodes {
    my ($out, $source, $offset, @tracks) = @_;

    is(`ffmpeg -nostdin -v warning -xerror -i $out -map 0 -c copy -copyts \\
        -f null - 2>&1`, '', 'ffmpeg has nothing to say');

    my @got = probe($out);
    is(scalar @got, scalar @tracks, 'streams');

    for my $track (@tracks) {
        my $type = $track->{codec_type};
        my ($got) = grep { $_->{codec_type} eq $type } @got;

        is($got->{codec_name}, $track->{codec_name}, "$type codec") or next;
        is(scalar @{$got->{packets}}, scalar @{$track->{packets}},
           "$type packets");

        for my $what ($type eq 'video' ? qw/ width height / :
                      qw/ sample_rate channels /)
        {
            is($got->{$what}, $track->{$what}, "$type $what");
        }

        my ($num, $den) = split '/', $track->{time_base};

        for my $what (qw/ pts dts /) {
            is(join(' ', map { $_->{$what} } @{$got->{packets}}),
               join(' ', map { msec($_->{$what} * $num / $den) + $offset }
                         @{$track->{packets}}), "$type $what");
        }

        is(join('', map { $_->{flags} =~ /K/ ? 1 : 0 } @{$got->{packets}}),
           join('', map { $_->{flags} =~ /K/ ? 1 : 0 }
                    @{$track->{packets}}), "$type key frames");

        is(frames($out, $got->{index}), frames($source, $track->{index}),
           "$type decodes to the same");
    }
}


# a hash of all decoded frames

sub frames {
    my ($file, $index) = @_;

    my $option = $file =~ /mp4$/ ? '-ignore_editlist 1' : '';
    my $said = `ffmpeg -nostdin -v error -flags2 +skip_manual $option \\
                -i $file -map 0:$index -fps_mode passthrough -f hash \\
                -hash md5 - 2>&1`;

    $said =~ s/^\[\w+ @ \w+\] //mg;

    return $said;
}
