#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Files that are not MP4: each packet of ffprobe is where and when the index
# says, byte for byte.  MEDIA=DIR: files of there, too.

use strict;
use warnings;

use Test::More;
use FindBin;
use Digest::MD5 qw/ md5_hex /;
use File::Basename qw/ basename /;
use File::Temp qw/ tempdir /;
use JSON::PP qw/ decode_json /;
use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;

my $root = $Test::Media::Build::root;

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version > /dev/null 2>&1');

my $bin = tool('av');

my $tmp = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);


# tracks in the order of the index, by type: 0 video, 1 audio, 2 text

sub indexed {
    my ($file) = @_;
    my (@tracks, $status, $text);

    open my $fh, '-|', $bin, $file, "$tmp/cache" or die "$bin: $!\n";

    while (my $line = <$fh>) {
        if ($line =~ /^status (.*)/) {
            $status = $1;

        } elsif ($line =~ /^track (\d+) type (\d) timescale (\d+) (.*)/) {
            $tracks[$1] = { type => $2, timescale => $3, more => $4,
                            samples => [], text => '' };
            $text = undef;

        } elsif ($line =~ /^params (\d+) (.*)/) {
            $tracks[$1]{params} = $2;

        } elsif ($line =~ /^index (\d+) .*first (\d+)/) {
            $tracks[$1]{first} = $2;

        } elsif ($line =~ /^sample (\d+) (-?\d+) (-?\d+) (\d+) (\d+) (\w)/) {
            push @{$tracks[$1]{samples}}, { pts => $2, dts => $3, size => $4,
                                            pos => $5, key => $6 };

        } elsif ($line =~ s/^text (\d+) // || defined $text) {
            $text = $1 if defined $1 && !defined $text;
            $tracks[$text]{text} .= $line;
        }
    }

    close $fh;

    return ($status, @tracks);
}


sub probed {
    my ($file) = @_;
    my (%streams, @order);

    my $type = { video => 0, audio => 1 };

    my $said = decode_json(scalar `ffprobe -v quiet -show_packets \\
        -show_data_hash md5 -show_entries \\
        packet=codec_type,stream_index,pts_time,dts_time,size,data_hash,flags \\
        -of json '$file'`);

    for my $p (@{$said->{packets}}) {
        # AVI has no others
        $p->{pts_time} //= $p->{dts_time};

        next if !exists $type->{$p->{codec_type} || ''}
                || !defined $p->{pts_time};

        push @{$streams{$p->{stream_index}}{packets}}, $p;
        $streams{$p->{stream_index}}{type} = $type->{$p->{codec_type}};
    }

    return map { $streams{$_} } sort { $a <=> $b } keys %streams;
}


sub bytes {
    my ($file, $s) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";
    seek $fh, $s->{pos}, 0;
    read $fh, my $data, $s->{size};

    return $data;
}


# nothing but what is served is compared

sub compare {
    my ($file, $name, %more) = @_;

    my ($status, @tracks) = indexed($file);

    like($status, qr/^200\b/, "$name: is served") or diag($status), return;

    my @av = grep { $_->{type} < 2 } @tracks;
    my @streams = probed($file);

    is(join(' ', map { $_->{type} } @av),
       join(' ', map { $_->{type} } @streams), "$name: tracks") or return;

    my $origin;

    for my $i (0 .. $#av) {
        for my $p (@{$streams[$i]{packets}}) {
            my $time = $p->{pts_time};
            $time = 0 if $av[$i]{type} == 1 && $time < 0;
            $origin = $time if !defined $origin || $time < $origin;
        }
    }

    for my $i (0 .. $#av) {
        my $samples = $av[$i]{samples};
        my @packets = @{$streams[$i]{packets}};

        splice @packets, 0, $av[$i]{first};

        is(scalar(@$samples), scalar(@packets), "$name: track $i: samples");

        my ($far, $wrong, $keys, $order, $last) = (0, 0, 0, 0);

        for my $n (0 .. $#packets) {
            my ($s, $p) = ($samples->[$n], $packets[$n]);

            last if !defined $s;

            my $off = abs($s->{pts} / $av[$i]{timescale}
                          - ($p->{pts_time} - $origin));
            $far = $off if $off > $far;

            $wrong++ if $s->{size} != $p->{size}
                        || 'MD5:' . md5_hex(bytes($file, $s))
                           ne $p->{data_hash};
            $keys++ if ($s->{key} eq 'K') != ($p->{flags} =~ /K/);
            $order++ if defined $last && $s->{dts} < $last;
            $last = $s->{dts};
        }

        cmp_ok($far, '<=', $more{times} || 0.0015, "$name: track $i: times");
        is($wrong, 0, "$name: track $i: bytes");
        is($keys, 0, "$name: track $i: key frames");
        is($order, 0, "$name: track $i: decode order");
    }

    return @tracks;
}


sub ffmpeg {
    my ($name, @args) = @_;

    if (system('ffmpeg', '-v', 'error', '-y', '-nostdin', @args,
               "$tmp/$name"))
    {
        return undef;
    }

    return "$tmp/$name";
}

my @video = qw/ -t 4 -f lavfi -i testsrc2=size=320x180:rate=30000\/1001 /;
my @audio = qw/ -t 4 -f lavfi -i sine=frequency=440:sample_rate=44100 /;
my @x264 = qw/ -c:v libx264 -preset ultrafast -bf 2 -g 30 /;

my @made = (
    ['h264-aac.mkv', @video, @audio, @x264, qw/ -c:a aac -shortest /],
    ['h264-mp3.flv', @video, @audio, @x264,
     qw/ -c:a libmp3lame -ac 2 -shortest /],
    ['h264-aac.flv', @video, @audio, @x264, qw/ -c:a aac -shortest /],
    ['vp9-opus.webm', @video, @audio,
     qw/ -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus
         -shortest /],
    ['vp8-opus.webm', @video, @audio,
     qw/ -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -shortest /],
    ['flac-ac3.mkv', @audio, @audio,
     qw/ -map 0 -map 1 -c:a:0 flac -c:a:1 ac3 /],
    ['mp3-eac3.mkv', @audio, @audio,
     qw/ -map 0 -map 1 -c:a:0 libmp3lame -c:a:1 eac3 /],
    ['hevc.mkv', @video, qw/ -c:v libx265 -preset ultrafast
                             -x265-params log-level=none:keyint=30 /],
    ['opus.ogg', @audio, qw/ -c:a libopus /],
    ['sound.mp3', @audio, qw/ -c:a libmp3lame /],
    ['sound.ac3', @audio, qw/ -c:a ac3 /],
    ['sound.flac', @audio, qw/ -c:a flac /],
);

for (@made) {
    my ($name, @args) = @$_;

    my $file = ffmpeg($name, @args);

    SKIP: {
        ok(defined $file, "$name: made") or skip 'not there', 1;

        my @tracks = compare($file, $name);

        # steady times: of 30000/1001 each frame lasts 12012/360000

        if ($name =~ /^h264/ && @tracks) {
            my $s = $tracks[0]{samples};
            my @pts = sort { $a <=> $b } map { $_->{pts} } @$s;
            my %steps = map { $pts[$_ + 1] - $pts[$_] => 1 } 0 .. $#pts - 1;

            is(join(' ', keys %steps), 12012, "$name: steady frames");

            $s = $tracks[1]{samples};
            %steps = map { $s->[$_ + 1]{pts} - $s->[$_]{pts} => 1 }
                0 .. $#$s - 1;

            is(join(' ', keys %steps), $name =~ /mp3/ ? 1152 : 1024,
               "$name: steady sound");
        }
    }
}

# those of other people, where they are

my @theirs = grep { !/enhanced/ }
             sort glob(($ENV{MEDIA} || "$root/../shared/media")
                       . '/{mkv,flv}/*');

diag(scalar @theirs . ' files of other people');

compare($_, basename($_)) for @theirs;

# what has to be converted: the same pictures and sound, at the same times

sub decoded {
    my ($file, $map) = @_;

    my @frames = grep { !/^#/ } split /\n/,
        `ffmpeg -v quiet -i '$file' -map $map -f framemd5 -`;

    return map { (split /, */, $_)[5] } @frames;
}

sub converted {
    my ($file, $name) = @_;

    my %before = map { $_ => 1 } glob "$tmp/cache/*";
    my ($status, @tracks) = indexed($file);
    my ($mp4) = grep { !$before{$_} } glob "$tmp/cache/*";

    like($status, qr/^200\b/, "$name: is served") or diag($status), return;
    ok(defined $mp4 && $mp4 =~ m|/[0-9a-f]{16}\.mp4$|, "$name: a file")
        or return;

    my @streams = probed($file);
    my ($origin) = sort { $a <=> $b }
        map { $_->{pts_time} } map { @{$_->{packets}} } @streams;

    for my $i (grep { $tracks[$_]{type} < 2 } 0 .. $#tracks) {
        my @samples = @{$tracks[$i]{samples}};
        my @packets = @{$streams[$i]{packets}};
        my $far = 0;

        is(scalar(@samples), scalar(@packets), "$name: track $i: samples");

        for my $n (0 .. $#samples) {
            my $off = abs($samples[$n]{pts} / $tracks[$i]{timescale}
                          - ($packets[$n]{pts_time} - $origin));
            $far = $off if $off > $far;
        }

        cmp_ok($far, '<=', 0.0015, "$name: track $i: times");

        is_deeply([decoded($mp4, "0:$i")], [decoded($file, "0:$i")],
                  "$name: track $i: decoded");
    }

    return ($mp4, @tracks);
}

mkdir "$tmp/cache";

# AVI has no times of presentation, so no B-frames

for ([qw/ h264-aac.mkv copy.ts /],
     [qw/ h264-aac.mkv copy.avi /, @x264, qw/ -bf 0 /],
     [qw/ h264-aac.mkv copy.vob -vn -c:a ac3 /],
     [qw/ hevc.mkv hevc.ts /], [qw/ h264-aac.mkv sound.aac -vn /],
     [qw/ mp3-eac3.mkv two.ts -map 0 /])
{
    my ($from, $name, @args) = @$_;

    my $file = ffmpeg($name, '-i', "$tmp/$from", qw/ -c copy -muxdelay 0 /,
                      @args);

    SKIP: {
        ok(defined $file, "$name: made") or skip 'not there', 1;

        my ($mp4, @tracks) = converted($file, $name);

        next if $name ne 'copy.ts' || !defined $mp4;

        # made once, found again, made again if it is broken

        my $inode = (stat $mp4)[1];
        utime 1, 1, $mp4;

        my ($status, @again) = indexed($file);

        is_deeply(\@again, \@tracks, 'found again');
        is((stat $mp4)[1], $inode, 'not made again');
        cmp_ok((stat $mp4)[9], '>', 1, 'touched');

        truncate $mp4, (-s $mp4) - 1;
        ($status, @again) = indexed($file);

        is_deeply(\@again, \@tracks, 'made again');
        isnt((stat $mp4)[1], $inode, 'another file');

        my $none = `$bin $file`;
        like($none, qr/^status 415 .*media_vod_temp_path/, 'no directory');

        $none = `$bin $file $tmp/missing`;
        like($none, qr/^status 500 .*errno:2\n/, 'a wrong directory');
    }
}

# what is in one piece in other files of its kind is not in this one: frames
# of AV1 with temporal delimiters

SKIP: {
    my $file = ffmpeg('td.ivf', qw/ -t 1 -f lavfi -i testsrc2=size=160x90
                                    -c:v libaom-av1 -cpu-used 8 -b:v 100k /);

    ok(defined $file, 'td.ivf: made') or skip 'not there', 1;

    converted($file, 'td.ivf');
}

# Matroska of our own: AC-3 in laces, and with what all frames begin with
# stripped; text beside it

sub element {
    my ($id, $data) = @_;

    return pack('H*', $id) . pack('N', 0x10000000 | length $data) . $data;
}

sub matroska {
    my ($name, $frames, $lace, $strip) = @_;

    my $encoding = $strip eq '' ? ''
        : element('6d80', element('6240', element('5034',
              element('4254', "\x03") . element('4255', $strip))));

    my $tracks = element('1654ae6b',
        element('ae', element('d7', "\x01") . element('73c5', "\x01")
                . element('83', "\x02") . element('86', 'A_AC3') . $encoding
                . element('e1', element('b5', pack 'd>', 44100)
                                . element('9f', "\x01")))
        . element('ae', element('d7', "\x02") . element('73c5', "\x02")
                . element('83', "\x11") . element('86', 'S_TEXT/UTF8')
                . element('22b59c', 'ger')));

    my ($blocks, $n) = (element('a0', element('a1',
        "\x82\x00\x64\x00" . '<i>one</i> & two') . element('9b', "\xc8")), 0);

    my @left = @$frames;

    while (my @some = splice @left, 0, $lace) {
        my $time = int($n * 1536 * 1000 / 44100 + 0.5);
        $n += @some;

        # Xiph lacing: the last one's size is what is left

        my $sizes = '';

        for my $frame (@some[0 .. $#some - 1]) {
            my $len = length($frame) - length $strip;
            $sizes .= "\xff" x int($len / 255) . chr($len % 255);
        }

        $blocks .= element('a3', "\x81" . pack('n', $time)
                   . (@some > 1 ? "\x82" . chr($#some) . $sizes : "\x80")
                   . join('', map { substr $_, length $strip } @some));
    }

    open my $fh, '>:raw', "$tmp/$name" or die "$name: $!\n";
    print $fh element('1a45dfa3', element('4282', 'matroska')),
        element('18538067', element('1549a966',
                                    element('2ad7b1', pack 'N', 1000000))
                . $tracks . element('1f43b675', element('e7', "\x00")
                                                . $blocks));
    close $fh;

    return "$tmp/$name";
}

{
    open my $fh, '<:raw', "$tmp/sound.ac3" or die "sound.ac3: $!\n";
    my $sound = do { local $/; <$fh> };
    my @frames = map { "\x0b\x77$_" } split /\x0b\x77/, $sound;
    shift @frames;
    splice @frames, 100;

    # within a lace ffprobe counts in whole milliseconds, we do not

    my @laced = compare(matroska('laced.mkv', \@frames, 4, ''), 'laced.mkv',
                        times => 0.0035);

    is(scalar(@{$laced[0]{samples}}), scalar(@frames), 'laces: frames');

    my ($mp4, @tracks) = converted(
        matroska('stripped.mkv', \@frames, 1, "\x0b\x77"), 'stripped.mkv');

    is(join(' ', map { $_->{timescale} . ' ' . @{$_->{samples}} }
                 grep { $_->{type} == 1 } @tracks), '44100 ' . @frames,
       'stripped: sound');

    my ($text) = grep { $_->{type} == 2 } @tracks;

    like($text->{more} || '', qr/^lang de\b/, 'stripped: text');
    is(join(' ', map { "$_->{pts}+$_->{size}" }
                 grep { $_->{size} > 2 } @{$text->{samples}}),
       $text->{timescale} / 10 . '+' . (2 + length 'one & two'),
       'stripped: a cue');
}

is(join(' ', grep { !/mp4$/ } glob "$tmp/cache/*"), '', 'nothing is left');

# text

open my $fh, '>', "$tmp/text.srt" or die "text.srt: $!\n";
print $fh "1\n00:00:01,000 --> 00:00:02,500\n<i>one</i> & two\n\n",
    "2\n00:00:03,000 --> 00:00:04,000\nthree\nfour\n\n";
close $fh;

for my $codec (qw/ srt ass webvtt /) {
    my $file = ffmpeg("text-$codec.mkv", @audio, '-i', "$tmp/text.srt",
                      qw/ -map 0 -map 1 -c:a aac -metadata:s:1 language=ger
                          -metadata:s:1 title=Deutsch -disposition:s:0 forced
                          -c:s /, $codec);

    SKIP: {
        ok(defined $file, "$codec: made") or skip 'not there', 1;

        my ($status, @tracks) = indexed($file);
        my ($text) = grep { $_->{type} == 2 } @tracks;

        ok(defined $text, "$codec: a track") or next;

        like($text->{more}, qr/^lang de label Deutsch flags 01/,
             "$codec: what it is");
        like($text->{text}, qr/^WEBVTT\n/, "$codec: text");
        like($text->{text}, qr/00:00:01.0\d\d --> 00:00:02.5\d\d\n/,
             "$codec: times");
        like($text->{text}, qr/one\S* &(?:amp;)? two\n\n/, "$codec: escaped");
        like($text->{text}, qr/three\nfour\n/, "$codec: lines");
    }
}

# what is broken ends, and says why

{
    my $whole = "$tmp/h264-aac.mkv";

    open my $in, '<:raw', $whole or die "$whole: $!\n";
    my $data = do { local $/; <$in> };

    for my $len (1, 100, 1000, 20000, length($data) - 1) {
        open my $out, '>:raw', "$tmp/short.mkv" or die "short.mkv: $!\n";
        print $out substr($data, 0, $len);
        close $out;

        my ($status, @tracks) = indexed("$tmp/short.mkv");
        like($status || '', qr/^(?:200|415) /, "truncated at $len");
    }
}

my ($status) = indexed("$tmp/text.srt");
like($status, qr/^200/, 'a sidecar');

open $fh, '>', "$tmp/none.bin" or die "none.bin: $!\n";
print $fh 'nothing' x 1000;
close $fh;

($status) = indexed("$tmp/none.bin");
like($status, qr/^415 \w/, 'nothing known');

done_testing();
