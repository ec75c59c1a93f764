#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Players at an origin where all that is asked for needs a signed link of
# nginx's own, secure_link: they keep the arguments that media_args_forward has
# put into the URIs.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw/ md5 /;
use MIME::Base64 qw/ encode_base64 /;

use Test::Media;
use Test::Media::Players;

my $seconds = 8;

players_needed();

my $t = Test::Media->new();

plan(skip_all => 'nginx is built without secure_link')
    if $t->build_flags() !~ /http_secure_link_module/;

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    log_format all '$status $uri';
    access_log %%DIR%%/access.log all;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
        location /open/  { media_live live; }
        location /live/ {
            media_live live;
            media_cors on;
            media_args_forward st e;

            secure_link $arg_st,$arg_e;
            secure_link_md5 "$secure_link_expires a secret";

            if ($secure_link = "")  { return 403; }
            if ($secure_link = "0") { return 410; }
        }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s');

$t->wait_playlist('/open/s/v1.m3u8', sub { @{$_[0]{segments}} >= 5 }, 20);

my $expires = time + 600;
(my $sum = encode_base64(md5("$expires a secret"), '')) =~ tr|+/=|-_|d;

my $args = "st=$sum&e=$expires";
my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/s';

is($t->http_get('/live/s/index.m3u8')->{status}, 403, 'it needs a link');

my @all = ([hls => "$at/index.m3u8?$args"],
           [shaka => "$at/index.m3u8?$args"],
           [shaka => "$at/manifest.mpd?$args"],
           [dash => "$at/manifest.mpd?$args"]);

for my $r (players_play($t, $seconds, \@all,
                        again => sub { @{$_[0]{stalls}} }))
{
    my $name = $r->{player};
    my @errors = grep { !/^mediaError bufferStalled/ } @{$r->{errors}};

    is(join(', ', @errors), '', "$name: no error");
    is(join(', ', @{$r->{bad}}), '', "$name: all requests were answered");
    cmp_ok($r->{played}, '>', $seconds * 0.8, "$name: played");
}

my @log = split /\n/, slurp($t->path('access.log'));

is(scalar(grep { /^4(?:03|10) .*\.(?:m4s|mp4|txt)$/ } @log), 0,
   'nothing was asked for without it');
cmp_ok(scalar(grep { m{^200 /live/s/v1/\d+\.\d+\.m4s$} } @log), '>', 10,
       'parts neither');

$t->done();
