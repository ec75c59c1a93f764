#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# How segments, parts and playlists are served: types, lengths, ranges,
# validators, lifetimes, methods, and what does not exist.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 10s; grace 2s; }
media none { zone 16m; segment 1s; part 200ms; window 10s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    sendfile on;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /bare   { media_live live; }
        location /slash  { sendfile off; media_live live; }
        location /get/   { limit_except GET { deny all; } media_live live; }
        location /none/  { media_live none; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/deep/er/name');
my $at = '/live/deep/er/name';

my $list = $t->wait_playlist("$at/v1.m3u8", sub {
    @{$_[0]{segments}} >= 3
}, 20);

my $segment = $list->{segments}[-1];
my $n = $segment->{msn};
my $first = $list->{segments}[0]{msn};


sub cache { return $_[0]{headers}{'cache-control'} }


sub max_age {
    my ($r) = @_;

    return cache($r) =~ /max-age=(\d+)/ ? $1 : -1;
}


# objects

for my $track (qw/ v1 a1 /) {
    my $type = $track eq 'v1' ? 'video/mp4' : 'audio/mp4';

    my $l = m3u8_parse($t->http_get("$at/$track.m3u8")->{body});

    for my $uri ($l->{segments}[-1]{map}, $l->{segments}[-1]{uri},
                 $l->{segments}[-1]{parts}[0]{uri})
    {
        my $r = $t->http_get("$at/$uri");

        is($r->{status}, 200, "$uri");
        is($r->{headers}{'content-type'}, $type, 'type');
        is($r->{headers}{'content-length'}, length $r->{body}, 'length');
        is($r->{headers}{'accept-ranges'}, 'bytes', 'ranges');
        like($r->{headers}{etag}, qr/^"[^"]+"$/, 'a strong validator');
        like(cache($r), qr/^max-age=\d+, immutable$/, 'immutable');
        cmp_ok(max_age($r), '>=', 10, 'for a window at least');
        cmp_ok(max_age($r), '<=', 20, 'for two at most');

        my $h = $t->http_head("$at/$uri");

        is($h->{status}, 200, 'HEAD');
        is($h->{body}, '', 'without a body');
        is($h->{headers}{'content-length'}, length $r->{body},
           'with the length');

        my $c = $t->http_get("$at/$uri", headers => {
            'If-None-Match' => $r->{headers}{etag}
        });

        is("$c->{status} $c->{body}", '304 ', 'not modified');

        my $size = length $r->{body};

        for (['0-0', 0, 1], ['5-', 5, $size - 5], ['-7', $size - 7, 7],
             ['100-199', 100, 100], ['0-9007199254740991', 0, $size])
        {
            my ($range, $from, $len) = @$_;
            my $p = $t->http_get("$at/$uri", range => $range);

            is($p->{status}, 206, "range $range");
            is($p->{headers}{'content-range'},
               sprintf('bytes %d-%d/%d', $from, $from + $len - 1, $size),
               'which');
            is($p->{body}, substr($r->{body}, $from, $len), 'bytes');
        }

        is($t->http_get("$at/$uri", range => "$size-")->{status}, 416,
           'range outside');

        # several ranges are not offered: all of it

        my $m = $t->http_get("$at/$uri", range => '0-1,5-6');
        is($m->{status}, 200, 'two ranges');
        is($m->{body}, $r->{body}, 'are the whole');

        for my $other ('/bare/deep/er/name', '/slash/deep/er/name',
                       '/get/deep/er/name')
        {
            is($t->http_get("$other/$uri")->{body}, $r->{body},
               "the same in another location");
        }
    }
}


# a segment is its parts

my @parts = map { $t->http_get("$at/$_->{uri}")->{body} }
            @{$segment->{parts}};

is(join('', @parts), $t->http_get("$at/$segment->{uri}")->{body},
   'parts make the segment');


# every worker has everything, with the same names for it

for my $pid ($t->worker_pids()) {
    my $r = $t->http_get("$at/$segment->{uri}", worker => $pid);
    is($r->{body}, join('', @parts), 'on each worker');
}


# playlists

for (['index.m3u8', 'application/vnd.apple.mpegurl', 2],
     ['v1.m3u8', 'application/vnd.apple.mpegurl', 1],
     ['v1.iframes.m3u8', 'application/vnd.apple.mpegurl', 1],
     ['manifest.mpd', 'application/dash+xml', 1])
{
    my ($name, $type, $age) = @$_;
    my $r = $t->http_get("$at/$name");

    is($r->{status}, 200, $name);
    is($r->{headers}{'content-type'}, $type, 'type');
    is($r->{headers}{'content-length'}, length $r->{body}, 'length');
    is(cache($r), "max-age=$age", 'lifetime');
    like($r->{headers}{vary}, qr/Accept-Encoding/i, 'vary');
    like($r->{headers}{etag}, qr/^"[0-9a-f]{16}"$/, 'validator');

    my $h = $t->http_head("$at/$name");
    is("$h->{status} $h->{body}", '200 ', 'HEAD');
}

is($t->http_get("$at/index.m3u8?a=1&_HLS=2", headers => {
    'If-None-Match' => $t->http_get("$at/index.m3u8")->{headers}{etag}
})->{status}, 304, 'a playlist is not modified');

my $r = $t->http_get("$at/time.txt");
like($r->{body}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'time');
is(cache($r), 'no-store', 'is not stored');


# what does not exist

for (['/live/unknown/index.m3u8', 404, 'max-age=1'],
     ['/live/deep/er/index.m3u8', 404, 'max-age=1'],
     ['/none/deep/er/name/index.m3u8', 404, 'max-age=1'],
     ["$at/v2.m3u8", 404, 'max-age=1'],
     ["$at/v2/$n.m4s", 404, 'max-age=1'],
     ["$at/v1/init-0123456789abcdef.mp4", 404, 'max-age=1'],
     ["$at/v1/" . ($n + 100) . '.m4s', 404, 'max-age=1'],
     ["$at/v1/" . ($n + 100) . '.0.m4s', 404, 'max-age=1'],
     ["$at/v1/$n.100.m4s", 404, 'max-age=1'],
     ["$at/v1/" . ($first - 1) . '.m4s', 410, 'max-age=12'],
     ["$at/v1/" . ($first - 1) . '.0.m4s', 410, 'max-age=12'],
     ["$at/v1/1.m4s", 410, 'max-age=12'],
     ["$at/v1/0$n.m4s", 404, 'max-age=2'],
     ["$at/v1.m3u8x", 404, 'max-age=2'],
     ["$at/", 404, 'max-age=2'],
     ['/live/', 404, 'max-age=2'],
     ['/bare', 404, 'max-age=2'],
     ['/baredeep/er/name/index.m3u8', 404, 'max-age=2'])
{
    my ($path, $status, $cache) = @$_;
    my $r = $t->http_get($path);

    is("$r->{status} " . cache($r), "$status $cache", $path);
}


# methods

is($t->http(method => $_, path => "$at/index.m3u8")->{status}, 405, $_)
    for qw/ POST PUT DELETE OPTIONS /;
is($t->http(method => 'POST', path => '/get/deep/er/name/index.m3u8',
            data => 'x' x 100000)->{status}, 403, 'limit_except');
is($t->http(method => 'POST', path => "$at/index.m3u8",
            data => 'x' x 100000)->{status}, 405, 'a body is read');


# when it has left the window

wait_until(sub {
    $t->http_get("$at/$segment->{uri}")->{status} == 410
}, 30, 'the segment to go');

is($t->http_get("$at/$segment->{parts}[0]{uri}")->{status}, 410,
   'its parts are gone');
is($t->http_get("$at/$segment->{map}")->{status}, 200,
   'its init segment is not');


# the publisher leaves

$pub->stop();

$list = $t->wait_playlist("$at/v1.m3u8", sub { $_[0]{endlist} }, 20);

is(scalar @{$list->{hints}}, 0, 'no hint at the end');
is($t->http_get("$at/index.m3u8")->{status}, 200, 'still there');
like($t->http_get("$at/manifest.mpd")->{body}, qr/type="static"/,
     'the MPD is final');
is($t->http_get("$at/$list->{segments}[-1]{uri}")->{status}, 200,
   'so is what it lists');

$r = $t->http_get("$at/v1/" . ($list->{next_msn} + 0) . '.m4s');
is("$r->{status} " . cache($r), '404 no-store', 'nothing will come');

$t->done();
