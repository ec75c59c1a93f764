#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Audio that is made of a file's: frame by frame behind one another from the
# begin of the file on, the same bytes in whatever order, the same sound at the
# same time, and no worse where segments meet.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
worker_processes 1;
thread_pool encode threads=2;
http {
    media_vod_segment 2s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder web threads=encode;
        }
        location /back/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/back;
            media_vod_ladder web threads=encode;
        }
        location /always/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/back;
            media_vod_ladder always threads=encode;
        }
    }
}
media_ladder web { audio aac 128k; }
media_ladder always { audio aac 96k when=always; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

mkdir $t->path('media');

my $sound = '0.3*sin(2*PI*440*t)+0.2*sin(2*PI*1000*t)+0.1*sin(2*PI*3000*t)';

my @files = (
    ['flac.mp4', 1, qw/ -c:a flac -strict -2 /],
    ['opus.mp4', 1, qw/ -c:a libopus -b:a 128k /],
    ['flac44.mp4', 1, qw/ -c:a flac -strict -2 -ar 44100 /],
    ['aac.mp4', 0, qw/ -c:a aac -b:a 128k /],
);

for my $file (@files) {
    my ($name, undef, @how) = @$file;

    my ($status, $out) = sh(
        qw{ ffmpeg -nostdin -v error -y -f lavfi -i
            testsrc2=size=160x90:rate=25:duration=9 -f lavfi -i },
        "aevalsrc='$sound|$sound':s=48000:d=9",
        qw{ -pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 50 -threads 1 },
        @how, $t->path("media/$name"));

    die "$name: $out\n" if $status;
}

$t->run();

for my $file (grep { $_->[1] } @files) {
    subtest $file->[0] => sub { check($file->[0]) };
}

unlike(vod_fetch($t, '/vod/aac.mp4/index.m3u8'), qr/a2\.m3u8/,
       'of AAC no other AAC is made');
like(vod_fetch($t, '/always/aac.mp4/index.m3u8'), qr/a2\.m3u8/,
     'but with when=always');

order('flac.mp4');

$t->done();


sub check {
    my ($name) = @_;

    my $multi = vod_fetch($t, "/vod/$name/index.m3u8");

    like($multi, qr/CODECS="avc1\.\w+,mp4a\.40\.2"/, 'a variant with AAC');

    my $video = vod_hls($t, "/vod/$name/v1.m3u8");
    my $list = vod_hls($t, "/vod/$name/a2.m3u8");
    my $samples = $list->{samples};

    is($list->{timescale}, 48000, 'time scale');
    is(scalar @{$list->{segments}}, scalar @{$video->{segments}},
       'as many segments as the video');
    is(scalar(grep { $_->{duration} != 1024 || $_->{cto} } @$samples), 0,
       'all frames are as long');
    is(scalar(grep { $samples->[$_]{dts} - $samples->[$_ - 1]{dts} != 1024 }
              1 .. $#$samples), 0, 'and follow one another');

    my $at = 0;

    for my $i (1 .. $#{$list->{segments}}) {
        my $cut = $video->{segments}[$i]{samples}[0]{dts}
                  / $video->{timescale};
        my $dts = $list->{segments}[$i]{samples}[0]{dts} / 48000;
        $at++ if $dts < $cut - 1e-6 || $dts >= $cut + 1024 / 48000;
    }

    is($at, 0, 'segments begin with the first frame behind the cut');

    # sound: where it is heard, against what it is

    spew($t->path('made.mp4'), $list->{bytes});

    my $begin = $samples->[0]{dts} - 48000
        * int($video->{samples}[0]{dts} / $video->{timescale});
    my ($status, $pcm) = sh(qw{ ffmpeg -nostdin -v error -i },
        $t->path('made.mp4'), qw{ -f s16le -ac 1 -ar 48000 - });
    my @heard = unpack 's<*', $pcm;

    is(scalar @heard, 1024 * @$samples, 'all of it is decoded');

    my $first = -$begin;
    my ($all, $joints) = (noise(\@heard, $first, 4800, 9 * 48000 - 9600), 99);

    for my $second (2, 4, 6) {
        my $here = noise(\@heard, $first, $second * 48000 - 1500,
                         $second * 48000 + 1500);
        $joints = $here if $here < $joints;
    }

    cmp_ok($all, '>', 30, "is what it was: $all dB");
    cmp_ok($joints, '>', $all - 6, "at joints, too: $joints dB");
}


# dB of the sound over what differs from it, in [from, to) of the film

sub noise {
    my ($heard, $first, $from, $to) = @_;

    my ($signal, $error) = (0, 1e-9);

    for my $i ($from .. $to - 1) {
        next if $i % 3;

        my $x = 2 * 3.14159265358979 * $i / 48000;
        my $is = 0.3 * sin(440 * $x) + 0.2 * sin(1000 * $x)
                 + 0.1 * sin(3000 * $x);
        my $got = ($heard->[$i + $first] // 0) / 32768;

        $signal += $is * $is;
        $error += ($is - $got) ** 2;
    }

    return int(100 * log($signal / $error) / log(10)) / 10;
}


sub order {
    my ($name) = @_;

    my @uris = vod_fetch($t, "/vod/$name/a2.m3u8") =~ /^(a2.*m4s)$/mg;
    my %back = map { $_ => vod_fetch($t, "/back/$name/$_") } reverse @uris;

    is(scalar(grep { vod_fetch($t, "/vod/$name/$_") ne $back{$_} } @uris), 0,
       'whatever the order, the same bytes');
}
