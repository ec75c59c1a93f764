#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media_srt and its directives: what nginx -t says of each mistake.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

sub said {
    my ($server, $listen) = @_;

    $listen = '127.0.0.1:%%UDP_TEST%% udp reuseport' if !defined $listen;

    return $t->conf_test("media live { zone 16m; }\n"
        . "stream { server { listen $listen; $server } }\n");
}

my @wrong = (
    ['media_srt;', qr/invalid number of arguments in "media_srt"/],
    ['media_srt "";', qr/"media_srt" directive needs the name of a "media"/],
    ['media_srt nosuch;',
     qr/unknown application in "media_srt nosuch": add "media nosuch \{/],
    ['media_srt live; media_srt live;', qr/"media_srt" directive is duplicate/],
    ['media_srt live; return x;', qr/give it a server of its own/],
    ['return x; media_srt live;', qr/give it a server of its own/],
    ['media_srt live mode=both;',
     qr/invalid parameter "mode=both" of "media_srt": it may be/],
    ['media_srt live name=a name=b;', qr/"media_srt" directive has two names/],
    ['media_srt live name=$nosuch;', qr/unknown "nosuch" variable/],

    ['media_srt live; media_srt_latency 19ms;',
     qr/needs a time from 20ms up to "max"/],
    ['media_srt live; media_srt_latency 9s;', qr/up to "max"/],
    ['media_srt live; media_srt_latency soon;', qr/up to "max"/],
    ['media_srt live; media_srt_latency 1s max=31s;', qr/30s at most/],
    ['media_srt live; media_srt_latency 1s most=2s;',
     qr/invalid parameter "most=2s" of "media_srt_latency"/],
    ['media_srt live; media_srt_latency 1s; media_srt_latency 1s;',
     qr/"media_srt_latency" directive is duplicate/],

    ['media_srt live; media_srt_passphrase 123456789;',
     qr/must have 10 to 79 bytes/],
    ['media_srt live; media_srt_passphrase ' . 'x' x 80 . ';',
     qr/must have 10 to 79 bytes/],

    ['media_srt live; media_srt_timeout 999ms;', qr/from 1s to 1h/],
    ['media_srt live; media_srt_idle_timeout 2h;', qr/from 1s to 1h/],
    ['media_srt live; media_srt_delivery late;', qr/invalid value "late"/],
    ['media_srt live; media_srt_memory 1m;', qr/not allowed here/],
    ['media_srt live; media_srt_rcvbuf 1k;', qr/from 64k to 256m/],
    ['media_srt live; media_srt_play maybe;', qr/it must be "on" or "off"/],
);

for my $case (@wrong) {
    my ($ok, $out) = said($case->[0]);

    ok(!$ok, "refused: $case->[0]");
    like($out, $case->[1], 'and why') or diag $out;
}

my ($ok, $out) = said('media_srt live;', '127.0.0.1:%%PORT_TEST%%');
ok(!$ok, 'TCP');
like($out, qr/needs the "udp" parameter of each "listen", .*test\.conf:\d+/,
     'and why');

($ok, $out) = said('media_srt live;', 'unix:%%DIR%%/s udp');
ok(!$ok, 'a path');
like($out, qr/addresses of the internet/, 'and why');

($ok, $out) = said('media_srt live;', '127.0.0.1:999 udp');
ok(!$ok, 'a port that workers may not bind');
like($out, qr/from 1024 on, .* port 999 in the server of .*test\.conf:\d+/,
     'and why');

unlike(($t->conf_test("media live { zone 16m; } stream { server { listen "
                      . '127.0.0.1:%%UDP_TEST%% udp; media_srt live; '
                      . 'media_srt_passphrase secret; } }'))[1],
       qr/secret;|"secret"/, 'passphrases are not shown');

for my $server (
    'media_srt live;',
    'media_srt live mode=read name=$remote_addr; media_srt_play on;',
    'media_srt live; media_srt_latency 20ms max=30s;'
    . ' media_srt_passphrase $media_stream; media_srt_timeout 1h;'
    . ' media_srt_idle_timeout 1s; media_srt_delivery early;'
    . ' media_srt_rcvbuf 64k;',
    'media_srt live; listen [::1]:%%UDP_TEST%% udp;'
    . ' media_srt_passphrase "";')
{
    ($ok, $out) = said($server);
    ok($ok, "accepted: $server") or diag $out;
}

($ok, $out) = $t->conf_test('media live { zone 16m; } stream {'
    . ' media_srt_memory 1024m; media_srt_passphrase 0123456789;'
    . ' server { listen 127.0.0.1:%%UDP_TEST%% udp; media_srt live; } }');
ok($ok, 'what holds for all servers') or diag $out;

done_testing();
