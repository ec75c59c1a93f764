#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# CORS, compression, the segment in progress, and what nginx -t says of
# mistakes.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Uncompress::Gunzip qw/ gunzip /;

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 2s; part 200ms; window 20s; grace 1s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /any/   { media_live live; media_cors on; }
        location /some/  { media_live live;
                           media_cors https://a.example http://b.example:81; }
        location /gzip/  { media_live live; gzip on; gzip_vary on;
                           gzip_types *; gzip_min_length 1; }
        location /noproxy/ { media_live live; gzip_proxied off; }
        location /status { media_status; }
    }

    server {
        listen 127.0.0.1:%%PORT_INHERIT%%;
        media_cors on;
        location /live/ { media_live live; }
        location /off/  { media_live live; media_cors off; }

        location /if/ {
            media_live live;
            if ($arg_x) { set $y 1; }
        }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s');
my $list = $t->wait_playlist('/live/s/v1.m3u8', sub {
    @{$_[0]{segments}} >= 2
}, 20);
my $segment = $list->{segments}[-1]{uri};


sub cors {
    my ($path, %opt) = @_;

    my $r = $t->http_get($path, %opt);

    return join ' ', $r->{status},
                     $r->{headers}{'access-control-allow-origin'} || '-';
}


# CORS

is(cors("/live/s/$segment"), '200 -', 'off');

for ($segment, 'index.m3u8', 'v1.m3u8', 'manifest.mpd', 'time.txt') {
    is(cors("/any/s/$_"), '200 *', "on, $_");
}

is(cors('/any/none/index.m3u8'), '404 *', 'errors, too');
is(cors('/any/s/v1/1.m4s'), '410 *', 'and these');

for (['https://a.example', 'https://a.example'],
     ['https://A.example', 'https://a.example'],
     ['http://b.example:81', 'http://b.example:81'],
     ['http://a.example', '-'], ['http://b.example', '-'],
     ['https://a.example.org', '-'], ['null', '-'])
{
    my ($origin, $expected) = @$_;

    is(cors('/some/s/index.m3u8', headers => { Origin => $origin }),
       "200 $expected", "origin $origin");
}

is(cors('/some/s/index.m3u8'), '200 -', 'no origin');

my $r = $t->http_get('/some/s/index.m3u8');
like($r->{headers}{vary}, qr/Origin/, 'depends on the origin');

$r = $t->http(method => 'OPTIONS', path => "/any/s/$segment", headers => {
    Origin => 'https://a.example', 'Access-Control-Request-Method' => 'GET',
    'Access-Control-Request-Headers' => 'range'
});

is("$r->{status} $r->{body}", '204 ', 'preflight');
is($r->{headers}{'access-control-allow-origin'}, '*', 'origin');
like($r->{headers}{'access-control-allow-headers'}, qr/\bRange\b/, 'range');
like($r->{headers}{'access-control-allow-headers'}, qr/\bCMCD-Session\b/,
     'and what players send');
like($r->{headers}{'access-control-max-age'}, qr/^\d+$/, 'for a while');

my $inherit = $t->port('INHERIT');

is(cors('/live/s/index.m3u8', port => $inherit), '200 *', 'inherited');
is(cors('/off/s/index.m3u8', port => $inherit), '200 -', 'and off');
is(cors('/if/s/index.m3u8', port => $inherit), '200 *', 'beside an if');
is(cors('/if/s/index.m3u8?x=1', port => $inherit), '200 *', 'in an if');


# gzip

for (['/live', 'index.m3u8'], ['/live', 'v1.m3u8'], ['/live', 'manifest.mpd'],
     ['/gzip', 'v1.m3u8'])
{
    my ($at, $name) = @$_;
    my ($plain, $r, $again);

    # the stream goes on: both must be of the same state

    for (1 .. 20) {
        $plain = $t->http_get("$at/s/$name");
        $r = $t->http_get("$at/s/$name",
                          headers => { 'Accept-Encoding' => 'br, gzip' });
        $again = $t->http_get("$at/s/$name");
        last if $plain->{body} eq $again->{body};
    }

    is($r->{headers}{'content-encoding'}, 'gzip', "$at $name compressed");
    is($r->{headers}{'content-length'}, length $r->{body}, 'with a length');
    like($r->{headers}{vary}, qr/Accept-Encoding/, 'vary');
    isnt($r->{headers}{etag}, $plain->{headers}{etag}, 'its own validator');
    unlike($r->{headers}{etag}, qr/^W/, 'a strong one');

    gunzip(\$r->{body}, \my $text);
    is($text, $plain->{body}, 'the same text');

    is($t->http_get("$at/s/$name", headers => {
        'Accept-Encoding' => 'gzip', 'If-None-Match' => $r->{headers}{etag}
    })->{status}, 304, 'not modified') if $name eq 'index.m3u8';
}

$r = $t->http_get("/live/s/$segment",
                  headers => { 'Accept-Encoding' => 'gzip' });
ok(!$r->{headers}{'content-encoding'}, 'media are not compressed');
ok(!$r->{headers}{vary}, 'and do not vary');

$r = $t->http_get('/noproxy/s/index.m3u8', headers => {
    'Accept-Encoding' => 'gzip', Via => '1.1 proxy'
});
ok(!$r->{headers}{'content-encoding'}, 'gzip_proxied is obeyed');

$r = $t->http_get('/live/s/index.m3u8',
                  headers => { 'Accept-Encoding' => 'gzip;q=0' });
ok(!$r->{headers}{'content-encoding'}, 'not wanted');


# the segment in progress, on each worker

for my $pid ($t->worker_pids()) {
    my ($l, $n, $r);

    # one that has just begun, unless this process has slept meanwhile

    for (1 .. 10) {
        $l = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
        $r = $t->http_get("/live/s/v1.m3u8?_HLS_msn=$l->{next_msn}");
        $n = m3u8_parse($r->{body})->{next_msn};

        $r = $t->http_get("/live/s/v1/$n.m4s", worker => $pid);

        last if $r->{headers}{'x-media-open'} && @{$r->{events}} >= 5;
    }

    is($r->{status}, 200, 'a growing segment');
    is($r->{headers}{'x-media-open'}, 1, 'says so');
    is($r->{headers}{'x-accel-expires'}, 0, 'is not for caches');
    is($r->{headers}{'cache-control'}, 'no-store', 'of any kind');
    is($r->{headers}{'transfer-encoding'}, 'chunked', 'has no length');
    cmp_ok(scalar @{$r->{events}}, '>=', 5, 'comes in pieces');

    my $whole = $t->http_get("/live/s/v1/$n.m4s");

    is($whole->{body}, $r->{body}, 'and is the segment in the end');
    ok(!$whole->{headers}{'x-media-open'}, 'which is closed now');

    # the next one: waits for its first part

    $l = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
    $n = $l->{next_msn} + (@{$l->{parts}} ? 1 : 0);
    $r = $t->http_get("/live/s/v1/$n.m4s", worker => $pid);

    is($r->{status}, 200, 'the segment after it');
    is($t->http_get("/live/s/v1/$n.m4s")->{body}, $r->{body}, 'its bytes');
}

my $open = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body})->{next_msn};
$r = $t->http_head("/live/s/v1/$open.m4s");
is("$r->{status} $r->{body}", '200 ', 'HEAD of a growing segment');


# its publisher goes: the body ends in order, with what there is

$r = $t->http_get("/live/s/v1.m3u8?_HLS_msn=$open");
$open = m3u8_parse($r->{body})->{next_msn};

my $grow = $t->start_get("/live/s/v1/$open.m4s");

$t->http_get("/live/s/v1.m3u8?_HLS_msn=$open&_HLS_part=3");
$pub->kill('KILL');

$r = $grow->result(15);
is($r->{status}, 200, 'a segment cut short');
is($r->{error}, undef, 'ends');
is($t->http_get("/live/s/v1/$open.m4s")->{body}, $r->{body},
   'with the bytes that it keeps');


# configuration

sub conf {
    my ($http, $media) = @_;

    $media = 'media live { zone 16m; }' if !defined $media;

    return $t->conf_test("$media\nhttp { server {\n"
                         . "listen 127.0.0.1:%%PORT_HTTP%%;\n$http\n} }\n");
}


for (['location / { media_live other; }',
      qr/media_live other": there is no "media other \{ \}" block in \S+:\d+/],
     ['location / { media_live; }', qr/invalid number of arguments/],
     ['location / { media_live live; media_live live; }', qr/is duplicate/],
     ['location ~ ^/x { media_live live; }', qr/regular expression/],
     ['location @x { media_live live; }', qr/named location/],
     ['location = /live { media_live live; }', qr/"location = \.\.\.", which/],
     (map { my $pair = $_;
            map { ["location / { $_ }",
                   qr/"media_\w+" is in one location with another .* its own/] }
                "$$pair[0]; $$pair[1];", "$$pair[1]; $$pair[0];" }
      ['media_live live', 'media_vod on'], ['media_status', 'media_vod on'],
      ['media_live live', 'media_status'],
      ['media_metrics', 'media_status'], ['media_live live', 'media_metrics'],
      ['media_live live', 'proxy_pass http://127.0.0.1:1'],
      ['media_vod on', 'proxy_pass http://127.0.0.1:1'],
      ['media_status', 'stub_status']),
     ['media_live live;', qr/is not allowed here/],
     ['media_cors on; media_cors off;', qr/is duplicate/],
     ['media_cors yes;', qr/invalid origin "yes", write "on", "off" or/],
     ['media_cors https://a.example/;', qr/invalid origin/],
     ['location / { media_status on; }', qr/invalid number of arguments/])
{
    my ($http, $expected) = @$_;
    my ($ok, $out) = conf($http);

    ok(!$ok, $http);
    like($out, $expected, 'and why');
}

# what is of another location, or none

for ('location / { media_live live; media_vod off; }',
     'location / { media_live live; media_cors *; }',
     'location / { media_live live; location /b/ { media_vod on; } }',
     'location / { media_vod on;
                   if ($arg_x) { proxy_pass http://127.0.0.1:1; } }')
{
    my ($ok, $out) = conf($_);

    ok($ok, $_) or diag($out);
}

# blocks may stand in any order

my ($ok, $out) = $t->conf_test(<<'EOC');
http { server { listen 127.0.0.1:%%PORT_HTTP%%;
                location / { media_live late; } } }
media late { zone 16m; }
EOC

ok($ok, 'media after http') or diag($out);

$t->done();
