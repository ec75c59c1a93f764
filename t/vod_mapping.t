#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Mappings: clips one after the other, renditions, languages, parts of files,
# channels that are played for ever, events; HLS, MPEG-TS and DASH.  Samples
# are those of the files, none is missing and none is there twice, times go on
# without a gap inside of a clip and from clip to clip, and all of it decodes.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use List::Util qw/ sum /;

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /map/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_mapping on;
            media_vod_segment 4s;
            media_vod_valid 1s;
        }
    }
}
EOC

my $now = int(now() * 1000);

# two films, each in two sizes, and another sound

my %clip = (
    a => vod_made('map_a.mp4', seconds => 10, size => '192x108'),
    a_small => vod_made('map_a_small.mp4', seconds => 10),
    b => vod_made('map_b.mp4', seconds => 8, size => '192x144', rate => 30,
                  gop => 30, bframes => 2, sample_rate => 44100),
    b_small => vod_made('map_b_small.mp4', seconds => 8, rate => 30,
                        gop => 30, bframes => 2, sample_rate => 44100),
    tone => vod_made('map_tone.mp4', seconds => 10, video => 0),
);

my %source;

mkdir $t->path('media');
put("$_.mp4", slurp($clip{$_})) for keys %clip;

my @two = (durations => [10000, 8000]);

map_put('two', { @two, sequences => [sequence(qw/ a b /)] });
map_put('joined', { durations => [10000, 10000],
                    discontinuity => JSON::PP::false,
                    sequences => [sequence(qw/ a a /)] });
map_put('ladder', { @two, sequences => [sequence(qw/ a b /),
                                        sequence(qw/ a_small b_small /)] });
map_put('languages', { sequences => [
    { %{sequence('a')}, language => 'en', label => 'English' },
    { %{sequence('tone')}, language => 'de', label => 'Deutsch',
      default => JSON::PP::true },
] });
map_put('part', { sequences => [ { clips => [
    { type => 'source', path => '/a.mp4', clipFrom => 3500, clipTo => 8200 },
] } ] });
map_put('channel', { @two, playlistType => 'live', repeat => JSON::PP::true,
                     firstClipTime => $now - 86_400_000,
                     sequences => [sequence(qw/ a b /)] });
map_put('window', { @two, playlistType => 'live', repeat => JSON::PP::true,
                    firstClipTime => $now - 1_000_000,
                    liveWindowDuration => 60000,
                    sequences => [sequence(qw/ a b /)] });
map_put('over', { @two, playlistType => 'event',
                  firstClipTime => $now - 100_000,
                  presentationEndTime => $now - 80_000,
                  sequences => [sequence(qw/ a b /)] });
map_put('expired', { @two, playlistType => 'live',
                     firstClipTime => $now - 100_000,
                     expirationTime => $now - 80_000,
                     sequences => [sequence(qw/ a b /)] });

$t->run();

subtest 'two clips' => sub {
    film('two', ['a', 'b']);

    my ($v) = variants('two');

    is($v->{attr}{RESOLUTION}, '192x144', 'the larger size');
    is($v->{attr}{'FRAME-RATE'}, '30.000', 'the higher rate');
    is(scalar(() = $v->{attr}{CODECS} =~ /avc1/g), 2, 'codecs of both');
};

subtest 'a ladder of two clips' => sub {
    film('ladder', ['a', 'b'], ['a_small', 'b_small']);

    my @v = variants('ladder');

    is(scalar @v, 2, 'two variants');
    is($v[0]{attr}{AUDIO}, $v[1]{attr}{AUDIO}, 'with the same audio');
};

subtest 'clips without a discontinuity' => sub {
    for my $track (qw/ v1 a1 /) {
        my $list = vod_hls($t, "/map/joined.json/$track.m3u8");

        ok(!(grep { $_->{discontinuity} } @{$list->{segments}}), $track);
        same($list->{samples}, $track, ['a', 'a']);
    }

    my $list = vod_hls($t, '/map/joined.json/v1.m3u8');
    my ($ok, $said, $frames) = decoded($list->{bytes}, 'mp4');

    ok($ok, 'decodes') or diag($said);
    is($frames, 500, 'all frames');
};

subtest 'languages' => sub {
    my $index = index_of('languages');
    my @media = @{$index->{media}};

    is_deeply([map { "$_->{LANGUAGE} $_->{NAME} " . ($_->{DEFAULT} || '') }
               @media], ['en English ', 'de Deutsch YES'], 'two');

    same(vod_hls($t, "/map/languages.json/$_->[0].m3u8")->{samples}, $_->[0],
         [$_->[1]]) for (['v1', 'a'], ['a1', 'a'], ['a2', 'tone']);

    my $mpd = mpd('languages');

    like($mpd, qr/lang="$_"/, "DASH, $_") for qw/ en de /;
    vod_fetch($t, '/map/languages.json/v1-a2.ts.m3u8');
};

subtest 'a part of a file' => sub {

    # the key frame before it is at 3 s

    my $list = vod_hls($t, '/map/part.json/v1.m3u8');
    my @source = packets('a', 'video');

    is_deeply([map { $_->{md5} } @{$list->{samples}}],
              [map { $_->{md5} } @source[75 .. 204]], 'frames');

    # audio is silent up to where the part begins

    my $audio = vod_hls($t, '/map/part.json/a1.m3u8');
    my %real = map { $_->{md5} => 1 } packets('a', 'audio');
    my @real = grep { $real{$_->{md5}} } @{$audio->{samples}};
    my $n = @real;

    ok(abs($n * 1024 / 48000 - 4.7) < 2 * 1024 / 48000, "$n frames of audio");

    # both count from the same instant

    my $v = $list->{samples}[0]{pts} / $list->{timescale};
    my $a = $real[0]{pts} / $audio->{timescale};

    ok(abs($a - $v - 0.5) < 0.03, 'audio begins half a second later')
        or diag("$v, $a");

    $a = $audio->{samples}[0]{pts} / $audio->{timescale};

    ok(abs($a - $v) < 0.03, 'silence with the picture') or diag("$v, $a");

    my ($ok, $said, $frames) = decoded($list->{bytes}, 'mp4');

    ok($ok, 'decodes') or diag($said);
    is($frames, 130, 'all frames');

    like(mpd('part'), qr/mediaPresentationDuration="PT4\.7\d*S"/,
         'DASH cuts it off');
};

for my $name (qw/ channel window /) {
    subtest $name => sub { channel($name) };
}

subtest 'event' => sub {
    map_put('event', { @two, playlistType => 'event',
                       firstClipTime => int(now() * 1000) - 11000,
                       sequences => [sequence(qw/ a b /)] });

    my $list = list_of('event', 'v1');

    is($list->{type}, 'EVENT', 'type');
    ok(!$list->{endlist}, 'goes on');
    is(@{$list->{segments}}, 3, 'the first clip');

    my $later;

    wait_until(sub {
        $later = list_of('event', 'v1');
        @{$later->{segments}} > @{$list->{segments}};
    }, 15, 'another segment');

    is_deeply([map { $_->{uri} }
               @{$later->{segments}}[0 .. $#{$list->{segments}}]],
              [map { $_->{uri} } @{$list->{segments}}],
              'is added to those before');

    like(mpd('event'), qr/type="dynamic"/, 'DASH');

    my $over = list_of('over', 'v1');

    ok($over->{endlist}, 'one that is over');
    is(scalar @{$over->{segments}}, 5, 'with all segments');
    mpd('over');

    is($t->http_get("/map/expired.json/$_")->{status}, 404, "$_ has expired")
        for qw/ index.m3u8 v1.m3u8 manifest.mpd /;
};

subtest 'what is wrong' => sub {
    my %ok = (sequences => [sequence('a')]);

    my @wrong = (
        ['no JSON', 'a film', 500, qr/mapping: .* offset:0/],
        ['nothing', '', 500, qr/mapping: /],
        ['cut off', '{"sequences": [', 500, qr/offset:15/],
        ['other JSON', '[]', 500, qr/object expected, offset:0/],
        ['no sequences', '{}', 500, qr/sequences/],
        ['no clips', { sequences => [{}] }, 500, qr/clips/],
        ['no path', { sequences => [{ clips => [{ type => 'source' }] }] },
         500, qr/clips\[0\].*path is missing/],
        ['no file', { sequences => [sequence('missing')] }, 404,
         qr/missing\.mp4/],
        ['above the root', { sequences => [{ clips => [
            { type => 'source', path => '/../../media/a.mp4' }] }] }, 500,
         qr/path: .*offset:\d/],
        ['a zero', { sequences => [{ clips => [
            { type => 'source', path => "/a\0.mp4" }] }] }, 500, qr/path: /],
        ['other clips', { sequences => [{ clips => [
            { type => 'concat', path => '/a.mp4' }] }] }, 500,
         qr/"concat" is not supported/],
        ['from is after to', { sequences => [{ clips => [
            { type => 'source', path => '/a.mp4', clipFrom => 5000,
              clipTo => 4000 }] }] }, 500, qr/clipTo is not after/],
        ['numbers of clips', { @two, sequences => [
            sequence(qw/ a b /), sequence('a')] }, 500, qr/sequences/],
        ['durations', { durations => [10000], sequences => [
            sequence(qw/ a b /)] }, 500, qr/durations/],
        ['type', { %ok, playlistType => 'film' }, 500, qr/playlistType: /],
        ['twice', '{"sequences": 1, "sequences": 2}', 500, qr/sequences/],
    );

    for my $i (0 .. $#wrong) {
        my ($what, $map, $status, $said) = @{$wrong[$i]};

        ref $map ? map_put("wrong$i", $map) : put("wrong$i.json", $map);

        my $before = length $t->log();

        is($t->http_get("/map/wrong$i.json/index.m3u8")->{status}, $status,
           $what);
        like(substr($t->log(), $before), $said, "$what, log");
    }

    is($t->http_get('/map/none.json/index.m3u8')->{status}, 404, 'no mapping');
    is($t->http_get('/map/../nginx.conf/index.m3u8')->{status}, 404,
       'outside');
    is($t->http_get('/map/two.json/v1/00000000-0.m4s')->{status}, 404,
       'name of another one');
};

$t->done();


# files, not of just now

sub put {
    my ($name, $bytes) = @_;

    my $file = $t->write_file("media/$name", $bytes);

    utime 1.6e9, 1.6e9, $file;
}


sub map_put {
    my ($name, $map) = @_;

    put("$name.json", JSON::PP->new->canonical->encode($map));
}


sub sequence {
    return { clips => [map { +{ type => 'source', path => "/$_.mp4" } } @_] };
}


sub packets {
    my ($name, $type) = @_;

    $source{$name} ||= vod_probe($clip{$name});

    my ($stream) = grep { $_->{codec_type} eq $type } @{$source{$name}};

    # what an edit list leaves out of audio is not sent

    return grep { $type eq 'video' || $_->{pts} >= 0 } @{$stream->{packets}};
}


sub list_of {
    my ($name, $track) = @_;

    return m3u8_parse(vod_fetch($t, "/map/$name.json/$track.m3u8"));
}


sub index_of { return list_of($_[0], 'index') }
sub variants { return @{index_of($_[0])->{variants}} }


sub mpd {
    my ($name) = @_;

    my $text = vod_fetch($t, "/map/$name.json/manifest.mpd");

    my $file = $t->write_file('test.mpd', $text);
    my ($status, $out) = sh('xmllint', '--noout', '--schema',
                            "$FindBin::Bin/schema/mpd.xsd", $file);

    ok(!$status, "$name: the MPD is valid") or diag($out);

    return $text;
}


sub decoded {
    my ($bytes, $ext) = @_;

    return decode_clean($t->write_file("decode.$ext", $bytes));
}


# samples of a track are those of its clips, and go on without a gap

sub same {
    my ($samples, $track, $clips) = @_;

    my $type = $track =~ /^v/ ? 'video' : 'audio';
    my $gaps = 0;

    is_deeply([map { $_->{md5} } @$samples],
              [map { $_->{md5} } map { packets($_, $type) } @$clips],
              "$track: samples are those of @$clips");

    for my $i (1 .. $#$samples) {
        my ($p, $s) = @$samples[$i - 1, $i];
        my $end = ($p->{dts} + $p->{duration}) / $p->{timescale};

        # a clip ends with a whole frame of audio, or begins with one
        $gaps++ if abs($end - $s->{dts} / $s->{timescale})
                   > ($p->{segment} == $s->{segment} ? 1e-6 : 0.05);
    }

    is($gaps, 0, "$track: without gaps");
}


# one sequence of clips or several, from end to end

sub film {
    my ($name, @sequences) = @_;

    my (%lists, $n);

    for my $track ((map { "v$_" } 1 .. @sequences), 'a1') {
        my $clips = $sequences[$track =~ /^v(\d+)/ ? $1 - 1 : 0];
        my $list = vod_hls($t, "/map/$name.json/$track.m3u8");

        $lists{$track} = $list;
        $n = @{$list->{segments}};

        is(join(' ', grep { $list->{segments}[$_]{discontinuity} }
                     0 .. $n - 1), 3, "$track: one discontinuity");
        ok(abs(sum(map { $_->{duration} } @{$list->{segments}}) - 18) < 0.06,
           "$track: duration");
        ok($list->{endlist}, "$track: ends");
        same($list->{samples}, $track, $clips);

        # each clip by itself

        for my $i (0, 1) {
            my @segments = @{$list->{segments}}[$i ? (3 .. $n - 1) : (0 .. 2)];
            my $bytes = join '', map { vod_fetch($t, "/map/$name.json/$_") }
                $segments[0]{map}, map { $_->{uri} } @segments;
            my ($ok, $said, $frames) = decoded($bytes, 'mp4');

            ok($ok, "$track: $clips->[$i] decodes") or diag($said);
            is($frames, $i ? 240 : 250, "$track: frames") if $track ne 'a1';
        }
    }

    for my $i (1 .. @sequences) {
        my $list = vod_ts($t, "/map/$name.json/v$i-a1.ts.m3u8");
        my @at = (0, 0);

        is(scalar @{$list->{segments}}, $n, "v$i-a1: segments");

        my ($variant) = grep { $_->{uri} eq "v$i-a1.ts.m3u8" }
            @{list_of($name, 'ts')->{variants}};
        my ($peak, $average) = @{$variant->{attr}}{qw/ BANDWIDTH
                                                       AVERAGE-BANDWIDTH /};

        for my $s (0 .. $n - 1) {
            my $segment = $list->{segments}[$s];
            my $rate = $segment->{bytes} * 8 / $segment->{duration};

            $at[1] += $segment->{bytes};
            $at[0] = $at[1] if $s == 2;

            ok($rate <= $peak, "v$i-a1: segment $s, $rate of $peak bit/s")
                if $segment->{duration} * 2 >= $list->{target};
        }

        ok($average >= $at[1] * 8 / 18 && $average < $at[1] * 8 / 18 * 1.03,
           "v$i-a1: average, $average of " . $at[1] * 8 / 18);

        for my $part (0, 1) {
            my $bytes = $part ? substr($list->{bytes}, $at[0])
                              : substr($list->{bytes}, 0, $at[0]);
            my ($ok, $said, $frames) = decoded($bytes, 'ts');

            ok($ok, "v$i-a1: clip $part decodes") or diag($said);
            is($frames, $part ? 240 : 250, "v$i-a1: frames");
        }
    }

    periods($name, \%lists);
}


# DASH names what HLS does

sub periods {
    my ($name, $lists) = @_;

    my $text = mpd($name);

    is(() = $text =~ /<Period\b/g, 2, 'two periods');
    like($text, qr/mediaPresentationDuration="PT18S"/, 'duration');

    for my $track (sort keys %$lists) {
        my $list = $lists->{$track};
        my @uris;

        for my $i (0, 1) {
            my $rep = vod_mpd($text, $i)->{$track};
            my @segments = @{$rep->{segments}};
            my $first = $list->{segments}[$i ? 3 : 0];

            is($rep->{init}, $first->{map}, "$track: init segment $i");
            ok(abs($segments[0]{time} - $rep->{offset})
               <= 0.03 * $rep->{timescale}, "$track: period $i begins")
                or diag("$segments[0]{time}, $rep->{offset}");

            for my $s (@segments) {
                my $same = $list->{segments}[@uris];
                my $scale = $same->{samples}[0]{timescale};

                push @uris, $s->{uri};

                # a clip may have a timescale of its own

                my $off = $s->{time} / $rep->{timescale}
                          - $same->{samples}[0]{dts} / $scale;

                fail("$track: $s->{uri} is $off s off")
                    if abs($off) > 1 / $rep->{timescale};
            }
        }

        is_deeply(\@uris, [map { $_->{uri} } @{$list->{segments}}],
                  "$track: segments");
    }
}


# what is listed at two times agrees, and is on the clock

sub channel {
    my ($name) = @_;

    my (%first, @lists);

    for my $track (qw/ v1 a1 v1-a1.ts /) {
        my $list = list_of($name, $track);

        ok(!$list->{endlist} && !defined $list->{type}, "$track: is live");
        fits($list, $track);
        $first{$track} = $list;

        my $seconds = sum map { $_->{duration} } @{$list->{segments}};

        ok($seconds > 3 * $list->{target}, "$track: $seconds s");
        ok($seconds > 56 && $seconds < 72, "$track: window")
            if $name eq 'window';
    }

    is($first{a1}{msn}, $first{v1}{msn}, 'numbers are the same');

    my $list = vod_hls($t, "/map/$name.json/v1.m3u8");
    my @md5 = map { $_->{md5} } packets('a', 'video'), packets('b', 'video');
    my (%place, $last);

    @place{@md5} = 0 .. $#md5;

    my @places = map { $place{$_->{md5}} // -1 } @{$list->{samples}};
    my $bad = grep {
        $places[$_] < 0 || $places[$_] != ($places[$_ - 1] + 1) % @md5
    } 1 .. $#places;

    is($bad, 0, 'frames go on, round and round');

    my $before = now() * 1000;
    my $edge = list_of($name, 'v1')->{segments}[-1];
    my $end = $edge->{pdt_msec} + $edge->{duration} * 1000;

    ok($end > $before - 6000 && $end < now() * 1000 + 1500,
       sprintf '%d ms behind', $before - $end);

    like(mpd($name), qr/type="dynamic"/, 'DASH');

    # segments that come later

    wait_until(sub {
        $last = list_of($name, 'v1');
        $last->{msn} > $first{v1}{msn} + 1;
    }, 20, 'other segments');

    fits($last, 'later');
    agree($first{v1}, $last);

    my $mpd = vod_mpd(vod_fetch($t, "/map/$name.json/manifest.mpd"));

    vod_fetch($t, "/map/$name.json/$_->{uri}")
        for @{$mpd->{v1}{segments}}, @{$mpd->{a1}{segments}};
}


sub fits {
    my ($list, $what) = @_;

    my @s = @{$list->{segments}};
    my $bad = grep {
        abs($s[$_ - 1]{pdt_msec} + $s[$_ - 1]{duration} * 1000
            - $s[$_]{pdt_msec}) > 30
    } 1 .. $#s;

    is($bad, 0, "$what: dates go on");
}


sub agree {
    my ($a, $b) = @_;

    my $places = sub {
        my ($list) = @_;
        my $n = $list->{dsn};

        return map {
            $n++ if $_->{discontinuity};
            ($_->{msn} => "$_->{uri} $_->{pdt} $_->{map} $n")
        } @{$list->{segments}};
    };

    my %a = $places->($a);
    my %b = $places->($b);
    my @both = grep { $b{$_} } keys %a;

    ok(@both > 0, 'some are listed twice');
    is_deeply([@b{sort @both}], [@a{sort @both}], 'and are the same');
}
