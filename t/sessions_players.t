#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Players behind one address, in one browser, that say which session theirs is
# (CMCD): each is a viewer.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Players;

my $seconds = 6;

players_needed();

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_sessions 1m timeout=60s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;

        location /live/  { media_live live; }
        location /api/   { media_api read; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $api = Test::Media::API->new($t, '/api');
my $pub = $t->ffmpeg_publish('live/s');

wait_until(sub { $t->http_head('/live/s/v1.m3u8')->{status} == 200 }, 20,
           'the stream');
sleep 3;

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/s';

for my $r (players_play($t, $seconds, [['hls+cmcd', "$at/index.m3u8"],
                                       ['hls+cmcd', "$at/index.m3u8"],
                                       ['shaka+cmcd', "$at/index.m3u8"],
                                       ['dash+cmcd', "$at/manifest.mpd"]],
                        again => sub { 0 }))
{
    cmp_ok($r->{played}, '>', 0, "$r->{player} has played");
}

my @all = @{$api->call('GET', '/v1/sessions?stream=live/s')->{json}{items}};
my @viewers = grep { $_->{confirmed} } @all;

is(join(' ', sort map { "$_->{by} $_->{protocol}" } @viewers),
   'sid dash sid hls sid hls sid hls', 'so many viewers');

# nobody else is, but for what a player asked for without CMCD

cmp_ok(scalar @all, '<=', 5, 'and hardly anybody else');

$pub->stop();
$t->done();
