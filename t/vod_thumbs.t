#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Thumbnails and sheets: the pictures are those that ffmpeg decodes, of the
# size that was asked for, turned as the file says; what cannot be decoded is
# an error and no more; many at once wait for one another.

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename qw/ basename /;
use File::Copy qw/ copy /;

use Test::Media;
use Test::Media::Samples;

my $t = Test::Media->new();

plan(skip_all => 'built without libavcodec')
    if slurp($ENV{TEST_NGINX_MODULE} || $t->root() . '/build/'
             . 'ngx_stream_vod_module.so') !~ /libswscale/;

$t->write_conf(<<'EOC');
http {
    media_vod_thumbs interval=1s width=96 tiles=3x2;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /     { root %%DIR%%/media; media_vod on; }
        location /map/ { alias %%DIR%%/media/; media_vod on;
                         media_vod_mapping on; }
        location /big/ { alias %%DIR%%/media/; media_vod on;
                         media_vod_thumbs width=160; }
        location /off/ { alias %%DIR%%/media/; media_vod on;
                         media_vod_thumbs off; }
    }
}
EOC

my $media = $t->path('media');
mkdir $media or die "$media: $!\n";

my @encode = qw/ -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2
                 -g 50 -keyint_min 50 -sc_threshold 0 -b_strategy 0 /;
my @tone = qw/ -f lavfi -i sine=f=440:r=48000 -c:a aac /;

copy(fixture('thumbs.mp4', qw/ -f lavfi -i testsrc=s=640x360:r=25 /, @tone,
             @encode, qw/ -t 8 /), "$media/film.mp4");
copy(fixture('thumbs-sar.mp4', qw/ -f lavfi -i testsrc=s=720x576:r=25
             -vf setsar=64\/45 /, @encode, qw/ -t 3 /), "$media/sar.mp4");
copy(fixture('thumbs-long.mp4', qw/ -f lavfi -i testsrc=s=160x90:r=50
             -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 1000
             -bf 0 -t 12 /), "$media/long.mp4");
copy(fixture('thumbs-audio.m4a', @tone, qw/ -t 3 /), "$media/audio.m4a");


# turned: the matrix of tkhd, ISO/IEC 14496-12, 8.3.2

sub turned {
    my ($name, @m) = @_;

    my $bytes = slurp("$media/film.mp4");
    my $at = index($bytes, 'tkhd') + 44;

    substr($bytes, $at, 36) = pack('l>8 N', (map { $_ * 65536 } @m),
                                   0x40000000);
    spew("$media/$name.mp4", $bytes);
}

turned('r90', 0, 1, 0, -1, 0, 0, 360, 0);
turned('r180', -1, 0, 0, 0, -1, 0, 640, 360);
turned('r270', 0, -1, 0, 1, 0, 0, 0, 640);

# all samples are zeros, or noise

my $film = slurp("$media/film.mp4");
my $mdat = index($film, 'mdat') + 4;
my $size = unpack('N', substr($film, $mdat - 8, 4)) - 8;

spew("$media/zeros.mp4", do {
    my $bytes = $film;
    substr($bytes, $mdat, $size) = "\0" x $size;
    $bytes;
});

srand(1);

spew("$media/noise.mp4", do {
    my $bytes = $film;
    substr($bytes, $mdat + 500 * $_, 50)
        = pack('C*', map { int rand 256 } 1 .. 50)
        for 1 .. int($size / 500) - 1;
    $bytes;
});

spew("$media/set.json", '{ "durations": [ 8000, 3000 ], "sequences": [ {'
     . '"clips": [ { "type": "source", "path": "/film.mp4" },'
     . ' { "type": "source", "path": "/sar.mp4" } ] } ] }');

$t->run();


sub get { return $t->http_get(@_) }


sub dimensions {
    my ($file) = @_;

    my $s = ffprobe_json($file, '-show_streams')->{streams}[0];

    return "$s->{codec_name} $s->{width}x$s->{height}";
}


# luma PSNR of a JPEG, or a field of it, and a frame of the file

sub psnr {
    my ($jpeg, $file, $frame, $crop) = @_;

    $crop = $crop ? "crop=$crop," : '';

    my ($w, $h) = $crop ? $crop =~ /(\d+):(\d+)/
                        : dimensions($jpeg) =~ /(\d+)x(\d+)/;

    my ($rc, $out) = sh(qw/ ffmpeg -hide_banner -i /, $jpeg, '-i', $file,
        '-lavfi', "[0]format=yuvj420p,${crop}setpts=0,setsar=1[a];"
                  . "[1]select=eq(n\\,$frame),setpts=0,scale=$w:$h:"
                  . "flags=bicubic+accurate_rnd:out_range=pc,"
                  . "format=yuvj420p,setsar=1[b];[a][b]psnr",
        qw/ -frames:v 1 -f null - /);

    return $out =~ /PSNR y:(inf|[\d.]+)/ ? $1 eq 'inf' ? 99 : $1 : 0;
}


# the picture at a time

sub thumb {
    my ($name, $ms, $width, $frame, $dimensions) = @_;

    my $file = $t->path("thumb-$name-$ms-$width.jpg");
    my $r = get("/$name.mp4/thumb-$ms" . ($width ? "-w$width" : '') . '.jpg');
    my $what = "$name at $ms, $width";

    is($r->{status}, 200, $what) or return;

    spew($file, $r->{body});

    is(dimensions($file), "mjpeg $dimensions", "$what: size");

    my $got = psnr($file, "$media/$name.mp4", $frame);
    my $next = psnr($file, "$media/$name.mp4", $frame + 1);

    cmp_ok($got, '>', 30, "$what: picture, $got dB");
    cmp_ok($got, '>', $next, "$what: not the one after it, $next dB")
        if $dimensions !~ /^\d\dx/;
}


thumb('film', 0, 0, 0, '320x180');
thumb('film', 39, 0, 0, '320x180');
thumb('film', 40, 0, 1, '320x180');
thumb('film', 2500, 0, 62, '320x180');
thumb('film', 3960, 640, 99, '640x360');
thumb('film', 1000, 101, 25, '100x56');
thumb('film', 1000, 1, 25, '16x10');
thumb('film', 1000, 99999, 25, '640x360');
thumb('r90', 2500, 0, 62, '320x568');
thumb('r180', 2500, 0, 62, '320x180');
thumb('r270', 2500, 200, 62, '200x356');
thumb('sar', 1000, 512, 25, '512x288');

# so much is not decoded: the key frame before

thumb('long', 5000, 0, 250, '160x90');
{
    my $r = get('/long.mp4/thumb-11000.jpg');

    spew($t->path('long.jpg'), $r->{body});
    cmp_ok(psnr($t->path('long.jpg'), "$media/long.mp4", 0), '>', 30,
           'a key frame is too long ago');
}

for (['film.mp4/thumb-8000.jpg', 404, 'after the end'],
     ['film.mp4/thumb-9223372036854775807.jpg', 404, 'long after it'],
     ['film.mp4/thumb--1.jpg', 404, 'before the begin'],
     ['film.mp4/thumb-0-w0.jpg', 404, 'no width'],
     ['audio.m4a/thumb-0.jpg', 404, 'no video'],
     ['audio.m4a/thumbs.vtt', 404, 'no sheets of audio'],
     ['off/film.mp4/thumb-0.jpg', 404, 'switched off'],
     ['off/film.mp4/thumbs.vtt', 404, 'no sheets then'],
     ['none.mp4/thumb-0.jpg', 404, 'no file'])
{
    is(get("/$_->[0]")->{status}, $_->[1], $_->[2]);
}


# headers

{
    my $r = get('/film.mp4/thumb-100.jpg');
    my $etag = $r->{headers}{etag};

    is($r->{headers}{'content-type'}, 'image/jpeg', 'type');
    is($r->{headers}{'content-length'}, length $r->{body}, 'length');
    is($r->{headers}{'cache-control'}, 'max-age=5', 'lifetime');
    is(get('/film.mp4/thumb-100.jpg',
           headers => { 'If-None-Match' => $etag })->{status}, 304,
       'validated');
    is(get('/film.mp4/thumb-100.jpg', range => '0-9')->{body},
       substr($r->{body}, 0, 10), 'range');
    is($t->http_head('/film.mp4/thumb-100.jpg')->{headers}{'content-length'},
       length $r->{body}, 'HEAD');
}


# sheets

sub cues {
    my ($path) = @_;

    my $r = get($path);

    is($r->{status}, 200, $path) or return;
    is($r->{headers}{'content-type'}, 'text/vtt', "$path: type");
    like($r->{body}, qr/^WEBVTT\n\n/, "$path: WebVTT");

    return map { { start => $1 * 3600 + $2 * 60 + $3,
                   end => $4 * 3600 + $5 * 60 + $6,
                   sheet => $7, crop => [$8, $9, $10, $11] } if
        /^(\d+):(\d\d):([\d.]{6})\ -->\ (\d+):(\d\d):([\d.]{6})\n
         (i1\/[0-9a-f]{8}-\d+\.jpg)\#xywh=(\d+),(\d+),(\d+),(\d+)$/x }
        split /\n\n/, $r->{body} =~ s/^WEBVTT\n\n//r;
}

my @cues = cues('/film.mp4/thumbs.vtt');
my %sheets;

is(scalar @cues, 8, 'a picture each second');

for my $i (0 .. $#cues) {
    my ($c, $x, $y, $w, $h) = ($cues[$i], @{$cues[$i]{crop}});

    is("$c->{start} $c->{end}", "$i " . ($i + 1), "picture $i: time");
    is("$x,$y,$w,$h", join(',', $i % 3 * 96, int($i % 6 / 3) * 54, 96, 54),
       "picture $i: place");

    my $file = $t->path(basename($c->{sheet}));

    if (!$sheets{$c->{sheet}}++) {
        my $r = get("/film.mp4/$c->{sheet}");

        is($r->{status}, 200, 'sheet');
        is($r->{headers}{'cache-control'}, 'max-age=31536000, immutable',
           'sheet: lifetime');
        spew($file, $r->{body});
        is(dimensions($file), 'mjpeg 288x108', 'sheet: size');
    }

    my $key = int($i / 2) * 50;
    my $got = psnr($file, "$media/film.mp4", $key, "$w:$h:$x:$y");

    cmp_ok($got, '>', 25, "picture $i: frame $key, $got dB");
}

is(scalar keys %sheets, 2, 'two sheets');

{
    my ($black) = sh(qw/ ffmpeg -v error -i /,
                     $t->path(basename($cues[7]{sheet})),
                     qw/ -vf crop=288:40:0:64 -f rawvideo -pix_fmt gray /,
                     $t->path('black.raw'));

    is($black, 0, 'last sheet, second row');
    is(scalar(grep { $_ > 8 } unpack 'C*', slurp($t->path('black.raw'))), 0,
       'it is black');

    my ($tag) = $cues[0]{sheet} =~ /i1\/(\w+)-/;

    is(get("/film.mp4/i1/$tag-2.jpg")->{status}, 404, 'no third sheet');
    is(get("/film.mp4/i2/$tag-0.jpg")->{status}, 404, 'no other sheets');
    is(get("/film.mp4/i1/0.jpg")->{status}, 404, 'no name without a tag');
    is(get("/sar.mp4/i1/$tag-0.jpg")->{status}, 404, 'tag of another file');
    is(get("/big/film.mp4/i1/$tag-0.jpg")->{status}, 404,
       'tag of another size');

    my $mpd = get('/film.mp4/manifest.mpd')->{body};

    like($mpd, qr/mimeType="image\/jpeg"/, 'MPD: images');
    like($mpd, qr/thumbnail_tile" value="3x2"/, 'MPD: tiles');
    like($mpd, qr/width="288" height="108"/, 'MPD: size');
    like($mpd, qr/duration="6000" media="i1\/$tag-\$Number\$.jpg"/,
         'MPD: names');
    like(get('/big/film.mp4/manifest.mpd')->{body}, qr/duration="250000"/,
         'MPD of another size');
    unlike(get('/off/film.mp4/manifest.mpd')->{body}, qr/image/,
           'MPD without images');

    my ($big) = cues('/big/film.mp4/thumbs.vtt');

    is(get("/big/film.mp4/$big->{sheet}")->{status}, 200, 'another size');
}


# two clips, of other shapes

{
    my @two = cues('/map/set.json/thumbs.vtt');

    is(scalar @two, 11, 'pictures of two clips');

    my $r = get('/map/set.json/thumb-9000.jpg');

    is($r->{status}, 200, 'second clip');
    spew($t->path('second.jpg'), $r->{body});
    cmp_ok(psnr($t->path('second.jpg'), "$media/sar.mp4", 25), '>', 30,
           'its picture');
    is(get("/map/set.json/$two[10]{sheet}")->{status}, 200,
       'sheet of two clips');
}


# damaged

for my $name (qw/ zeros noise /) {
    my %seen;

    $seen{get("/$name.mp4/thumb-$_.jpg")->{status}}++ for 0, 1000, 5000;

    is(join(' ', grep { !/^(?:200|500)$/ } sort keys %seen), '',
       "$name: pictures or errors");

    my ($cue) = cues("/$name.mp4/thumbs.vtt");

    like(get("/$name.mp4/$cue->{sheet}")->{status}, qr/^(?:200|500)$/,
         "$name: sheet");
}

is(get('/zeros.mp4/thumb-0.jpg')->{status}, 500, 'no picture');
ok($t->log_count(qr/media vod picture: ".*zeros\.mp4": samples make no pict/),
   'the log says so');


# many at once; some do not wait

{
    my @get = map { $t->start_get("/film.mp4/thumb-${_}9-w640.jpg") }
              100 .. 160;

    $t->pump(0.05);
    $get[$_]->cancel() for 10 .. 29;

    my %seen;

    $seen{$_->result(60)->{status}}++ for @get[0 .. 9, 30 .. 60];

    is_deeply(\%seen, { 200 => 41 }, 'all that waited have a picture');
}

# more than can wait

{
    my @get = map { $t->start_get("/film.mp4/thumb-100-w640.jpg") } 1 .. 900;
    my %seen;

    for (@get) {
        my $r = $_->result(60);

        $seen{$r->{status}}++;
        is($r->{headers}{'retry-after'}, 1, 'said when to ask again')
            if $r->{status} == 503 && $seen{503} == 1;
    }

    is(($seen{200} || 0) + ($seen{503} || 0), 900, 'all are answered, '
       . join(', ', map { "$_: $seen{$_}" } sort keys %seen));
    cmp_ok($seen{200} || 0, '>', 0, 'some with a picture');
}


# other files

for my $file (media_samples(qr/\.(?:mp4|mkv|webm|flv)$/))
{
    my $name = basename($file);

    copy($file, "$media/$name");

    my ($rc, $out) = sh(qw/ ffprobe -v error -select_streams v
                            -show_entries stream=codec_type -of csv=p=0 /,
                        $file);

    my $status = get("/$name/thumb-0.jpg")->{status};

    # three bad samples
    if ($name =~ /^(?:damaged|test_case_1185230)\.mp4$/) {
        is($status, 500, $name);
        next;
    }

    is($status, media_refused($file) ? 415 : $out =~ /video/ ? 200 : 404,
       $name);
}


# configuration

for (['tiles=0x1', qr/invalid parameter "tiles=0x1"/],
     ['tiles=5', qr/invalid parameter "tiles=5"/],
     ['tiles=21x1', qr/invalid parameter "tiles=21x1"/],
     ['width=15', qr/invalid parameter "width=15"/],
     ['interval=500ms', qr/invalid parameter "interval=500ms"/],
     ['off width=20', qr/invalid parameter "off"/],
     ['on', qr/invalid parameter "on"/],
     ['width=320 tiles=20x1',
      qr/20 pictures of 320 pixels are more than a sheet can be wide, 4096/],
     ["off; media_vod_thumbs off", qr/"media_vod_thumbs" directive is dupl/])
{
    my ($ok, $out) = $t->conf_test(<<"EOC");
http { server { listen 127.0.0.1:1; location / { media_vod on;
                                    media_vod_thumbs $_->[0]; } } }
EOC

    like($out, $_->[1], "media_vod_thumbs $_->[0]");
}

$t->done();
