#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Players with a token in their first URL, at an edge that caches: all they ask
# for has it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;

my $seconds = 8;

players_needed();

my $t = Test::Media->new();

$t->write_file('key', '0123456789abcdef0123456789abcdef');
chmod 0600, $t->path('key');

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    access_log %%DIR%%/access.log;
    proxy_cache_path %%DIR%%/cache keys_zone=edge:1m;

    server {
        listen 127.0.0.1:%%PORT_ORIGIN%%;
        media_cors on;
        location /live/  { media_live live; }
    }

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_token_key %%DIR%%/key;
        location /status { media_status; }
        location /live/ {
            media_token path query=token;
            proxy_pass http://127.0.0.1:%%PORT_ORIGIN%%;
            proxy_cache edge;
            proxy_cache_key $uri$is_args$args;
            proxy_cache_lock on;
            add_header Access-Control-Allow-Origin *;
            proxy_hide_header Access-Control-Allow-Origin;
        }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s');

$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 5 }, 20,
                  port => $t->port('ORIGIN'));

my ($rc, $token) = sh($t->root() . '/scripts/token', $t->path('key'), 's');
die $token if $rc;
chomp $token;

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live';

my @all = ([hls => "$at/s/index.m3u8?token=$token"],
           [shaka => "$at/~$token/s/index.m3u8"],
           [dash => "$at/s/manifest.mpd?token=$token"]);

for my $r (players_play($t, $seconds, \@all,
                        again => sub { @{$_[0]{stalls}} }))
{
    my $name = $r->{player};
    my @errors = grep { !/^mediaError bufferStalled/ } @{$r->{errors}};

    is(join(', ', @errors), '', "$name: no error");
    is(join(', ', @{$r->{bad}}), '', "$name: all requests were answered");
    cmp_ok($r->{played}, '>', $seconds * 0.8, "$name: played");
}

unlike(slurp($t->path('access.log')), qr/\Q$token\E/, 'no log has the token');

$t->done();
