#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# How many viewers there may be, and how long a token that has expired lets
# those go on who began with it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256 /;
use MIME::Base64 ();

use Test::Media;
use Test::Media::Metrics;

my $secret = '0123456789abcdef0123456789abcdef';

my $t = Test::Media->new(workers => 2);

$t->write_file('key', "$secret\n");
chmod 0600, $t->path('key');

my $main = <<'EOC';
media live { zone 64m; segment 1s; part 200ms; window 60s; grace 60s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
EOC

$t->write_conf($main . <<'EOC');
http {
    log_format ours '$uri $status [$media_session] [$media_viewer] '
                    '[$media_protocol]';
    access_log %%DIR%%/access.log ours;

    media_sessions 1m timeout=3s address=hash;
    media_token_key %%DIR%%/key;
    media_token_leeway 0s;

    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;

    # whoever has no session yet has none here
    limit_req_zone $media_session zone=one:1m rate=1r/m;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/   { media_live live; }
        location /ip/     { media_live live; media_limit ip=2;
                            media_cors on; }
        location /stream/ { media_live live; media_limit stream=3; }
        location /two/    { media_live live; media_limit session=2 ip=5;
                            media_session_key $arg_user; }
        location /none/   { media_live live; media_limit ip=1;
                            media_session_key off; }
        location /any/    { media_live live; media_limit ip=1; satisfy any;
                            allow all; media_token path; }
        location /tv/     { media_live live; media_token path; }
        location /strict/ { media_live live; media_token path;
                            media_token_expire strict; }
        location /slow/   { media_live live; limit_req zone=one; }
        location /page/   { media_live live; media_limit ip=1;
                            error_page 429 /full/demo/index.m3u8; }
        location /full/   { media_live live; media_limit ip=1; }
        location /off/    { media_live live; media_limit off; }
        location /metrics { media_metrics; }
        location /status  { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/demo');
my $pub2 = $t->ffmpeg_publish('live/news');
my $list = $t->wait_playlist('/live/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 3 }, 20);

# who only looks whether it is there is no viewer of it

wait_until(sub { $t->http_head('/live/news/v1.m3u8')->{status} == 200 }, 20,
           'the other stream');
my $uri = $list->{segments}[-1]{uri};


sub base64 {
    my $text = MIME::Base64::encode_base64($_[0], '');

    $text =~ tr|+/=|-_|d;

    return $text;
}


sub token {
    my ($opts, $seconds) = @_;

    my $exp = time + ($seconds || 100);
    $opts = base64($opts);

    return "$exp.$opts." . base64(hmac_sha256("play\n$exp\n$opts", $secret));
}


sub metric {
    my ($name) = @_;

    my $m = metrics_parse($t->http_get('/metrics')->{body});

    die "metrics: $m->{error}\n" if $m->{error};

    my $value = $m->{samples}{"ngx_media_$name"};

    return defined $value ? $value : 0;
}


# by address, and what the browser calls itself

sub ask {
    my ($path, $from, $agent, %headers) = @_;

    return $t->http_get($path, headers => {
        'X-Forwarded-For' => $from, 'User-Agent' => $agent || 'browser',
        %headers
    });
}

sub status { return ask(@_)->{status} }

sub gone { wait_until(sub { metric('session_slots_used') == 0 }, 20, 'gone') }


# streams

is(status('/stream/news/v1.m3u8', "10.9.0.$_"), 200, "viewer $_") for 1 .. 3;
is(status('/stream/news/v1.m3u8', '10.9.0.4'), 429, 'the stream is full');
is(status("/stream/news/v1.m3u8", '10.9.0.3'), 200, 'who is there goes on');
is(status('/stream/demo/v1.m3u8', '10.9.0.4'), 200, 'the other is not');


# addresses

is(status('/ip/demo/index.m3u8', '10.0.0.1', 'a'), 200, 'one of an address');
is(status('/ip/demo/v1.m3u8', '10.0.0.1', 'b'), 200, 'two');

my $r = ask('/ip/demo/v1.m3u8', '10.0.0.1', 'c',
            Origin => 'https://example.com');

is($r->{status}, 429, 'one too many');
is($r->{headers}{'cache-control'}, 'no-store', 'nobody keeps that');
is($r->{headers}{'retry-after'}, 3, 'when he may ask again');
is($r->{headers}{'access-control-allow-origin'}, '*', 'pages may see it');
ok($t->log_count(qr/media viewer refused: the address has too many sessions/),
   'it is logged');
is(status("/ip/demo/$uri", '10.0.0.1', 'c'), 429, 'nor has he media');
is(status("/ip/demo/$uri", '10.0.0.1', 'b'), 200, 'who is there goes on');
is(status('/ip/demo/v1.m3u8', '10.0.0.2', 'c'), 200, 'another address');
is(status('/ip/demo/v1.m3u8', '2001:db8::1', 'a'), 200, 'IPv6');
is(status('/ip/demo/v1.m3u8', '2001:db8::2', 'b'), 200, 'of one /64');
is(status('/ip/demo/v1.m3u8', '2001:db8::3', 'c'), 429, 'has no more, either');
is(status('/live/demo/v1.m3u8', '10.0.0.1', 'd'), 200,
   'where there is no limit');
is(status('/off/demo/v1.m3u8', '10.0.0.1', 'e'), 200, 'or none any more');
is($t->http_head('/ip/demo/v1.m3u8', headers => {
    'X-Forwarded-For' => '10.0.0.1' })->{status}, 200, 'HEAD is no viewer');

cmp_ok(metric('sessions_refused_total{app="live",reason="limit"}'), '==', 4,
       'all are counted');

is(status('/ip/none/index.m3u8', '10.0.0.9', $_), 404, 'what is not there')
    for qw/ a b c d /;
is(status('/ip/demo/index.m3u8', '10.0.0.9'), 200, 'takes nobody a place');


# what one viewer has

is(status("/two/demo/v1.m3u8?user=anna", '10.0.0.1', 'tv'), 200, 'a device');
is(status("/two/news/v1.m3u8?user=anna", '10.0.0.2', 'phone'), 200,
   'and another');
is(status("/two/demo/v1.m3u8?user=anna", '10.0.0.3', 'friend'), 429,
   'one too many');
is(status("/two/demo/$uri?user=anna", '10.0.0.1', 'tv'), 200, 'they go on');
is(status("/two/demo/v1.m3u8?user=bob", '10.0.0.3', 'friend'), 200,
   'somebody else');
is(status("/two/$_/v1.m3u8?user=", '10.0.0.4', 'none'), 200, 'no key')
    for qw/ demo news /;
is(status("/two/demo/$uri", '10.0.0.4', 'none'), 200,
   'is the address and browser');
is(status("/none/demo/v1.m3u8", '10.0.0.4', $_), 200, 'who is not counted')
    for 1 .. 3;

my $one = token('p=*&s=carl&n=1');
is(status("/tv/~$one/demo/v1.m3u8", '10.0.0.1', 'tv'), 200,
   'a token for one at a time');
is(status("/tv/~$one/demo/$uri", '10.0.0.1', 'tv'), 200, 'who goes on');
is(status("/tv/~$one/demo/v1.m3u8", '10.0.0.1', 'phone'), 429, 'alone');
is(status("/tv/~$one/news/v1.m3u8", '10.0.0.1', 'tv'), 429,
   'and watches one thing');

my $nobody = token('p=*&n=1');
is(status("/tv/~$nobody/demo/v1.m3u8", '10.0.0.1', 'tv'), 200,
   'a token that is nobody\'s');
is(status("/tv/~$nobody/demo/v1.m3u8", '10.0.0.2', 'tv'), 429,
   'is for one, too');

my $sids = token('p=*&s=dora&n=1');
is(status("/tv/~$sids/demo/v1.m3u8?CMCD=sid%3D%22a%22", '10.0.0.1'), 200,
   'a player says which it is');
is(status("/tv/~$sids/demo/$uri?CMCD=sid%3D%22a%22", '10.0.0.1', 'x'), 200,
   'whatever browser it is');
is(status("/tv/~$sids/demo/$uri?CMCD=sid%3D%22a%22", '10.0.0.2'), 429,
   'but elsewhere it is another one');
is(status("/tv/~$sids/demo/v1.m3u8?CMCD=sid%3D%22b%22", '10.0.0.1'), 429,
   'or that it is another one');


my $mapped = token('p=*&s=hugo&n=1');
is(status("/tv/~$mapped/demo/v1.m3u8", "::ffff:10.0.0.$_"),
   { 3 => 200, 4 => 429 }->{$_}, "IPv4 in IPv6 is IPv4, $_") for 3, 4;


# who watches in FLV is one of them

sub flv {
    my ($path, $from) = @_;

    my $v = $t->start_get($path, headers => { 'X-Forwarded-For' => $from });
    wait_until(sub { $t->pump(0.1); $v->{status} }, 10, 'an answer');
    return $v;
}

my @flv = map { flv('/ip/demo.flv', '10.3.0.1') } 1 .. 3;

is(join(' ', map { $_->{status} } @flv), '200 200 429', 'FLV, by address');
is($flv[2]{headers}{'retry-after'}, 3, 'with when to ask again');
is($flv[2]{headers}{'access-control-allow-origin'}, '*', 'for pages, too');
is(status('/ip/demo/v1.m3u8', '10.3.0.1'), 429, 'whatever he watches');

my $flv = token('p=*&s=gina&n=1');
push @flv, map { flv("/tv/~$flv/demo.flv", '10.3.0.2') } 1, 2;
is(join(' ', map { $_->{status} } @flv[3, 4]), '200 429', 'by token');

push @flv, map { flv("/two/demo.flv?user=$_", '10.3.0.3') }
           qw/ hana hana hana ivan /;
is(join(' ', map { $_->{status} } @flv[5 .. 8]), '200 200 429 200', 'by key');

push @flv, map { flv('/two/demo.flv', '10.3.0.4') } 1 .. 3;
push @flv, map { flv('/none/demo.flv', '10.3.0.4') } 1 .. 2;
is(join(' ', map { $_->{status} } @flv[9 .. 13]), '200 200 429 200 200',
   'who has none, and who is not counted');

$_->cancel() for @flv;


# "satisfy any" lets nobody in beyond a limit

is(status('/any/demo/v1.m3u8', '10.2.0.1', 'a'), 200, 'satisfy any');
is(status('/any/demo/v1.m3u8', '10.2.0.1', 'b'), 429, 'and too many');

$r = ask('/page/demo/v1.m3u8', '10.2.0.1', 'b');
is($r->{status}, 429, 'a page that is refused in its turn');
is($r->{headers}{'retry-after'}, 3, 'has one header of each');


# tokens that expire meanwhile

my $short = token('p=*&s=eve', 2);
my $other = token('p=*&s=fred', 2);
my $plain = token('p=*', 2);
my $longer = token('p=*', 50);
my $sid = 'CMCD=sid%3D%22both%22';

is(status("/tv/~$short/demo/v1.m3u8", '10.0.0.1'), 200, 'a token');
is(status("/tv/~$plain/demo/v1.m3u8", '10.0.0.2'), 200, 'that is nobody\'s');
is(status("/tv/~$longer/demo/v1.m3u8", '10.0.0.2'), 200, 'nor this one');
is(status("/tv/~$plain/demo/v1.m3u8?$sid", '10.0.0.8'), 200, 'a sid');
is(status("/strict/~$short/demo/v1.m3u8", '10.0.0.1'), 200, 'and strictly');

wait_until(sub {
    status("/tv/~$short/demo/$uri", '10.0.0.1');
    status("/tv/~$plain/demo/$uri", '10.0.0.2');
    status("/tv/~$longer/demo/$uri", '10.0.0.2');
    status("/tv/~$plain/demo/$uri?$sid", '10.0.0.8');
    return status("/strict/~$short/demo/v1.m3u8", '10.0.0.1') == 403;
}, 10, 'it to expire');

is(status("/tv/~$short/demo/v1.m3u8", '10.0.0.1'), 200,
   'who began goes on');
is(status("/tv/~$short/demo/$uri", '10.0.0.7'), 200, 'wherever he is');
is(status("/tv/~$plain/demo/v1.m3u8", '10.0.0.2'), 200, 'so does nobody');
is(status("/tv/~$plain/demo/v1.m3u8?$sid", '10.0.0.8'), 200, 'and by sid');
is(status("/tv/~$plain/demo/v1.m3u8", '10.0.0.3'), 403, 'but no newcomer');
is(status("/tv/~$plain/demo/v1.m3u8?$sid", '10.0.0.9'), 403,
   'even if he says that he is somebody else');
is(status("/tv/~$other/demo/v1.m3u8", '10.0.0.1'), 403,
   'nor who has not begun');
is(status("/tv/~$short/news/v1.m3u8", '10.0.0.1'), 403,
   'nor with another stream');

my $renewed = token('p=*&s=eve');
is(status("/tv/~$renewed/demo/v1.m3u8", '10.0.0.1'), 200, 'a new token');
is(status("/tv/~$short/demo/v1.m3u8", '10.0.0.1'), 403,
   'takes the old one\'s place');

my $bad = $short;
$bad =~ s/^(\d+)/$1 - 1/e;
is(status("/tv/~$bad/demo/v1.m3u8", '10.0.0.1'), 403, 'one that was changed');

gone();
is(status("/tv/~$plain/demo/v1.m3u8", '10.0.0.2'), 403,
   'nor who was away for long');
is(status('/ip/demo/v1.m3u8', '10.0.0.1', 'c'), 200,
   'those of the address have left');

is(metric('access_refused_total{app="live",reason="expired"}') >= 4, 1,
   'expired ones are counted');
is(metric('access_refused_total{app="live",reason="invalid"}'), 1,
   'so are others');
is(status('/tv/demo/v1.m3u8', '10.0.0.1'), 401, 'and none');
is(metric('access_refused_total{app="live",reason="missing"}'), 1,
   'which are missing');


# variables

$t->http_get('/live/demo/manifest.mpd', headers => { 'User-Agent' => 'x' });
$t->http_get("/live/demo/$uri", headers => { 'User-Agent' => 'x' });
$t->http_get("/off/demo/v1.m3u8", headers => { 'User-Agent' => 'y' });
$t->http_get("/live/demo/$uri", headers => { 'User-Agent' => 'z' });
$t->http_get("/live/demo/none", headers => { 'User-Agent' => 'x' });
$t->http_get("/status");

wait_until(sub { $t->read_file('access.log') =~ m!/status 200! }, 5, 'the log');

my $log = $t->read_file('access.log');
my $id = qr/[0-9a-f]{16}/;

my ($session, $viewer) =
    $log =~ m!^/live/demo/manifest.mpd 200 \[($id)\] \[($id)\] \[dash\]$!m;

ok($session, 'a session, and its viewer');
like($log, qr!^/live/demo/\Q$uri\E 200 \[$session\] \[$viewer\] \[dash\]$!m,
     'is the same with a segment');
like($log, qr!^/off/demo/v1.m3u8 200 \[$id\] \[$id\] \[hls\]$!m, 'HLS');
unlike($log, qr!^/off/.*\[$viewer\]!m, 'another viewer');
like($log, qr!^/live/demo/\Q$uri\E 200 \[$id\] \[$id\] \[-\]$!m,
     'one who has not said');
like($log, qr!^/live/demo/none 404 \[-\] \[-\] \[-\]$!m, 'no media');
like($log, qr!^/ip/demo/v1.m3u8 429 \[-\] \[$id\] \[hls\]$!m,
     'who was refused has none');
like($log, qr!^/status 200 \[-\] \[-\] \[-\]$!m, 'nothing of the sort');

my @agent = (headers => { 'User-Agent' => 'slow' });
is($t->http_get('/slow/demo/v1.m3u8', @agent)->{status}, 200,
   'before there is a session');
is($t->http_get('/slow/demo/v1.m3u8', @agent)->{status}, 200, 'the first');
is($t->http_get('/slow/demo/v1.m3u8', @agent)->{status}, 503,
   'limit_req knows it');


# what nginx -t says

my %wrong = (
    'media_sessions 1m; media_sessions 1m;' => qr/"media_sessions" .*duplicate/,
    'media_sessions 4k;' => qr/invalid size "4k", it must be at least 256k/,
    'media_sessions big;' => qr/invalid size "big"/,
    'media_sessions off timeout=3s;' => qr/"off" has no parameters/,
    'media_sessions 1m timeout=1s;' => qr/invalid parameter "timeout=1s"/,
    'media_sessions 1m timeout=2h;' => qr/invalid parameter "timeout=2h"/,
    'media_sessions 1m address=all;' => qr/invalid parameter "address=all"/,
    'media_limit ip=1;' => qr/"media_limit" needs "media_sessions"/,
    'media_sessions off; media_limit ip=1;' =>
        qr/"media_limit" needs "media_sessions"/,
    'media_sessions 1m; media_limit ip=0;' => qr/invalid parameter "ip=0"/,
    'media_sessions 1m; media_limit ip=1 ip=2;' =>
        qr/invalid parameter "ip=2"/,
    'media_sessions 1m; media_limit off ip=2;' => qr/invalid parameter "off"/,
    'media_sessions 1m; media_limit viewers=2;' =>
        qr/invalid parameter "viewers=2"/,
    'media_sessions 1m; media_limit ip=1; media_limit ip=1;' =>
        qr/"media_limit" .*duplicate/,
    'media_session_key auto for=1;' => qr/invalid parameter "for=1"/,
    'media_session_key auto if=;' => qr/invalid parameter "if=", write "if=C/,
    'media_session_key a; media_session_key b;' => qr/is duplicate/,
    'media_token_expire never;' => qr/invalid value "never"/,
);

for my $text (sort keys %wrong) {
    my ($ok, $out) = $t->conf_test("$main http { $text }");

    ok(!$ok, $text);
    like($out, $wrong{$text}, 'is told');
}

my ($ok, $out) = $t->conf_test("$main http { media_sessions off; server {
    location / { media_session_key off; } } }");
ok($ok, 'none at all') or diag($out);

$_->stop() for $pub, $pub2;
$t->done();
