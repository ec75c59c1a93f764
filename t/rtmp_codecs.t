#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Codecs in each of the ways in which encoders send them, from the message to
# the decoded segment.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 1);

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

# samples of a file and its decoder configurations

sub media {
    my ($name, @args) = @_;

    my $bytes = slurp(fixture($name, @args, '-movflags',
        '+frag_keyframe+empty_moov+default_base_moof'));
    my $boxes = mp4_boxes($bytes);
    my $tracks = mp4_tracks($boxes);
    my %media;

    for my $sample (sort { $a->{dts} <=> $b->{dts} } mp4_samples($bytes)) {
        my $track = $tracks->{$sample->{track}};
        push @{$media{$track->{codec}}}, {
            ms => int($sample->{dts} * 1000 / $track->{timescale}),
            cts => int($sample->{cto} * 1000 / $track->{timescale}),
            key => $sample->{key}, data => $sample->{data},
        };
    }

    return ($bytes, \%media);
}

sub config_of {
    my ($bytes, $type) = @_;

    my $at = index $bytes, $type;
    die "no $type\n" if $at < 4;

    return substr $bytes, $at + 4, unpack('N', substr $bytes, $at - 4, 4) - 8;
}

my ($hevc, $hevc_media) = media('hevc.mp4', qw/ -f lavfi -i
    testsrc2=size=320x180:rate=25 -t 4 -c:v libx265 -tag:v hvc1 -preset
    ultrafast -x265-params log-level=error:keyint=25:bframes=0 /);

my $hvcc = config_of($hevc, 'hvcC');
my @hevc = @{$hevc_media->{hvc1} || $hevc_media->{hev1}};

my @av = flv_read(fixture('av.flv'));

sub publisher {
    my ($name) = @_;

    my $p = $t->rtmp();
    is($p->open("live/$name"), 'NetStream.Publish.Start', "$name publishes");

    return $p;
}

# what viewers get

sub check_stream {
    my ($name, $codec, $frames) = @_;

    my $index;

    eval {
        wait_until(sub {
            $index = $t->http_get("/live/$name/index.m3u8");
            $index->{status} == 200 && $index->{body} =~ /CODECS/;
        }, 10, 'a playlist');
    };

    like($index->{body}, $codec, "$name: codec") or diag $@, $t->log();

    my ($uri) = $index->{body} =~ /^([^#\s]\S*)$/m;
    return if !$uri;

    eval {
        wait_until(sub {
            my $r = $t->http_get("/live/$name/$uri");
            $r->{status} == 200
                && (() = $r->{body} =~ /^#EXTINF/mg) >= 2;
        }, 10, 'segments');
    };

    my $file = $t->path("$name.mp4");
    $t->hls_save("/live/$name/$uri", $file);

    my ($ok, $messages, $n) = decode_clean($file);

    ok($ok, "$name: decodes") or diag $messages;
    cmp_ok($n, '>=', $frames, "$name: frames") if $frames;
}

# in real time, or faster: the stream's clock is that of its time stamps

sub send_frames {
    my ($p, $make, @frames) = @_;

    for my $frame (@frames) {
        $p->video($frame->{ms}, $make->($frame)) or last;
        $p->poll(0.002);
    }
}

sub si24 { return substr pack('N', $_[0]), 1 }

# HEVC: the number 12 of Chinese CDNs, Enhanced RTMP with and without
# composition time, behind ModEx

my %hevc = (
    legacy => [sub { "\x1c\0\0\0\0$hvcc" }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x1c" : "\x2c") . "\1" . si24($f->{cts})
               . $f->{data};
    }],
    enhanced1 => [sub { "\x90hvc1$hvcc" }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x91" : "\xa1") . 'hvc1' . si24($f->{cts})
               . $f->{data};
    }],
    enhanced3 => [sub { "\x90hvc1$hvcc" }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x93" : "\xa3") . 'hvc1' . $f->{data};
    }],
    modex => [sub { "\x90hvc1$hvcc" }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x97" : "\xa7") . "\2" . si24(250000) . "\3"
               . 'hvc1' . $f->{data};
    }],
    multitrack => [sub { "\x96\0hvc1\0$hvcc" }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x96" : "\xa6") . "\3hvc1\0" . $f->{data};
    }],

    # no header: the sets are in the key frames, behind lengths, or start codes
    band => [sub { '' }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x93" : "\xa3") . 'hvc1'
               . ($f->{key} ? pack '(N/a)*', hevc_sets() : '') . $f->{data};
    }],
    bandcodes => [sub { '' }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x93" : "\xa3") . 'hvc1'
               . codes($f->{key} ? hevc_sets() : (),
                       unpack '(N/a)*', $f->{data});
    }],
    headcodes => [sub { "\x90hvc1" . codes(hevc_sets()) }, sub {
        my ($f) = @_;
        return ($f->{key} ? "\x93" : "\xa3") . 'hvc1'
               . codes(unpack '(N/a)*', $f->{data});
    }],
);

sub codes { return join '', map { "\0\0\0\1$_" } @_ }

# ISO/IEC 14496-15, 8.3.3.1: the arrays behind 23 bytes

sub hevc_sets {
    my ($pos, @sets) = (23);

    for (1 .. ord substr $hvcc, 22, 1) {
        my ($type, $n) = unpack 'Cn', substr $hvcc, $pos, 3;
        $pos += 3;

        for (1 .. $n) {
            my $len = unpack 'n', substr $hvcc, $pos, 2;
            push @sets, substr $hvcc, $pos + 2, $len if ($type & 63) < 39;
            $pos += 2 + $len;
        }
    }

    return @sets;
}

for my $how (sort keys %hevc) {
    my ($config, $frame) = @{$hevc{$how}};
    my $p = publisher("hevc-$how");
    $p->video(0, $config->());
    send_frames($p, $frame, @hevc);
    check_stream("hevc-$how", qr/CODECS="hvc1\.1\.6\./, 50);
    $p->close();
}

# H.264 in Enhanced RTMP, with B-frames in both forms

my $p = publisher('h264-enhanced');

for my $tag (grep { $_->[0] == 9 && $_->[1] < 5000 } @av) {
    my ($type, $ts, $bytes) = @$tag;
    my ($first, $kind) = unpack 'CC', $bytes;

    next if $kind > 1;
    $p->video($ts, $kind ? chr(($first & 0xf0 | 0x80) | 1) . 'avc1'
                           . substr($bytes, 2)
                         : "\x90avc1" . substr($bytes, 5));
    $p->poll(0.002);
}

check_stream('h264-enhanced', qr/CODECS="avc1\./, 50);
$p->close();

# AAC in Enhanced RTMP

$p = publisher('aac-enhanced');

for my $tag (grep { $_->[0] == 8 && $_->[1] < 5000 } @av) {
    my ($type, $ts, $bytes) = @$tag;

    $p->audio($ts, (ord(substr $bytes, 1) ? "\x91" : "\x90") . 'mp4a'
                   . substr($bytes, 2));
    $p->poll(0.001);
}

check_stream('aac-enhanced', qr/CODECS="mp4a\.40\.2"/);
$p->close();

# frames of 960 samples, for which ADTS, and so MPEG-TS, has no header

$p = publisher('aac-960');
$p->audio(0, "\xaf\x00\x11\x94");

my @raw = grep { $_->[0] == 8 && ord(substr $_->[2], 1) } @av;

for my $i (0 .. 200) {
    $p->audio($i * 20, $raw[$i % @raw][2]);
    $p->poll(0.001);
}

eval {
    wait_until(sub {
        $t->http_get('/live/aac-960/a1.m3u8')->{status} == 200;
    }, 10, 'a playlist');
};

is($@, '', 'AAC of 960 samples is in CMAF') or diag $t->log();
is($t->http_get('/live/aac-960/a1.ts.m3u8')->{status}, 404,
   'and not in MPEG-TS');
$p->close();

# MP3, legacy and enhanced: the parameters are in the frames

my $mp3 = fixture('tone.flv', qw/ -f lavfi -i sine=frequency=500 -t 5 -c:a
    libmp3lame -ar 44100 -b:a 64k /);

for my $name (qw/ mp3 mp3-enhanced mp3-pairs /) {
    my @all = grep { $_->[0] == 8 } flv_read($mp3);

    $p = publisher($name);

    while (my $tag = shift @all) {
        my ($type, $ts, $bytes) = @$tag;

        $bytes = "\x91.mp3" . substr $bytes, 1 if $name eq 'mp3-enhanced';

        # several frames in one message, and rubbish behind the last one
        $bytes .= substr(shift(@all)->[2], 1) . 'rubbish'
            if $name eq 'mp3-pairs' && @all;

        $p->audio($ts, $bytes);
        $p->poll(0.001);
    }

    check_stream($name, qr/CODECS="mp4a\.(?:40\.34|6b|69)"/i);
    $p->close();
}

my ($pairs) = grep { $_->{name} eq 'mp3-pairs' }
              @{$t->status()->{apps}[0]{streams}};
is($pairs->{tracks}[0]{silent_frames}, 0, 'pairs of MP3 frames: no holes');
cmp_ok($pairs->{tracks}[0]{frames}, ">=", 150, 'all of them');
cmp_ok($pairs->{ignored}{frames}, '>', 50, 'and rubbish is counted');

# what is not known is ignored and named once, the rest goes on

$p = publisher('mixed');

for my $tag (grep { $_->[1] < 5000 && $_->[0] != 18 } @av) {
    my ($type, $ts, $bytes) = @$tag;

    $p->message(8, $ts, "\x91fLaC" . 'x' x 20) if $type == 8;
    $p->message(9, $ts, $bytes) if $type == 9;
    $p->message(9, $ts, "\x22" . 'x' x 20) if $type == 9;
    $p->message(9, $ts, "\x23" . 'x' x 20) if $type == 9;
    $p->poll(0.001);
}

check_stream('mixed', qr/CODECS="avc1\.[0-9A-Fa-f]+"/, 50);
is($t->log_count(qr/media ignored: a codec .* track:audio 0 codec:"flac"/), 1,
   'a codec that is not supported is named once');
is($t->log_count(qr/media ignored: a codec .* track:video 0 codec:"Sorenson/),
   1, 'and so is one that nobody has any more') or diag $t->log();
is($t->log_count(qr/media ignored: a codec .* track:video 0 codec:"Screen/),
   1, 'and one that comes in turn with it');
$p->close();

$t->done();
