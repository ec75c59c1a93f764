#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Mappings as those have them who come from nginx-vod-module: with values of
# other types, clips that are cut to nothing, schedules with gaps, channels that
# have not begun, captions that some clips have not.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

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
            media_vod_segment 2s;
            media_vod_valid 1s;
        }
    }
}
EOC

mkdir $t->path('media');
link vod_made('migrate.mp4', seconds => 6, gop => 50),
     $t->path('media') . '/a.mp4' or die "link: $!\n";

$t->run();

my @names = qw/ index.m3u8 ts.m3u8 manifest.mpd v1.m3u8 a1.m3u8 v1-a1.ts.m3u8
                v1.iframes.m3u8 /;


subtest 'clips that are cut to nothing' => sub {
    for (['set', { clipFrom => 420000, sequences => [{ clips => [clip()] }] }],
         ['clip', { sequences => [{ clips => [clip(clipFrom => 420000)] }] }],
         ['end', { sequences => [{ clips => [clip(clipFrom => 6001)] }] }])
    {
        my ($name, $map) = @$_;

        map_put($name, $map);
        all_404($name, qr/nothing is left of clip 1.* clipFrom \d+ ms/);
    }

    map_put('late', { sequences => [{ clips => [clip(clipFrom => 5900)] }] });
    is(get('late', 'v1.m3u8')->{status}, 200, 'the last moment');
};

subtest 'channels that are over' => sub {
    my $now = int(now() * 1000);
    my %channel = (
        playlistType => 'live', durations => [6000, 6000],
        firstClipTime => $now - 200_000,
        sequences => [{ clips => [clip(), clip()] }],
    );

    # those who play see the end where they expect it

    map_put('justnow', { %channel, firstClipTime => $now - 13000,
                         presentationEndTime => $now - 500 });

    my $mpd = get('justnow', 'manifest.mpd')->{body};

    like($mpd, qr/type="static" .*<Period id="0" start="PT1\d{9}/s,
         'just now: as it was');

    map_put('over', { %channel, presentationEndTime => $now - 188_000 });

    $mpd = get('over', 'manifest.mpd')->{body};

    like($mpd, qr/type="static" mediaPresentationDuration="PT12(?:\.\d+)?S"/,
         'long ago: as long as it is');
    like($mpd, qr/<Period id="0" start="PT0S"/, 'from zero');
    like($mpd, qr/<Period id="3" start="PT6(?:\.\d+)?S"/, 'both clips');
    like(get('over', 'v1.m3u8')->{body}, qr/ENDLIST/, 'HLS: its end');

    # those that differ by their end alone, asked for at once

    my ($worker) = $t->worker_pids();
    my %ends = (first => 194_000, second => 190_000);
    my %listed;

    map_put($_, { %channel, presentationEndTime => $now - $ends{$_} })
        for keys %ends;

    for my $name (('first', 'second') x 3) {
        my $r = $t->http_get("/map/$name.json/v1.m3u8", worker => $worker);
        $listed{$name}{@{m3u8_parse($r->{body})->{segments}}} = 1;
    }

    is_deeply(\%listed, { first => { 3 => 1 }, second => { 5 => 1 } },
              'each has its own end');

    # what is left of it, and that is always the same

    map_put('long', { %channel, repeat => JSON::PP::true,
                      liveWindowDuration => 4000,
                      firstClipTime => $now - 1_000_000,
                      presentationEndTime => $now - 603_000 });

    $mpd = get('long', 'manifest.mpd')->{body};

    my ($duration) = $mpd =~ /mediaPresentationDuration="PT([\d.]+)S"/;
    my ($first) = $mpd =~ /<Period id="\d+" start="(\w+)"/;
    my $list = m3u8_parse(get('long', 'v1.m3u8')->{body});
    my $sum = 0;

    $sum += $_->{duration} for @{$list->{segments}};

    is($first, 'PT0S', 'from zero');
    ok(abs($duration - $sum) < 0.2, 'what is there') or diag("$duration $sum");

    select undef, undef, undef, 2.2;

    is(get('long', 'manifest.mpd')->{body}, $mpd, 'for ever');
    is(get('over', 'time.txt')->{status}, 200, 'the clock of channels');
};

subtest 'values of other types' => sub {
    my @clips = (sequences => [{ clips => [clip(), clip()] }]);
    my %as = (
        plain => '"durations": [6000, 6000], "discontinuity": false',
        numbers => '"durations": [6000.0, 6000.7], "discontinuity": 0',
        quotes => '"durations": ["6000", "6000"], "discontinuity": "0"',
        cases => '"durations": [6000, 6000], "discontinuity": "False",
                  "playlistType": "VOD"',
    );

    for (sort keys %as) {
        map_put("as$_", "{ $as{$_}, " . substr(JSON::PP::encode_json({@clips}),
                                               1));
        is(extinf("as$_"), '2.000 2.000 2.000 2.000 2.000 2.000', $_);
        unlike(get("as$_", 'v1.m3u8')->{body}, qr/DISCONTINUITY\n/, 'joined');
    }

    # left out, and told once

    map_put('odd', { sequences => [{ clips => [clip()],
                                     label => [1, { a => 2 }],
                                     language => 5, default => 'maybe',
                                     bitrate => { v => 'much', a => 64000 } }],
                     segmentDuration => { a => 1 } });

    is(extinf('odd'), '2.000 2.000 2.000', 'what matters little is left out');
    like(get('odd', 'index.m3u8')->{body}, qr/[:,]BANDWIDTH=/, 'the rest, too');

    my @said = $t->log() =~ /\[warn\].*odd\.json": (.*?),\ client/g;

    is(scalar @said, 1, 'one line');
    like($said[0], qr/5 ignored, the first: \w.*offset:\d+/, 'says what');

    for (['durations', ['ten'], 'integer'], ['playlistType', 1, 'string'],
         ['clipFrom', 'x', 'integer'], ['sequences', 'x', 'array'],
         ['repeat', 'often', 'true or false'])
    {
        my ($name, $value, $type) = @$_;

        map_put("bad$name", { sequences => [{ clips => [clip()] }],
                              $name => $value });
        is(get("bad$name", 'index.m3u8')->{status}, 500, "$name matters");
        like($t->log(), qr/$name(?:\[0\])?: $type expected/, 'which is said');
    }

    map_put('url', { sequences => [{ clips => [
        { type => 'source', path => 'https://a.example/b.mp4' }] }] });
    is(get('url', 'index.m3u8')->{status}, 500, 'a URL');
    like($t->log(), qr/path: "https:.*" is a URL, files are read/, 'is told');
};


subtest 'captions that some clips have not' => sub {
    $t->write_file('media/s.srt', "1\n00:00:01,000 --> 00:00:02,000\nHello\n");

    map_put('captions', { durations => [6000, 6000], sequences => [
        { clips => [clip(), clip()] },
        { language => 'en', clips => [
            { type => 'source', path => 'empty' },
            { type => 'source', path => '/s.srt' } ] } ] });

    my $list = m3u8_parse(get('captions', 't1.m3u8')->{body});
    my @text = map { get('captions', $_->{uri})->{body} } @{$list->{segments}};

    is(scalar @text, 6, 'segments of both clips');
    ok(!(grep { $_->{gap} } @{$list->{segments}}), 'without gaps');
    ok(!(grep { !/^WEBVTT/ } @text), 'all of them WebVTT');
    is(join(' ', grep { $text[$_] =~ /Hello/ } 0 .. 5), 3, 'one cue');

    my $mpd = get('captions', 'manifest.mpd')->{body};

    is(scalar(() = $mpd =~ /contentType="text"/g), 2, 'DASH, both');

    my ($init, $media) = $mpd =~ /initialization="(t1[^"]+)" media="(t1[^"]+)"/;

    $media =~ s/\$Number\$/0/;
    is(get('captions', $_)->{status}, 200, $_) for $init, $media;

    map_put('none', { sequences => [{ clips => [
        { type => 'source', path => 'empty' } ] }] });
    is(get('none', 'index.m3u8')->{status}, 415, 'nothing but that');
};


subtest 'schedules with gaps' => sub {
    my $now = int(now() * 1000);
    my %two = (playlistType => 'live', durations => [6000, 6000],
               sequences => [{ clips => [clip(), clip()] }]);

    # in the gap: what was shown last

    map_put('gap', { %two, clipTimes => [$now - 60_000, $now + 600_000] });

    is(extinf('gap'), '2.000 2.000 2.000', 'in the gap: the clip before');

    my $mpd = get('gap', 'manifest.mpd')->{body};

    like($mpd, qr/type="dynamic"/, 'DASH goes on');
    my ($depth) = $mpd =~ /timeShiftBufferDepth="PT(\d+)S"/;
    cmp_ok($depth, '>=', 60, 'and back to where it began');

    # the second has begun

    map_put('next', { %two, clipTimes => [$now - 60_000, $now - 4500] });

    my $list = m3u8_parse(get('next', 'v1.m3u8')->{body});
    my @first = grep { $_->{discontinuity} } @{$list->{segments}};

    is(scalar @{$list->{segments}}, 5, 'both');
    is(scalar @first, 1, 'a discontinuity');
    like(get('next', 'v1.m3u8')->{body},
         qr/DISCONTINUITY\n(?:#EXT-X-MAP.*\n)?#EXT-X-PROGRAM-DATE-TIME:/,
         'at another time');

    my @pdt = map { $_->{pdt} // () } @{$list->{segments}};

    diag("@pdt") if @pdt != 5;

    $mpd = get('next', 'manifest.mpd')->{body};

    my @periods = $mpd =~ /<Period [^>]*start="PT([\d.]+)S"([^>]*)>/g;

    is(@periods / 2, 2, 'DASH: two Periods');
    ok(abs($periods[2] - $periods[0] - 55.5) < 0.01, 'where they are');
    like($periods[1], qr/duration="PT6(\.\d+)?S"/, 'with a hole');
    unlike($periods[3], qr/duration/, 'the last one goes on');

    map_put('overlap', { %two, clipTimes => [$now - 60_000, $now - 55_000] });
    is(get('overlap', 'index.m3u8')->{status}, 500, 'not two at a time');
    like($t->log(), qr/clipTimes\[1\]: before the end of the clip before/,
         'which is said');
};


subtest 'channels that have not begun' => sub {
    my $now = int(now() * 1000);
    my %one = (playlistType => 'live', durations => [6000],
               sequences => [{ clips => [clip()] }]);

    map_put('future', { %one, firstClipTime => $now + 3600_000 });
    map_put('soon', { %one, firstClipTime => $now + 20_000 });
    map_put('begun', { %one, firstClipTime => int(now() * 1000) - 100 });

    for (@names) {
        my $r = get('future', $_);

        is("$r->{status} $r->{headers}{'cache-control'}", '404 max-age=60',
           "in an hour: $_");

        $r = get('soon', $_);
        like("$r->{status} $r->{headers}{'cache-control'}",
             qr/404 max-age=(?:1\d|20)$/, 'soon');
    }

    my %begun = map { get('begun', $_)->{status} => 1 }
                qw/ index.m3u8 manifest.mpd v1.m3u8 a1.m3u8 /;

    ok(keys %begun == 1, 'no complete segment: the same for all')
        or diag(join ' ', %begun) if int(now() * 1000) - $now < 1500;

    # by another clock

    map_put('offset', { %one, firstClipTime => $now - 3_603_000,
                        timeOffset => -3_600_000 });
    is(extinf('offset'), '2.000', 'timeOffset');
    like(get('offset', 'time.txt')->{body}, qr/^\d{4}-/, 'and its clock');

    map_put('ahead', { %one, firstClipTime => $now + 3600_000,
                       presentationEndTime => $now + 3700_000,
                       timeOffset => 4_000_000 });
    like(get('ahead', 'v1.m3u8')->{body}, qr/ENDLIST/, 'over by then');
};


$t->done();


sub clip { return { type => 'source', path => '/a.mp4', @_ } }
sub extinf {
    my ($name) = @_;

    my $list = m3u8_parse(get($name, 'v1.m3u8')->{body});

    return join ' ', map { sprintf '%.3f', $_->{duration} }
                     @{$list->{segments}};
}


sub get { return $t->http_get("/map/$_[0].json/$_[1]") }


# none of its names is there, each is told once

sub all_404 {
    my ($name, $said) = @_;

    for (@names) {
        my $before = length $t->log();

        is(get($name, $_)->{status}, 404, "$name: $_");
        is(scalar(() = substr($t->log(), $before) =~ /\[error\].*$said/g), 1,
           'one line');
    }
}


sub map_put {
    my ($name, $map) = @_;

    my $file = $t->write_file("media/$name.json", ref $map
        ? JSON::PP->new->canonical->encode($map) : $map);

    utime 1.6e9, 1.6e9, $file;
}
