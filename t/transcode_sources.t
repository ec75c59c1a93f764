#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Sources that are not what a ladder makes: interlaced, of 10 bits, 4:2:2, held
# upright, HDR, damaged.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;
use Test::Media::RTMP qw/ flv_read /;

my $t = ladder_nginx(
    ladder => 'video 120p 100k preset=ultrafast; latency 1900ms;
               audio aac 64k; video 90p 50k preset=ultrafast;', threads => 4,
    main => 'media_ladder fields { video 120p 100k preset=ultrafast;
                                   video 90p 50k preset=ultrafast;
                                   latency 1900ms; deinterlace auto; }',
    app => 'segment 4s; part 500ms; transcode fields threads=encode for=^i;',
    stopped => 1);

my ($ok, $said) = $t->conf_test();

plan(skip_all => 'no libavfilter') if !$ok && $said =~ /cannot have "deint/;

$t->run();

# of 6 s, with a key frame each second

sub source {
    my ($name, $size, @out) = @_;

    return flv_read(fixture("live-$name.flv", '-f', 'lavfi', '-i',
        "testsrc2=size=$size:rate=25", qw/ -t 6 -c:v libx264 -preset ultrafast
        -threads 1 -sc_threshold 0 -g 25 -keyint_min 25 -bf 0 -b:v 250k /,
        @out));
}

my %tags = (
    i => [source('field', '320x180', qw/ -pix_fmt yuv420p -x264-params
                                         interlaced=1:tff=1 /)],
    upright => [source('upright', '180x320', qw/ -pix_fmt yuv420p /)],
    deep => [source('deep', '320x180', qw/ -pix_fmt yuv420p10le /)],
    wide => [source('422', '320x180', qw/ -pix_fmt yuv422p /)],
    pq => [source('pq', '320x180', qw/ -pix_fmt yuv420p10le -color_trc
                                       smpte2084 -color_primaries bt2020
                                       -colorspace bt2020nc /)],
    anamorphic => [source('sar', '240x180', qw/ -pix_fmt yuv420p
                                                -vf setsar=4\/3 /)],
);

# the same, and it says nothing of fields in its ladder

$tags{fields} = $tags{i};

# bits that are wrong in each fifth picture, but not in key frames

my $n = 0;

$tags{broken} = [map {
    my ($type, $ts, $bytes) = @$_;

    if ($type == 9 && $bytes =~ /^\x27\x01/ && $n++ % 5 == 0) {
        substr($bytes, 30, 40) = chr(0xa5) x 40 if length $bytes > 90;
    }

    [$type, $ts, $bytes]
} live_tags('plain')];

# and in each second frame of audio, behind its header

$tags{noise} = [map {
    my ($type, $ts, $bytes) = @$_;

    substr($bytes, 5) = chr(0xa5) x (length($bytes) - 5)
        if $type == 8 && length $bytes > 90 && $n++ % 2;

    [$type, $ts, $bytes]
} flv_read(fixture('live-noise.flv',
    qw/ -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i
        anoisesrc=amplitude=0.1:seed=4:sample_rate=44100 -t 6 -c:v libx264
        -preset ultrafast -threads 1 -pix_fmt yuv420p -sc_threshold 0 -g 25
        -bf 0 -b:v 250k -c:a libmp3lame -b:a 96k -ac 2 /))];

my @names = $ENV{ONLY} ? split / /, $ENV{ONLY} : sort keys %tags;
my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map { [$p{$_}, $tags{$_}, speed => 1, to => 6000] } @names);

wait_ok(sub {
    return live_stream($t, 'noise')->{transcode}{audio_errors} > 20;
}, 5, 'noise: frames of which no audio is made are counted') if $p{noise};

$_->close() for values %p;

my %rungs = (pq => 0, fields => 0);
my %size = (upright => '120x214 90x160', anamorphic => '214x120 160x90');

for my $name (grep { $_ ne 'noise' } @names) {
    if (exists $rungs{$name}) {
        wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5,
                   'it ends');
        is(join(' ', sort keys %{live_stream($t, $name)->{track}}), 'v1',
           "$name: no rungs");
        next;
    }

    ladder_done($t, $name, qw/ v1 v2 v3 /);

    my $table = ladder_table($t, $name, qw/ v1 v2 v3 /);

    # of what is damaged, a picture may be none

    if ($name ne 'broken') {
        ladder_aligned($table, $name, least => 2);
    }

    my $index = m3u8_parse($t->http_get("/live/$name/index.m3u8")->{body});

    is(join(' ', map { $_->{attr}{RESOLUTION} } @{$index->{variants}}[1, 2]),
       $size{$name} || '214x120 160x90', "$name: sizes");
    is(join(' ', map { $_->{attr}{CODECS} =~ /^avc1\.(42c0|4d|64)/ ? 8 : 0 }
            @{$index->{variants}}[1, 2]), '8 8', "$name: of 8 bits");

    for my $track (qw/ v2 v3 /) {
        my $file = $t->path("$name-$track.mp4");

        $t->hls_save("/live/$name/$track.m3u8", $file);
        is((decode_clean($file))[1], '', "$name: $track decodes");
    }
}

is($t->log_count(qr/live\/pq: ladder "web" has no "\d+p": the source is PQ/), 2,
   'pq: said');
is($t->log_count(qr/live\/fields: .* no rungs: it .*no "deinterlace"/), 1,
   'fields: said');

$t->done();
