#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Audio that does not cover the time of the video is filled with silence: at
# the begin, at the end, and in clips without audio, for each codec that has a
# silent frame.  Such clips of a channel have gaps.  The packets of the source
# are all there, at their times; what is around them has no hole and decodes to
# nothing but zeros; in MPEG-TS each segment has both streams; players play
# from the first picture to the last.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;
use Test::Media::Vod;

players_needed();

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_segment 1s;
        }
        location /map/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_mapping on;
            media_vod_segment 1s;
        }
    }
}
EOC

mkdir $t->path('media');

# a picture of 4 s; a tone from 1.3 to 2.3 s: name, rate, layout, encoder

my @codecs = (
    ['aac.mp4', 48000, 'stereo', 'aac'],
    ['aac_mono.mp4', 44100, 'mono', 'aac'],
    ['aac_51.mp4', 48000, '5.1', 'aac'],
    ['aac_own.mp4', 48000, '6.0', 'aac'],
    ['aac_ms.mkv', 44100, 'stereo', 'aac'],
    ['mp3.mp4', 44100, 'stereo', 'libmp3lame'],
    ['mp3_half.mp4', 22050, 'mono', 'libmp3lame'],
    ['ac3.mp4', 48000, 'stereo', 'ac3'],
    ['ac3_mono.mp4', 44100, 'mono', 'ac3'],
    ['ac3_51.mp4', 32000, '5.1', 'ac3'],
    ['eac3.mp4', 48000, 'stereo', 'eac3'],
    ['eac3_51.mp4', 44100, '5.1', 'eac3'],
    ['opus.mp4', 48000, 'stereo', 'libopus'],
    ['opus_51.mp4', 48000, '5.1', 'libopus', '-mapping_family', 1],
    ['flac.mp4', 48000, 'stereo', 'flac', '-strict', -2],
    ['flac_51.mp4', 44100, '5.1', 'flac', '-strict', -2],
);

my %file;

put($_->[0], $file{$_->[0]} = film(@$_)) for @codecs;

# of this object type, scalable sampling rate, no silence is known

my $loud = 'aac_ssr.mp4';
my $bytes = slurp($file{'aac.mp4'});

$bytes =~ s/(esds.{4,30}\x05\x80\x80\x80.)\x11\x90/$1\x19\x90/s
    or die "no LC to be taken for SSR\n";

put($loud, $t->write_file($loud, $bytes));

my %part = (
    with => vod_made('silence_with.mp4', seconds => 2, size => '96x54'),
    without => vod_made('silence_without.mp4', seconds => 2.2, audio => 0,
                        size => '96x54'),
    short => vod_made('silence_short.mp4', seconds => 2.04, size => '96x54',
                      gop => 50, more => [qw/ -af atrim=0:1.95 /]),
);

$part{low} = vod_made('silence_low.mp4', seconds => 2, size => '96x54',
                      sample_rate => 44100);

put("$_.mp4", $part{$_}) for keys %part;

map_put('first', [qw/ without with /]);
map_put('second', [qw/ with without /]);
map_put('middle', [qw/ with without with /]);
map_put('joined', [qw/ with without with /],
        discontinuity => JSON::PP::false);
map_put('short', [qw/ short short /]);
map_put('none', [qw/ without without /]);
map_put('noted', [qw/ without low with /], segmentDuration => 'two');

# video begins with a key frame from before the clip
map_put("after_$_->[0]", ['with', { path => "/$_->[1].mp4", clipFrom => 500 }],
        discontinuity => JSON::PP::false) for [qw/ all without /],
                                              [qw/ head aac /];

# a channel, and the same one when its first clip is over

my $begin = int(now() * 1000) - 20_000;

channel_put('channel', [qw/ low without with /], firstClipTime => $begin,
            initialSegmentIndex => 0);
channel_put('later', [qw/ without with /], firstClipTime => $begin + 2000,
            initialSegmentIndex => 2);

$t->run();

for my $codec (@codecs) {
    subtest $codec->[0] => sub { filled(@$codec) };
}

subtest 'no silence is known' => sub {
    my $before = length $t->log();
    my $list = list("vod/$loud/a1.m3u8");

    is_deeply([map { $_->{gap} ? 1 : 0 } @{$list->{segments}}], [1, 0, 0],
              'a gap, and it ends sooner');
    is(list("vod/$loud/v1.m3u8")->{version}, 6, 'no gap, version 6');
    is($list->{version}, 8, 'a gap, version 8');
    like(substr($t->log(), $before),
         qr/a1 in clip 1 has nothing for \d+ ms, and no silence is known/,
         'the log says so');
};

subtest 'clips without audio' => sub {
    my %clips = (first => [0, 1], second => [1, 0], middle => [1, 0, 1],
                 joined => [1, 0, 1]);

    for my $name (sort keys %clips) {
        my @clips = @{$clips{$name}};
        my $before = length $t->log();

        my $index = list("map/$name.json/index.m3u8");
        is(scalar @{$index->{media}}, 1, "$name: audio");

        my $video = list("map/$name.json/v1.m3u8");
        my $audio = vod_hls($t, "/map/$name.json/a1.m3u8");

        is(scalar @{$audio->{segments}}, scalar @{$video->{segments}},
           "$name: as many segments");
        ok(!(grep { $_->{gap} } @{$audio->{segments}}), "$name: no gap");
        is($audio->{version}, $video->{version}, "$name: version");

        my $silent = grep { length $_->{map} } grep { !$_->{discontinuity} }
                     @{$audio->{segments}};
        ok($silent, "$name: init segments");

        is(scalar(keys %{{ map { $_->{map} => 1 } @{$audio->{segments}} }}), 1,
           "$name: one init segment");

        my ($said) = substr($t->log(), $before) =~ /(a1 has nothing in [^,]*)/;
        my ($n) = grep { !$clips[$_] } 0 .. $#clips;

        is($said, sprintf('a1 has nothing in clip %d: silence', $n + 1),
           "$name: the log says so");

        # the frames of the clips that have it, and silence
        my @real = packets($part{with});
        my @samples = map { $_->{md5} } @{$audio->{samples}};
        my $real = join ' ', @real;
        my $count = () = "@samples" =~ /$real/g;

        is($count, scalar(grep { $_ } @clips), "$name: the frames of clips");

        my $quiet = @samples - $count * @real;
        my $frames = int(2.2 * 48000 / 1024);

        ok($quiet >= $frames && $quiet <= $frames + 4,
           "$name: $quiet frames of silence");

        both("map/$name.json", "$name");

        my $mpd = vod_fetch($t, "/map/$name.json/manifest.mpd");

        is(scalar(() = $mpd =~ /contentType="audio"/g),
           $name eq 'joined' ? 1 : scalar @clips,
           "$name: audio in all periods");
    }

    is(scalar @{list('map/none.json/index.m3u8')->{media}}, 0,
       'none has audio: nor has the set');

    list('map/noted.json/index.m3u8');

    like($t->log(), qr/clip 1: silence; 1 ignored, the first: \S*segmentD/,
         'what a mapping has to say is said, too');
};

# beside a key frame from before a clip that goes on as the one before there is
# the end of that one

subtest 'without a discontinuity' => sub {
    for my $name (qw/ after_all after_head /) {
        my @samples = @{vod_hls($t, "/map/$name.json/a1.m3u8")->{samples}};
        my @steps = map { $samples[$_]{dts} - $samples[$_ - 1]{dts} }
                    1 .. $#samples;

        is(join(' ', grep { $_ <= 0 || $_ > 2048 } @steps), '',
           "$name: one frame after the other");
    }
};

# Clips of a channel come and go: whether another one is there makes no
# difference to what is under a name, so none lends its parameters

subtest 'a clip of a channel without audio' => sub {
    for my $track (qw/ v1 a1 /) {
        my ($before, $after) = map { list("map/$_.json/$track.m3u8") }
                               qw/ channel later /;
        my @segments = @{$before->{segments}};

        is(join(' ', map { $_->{gap} ? 'gap' : 'media' } @segments),
           join(' ', ('media') x 2, ($track eq 'a1' ? 'gap' : 'media') x 2,
                ('media') x 2), "$track: segments");
        is(join(' ', map { $_->{uri} } @{$after->{segments}}),
           join(' ', map { $_->{uri} } @segments[2 .. 5]),
           "$track: names");

        for my $s (@segments[2 .. 5]) {
            my ($one, $other) = map { $t->http_get("/map/$_.json/$s->{uri}") }
                                qw/ channel later /;

            is($one->{status}, $s->{gap} ? 404 : 200, "$s->{uri}");
            ok("$one->{status} $one->{body}"
               eq "$other->{status} $other->{body}", 'the same');
        }
    }

    like($t->log(), qr/a1 in clip 2 has nothing for 2\d+ ms, and clips of a/,
         'the log says so');
    vod_fetch($t, "/map/channel.json/$_")
        for qw/ manifest.mpd index.m3u8 ts.m3u8 v1-a1.ts.m3u8 /;
};

subtest 'a last segment that is shorter than a frame' => sub {
    my $video = list('map/short.json/v1.m3u8');
    my $audio = vod_hls($t, '/map/short.json/a1.m3u8');

    is(scalar @{$audio->{segments}}, scalar @{$video->{segments}},
       'as many segments');
    ok(!(grep { $_->{gap} || !@{$_->{samples}} } @{$audio->{segments}}),
       'each has audio');
    both('map/short.json', 'short');
};

subtest 'the same bytes each time' => sub {
    my $list = list('vod/ac3_51.mp4/a1.m3u8');

    for my $s (@{$list->{segments}}) {
        my $path = "/vod/ac3_51.mp4/$s->{uri}";
        my $whole = $t->http_get($path);
        my $n = length $whole->{body};
        my $part = $t->http_get($path, range => sprintf '%d-%d', $n / 3,
                                $n / 2);

        is($part->{status}, 206, 'a range');
        is($part->{body},
           substr($whole->{body}, int($n / 3), int($n / 2) - int($n / 3) + 1),
           'bytes of it');
        is($t->http_get($path)->{headers}{etag}, $whole->{headers}{etag},
           'validator');
    }
};

subtest 'players' => sub { players() };

$t->done();


sub film {
    my ($name, $rate, $layout, $encoder, @more) = @_;

    $name =~ s/\./_late./;

    return fixture("silence_$name",
        '-f', 'lavfi', '-i', 'testsrc2=s=96x54:r=25:d=4', '-itsoffset', 1.3,
        '-f', 'lavfi', '-i',
        "sine=440:r=$rate:d=1,aformat=channel_layouts=$layout",
        '-c:v', 'libx264', '-preset', 'ultrafast', '-g', 25, '-bf', 0,
        '-pix_fmt', 'yuv420p', '-threads', 1, '-c:a', $encoder, @more);
}


sub put {
    my ($name, $file) = @_;

    my $copy = $t->write_file("media/$name", slurp($file));

    utime 1.6e9, 1.6e9, $copy;
}


sub map_put {
    my ($name, $clips, %more) = @_;

    my $file = $t->write_file("media/$name.json", JSON::PP->new->encode({
        %more, sequences => [{ clips => [
            map { +{ type => 'source', ref $_ ? %$_
                                              : (path => "/$_.mp4") } }
            @$clips ] }] }));

    utime 1.6e9, 1.6e9, $file;
}


# of clips of 2 s

sub channel_put {
    my ($name, $clips, %more) = @_;

    map_put($name, $clips, playlistType => 'live',
            durations => [map { 2000 } @$clips], %more);
}


sub list {
    my ($path) = @_;

    return m3u8_parse(vod_fetch($t, "/$path"));
}


# of audio, without what an edit list leaves out

sub packets {
    my ($file) = @_;

    my ($audio) = grep { $_->{codec_type} eq 'audio' } @{vod_source($file)};

    return map { $_->{md5} } grep { $_->{time} > -0.0001 }
           @{$audio->{packets}};
}


sub filled {
    my ($name, $rate, $layout, $encoder) = @_;

    my $video = vod_hls($t, "/vod/$name/v1.m3u8");
    my $audio = vod_hls($t, "/vod/$name/a1.m3u8");
    my @samples = @{$audio->{samples}};
    my $scale = $audio->{timescale};

    is(scalar @{$audio->{segments}}, 4, 'all segments');
    ok(!(grep { $_->{gap} } @{$audio->{segments}}), 'no gap');

    # no hole

    my @holes = grep { $samples[$_ - 1]{dts} + $samples[$_ - 1]{duration}
                       != $samples[$_]{dts} } 1 .. $#samples;

    is(scalar @holes, 0, 'no hole') or diag("@holes");

    # from the first picture to the last, less than a frame is missing

    my $frame = 0;
    $frame = $_->{duration} > $frame ? $_->{duration} : $frame for @samples;

    my $first = $video->{samples}[0]{pts} / $video->{timescale};
    my $begin = $samples[0]{pts} / $scale - $first;
    my $end = ($samples[-1]{pts} + $samples[-1]{duration}) / $scale - $first;

    ok($begin >= 0 && $begin <= $frame / $scale + 0.001, 'its begin')
        or diag($begin);
    ok($end <= 4.001 && $end >= 3.999 - $frame / $scale, 'its end')
        or diag($end);

    # the source, where it was

    my ($picture) = grep { $_->{codec_type} eq 'video' }
                    @{vod_source($file{$name})};
    my ($source) = grep { $_->{codec_type} eq 'audio' }
                   @{vod_source($file{$name})};
    my @packets = grep { $_->{time} >= $picture->{packets}[0]{time} - 0.0001 }
                  @{$source->{packets}};
    my ($at) = grep { $samples[$_]{md5} eq $packets[0]{md5} } 0 .. $#samples;

    ok(defined $at && $at > 10, "$at frames of silence before it");
    is_deeply([map { $_->{md5} } @samples[$at .. $at + $#packets]],
              [map { $_->{md5} } @packets], scalar(@packets) . ' packets');
    ok(@samples > $at + @packets + 10, 'and frames after it');

    my $moved = $samples[$at]{pts} / $scale - $first
                - ($packets[0]{time} - $picture->{packets}[0]{time});

    ok(abs($moved) < 0.0021, 'at their time') or diag($moved);

    # DASH says the same

    my $mpd = vod_mpd(vod_fetch($t, "/vod/$name/manifest.mpd"));

    is_deeply([map { $_->{duration} } @{$mpd->{a1}{segments}}],
              [map { my $n = 0; $n += $_->{duration} for @{$_->{samples}}; $n }
               @{$audio->{segments}}], 'SegmentTimeline');

    silent($audio->{bytes}, 'mp4', $rate);

    both("vod/$name", $name, $rate) if $encoder !~ /opus|flac/;
}


# zeros, a tone, zeros, and nothing that a decoder complains of

sub silent {
    my ($bytes, $ext, $rate) = @_;

    my $file = $t->write_file("decode.$ext", $bytes);
    my $pcm = $t->path('pcm');

    my ($status, $said) = sh(
        qw/ ffmpeg -nostdin -v warning -y -err_detect crccheck -i /, $file,
        qw/ -map 0:a:0 -c:a pcm_s16le -ac 1 -f s16le /, $pcm);

    # of a layout of its own, whose name it does not know

    $said =~ s/^Guessed Channel Layout.*\n//mg;

    ok(!$status, "$ext: decodes");
    is($said, '', "$ext: without a word");

    my @pcm = unpack 's<*', slurp($pcm);

    ok(!(grep { $_ } @pcm[0 .. 1.1 * $rate]), "$ext: silence");
    ok(!(grep { $_ } @pcm[2.7 * $rate .. $#pcm]), "$ext: silence again");
    ok(scalar(grep { abs $_ > 500 } @pcm[1.4 * $rate .. 2.2 * $rate])
       > $rate / 10, "$ext: the tone");
}


# each segment of MPEG-TS has video and audio

sub both {
    my ($path, $name, $rate) = @_;

    my $index = list("$path/ts.m3u8");
    my $list = vod_ts($t, "/$path/$index->{variants}[0]{uri}");
    my $at = 0;
    my @without;

    for my $s (@{$list->{segments}}) {
        my $bytes = substr $list->{bytes}, $at, $s->{bytes};
        my %pids;

        for (my $i = 0; $i < length $bytes; $i += 188) {
            my ($head) = unpack 'n', substr $bytes, $i + 1, 2;
            $pids{$head & 0x1fff}++ if $head & 0x4000;
        }

        # PAT, PMT, video, audio
        push @without, $s->{uri} if keys %pids < 4;

        $at += $s->{bytes};
    }

    is("@without", '', "$name: TS, both in all segments");

    silent($list->{bytes}, 'ts', $rate) if $rate;
}


sub players {
    my $at = 'http://127.0.0.1:' . $t->port('HTTP');

    for my $path ('vod/aac.mp4', 'map/first.json') {
        my @jobs = map { [$_->[0], "$at/$path/$_->[1]"] }
            ['hls', 'index.m3u8'], ['hls', 'ts.m3u8'],
            ['dash', 'manifest.mpd'], ['shaka', 'index.m3u8'],
            ['shaka', 'ts.m3u8'], ['shaka', 'manifest.mpd'];

        my @results = players_play($t, 15, \@jobs,
                                   again => sub { !$_[0]{ended} });

        for my $r (@results) {
            my $who = "$path, $r->{player} " . ($r->{url} =~ m|/([^/]+)$|)[0];

            # less than a frame is missing at the begin, which hls.js tells;
            # what stalled for want of a processor is not looked for
            my @errors = grep {
                !/^mediaError buffer(?:Stalled|SeekOverHole|NudgeOnStall)/
            } @{$r->{errors}};

            is(join(', ', @errors), '', "$who: no error");
            is(join(', ', @{$r->{bad}}), '', "$who: no request failed");
            ok($r->{ended}, "$who: to the end");
            cmp_ok($r->{played}, '>', 3.5, "$who: from the begin");
            cmp_ok($r->{frames}, '>=', 95, "$who: all pictures");
            cmp_ok($r->{audio}, '>', 0, "$who: sound");
        }
    }
}
