#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The newest key frame of a live stream as a picture: it is what ffmpeg decodes
# of that frame, in the size that was asked for, from any worker, over a reload,
# in grace, and with another publisher; it is made once for all who ask at once.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::RTMP qw/ flv_read /;

my $probe = Test::Media->new();

plan(skip_all => 'built without libavcodec')
    if slurp($ENV{TEST_NGINX_MODULE} || $probe->root() . '/build/'
             . 'ngx_stream_vod_module.so') !~ /libswscale/;

my $t = live_nginx(workers => 2, main => <<'EOC', http => <<'EOD');
thread_pool pictures threads=2;
error_log %%DIR%%/error.log debug_http;
EOC
        location /pool/ { aio threads=pictures; media_live live; }
        add_header X-Kind "$media_kind,$media_stream" always;
EOD

my @encode = qw/ -c:v libx264 -preset ultrafast -pix_fmt yuv420p -threads 1
                 -sc_threshold 0 -tune zerolatency -flvflags
                 no_duration_filesize /;

# 80 frames, and each tenth is a key frame: two or three in a segment

sub made {
    my ($name, $source, @more) = @_;

    return fixture("live-thumbs-$name.flv", -f => 'lavfi', -i => $source,
                   @more, @encode, qw/ -g 10 -keyint_min 10 -t 3.2 /);
}

my %file = (
    wide => made('wide', 'testsrc2=size=640x360:rate=25'),
    sar => made('sar', 'testsrc2=size=360x288:rate=25',
                -vf => 'hue=h=90,setsar=64/45'),
    sound => live_fixture('audio'),
);


sub published {
    my ($name, $file, %opt) = @_;

    my $p = live_publish($t, "live/$name");

    $p->play([flv_read($file{$file})], speed => 8, %opt);

    return $p;
}


sub get { return $t->http_get(@_) }


sub dimensions {
    my ($file) = @_;

    my $s = ffprobe_json($file, '-show_streams')->{streams}[0];

    return "$s->{codec_name} $s->{width}x$s->{height}";
}


# luma PSNR of a JPEG and a frame of what was published

sub psnr {
    my ($jpeg, $file, $frame) = @_;

    my ($w, $h) = dimensions($jpeg) =~ /(\d+)x(\d+)/;

    my ($rc, $out) = sh(qw/ ffmpeg -hide_banner -i /, $jpeg, '-i',
        $file{$file}, '-lavfi', "[0]format=yuvj420p,setpts=0,setsar=1[a];"
            . "[1]select=eq(n\\,$frame),setpts=0,scale=$w:$h:"
            . "flags=bicubic+accurate_rnd:out_range=pc,"
            . "format=yuvj420p,setsar=1[b];[a][b]psnr",
        qw/ -frames:v 1 -f null - /);

    return $out =~ /PSNR y:(inf|[\d.]+)/ ? $1 eq 'inf' ? 99 : $1 : 0;
}


# the picture of a stream, which is that frame of the file

sub thumb {
    my ($uri, $file, $frame, $size) = @_;

    my $jpeg = $t->path(($uri =~ s|\W|-|gr) . "-$frame.jpg");
    my $r = get($uri);

    is($r->{status}, 200, $uri) or return;

    spew($jpeg, $r->{body});

    is(dimensions($jpeg), "mjpeg $size", "$uri: size");

    my $got = psnr($jpeg, $file, $frame);
    my $other = psnr($jpeg, $file, $frame - 10);

    cmp_ok($got, '>', 25, "$uri: frame $frame, $got dB");
    cmp_ok($got, '>', $other + 3, "$uri: not the key frame before, $other dB")
        if $size !~ /^\d\dx/;

    return $r;
}


# of a stream whose publisher has gone, the last key frame

published('wide', 'wide')->close();

my $r = thumb('/live/wide/thumb.jpg', 'wide', 70, '320x180');

thumb('/live/wide/thumb-w640.jpg', 'wide', 70, '640x360');
thumb('/live/wide/thumb-w101.jpg', 'wide', 70, '100x56');
thumb('/live/wide/thumb-w1.jpg', 'wide', 70, '16x10');
thumb('/live/wide/thumb-w4294967295.jpg', 'wide', 70, '640x360');
thumb('/pool/wide/thumb-w200.jpg', 'wide', 70, '200x112');

is(get('/live/wide/thumb-w641.jpg')->{headers}{etag},
   get('/live/wide/thumb-w640.jpg')->{headers}{etag},
   'what is no larger is the same');

# headers

my $etag = $r->{headers}{etag};

is($r->{headers}{'content-type'}, 'image/jpeg', 'type');
is($r->{headers}{'content-length'}, length $r->{body}, 'length');
is($r->{headers}{'cache-control'}, 'max-age=1', 'lifetime: a segment');
is($r->{headers}{'x-kind'}, 'picture,wide', 'variables');
like($etag, qr/^"[^"]+"$/, 'a strong validator');

{
    my $h = $t->http_head('/live/wide/thumb.jpg');

    is($h->{headers}{'content-length'}, length $r->{body}, 'HEAD');
    is($h->{headers}{etag}, $etag, 'HEAD: validator');
    is(get('/live/wide/thumb.jpg', range => '0-9')->{body},
       substr($r->{body}, 0, 10), 'range');
}

# any worker, and a new one

for my $round (0, 1) {

    for my $worker ($t->worker_pids()) {
        my $not = get('/live/wide/thumb.jpg', worker => $worker,
                      headers => { 'If-None-Match' => $etag });

        is($not->{status}, 304, 'validated');
        is($not->{headers}{etag}, $etag, 'by its name');
        is($not->{headers}{'cache-control'}, 'max-age=1', 'and its lifetime');

        my $same = get('/live/wide/thumb.jpg', worker => $worker,
                       headers => { 'If-None-Match' => '"x", "y"' });

        is($same->{status}, 200, 'another worker');
        is($same->{headers}{etag}, $etag, 'the same name');
        ok($same->{body} eq $r->{body}, 'the same bytes');
    }

    $t->reload() if !$round;
}


# what there is not

for (['wide/thumb-w0.jpg', 404, 'max-age=2', 'no width'],
     ['wide/thumb-w01.jpg', 404, 'max-age=2', 'two names'],
     ['wide/thumb-100.jpg', 404, 'max-age=1', 'a time is for files'],
     ['none/thumb.jpg', 404, 'max-age=1', 'no stream'])
{
    my $no = get("/live/$_->[0]");

    is($no->{status}, $_->[1], $_->[3]);
    is($no->{headers}{'cache-control'}, $_->[2], "$_->[3]: lifetime");
}


{
    my $p = published('sound', 'sound', to => 3000);
    my $no = get('/live/sound/thumb.jpg');

    is($no->{status}, 404, 'no video');
    is($no->{headers}{'cache-control'}, 'max-age=1', 'no video: lifetime');

    $p->close();
}


# who asks before the first key frame waits for it

{
    my $p = live_publish($t, 'live/wait');
    my @tags = flv_read($file{wide});
    my @get = map { $t->start_get('/live/wait/thumb.jpg', worker => $_) }
              $t->worker_pids();

    $t->pump(0.2);
    is(scalar(grep { $_->{done} } @get), 0, 'waiting');

    $p->play(\@tags, speed => 4, to => 1500);
    is($_->result(20)->{status}, 200, 'it came') for @get;

    # a newer one has another name

    my $first = get('/live/wait/thumb.jpg');

    $p->play(\@tags, speed => 4, from => 1500, headers => 0);
    $p->close();

    my $last = thumb('/live/wait/thumb.jpg', 'wide', 70, '320x180');

    isnt($last->{headers}{etag}, $first->{headers}{etag}, 'a newer one');
    is(get('/live/wait/thumb.jpg',
           headers => { 'If-None-Match' => $first->{headers}{etag} })
       ->{status}, 200, 'the client has the one before');
}

# another publisher, whose pixels are no squares

published('wide', 'sar')->close();
thumb('/live/wide/thumb.jpg', 'sar', 70, '320x180');


# many at once, some do not wait: the one who makes it, too

{
    my $pid = ($t->worker_pids())[0];
    my $uri = '/live/wide/thumb-w300.jpg';
    my @get = map { $t->start_get($uri, worker => $pid) } 1 .. 40;

    $t->pump(0.01);
    $_->cancel() for @get[0, 5 .. 9];

    my %seen;

    $seen{join ' ', @{$_->result(30)}{qw/ status body /}}++
        for @get[1 .. 4, 10 .. 39];

    is(scalar keys %seen, 1, 'all have the same');
    like((keys %seen)[0], qr/^200 \xff\xd8/, 'a picture');

    my $made = qr/http media picture of \S+ width:300 new:1/;

    cmp_ok($t->log_count($made), '<=', 2, 'it was made once, or began twice')
        if $t->build_flags() =~ /--with-debug/;
}


# a key frame that cannot be decoded

is($t->log_count(qr/media live picture/), 0, 'nothing failed before');

{
    my $p = published('bad', 'wide', to => 1500, map => sub {
        my ($type, $ts, $bytes) = @_;

        substr($bytes, 10) = "\0" x (length($bytes) - 10)
            if $type == 9 && substr($bytes, 0, 2) eq "\x17\x01";
        return [$type, $ts, $bytes];
    });

    $p->close();

    for (1 .. 3) {
        my $no = get('/live/bad/thumb.jpg',
                     worker => ($t->worker_pids())[0]);

        is($no->{status}, 500, 'nothing can be decoded');
        is($no->{headers}{'cache-control'}, 'max-age=1', 'lifetime');
    }

    is($t->log_count(qr/media live picture: key frame of \d+\.\d+: samples/),
       1, 'tried once, and logged');
}

$t->done();
