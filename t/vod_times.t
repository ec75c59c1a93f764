#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What ffprobe says of the times of files in HLS, DASH and MPEG-TS: sound and
# pictures are apart by what they are in the source, whatever the encoder's
# reorder delay is, in sets of one file and of several; in clips they are where
# hls.js looks for them.  Times in MPEG-TS are 10 s later than those of fMP4,
# none of them is of the end of a cycle of 33 bits, and text beside it says so.

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw/ max /;

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_vod_segment 1s;
        location / { root %%DIR%%/media; media_vod on; }
        location /map/ {
            root %%DIR%%/media;
            media_vod on;
            media_vod_mapping on;
        }
    }
}
EOC

my @pyramid = ('-x264-params', 'b-adapt=0:b-pyramid=normal:bframes=3');

my %made = (
    'none.mp4' => [],
    'two.mp4' => [bframes => 2],
    'deep.mp4' => [bframes => 3, more => \@pyramid],
    'film.mp4' => [bframes => 3, rate => '30000/1001', more => \@pyramid],
    'negative.mp4' => [bframes => 2,
                       more => [qw/ -movflags negative_cts_offsets /]],
    'pieces.mp4' => [bframes => 2, more =>
        [qw/ -movflags frag_keyframe+empty_moov+default_base_moof /]],
    'sound.m4a' => [video => 0],
    'half.mp4' => [bframes => 3, rate => 4, gop => 8, more => \@pyramid],
    'more.mp4' => [bframes => 3, rate => 3, gop => 6, more => \@pyramid],
);

# too few pictures for what is looked at of the others

my %slow = map { $_ => 1 } qw/ half.mp4 more.mp4 /;
my $tone = 0;

mkdir $t->path($_) for qw{ media media/map };

for my $name (sort keys %made) {
    my $file = $t->path("media/$name");
    my %opt = @{$made{$name}};
    my @more = (@{$opt{more} || []}, '-af', 'volume=0.' . ++$tone);

    spew($file, slurp(vod_made("times_$name", seconds => 4, gop => 25, %opt,
                               more => \@more)));
    utime 1.6e9, 1.6e9, $file;
}

# between key frames: an edit list, and pictures before it

sh('ffmpeg', qw/ -nostdin -v error -y -ss 1.3 -i /, $t->path('media/deep.mp4'),
   qw/ -c copy /, $t->path('media/edit.mp4'));

$t->write_file('media/two.en.vtt', <<'EOV');
WEBVTT

00:00.500 --> 00:02.000
One

00:02.000 --> 00:03.500
Two
EOV

for my $joint (0, 1) {
    $t->write_file("media/map/clips$joint.json", sprintf <<'EOJ',
{ "discontinuity": %s, "durations": [ 4000, 4000 ], "sequences": [
    { "clips": [ { "type": "source", "path": "/%s" },
                 { "type": "source", "path": "/%s" } ] } ] }
EOJ
        $joint ? 'false' : 'true', $joint ? ('two.mp4', 'two.mp4')
                                          : ('none.mp4', 'deep.mp4'));
}

$t->run();

my $at = 'http://127.0.0.1:' . $t->port('HTTP');

for my $name (sort(grep { !$slow{$_} } keys %made), 'edit.mp4') {
    subtest $name => sub { served("/$name", $name) };
}

subtest 'a ladder' => sub {
    served('/,none,two,deep,.mp4.urlset', qw/ none.mp4 two.mp4 deep.mp4 /);
};

subtest 'clips' => sub {
    my $list = vod_hls($t, '/map/clips0.json/v1.m3u8');

    # hls.js goes by composition offsets, without an edit list: the pictures of
    # each segment end where the next one begins

    for my $segment (@{$list->{segments}}) {
        my @samples = @{$segment->{samples}};
        my $end = max(map { $_->{pts} + $_->{duration} } @samples);

        is($end, $samples[-1]{dts} + $samples[-1]{duration},
           "$segment->{uri}: its end");
    }

    unlike(vod_fetch($t, "/map/clips0.json/$_"), qr/elst/, "$_: no edit list")
        for map { $_->{map} } @{$list->{segments}}[0, -1];
    like(vod_hls($t, '/deep.mp4/v1.m3u8')->{init}, qr/elst/,
         'one of a file alone');
};

subtest 'clips of one encoder' => sub {
    my $list = vod_hls($t, '/map/clips1.json/v1.m3u8');

    is(scalar(grep { $_->{discontinuity} } @{$list->{segments}}), 0,
       'without a discontinuity');
};

# up to half a second is in an edit list

subtest 'delays of half a second and more' => sub {
    my %edits = (half => 1, more => 0);

    for my $name (sort keys %edits) {
        my $list = m3u8_parse(vod_fetch($t, "/$name.mp4/v1.m3u8"));
        my $init = vod_fetch($t, "/$name.mp4/$list->{segments}[0]{map}");

        is(scalar mp4_find_all(mp4_boxes($init), 'moov/trak/edts'),
           $edits{$name}, $name);
    }
};

subtest 'stamps of MPEG-TS' => \&stamps;
subtest 'text' => \&text;

$t->done();


# all packets of all sources, in all formats

sub served {
    my ($set, @files) = @_;

    my %source;

    for my $file (@files) {
        for my $stream (@{vod_source($t->path("media/$file"))}) {
            $source{$_->{md5}} = "$file $_->{time}" for @{$stream->{packets}};
        }
    }

    my %hls;

    # libavformat reads one period only

    my @formats = $set =~ /json/ ? 'index.m3u8'
                                 : ('index.m3u8', 'manifest.mpd');

    for my $format (@formats) {
        my %by;

        for my $stream (@{vod_probe("$at$set/$format")}) {
            my ($num, $den) = split m|/|, $stream->{time_base};
            my $n = 0;

            for my $packet (@{$stream->{packets}}) {
                my $pts = $packet->{pts} * $num / $den;

                # silence, too
                push @{$hls{$stream->{codec_type}}}, $pts
                    if $format eq 'index.m3u8' && @files == 1;

                my ($file, $time) = split / /,
                    $source{$packet->{md5} // ''} // next;

                push @{$by{$file}}, $pts - $time;
                $n++;
            }

            # of key frames alone, too
            cmp_ok($n, '>=', $format eq 'index.m3u8' ? 60 : 3,
                   "$format: $stream->{codec_type}: packets");
        }

        for my $file (@files) {
            my @off = sort { $a <=> $b } @{$by{$file} || [0, 1e9]};

            cmp_ok($off[-1] - $off[0], '<', 0.001, "$format: $file: in step");
        }
    }

    transport($set, \%hls) if @files == 1;
}


sub transport {
    my ($set, $hls) = @_;

    for my $stream (@{vod_probe("$at$set/ts.m3u8")}) {
        my $type = $stream->{codec_type};
        my @pts = map { $_->{pts} / 90000 } @{$stream->{packets}};
        my $off = grep { abs($pts[$_] - $hls->{$type}[$_] - 10) > 0.001 }
                  0 .. $#pts;

        is(scalar @pts, scalar @{$hls->{$type}}, "ts.m3u8: $type: packets");

        # it has one time twice where sound is alone, in the first PES packet
        cmp_ok($off, '<=', $set =~ /m4a/ ? 6 : 0,
               "ts.m3u8: $type: 10 s later");
    }
}


# as they stand in the packets

sub stamps {
    for my $name (qw/ two deep edit sound /) {
        my $file = -e $t->path("media/$name.mp4") ? "$name.mp4" : "$name.m4a";
        my $list = $name eq 'sound' ? 'a1.ts.m3u8' : 'v1-a1.ts.m3u8';
        my $bytes = vod_ts($t, "/$file/$list")->{bytes};
        my ($bad, $pes, $last) = (0, 0);

        for my $packet (unpack '(a188)*', $bytes) {
            my ($flags, $more) = unpack 'x1nC', $packet;
            my $at = 4;

            if ($more & 0x20) {
                my ($len, $has, $high, $low) = unpack 'x4CCNn', $packet;
                $at += 1 + $len;

                if ($len && $has & 0x10) {
                    my $pcr = $high * 2 + ($low >> 15);
                    $bad++ if defined $last && $pcr < $last
                              || $pcr > 20 * 90000;
                    $last = $pcr;
                }
            }

            next if !($flags & 0x4000) || substr($packet, $at, 3) ne "\0\0\1";

            my @times = map { my ($a, $b, $c) = unpack 'Cnn', $_;
                              ($a >> 1 & 7) << 30 | ($b >> 1) << 15 | $c >> 1 }
                        unpack '(a5)*', substr $packet, $at + 9,
                               ord substr($packet, $at + 8, 1);

            $pes++;
            $bad++ if $times[0] < 9 * 90000 || $times[0] > 20 * 90000
                      || @times > 1 && $times[1] >= $times[0]
                      || $times[-1] < $last;
        }

        cmp_ok($pes, '>', 20, "$file: PES packets");
        is($bad, 0, "$file: stamps");
    }
}


# WebVTT beside fMP4 and beside MPEG-TS

sub text {
    my $set = '/two,.mp4,.en.vtt,.urlset';
    my %map;

    for my $ts ('', '.ts') {
        my $multi = m3u8_parse(vod_fetch($t, $set . ($ts ? '/ts.m3u8'
                                                         : '/index.m3u8')));
        my ($text) = grep { $_->{TYPE} eq 'SUBTITLES' } @{$multi->{media}};

        is($text->{URI}, "t1$ts.m3u8", "t1$ts.m3u8: is named");

        my @uris = map { $_->{uri} }
            @{m3u8_parse(vod_fetch($t, "$set/t1$ts.m3u8"))->{segments}};

        is(scalar(grep { m{^t1/[0-9a-f]{8}-\d+\Q$ts\E\.vtt$} } @uris), 4,
           "t1$ts.m3u8: its segments");

        $map{$ts} = vod_fetch($t, "$set/$uris[1]");
    }

    is($map{'.ts'} =~ s/MPEGTS:\K(\d+)/$1 - 900000/er, $map{''},
       'the same, 10 s later');
    like($map{''}, qr/^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,.*One/s, 'cues');

    is($t->http_get("$set/$_")->{status}, 404, $_)
        for qw{ v1/00000000-0.ts.vtt t1-a1.ts.m3u8 t2.ts.m3u8 };
}
