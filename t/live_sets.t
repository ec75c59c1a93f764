#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Decoder configurations of kilobytes: encoders list many parameter sets, or
# write messages there.  What comes in is what goes out.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /files/ { alias %%DIR%%/files/; media_vod on; }
    }
}
EOC

mkdir $t->path('files');
$t->run();

# matrices make a PPS long

srand 1;

my ($four, $eight) = map {
    join ',', map { (6, 250, 9, 200, 13)[rand 5] } 1 .. $_
} 16, 64;

my @avc = grep { $_->[0] == 9 } flv_read(fixture('sets.flv', qw/ -f lavfi -i
    testsrc2=size=320x180:rate=25 -t 4 -c:v libx264 -preset ultrafast
    -profile:v high -x264-params /,
    "keyint=25:bframes=0:8x8dct=1:cqm4=$four:cqm8=$eight"));

my ($avcc) = map { substr $_->[2], 5 } grep { $_->[2] =~ /^\x17\0/ } @avc;
my ($head, $sps, $pps, $tail) = unpack 'a6n/axn/aa*', $avcc;

# bits behind its first number, which is pic_parameter_set_id, 7.3.2.2

my $bits = unpack 'B*', $pps =~ s/\0\0\x03/\0\0/gr;
$bits =~ s/^(.{8})1//;
my $nal = $1;
$bits =~ s/10*$//;

sub pps {
    my ($id) = @_;

    my $number = sprintf '%b', $id + 1;
    my $all = $nal . '0' x (length($number) - 1) . $number . $bits . '1';

    return pack('B*', $all . '0' x (-length($all) % 8))
           =~ s/\0\0(?=[\0-\x03])/\0\0\x03/gr;
}

is(pps(0), $pps, 'the set is made as it was');

sub avcc {
    my ($n) = @_;

    return $head . pack('n/a', $sps) . chr($n)
           . pack('(n/a)*', map { pps($_) } 0 .. $n - 1) . $tail;
}

# HEVC: a registered message stays, what x265 says of its options does not

my $hevc = slurp(fixture('sets-hevc.mp4', qw/ -f lavfi -i
    testsrc2=size=320x180:rate=25 -t 4 -c:v libx265 -tag:v hvc1 -preset
    ultrafast -x265-params log-level=error:keyint=25:bframes=0:info=0:pools=1
    -movflags +frag_keyframe+empty_moov+default_base_moof /));

my ($track) = values %{mp4_tracks(mp4_boxes($hevc))};
my $hvcc = mp4_find($track->{entry}{boxes}, 'hvcC')->{data};

sub sei {
    my ($type, $len) = @_;

    my $body = pack 'CCn', 0xb5, 1, 0x1234;
    $body .= 'n' x ($len - length $body);

    return "\x4e\1" . chr($type) . "\xff" x int($len / 255)
           . chr($len % 255) . $body . "\x80";
}

sub hvcc {
    my @sei = @_;

    return substr($hvcc, 0, 22) . chr(ord(substr $hvcc, 22, 1) + 1)
           . substr($hvcc, 23)
           . pack('Cn(n/a)*', 0x27, scalar @sei, @sei);
}

my $start = (mp4_samples($hevc))[0]{dts};

my @hevc = map {
    [9, int(($_->{dts} - $start) * 1000 / $track->{timescale}),
     ($_->{key} ? "\x93" : "\xa3") . 'hvc1' . $_->{data}]
} mp4_samples($hevc);

sub with_avcc {
    my ($avcc) = @_;

    return map {
        $_->[2] =~ /^\x17\0/ ? [9, $_->[1], "\x17\0\0\0\0$avcc"] : $_
    } @avc;
}

sub publish {
    my ($name, @tags) = @_;

    my $p = $t->rtmp();
    is($p->open("live/$name"), 'NetStream.Publish.Start', "$name publishes");

    for my $tag (@tags) {
        $p->video($tag->[1], $tag->[2]) or last;
        $p->poll(0.002);
    }

    return $p;
}

sub init_of {
    my ($uri) = @_;

    my $list = $t->http_get($uri)->{body};
    my ($map) = $list =~ /EXT-X-MAP:URI="([^"]+)"/;

    return '' if !$map;

    return $t->http_get($uri =~ s/[^\/]+$/$map/r)->{body};
}

sub box_of {
    my ($init, $type) = @_;

    my ($track) = values %{mp4_tracks(mp4_boxes($init))};
    my $box = mp4_find($track->{entry}{boxes}, $type);

    return $box ? $box->{data} : '';
}

sub check {
    my ($name, $type, $config, @tags) = @_;

    my $p = publish($name, @tags);

    wait_ok(sub {
        my $r = $t->http_get("/live/$name/v1.m3u8");
        $r->{status} == 200 && (() = $r->{body} =~ /^#EXTINF/mg) >= 2;
    }, 15, "$name: segments");

    my $init = init_of("/live/$name/v1.m3u8");
    my $what = sprintf '%s: %d bytes of %s', $name, length $config, $type;

    ok(box_of($init, $type) eq $config, "$what are in the init segment");

    my $file = $t->path("files/$name.mp4");
    $t->hls_save("/live/$name/v1.m3u8", $file);

    my ($ok, $messages, $n) = decode_clean($file);

    ok($ok, "$name: decodes") or diag $messages;
    cmp_ok($n, '>=', 50, "$name: frames");

    utime 1.6e9, 1.6e9, $file;
    $init = init_of("/files/$name.mp4/v1.m3u8");

    ok(box_of($init, $type) eq $config, "$what are in that of its file");

    $p->close();
}

# what most have, more than half a page, more than a page, the most

my ($most) = grep { length avcc($_) <= 16384 } reverse 1 .. 254;

for my $n (1, 7, 42, $most) {
    my $avcc = avcc($n);
    check("avc$n", 'avcC', $avcc, with_avcc($avcc));
}

my $kept = hvcc(sei(4, 6000));
my $sent = hvcc(sei(4, 6000), sei(5, 12000));

cmp_ok(length $sent, '>', 16384, 'more than is taken, with what is left out');
check('hevc', 'hvcC', $kept, [9, 0, "\x90hvc1$sent"], @hevc);

# too large: said so

my $p = publish('large', with_avcc(avcc($most + 1)));

is($t->log_count(qr/a decoder configuration that is too large, track:video/),
   1, 'one that is too large is said to be') or diag $t->log();
is($t->http_get('/live/large/v1.m3u8')->{status}, 404, 'it has no track');

$p->close();

# one after the other: each segment with its own

$p = $t->rtmp();
$p->open('live/changes');

for my $i (0 .. 9) {
    my $avcc = avcc($most - $i);

    $p->video($i * 1000, "\x17\0\0\0\0$avcc");

    for my $tag (grep { $_->[2] =~ /^.\x01/s && $_->[1] < 1000 } @avc) {
        $p->video($i * 1000 + $tag->[1], $tag->[2]);
        $p->poll(0.001);
    }
}

$p->close();

wait_ok(sub {
    ($t->http_get('/live/changes/v1.m3u8')->{body} || '') =~ /ENDLIST|EXTINF/;
}, 10, 'changes: a playlist');

my $list = $t->http_get('/live/changes/v1.m3u8')->{body};
my @maps = $list =~ /EXT-X-MAP:URI="([^"]+)"/g;

cmp_ok(@maps, '>=', 3, 'changes: those that there is room for are kept');

my $wrong = 0;

for my $map (@maps) {
    my $init = $t->http_get("/live/changes/$map")->{body};
    my $box = box_of($init, 'avcC');
    $wrong++ if !grep { $box eq avcc($most - $_) } 0 .. 9;
}

is($wrong, 0, 'changes: each is one that was sent');

$t->done();
