#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What viewers have watched is the time of the media that they were sent: once,
# however it was cut into requests, and not what was not sent.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Metrics;

my $t = Test::Media->new(workers => 2);

my $flv = fixture('av.flv');
my $mp4 = fixture('av.mp4', '-i', $flv, '-c', 'copy', '-movflags',
                  '+faststart');

mkdir $t->path('vod');
sh('cp', $mp4, $t->path('vod/film.mp4'));
my ($rc, $out) = sh('ffmpeg', '-v', 'error', '-i', $mp4, '-vn', '-c', 'copy',
                    $t->path('vod/sound.mp4'));
die $out if $rc;

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 60s; grace 60s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_sessions 1m timeout=4s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/ { media_live live; }
        location /vod/  { alias %%DIR%%/vod/; media_vod on; }
        location /slow/ { alias %%DIR%%/vod/; media_vod on; limit_rate 8k;
                          limit_rate_after 8k; }
        location /metrics { media_metrics; }
        location /status  { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/demo');


sub metric {
    my ($name) = @_;

    my $m = metrics_parse($t->http_get('/metrics')->{body});

    die "metrics: $m->{error}\n" if $m->{error};

    my $value = $m->{samples}{"ngx_media_$name"};

    return defined $value ? $value : 0;
}


sub watched { return metric(qq|watch_seconds_total{app="$_[0]"}|) }


# tests what is added by code: seconds, within 1 per cent

sub adds {
    my ($app, $seconds, $name, $sub) = @_;

    my $before = watched($app);
    $sub->();

    # it is told when the request has ended, after the client has all of it

    my $added = 0;
    my $near = sub {
        $added = watched($app) - $before;
        return abs($added - $seconds) <= $seconds / 100 + 0.002;
    };

    eval { wait_until($near, 2, $name) };
    ok($near->(), "$name: $seconds s") or diag("it was $added");
}


sub list { return m3u8_parse($t->http_get($_[0])->{body}) }

sub duration {
    my $sum = 0;
    $sum += $_->{duration} for @_;
    return $sum;
}


# files

my $film = list('/vod/film.mp4/v1.m3u8');
my @segments = @{$film->{segments}};
my $all = duration(@segments);

cmp_ok(scalar @segments, '>=', 2, 'segments');

sub get { return $t->http_get("/vod/film.mp4/$_[0]", @_[1 .. $#_]) }

adds('/vod/', $all, 'a film', sub { get($_->{uri}) for @segments });
adds('/vod/', 0, 'its sound is watched with it', sub {
    get($_->{uri}) for @{list('/vod/film.mp4/a1.m3u8')->{segments}};
});
adds('/vod/', $all, 'both in MPEG-TS', sub {
    get($_->{uri}) for @{list('/vod/film.mp4/v1-a1.ts.m3u8')->{segments}};
});
adds('/vod/', 0, 'what is only looked at', sub {
    get('index.m3u8');
    get($_->{uri}) for @{list('/vod/film.mp4/v1.iframes.m3u8')->{segments}};
    get($segments[0]{map}) if $segments[0]{map};
    get('thumb-0.jpg');
    $t->http_head("/vod/film.mp4/$segments[0]{uri}");
});
adds('/vod/', $all, 'sound without pictures', sub {
    $t->http_get("/vod/sound.mp4/$_->{uri}")
        for @{list('/vod/sound.mp4/a1.m3u8')->{segments}};
});

# ranges

my $size = length get($segments[0]{uri})->{body};
my $third = int $size / 3;

adds('/vod/', $segments[0]{duration} / 3, 'a third of a segment',
     sub { get($segments[0]{uri}, range => '0-' . ($third - 1)) });
adds('/vod/', $segments[0]{duration} * 2 / 3, 'and the rest',
     sub { get($segments[0]{uri}, range => "$third-") });

# a clip, in one piece

adds('/vod/', 2, 'a clip', sub { get('clip.mp4?from=0&to=2') });

# one who goes away, and one whose response takes long: he is told of meanwhile

my $before = watched('/slow/');
my $slow = $t->start_get("/slow/film.mp4/clip.mp4", rcvbuf => 4096);

wait_ok(sub { watched('/slow/') > $before }, 20,
        'what is being sent counts before it has been');

my $part = watched('/slow/') - $before;
cmp_ok($part, '<', $all / 2, 'and not more than that');

is(metric('session_slots_used') > 0, 1, 'he has a session');
$slow->cancel();

wait_ok(sub { metric('session_slots_used') == 0 }, 30,
        'and not much longer than he is there');
cmp_ok(watched('/slow/') - $before, '<', $all / 2, 'what was not sent: none');


# live: segments, parts, and the one in progress

my $live = $t->wait_playlist('/live/demo/v1.m3u8', sub {
    @{$_[0]{segments}} >= 4 && @{$_[0]{segments}[-2]{parts} || []} >= 3
}, 20);

my ($whole, $parts) = @{$live->{segments}}[-3, -2];

adds('live', $whole->{duration}, 'a segment', sub {
    $t->http_get("/live/demo/$whole->{uri}");
});
adds('live', duration(@{$parts->{parts}}), 'parts', sub {
    $t->http_get("/live/demo/$_->{uri}") for @{$parts->{parts}};
});

my ($number) = list('/live/demo/v1.m3u8')->{next_msn};
my $grown = "v1/$number.m4s";
my $r = $t->start_get("/live/demo/$grown");
my $was = watched('live');

is($r->result(20)->{status}, 200, 'the segment in progress');

my $found = $t->wait_playlist('/live/demo/v1.m3u8', sub {
    grep { $_->{uri} eq $grown } @{$_[0]{segments}}
}, 20);

my ($is) = grep { $_->{uri} eq $grown } @{$found->{segments}};

wait_ok(sub { abs(watched('live') - $was - $is->{duration})
              <= $is->{duration} / 100 }, 5, 'is as long as it became');

$pub->stop();
$t->done();
