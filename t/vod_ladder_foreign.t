#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Files that no player takes play by what their ladder makes of them: all
# pictures of video of other codecs, at their times, and sound of other codecs
# as AAC.  Without a ladder they are refused, or what is of no use left out.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
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
        location /plain/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
        }
        location = /status { media_status; }
    }
}
media_ladder web { video 240p 300k; video 120p 120k; audio aac 128k; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

mkdir $t->path('media');

# what it is; without a ladder something of it is served; its audio is; the
# variants

my @files = (
    ['mpeg2.mkv', 0, 0, 1, qw/ -s 320x180 -c:v mpeg2video -g 25 -bf 2 -b:v 400k
                               -c:a pcm_s16le /],
    ['mpeg4.mkv', 0, 0, 1, qw/ -s 320x180 -c:v mpeg4 -g 50 -bf 2 -b:v 400k
                               -c:a mp2 /],
    ['mjpeg.mkv', 0, 0, 1, qw/ -s 96x64 -c:v mjpeg -q:v 5 -c:a libvorbis /],
    ['prores.mov', 1, 1, 1, qw/ -s 320x180 -c:v prores_ks -c:a aac /],
    ['mpeg4.mp4', 1, 1, 1, qw/ -s 320x180 -c:v mpeg4 -g 50 -bf 2 -b:v 400k
                               -c:a aac /],
    ['vorbis.mkv', 1, 0, 2, qw/ -s 320x180 -c:v libx264 -preset ultrafast -g 50
                                -c:a libvorbis /],
);

for my $file (@files) {
    my ($name, undef, undef, undef, @how) = @$file;

    my ($status, $out) = sh(
        qw{ ffmpeg -nostdin -v error -y -f lavfi -i
            testsrc2=size=320x180:rate=25:duration=5 -f lavfi -i
            sine=frequency=440:sample_rate=48000:duration=5 -pix_fmt yuv420p
            -threads 1 }, @how, $t->path("media/$name"));

    die "$name: $out\n" if $status;
}

$t->run();

for my $file (@files) {
    subtest $file->[0] => sub {
        eval { check(@$file[0 .. 3]); 1 } or fail("$file->[0]: $@");
    };
}

$t->done();


sub check {
    my ($name, $some, $audio, $n) = @_;

    is($t->http_get("/plain/$name/index.m3u8")->{status}, $some ? 200 : 415,
       'without a ladder');

    my $multi = vod_fetch($t, "/vod/$name/index.m3u8");

    is(() = $multi =~ /^#EXT-X-STREAM-INF/mg, $n, 'variants');
    is(() = $multi =~ /^#EXT-X-MEDIA:TYPE=AUDIO/mg, 1, 'audio');

    my $rung = vod_hls($t, "/vod/$name/v$n.m3u8");
    my $scale = $rung->{timescale};
    my @pts = sort { $a <=> $b } map { ($_->{dts} + $_->{cto}) / $scale }
        @{$rung->{samples}};
    my @off = grep { abs($pts[$_] - $pts[0] - $_ / 25) > 0.0016 } 0 .. $#pts;

    is(scalar @pts, 125, 'all pictures');
    is("@off", '', 'at their times');

    my $sound = vod_hls($t, "/vod/$name/a1.m3u8");

    is($t->log_count(qr/\Q$name\E": .*no aac is made/), 0, 'it is made')
        if !$audio;

    is(scalar @{$sound->{segments}}, scalar @{$rung->{segments}},
       'sound in as many segments');
    cmp_ok(abs(@{$sound->{samples}} * 1024 / 48000 - 5), '<', 0.05,
           'that lasts as long');

    for my $list ($rung, $sound) {
        spew($t->path('made.mp4'), $list->{bytes});

        my ($status, $out) = sh(qw{ ffmpeg -nostdin -v error -i },
                                $t->path('made.mp4'), qw{ -f null - });

        is($out, '', 'ffmpeg decodes it');
    }
}
