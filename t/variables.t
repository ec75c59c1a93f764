#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# $media_* in http, in each phase and after redirects, and in stream.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 16m; segment 1s; part 200ms; grace 60s; }

stream {
    log_format ours '$media_app|$media_stream|$media_reason|$status';
    access_log %%DIR%%/stream.log ours;

    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
}

http {
    log_format ours '$uri|$media_app|$media_stream|$media_track|$media_kind|'
                    '$media_number|$media_part|$status';
    access_log %%DIR%%/http.log ours;

    # the empty key is not limited
    limit_req_zone $limited zone=one:1m rate=1r/m;

    map $media_kind $limited {
        default  "";
        manifest $media_app/$media_stream;
    }

    map "$media_app $media_kind" $mapped {
        default      "no";
        "live init"  "yes";
    }

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/  { media_live live; limit_req zone=one;
                           add_header X-Mapped $mapped always; }
        location /short  { media_live live; }
        location /vod/   { alias %%DIR%%/media/; media_vod on; }
        location ~ ^/re/ { root %%DIR%%; media_vod on; }

        location /denied/   { media_live live; deny all;
                              error_page 403 /page; }
        location /named/    { media_live live; deny all;
                              error_page 403 = @page; }
        location /returned/ { media_live live; return 402;
                              error_page 402 /page; }
        location /rewritten/ {
            rewrite ^/rewritten/(.*)$ /live/$1 last;
        }
        location /break/ {
            media_live live;
            rewrite ^/break/odd/(.*)$ /break/$1 break;
        }
        location /if/ {
            media_live live;
            if ($arg_x) { add_header X-If $media_app-$media_stream always; }
        }
        location /limited/ {
            media_live live;
            limit_except GET { deny all; }
        }

        location = /page { return 200 "page $media_app $media_kind"; }
        location @page   { return 200 "named $media_app $media_kind"; }
        location /plain  { return 200 "[$media_app$media_stream$media_kind]"; }

        location = /status { media_status; }
    }
}
EOC

$t->write_file('media/film.mp4', slurp(vod_made('film.mp4', seconds => 4)));
$t->write_file('re/film.mp4', slurp(vod_made('film.mp4', seconds => 4)));
$t->run();

my $p = $t->ffmpeg_publish('live/a/demo', duration => 600, gop => 25);

$t->wait_playlist('/live/a/demo/v1.m3u8', sub { @{$_[0]{segments}} >= 2 },
                  20);

# [request, what the log says of it, more of the request]

my $n = '-';

for my $case (
    ['/live/a/demo/index.m3u8', "live|a/demo|$n|playlist|$n|$n|200"],
    ['/live/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|200"],
    ['/live/a/demo/v1-a1.ts.m3u8', "live|a/demo|v1-a1|playlist|$n|$n|200"],
    ['/live/a/demo/v1/999999.7.m4s', 'live|a/demo|v1|part|999999|7|410'],
    ['/live/a/demo/v1/999999.m4s', "live|a/demo|v1|segment|999999|$n|410"],
    ['/live/a/demo/v1-a1/999999.ts', "live|a/demo|v1-a1|ts|999999|$n|410"],
    ['/live/a/demo/v1/t12.m4s', "live|a/demo|v1|segment|$n|$n|410"],
    ['/live/a/demo/v1/init-0123456789abcdef.mp4',
     "live|a/demo|v1|init|$n|$n|404"],
    ['/live/a/demo/time.txt', "live|a/demo|$n|other|$n|$n|200"],
    ['/live/none/index.m3u8', "live|none|$n|playlist|$n|$n|404"],
    ['/live/what', "live|$n|$n|$n|$n|$n|404"],
    ['/short/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|200"],
    ['/shorter/a/v1.m3u8', "live|$n|$n|$n|$n|$n|404"],

    ['/vod/film.mp4/index.m3u8', "/vod/|film.mp4|$n|playlist|$n|$n|200"],
    ['/vod/x/none.mp4/v1/0123abcd-12.m4s',
     "/vod/|x/none.mp4|v1|segment|12|$n|404"],
    ['/vod/film.mp4/i1/0123abcd-3.jpg',
     "/vod/|film.mp4|i1|picture|3|$n|404"],
    ['/re/film.mp4/index.m3u8', "^/re/|re/film.mp4|$n|playlist|$n|$n|200"],

    # sent elsewhere: the URL is that which was asked for
    ['/denied/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|403", '/page',
     'page live playlist'],
    ['/named/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|200", undef,
     'named live playlist'],
    ['/returned/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|402",
     '/page', 'page live playlist'],
    ['/rewritten/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|200",
     '/live/a/demo/v1.m3u8'],
    ['/break/odd/a/demo/v1.m3u8', "live|a/demo|v1|playlist|$n|$n|200",
     '/break/a/demo/v1.m3u8'],

    # and not ours
    ['/plain', "$n|$n|$n|$n|$n|$n|200", undef, '[]'],
    ['/nowhere/a/demo/v1.m3u8', "$n|$n|$n|$n|$n|$n|404"])
{
    my ($path, $line, $uri, $body) = @$case;

    my $r = $t->http_get($path);

    $uri = $path if !defined $uri;
    is($r->{body}, $body, "$path: body") if defined $body;

    logged("$uri|$line", $path);
}

# other methods, "if", maps

my $r = $t->http_get('/live/a/demo/v1/init-0123456789abcdef.mp4');
is($r->{headers}{'x-mapped'}, 'yes', 'a map');

$r = $t->http_get('/if/a/demo/v1.m3u8?x=1');
is("$r->{status} $r->{headers}{'x-if'}", '200 live-a/demo', 'if');

$r = $t->http('path', '/limited/a/demo/v1.m3u8', method => 'DELETE');
is($r->{status}, 403, 'limit_except');
logged("/limited/a/demo/v1.m3u8|live|a/demo|v1|playlist|$n|$n|403",
       'limit_except');

# a limit by stream, for one kind

my @status = map { $t->http_get('/live/a/demo/manifest.mpd')->{status} } 1, 2;
is("@status", '200 503', 'a key of limit_req_zone');
is($t->http_get('/live/a/demo/index.m3u8')->{status}, 200,
   'others are not limited');

# the segment in progress

my $found;

for (1 .. 50) {
    my $list = $t->wait_playlist('/live/a/demo/v1.m3u8', sub { 1 }, 5);
    my ($number) = $list->{segments}[-1]{uri} =~ m|(\d+)\.m4s|;

    $number++;
    $r = $t->http_get("/live/a/demo/v1/$number.m4s");
    next if !$r->{headers}{'x-media-open'};

    logged("/live/a/demo/v1/$number.m4s|live|a/demo|v1|open|$number|$n|200",
           'the segment in progress');
    $found = 1;
    last;
}

ok($found, 'a segment was sent as it grew');

# stream

$p->stop();

my $c = $t->rtmp();
$c->handshake();
$c->connect('nowhere');
$c->close();

my $d = $t->rtmp();
$d->open('live/odd|name');
$d->close();

my $e = $t->rtmp();
$e->close();

# the one that began last, not the one that was refused after it

my $f = $t->rtmp();
$f->open('live/first');
$f->create_stream();
is($f->publish('second'), 'NetStream.Publish.Start', 'a second stream');
$f->stream_command('closeStream', undef);
$f->wait_command('onStatus');
is($f->publish("no\tname"), 'NetStream.Publish.BadName', 'one that is none');
$f->close();


for my $line (qr/^live\|a\/demo\|[a-z ]+\|200$/m,
              qr/^live\|odd\|name\|client closed connection\|200$/m,
              qr/^-\|-\|[a-z ]+\|\d+$/m,
              qr/^live\|second\|[a-z ]+\|\d+$/m)
{
    wait_ok(sub { slurp($t->path('stream.log')) =~ $line }, 10, "$line");
}

$t->done();


# the log phase comes after the last byte

sub logged {
    my ($line, $name) = @_;

    my $found;

    for (1 .. 200) {
        $found = slurp($t->path('http.log')) =~ /^\Q$line\E$/m;
        last if $found;
        $t->pump(0.02);
    }

    ok($found, "$name: logged")
        or diag("not $line, but ", (split /\n/,
                                    slurp($t->path('http.log')))[-1]);
}
