#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Transport streams of ffmpeg go through the demultiplexer: every frame is as
# ffprobe has it, with the same bytes and stamps, whatever PES packets it is in;
# where packets are missing the other frames are.
#
#   TEST_MEDIA="a.ts b.ts"   these files, too

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;
use Test::Media::Tools qw/ slurp spew /;

my $dir = tempdir('media-ts-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $wrap = 2 ** 33;

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version >/dev/null 2>&1');

my $bin = tool('ts_demux');

my $picture = '-f lavfi -i testsrc2=s=160x90:r=25:d=2';
my $tone = '-f lavfi -i sine=440:r=48000:d=2';
my $h264 = '-c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p';

# name, what ffmpeg makes

my @tests = (
    ['h264 with b-frames, aac and ac-3', "$picture $tone $tone -map 0 -map 1"
     . " -map 2 $h264 -bf 3 -c:a:0 aac -c:a:1 ac3"],
    ['h264 in slices, packets of 192 bytes', "$picture $h264 -bf 2"
     . ' -x264-params slices=4 -mpegts_m2ts_mode 1'],
    ['hevc and opus', "$picture $tone -c:v libx265 -preset ultrafast"
     . ' -x265-params log-level=error:keyint=25:bframes=3 -pix_fmt yuv420p'
     . ' -c:a libopus'],
    ['h264 over the end of 33 bits, mp3, constant rate', "$picture $tone $h264"
     . ' -bf 2 -c:a libmp3lame -muxrate 1M -output_ts_offset 95441.8'],
    ['h264 of no b-frames, aac in latm, many frames a PES packet',
     "$picture $tone $h264 -bf 0 -c:a aac -b:a 32k -mpegts_flags latm"],
    ['e-ac-3 alone', "$tone -c:a eac3"],
);

my @files;

for my $test (@tests) {
    my ($name, $make) = @$test;
    my $file = "$dir/" . @files . '.ts';

    push @files, $file;

    subtest $name => sub {
        is(system("ffmpeg -nostdin -v error -y $make -f mpegts $file"), 0,
           'made') or return;

        for my $options ('', '-early', '-step 1') {
            same($file, $options);
        }
    };
}

subtest $_ => sub { same($_, '') } for split ' ', $ENV{TEST_MEDIA} || '';

# the same units in other PES packets

my $source = read_ts($files[0]);
my ($video) = grep { $source->{$_}[0]{id} == 0xe0 } keys %$source;
my @units = @{$source->{$video}};
my @want = frames($files[0], '', $video);

is(scalar @units, scalar @want, 'a unit in each PES packet');

for my $early ('', '-early') {
    my @pes;

    for my $unit (@units) {
        my @parts = unpack '(a700)*', $unit->{data};
        my $first = 1;

        for my $part (@parts) {
            push @pes, {data => $part, bounded => 1,
                        $first ? (pts => $unit->{pts}, dts => $unit->{dts})
                               : ()};
            $first = 0;
        }
    }

    write_ts("$dir/parts.ts", $video, @pes);
    is_deeply([frames("$dir/parts.ts", $early, $video)], \@want,
              "units in several PES packets $early");
}

# cut anywhere: stamps are those of the first unit that begins in a packet

for my $size (100, 997, 5000) {
    my ($data, @starts, @pes) = ('');

    for my $unit (@units) {
        push @starts, [length $data, $unit];
        $data .= $unit->{data};
    }

    for (my $at = 0; $at < length $data; $at += $size) {
        my @in = grep { $_->[0] >= $at && $_->[0] < $at + $size } @starts;

        push @pes, {data => substr($data, $at, $size),
                    @in ? (pts => $in[0][1]{pts}, dts => $in[0][1]{dts})
                        : ()};
    }

    write_ts("$dir/cut.ts", $video, @pes);

    my @got = frames("$dir/cut.ts", '', $video);

    is_deeply([map { [@$_[2, 3]] } @got], [map { [@$_[2, 3]] } @want],
              "cut each $size bytes: frames");
    is_deeply([map { $_->[1] } @got], [map { $_->[1] } @want],
              "cut each $size bytes: dts");
    is_deeply([map { $_->[0] } @got], [map { $_->[0] } @want],
              "cut each $size bytes: pts") if $size == 100;
}

# without delimiters; those of ffmpeg are its muxer's own

my $delimiter = qr/^\x00\x00\x00\x01\x09./s;
my @bare = map { { %$_, data => $_->{data} =~ s/$delimiter//r } } @units;

write_ts("$dir/bare.ts", $video, @bare);
is_deeply([map { [@$_[0 .. 2]] } frames("$dir/bare.ts", '', $video)],
          [map { [@$_[0, 1], $_->[2] - 6] } @want], 'no delimiters');

my @many;
push @many, {%{$bare[$_ * 5]}, data => join('', map { $_->{data} }
                                            @bare[$_ * 5 .. $_ * 5 + 4])}
    for 0 .. @bare / 5 - 1;

write_ts("$dir/many.ts", $video, @many);

my @got = frames("$dir/many.ts", '', $video);

is_deeply([map { [@$_[1, 2]] } @got],
          [map { [$_->[1], $_->[2] - 6] } @want],
          'many in a PES packet, without delimiters');

# no DTS: the order of decoding is that of arrival

write_ts("$dir/pts.ts", $video, map { { %$_, dts => undef } } @units);
@got = frames("$dir/pts.ts", '', $video);

is_deeply([map { [@$_[0, 2, 3]] } @got], [map { [@$_[0, 2, 3]] } @want],
          'no DTS: frames');
is(scalar(grep { $got[$_][1] <= $got[$_ - 1][1] } 1 .. $#got), 0,
   'DTS goes forward');
is(scalar(grep { abs($got[$_][1] - $want[$_][1]) > 20000 } 0 .. $#got), 0,
   'DTS is near');

# packets that are missing: of a frame that is no key frame, of one that is

my $bytes = slurp($files[0]);

for my $n (7, 0) {
    my @at = packets($bytes, $video, $n);

    cmp_ok(scalar @at, '>', 2, "frame $n has packets") or next;
    spew("$dir/lost.ts", substr($bytes, 0, $at[1])
                               . substr($bytes, $at[1] + 188));

    my @all = frames("$dir/lost.ts", '', $video);
    my @other = @want;

    if ($n) {
        splice @other, $n, 1;
        is_deeply(\@all, \@other, 'that frame is missing');

    } else {
        is(scalar @all, scalar @want, 'a key frame that is hit is there');
        cmp_ok($all[0][2], '<', $want[0][2], 'with what is left of it');
    }
}

# bits that are other ones: it goes on

for my $file (@files[0 .. 3]) {
    for my $seed (1 .. 3) {
        my $said = `$bin -flip $seed $file 2>&1`;
        is($?, 0, "flipped bits, $seed") or diag($said);
        cmp_ok($said =~ /^split frames (\d+)/m ? $1 : 0, '>', 40,
               'most of it is there');
    }
}

done_testing();


# [pts, dts, size, sum] of each frame of a PID

sub frames {
    my ($file, $options, $pid) = @_;

    my $said = `$bin $options $file 2>&1`;
    is($?, 0, "$file $options") or diag($said);

    return map { [@$_[2 .. 5]] } grep { $_->[0] eq $pid && @$_ > 5 }
           map { [split] } split /\n/, $said;
}


sub same {
    my ($file, $options) = @_;

    my $text = `ffprobe -v error -show_packets -show_streams \\
                -show_data_hash adler32 -of json $file 2>$dir/err`;
    is($?, 0, 'ffprobe') or diag(slurp("$dir/err")), return;

    my $json = decode_json($text);

    for my $stream (@{$json->{streams}}) {
        my $pid = hex $stream->{id};
        my @got = frames($file, $options, $pid);
        my @want = grep { $_->{stream_index} == $stream->{index} }
                   @{$json->{packets}};
        my $hevc = $stream->{codec_name} eq 'hevc';
        my $name = "$options $stream->{codec_name}";

        is(scalar @got, scalar @want, "$name frames") or next;

        my ($pts, $dts, $data) = (0, 0, 0);

        for my $i (0 .. $#got) {
            my ($got, $want) = ($got[$i], $want[$i]);

            $pts++ if far($got->[0], $want->{pts});
            $dts++ if far($got->[1], $want->{dts});

            # of HEVC it has a zero byte of the next start code
            $data++ if $hevc ? abs($got->[2] - $want->{size}) > 1
                             : lc $want->{data_hash} ne "adler32:$got->[3]";
        }

        is($pts, 0, "$name pts");
        is($dts, 0, "$name dts");
        is($data, 0, "$name data");
    }
}


# counted stamps may be rounded another way

sub far {
    my ($a, $b) = @_;

    my $d = ($a - $b) % $wrap;

    return $d > 2 && $d < $wrap - 2;
}


# PES packets of each PID

sub read_ts {
    my ($file) = @_;

    my %pes;

    for my $packet (unpack '(a188)*', slurp($file)) {
        my ($word, $flags) = unpack 'xnC', $packet;
        my $pid = $word & 0x1fff;
        my $at = 4 + ($flags & 0x20 ? 1 + ord substr($packet, 4, 1) : 0);
        my $data = substr $packet, $at;

        if ($word & 0x4000 && $data =~ /^\x00\x00\x01([\xbd-\xef])/) {
            my ($id, $said, $len) = unpack 'x3Cx3CC', $data;

            push @{$pes{$pid}}, {
                id => $id,
                pts => stamp(substr $data, 9, 5),
                dts => stamp(substr $data, $said & 0x40 ? 14 : 9, 5),
                data => substr($data, 9 + $len)};

        } elsif ($pes{$pid}) {
            $pes{$pid}[-1]{data} .= $data;
        }
    }

    return \%pes;
}


sub stamp {
    my @b = unpack 'C5', shift;

    return ($b[0] >> 1 & 7) << 30 | $b[1] << 22 | $b[2] >> 1 << 15
           | $b[3] << 7 | $b[4] >> 1;
}


sub stamp_bytes {
    my ($prefix, $t) = @_;

    return pack 'CnN', 0, 0, 0 if !defined $t;
    return pack 'Cnn', $prefix << 4 | ($t >> 29 & 0x0e) | 1,
                $t >> 14 & 0xfffe | 1, ($t << 1 & 0xfffe) | 1;
}


# tables and packets of one PID, H.264

sub write_ts {
    my ($file, $pid, @pes) = @_;

    my $tables = substr slurp($files[0]), 0, 188 * 3;
    my ($cc, $out) = (0, $tables);

    for my $pes (@pes) {
        my ($flags, $stamps) = (0, '');

        if (defined $pes->{pts}) {
            my $both = defined $pes->{dts};

            $flags = $both ? 0xc0 : 0x80;
            $stamps = stamp_bytes($both ? 3 : 2, $pes->{pts})
                      . ($both ? stamp_bytes(1, $pes->{dts}) : '');
        }

        my $len = $pes->{bounded} ? 3 + length($stamps) + length $pes->{data}
                                  : 0;
        my $data = pack('NnCCC', 0x1e0, $len, 0x80, $flags, length $stamps)
                   . $stamps . $pes->{data};
        my $start = 0x4000;

        while (length $data) {
            my $part = substr $data, 0, 184, '';
            my $n = 184 - length $part;
            my $field = $n == 0 ? '' : $n == 1 ? "\0"
                        : pack('CC', $n - 1, 0) . "\xff" x ($n - 2);

            $out .= pack('CnC', 0x47, $start | $pid,
                         ($n ? 0x30 : 0x10) | $cc++ & 15) . $field . $part;
            $start = 0;
        }
    }

    spew($file, $out);
}


# where the packets of the n-th PES packet are

sub packets {
    my ($bytes, $pid, $n) = @_;

    my @at;

    for (my $at = 0; $at < length $bytes; $at += 188) {
        my $word = unpack "\@${at}xn", $bytes;

        next if ($word & 0x1fff) != $pid;

        $n-- if $word & 0x4000;
        push @at, $at if $n == -1;
    }

    return @at;
}
