#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Hooks for viewers by HTTP: asked once for each viewer, whatever his requests
# are, and told of his end once.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Metrics;

my $t = Test::Media->new(test_modules => 1, workers => 1);

my $main = <<'EOC';
media_test_access http;
media live { zone 64m; segment 1s; part 200ms; window 60s; grace 60s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
EOC

$t->write_conf($main . <<'EOC');
http {
    media_sessions 1m timeout=3s;

    server {
        listen 127.0.0.1:%%PORT_H2%% http2;
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/   { media_live live; media_cors on; }
        location /limit/  { media_live live; media_limit session=1; }
        location /edge/   { media_live live; media_session_key off; }
        location /cookie/ { media_live live; media_session_key $cookie_user; }
        location /metrics { media_metrics; }
        location /status  { media_status; }
        location /api/    { media_api write; allow 127.0.0.1; deny all; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/demo');
my $pub2 = $t->ffmpeg_publish('live/news');

wait_until(sub {
    $t->http_head("/edge/$_/v1.m3u8")->{status} == 200 || return for
        qw/ demo news /;
    return 1;
}, 20, 'streams');

my $list = $t->wait_playlist('/edge/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 2 }, 20);
my $uri = $list->{segments}[-1]{uri};


sub asked { return $t->log_count(qr/test access asked, play/) }

sub get {
    my ($agent, $path, %opt) = @_;

    return $t->http_get($path, headers => { 'User-Agent' => $agent }, %opt);
}

sub start {
    my ($agent, $path) = @_;

    return $t->start_get($path, headers => { 'User-Agent' => $agent });
}

# how often they are asked by code

sub asks {
    my ($n, $name, $sub) = @_;

    my $before = asked();
    $sub->();
    is(asked() - $before, $n, "$name: asked $n times");
}


is(asked(), 0, 'of who is not counted nobody is asked');

for my $cookie ('', 'user=', 'user=off', 'user=auto') {
    is($t->http_get('/cookie/demo/v1.m3u8?say=no',
                    headers => { Cookie => $cookie,
                                 'User-Agent' => "crumb $cookie" })->{status},
       403, "cookie \"$cookie\": they are asked");
}

asks(1, 'yes', sub {
    is(get('a', '/live/demo/index.m3u8?say=yes')->{status}, 200, 'yes');
    is(get('a', '/live/demo/v1.m3u8?say=yes')->{status}, 200, 'and again');
    is(get('a', "/live/demo/$uri")->{status}, 200, 'and media');
});
ok($t->log_count(qr/asked, play name:"demo" args:"say=yes" by:hls from:127/),
   'what they are told');

asks(2, 'no', sub {
    my $r = get('b', '/live/demo/index.m3u8?say=no');
    is($r->{status}, 403, 'no');
    is($r->{headers}{'cache-control'}, 'no-store', 'nobody keeps that');
    is($r->{headers}{'access-control-allow-origin'}, '*', 'pages may see it');
    is(get('b', "/live/demo/$uri?say=no")->{status}, 403,
       'nor is there media');
});

# bans to play are for RTMP and FLV, whether there are hooks or not

my $api = Test::Media::API->new($t, '/api');
my $ban = $api->call('POST', '/v1/bans', json => { app => 'live',
                     name => 'demo', action => 'play', seconds => 600 });
is(get('bans', '/live/demo/v1.m3u8?say=yes')->{status}, 200,
   'viewers by HTTP have bans of their own');
$api->call('DELETE', "/v1/bans/$ban->{json}{id}");

is(get('c', '/live/demo/v1.m3u8?say=no&status=401')->{status}, 401,
   'who are you');

my $down = get('c', '/live/demo/v1.m3u8?say=fail');
is($down->{status}, 503, 'nobody knows');
ok($down->{headers}{'retry-after'}, 'yet');

asks(1, 'media first', sub {
    is(get('d', "/live/demo/$uri?say=yes")->{status}, 200, 'media first');
    is(get('d', "/live/demo/v1.m3u8?say=yes")->{status}, 200, 'it counts');
});

asks(0, 'what is not there', sub {
    is(get('d', '/live/none/index.m3u8?say=yes')->{status}, 404, 'no stream');
    is($t->http_head('/live/demo/index.m3u8?say=no')->{status}, 200, 'HEAD');
});

# several at a time

asks(1, 'at a time', sub {
    my @all = map { start('e', "/live/demo/$_?wait=300") }
              'index.m3u8', 'v1.m3u8', 'a1.m3u8', $uri, 'manifest.mpd';

    is($_->result(20)->{status}, 200, 'one of many') for @all;
});

asks(1, 'no for all', sub {
    my @all = map { start('f', "/live/demo/$_?wait=300&say=no") }
              'index.m3u8', 'v1.m3u8', $uri;

    is($_->result(20)->{status}, 403, 'one of many') for @all;
});

asks(2, 'other arguments', sub {
    my $n = asked();
    my $bad = start('s', '/live/demo/v1.m3u8?wait=500&say=no');
    wait_until(sub { asked() > $n }, 10, 'it is asked');
    my @all = ($bad, map { start('s', "/live/demo/$_") }
               'v1.m3u8?wait=500', 'v1.m3u8?wait=500&_HLS_msn=0',
               'a1.m3u8?CMCD=bs&wait=500');

    is(join(' ', map { $_->result(20)->{status} } @all), '403 200 200 200',
       'have answers of their own');
});

asks(2, 'a no that comes late', sub {
    my $n = asked();
    my $bad = start('t', '/live/demo/v1.m3u8?wait=700&say=no');
    wait_until(sub { asked() > $n }, 10, 'it is asked');
    is(get('t', '/live/demo/v1.m3u8?say=yes')->{status}, 200, 'a yes');
    is($bad->result(20)->{status}, 403, 'and then a no');
    is(get('t', '/live/demo/v1.m3u8?say=no')->{status}, 200,
       'ends nobody else');
});

asks(2, 'who asks goes away', sub {
    my @all;

    for my $what ('index.m3u8', 'v1.m3u8', $uri) {
        my $n = asked();

        push @all, start('g', "/live/demo/$what?wait=1000");
        wait_until(sub { asked() > $n }, 10, 'it is asked') if @all == 1;
    }

    $t->pump(0.2);
    $all[0]->cancel();
    is($_->result(20)->{status}, 200, 'the others are answered')
        for @all[1, 2];
});
is($t->log_count(qr/test access cancelled/), 1, 'the first is not');

asks(2, 'two viewers', sub {
    my @all = map { start($_, '/live/demo/v1.m3u8?wait=200') } qw/ h i /;
    is($_->result(20)->{status}, 200, 'each is asked for') for @all;
});

is(get('j', '/live/demo/v1.m3u8?wait=0')->{status}, 200, 'answered at once');
is(get('k', '/live/demo/v1.m3u8?wait=0&say=no')->{status}, 403, 'likewise');

# who began with something that was not sent has watched other things

asks(1, 'held', sub {
    my $now = $t->wait_playlist('/edge/demo/v1.m3u8',
                                sub { @{$_[0]{segments}} >= 2 }, 20);
    my $next = $now->{msn} + @{$now->{segments}} + 1;
    my $n = asked();
    my $held = start('q', "/live/demo/v1.m3u8?_HLS_msn=$next&say=yes");

    wait_until(sub { asked() > $n }, 10, 'it is asked');
    is(get('q', "/live/demo/$uri")->{status}, 200, 'a segment meanwhile');
    ok(!$held->{status}, 'the playlist is held');
    $held->cancel();
    $t->pump(0.2);
    is(get('q', "/live/demo/$uri")->{status}, 200, 'he goes on');
});

asks(1, 'who has it all', sub {
    my $etag = $t->http_get("/edge/demo/$uri")->{headers}{etag};

    is($t->http_get("/live/demo/$uri", headers => {
        'If-None-Match' => $etag, 'User-Agent' => 'r' })->{status}, 304,
       'not modified') for 1 .. 3;
});

# over HTTP/2, and who goes away there

my $h2 = $t->port('H2');

my ($rc, $out) = sh('curl', '-sS', '--http2-prior-knowledge', '-o',
                    '/dev/null', '-w', '%{http_code}',
                    "http://127.0.0.1:$h2/live/demo/v1.m3u8?wait=200");
is($out, 200, 'HTTP/2');

($rc, $out) = sh('curl', '-sS', '--http2-prior-knowledge', '-A', 'h2', '-m',
                 '0.5', '-o', '/dev/null',
                 "http://127.0.0.1:$h2/live/demo/v1.m3u8?wait=never");
wait_ok(sub { $t->log_count(qr/test access cancelled/) == 2 }, 10,
        'who goes away is forgotten');

# for a time

asks(2, 'once more', sub {
    is(get('l', '/live/demo/v1.m3u8?again=1&id=5')->{status}, 200, 'yes');
    is(get('l', "/live/demo/$uri?say=no")->{status}, 200, 'it holds');
    wait_until(sub {
        get('l', "/live/demo/$uri?say=no")->{status} == 200
            or die "media is not what asks\n";
        get('l', '/live/demo/v1.m3u8?again=9');
        return $t->log_count(qr/asked once more, id:5/);
    }, 10, 'it to be over');
});

asks(2, 'no, once more', sub {
    is(get('m', '/live/demo/v1.m3u8?again=1&id=6')->{status}, 200, 'yes');
    my $r;
    wait_until(sub {
        $r = get('m', '/live/demo/v1.m3u8?say=no');
        return $r->{status} == 403;
    }, 10, 'it to be over');
});
wait_ok(sub { $t->log_count(qr/told of the end, app:"live" id:6/) == 1 }, 5,
        'which is the end of it');
is(get('m', "/live/demo/$uri?say=no")->{status}, 403, 'for media, too');

# so many at a time

is(get('n', '/live/demo/v1.m3u8?sessions=1&id=7')->{status}, 200, 'one');
is(get('n', '/live/news/v1.m3u8?sessions=1&id=8')->{status}, 429,
   'one too many');
is($t->log_count(qr/told of the end, app:"live" id:8/), 1,
   'who was not let in after all');
asks(0, 'a limit of ours', sub {
    is(get('n', '/limit/news/v1.m3u8?say=yes')->{status}, 429,
       'is looked at first');
});

# ends

wait_ok(sub { $t->log_count(qr/told of the end, app:"live" id:7/) }, 20,
        'the end is told');
wait_ok(sub { $t->log_count(qr/told of the end, app:"live" id:5/) }, 20,
        'under the name that it had');

my $m = metrics_parse($t->http_get('/metrics')->{body});
cmp_ok($m->{samples}{'ngx_media_access_refused_total{app="live",'
                     . 'reason="hook"}'}, '>=', 6, 'refusals are counted');

# the worker that waits dies

$t->reload();
my $waits = start('o', '/live/demo/v1.m3u8?wait=never');
wait_until(sub { $t->log_count(qr/asked, play.*wait=never/) == 2 }, 10,
           'it waits');
my ($pid) = $t->worker_pids();
$t->kill_worker($pid);
$waits->result(20);
wait_until(sub { $t->worker_pids() == 1 }, 10, 'another worker');
is(get('o', '/live/demo/v1.m3u8?say=yes')->{status}, 200,
   'another one asks');

is($t->log_count(qr/told of the end, app:"live" id:$_/), 1, "once of $_")
    for 5 .. 8;

# and leaves

my $left = start('p', '/live/demo/v1.m3u8?wait=exit');
$t->pump(0.3);
$t->reload();
is($left->result(20)->{status}, 200, 'a worker that leaves answers first');

my ($ok, $text) = $t->conf_test("$main http { server { location /live/ {
    media_live live; } } }");
ok(!$ok, 'without sessions');
like($text, qr/"media_live live" needs "media_sessions", as "media live/,
     'is told');

$_->stop() for $pub, $pub2;

# two workers that ask for one viewer at a time

my $u = Test::Media->new(test_modules => 1, workers => 2);

$u->write_conf($main . <<'EOC');
http {
    media_sessions 1m timeout=2s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$u->run();

my $both = $u->ffmpeg_publish('live/demo');
wait_until(sub { $u->http_head('/live/demo/v1.m3u8')->{status} == 200 }, 20,
           'the stream');

my ($one, $two) = $u->worker_pids();
my @asks = map {
    $u->start_get("/live/demo/v1.m3u8?wait=700&id=$_->[0]", worker => $_->[1])
} [21, $one], [22, $two];

is($_->result(20)->{status}, 200, 'each worker asks') for @asks;
is($u->log_count(qr/test access asked, play/), 2, 'for itself');

wait_ok(sub {
    $u->log_count(qr/end.* id:2[12]: the viewer has been asked/) == 1
}, 5, 'one yes is of no use');
wait_ok(sub { $u->log_count(qr/told of the end, app:"live" id:2[12]/) == 2 },
        20, 'and the other ends with him');
ok($u->log_count(qr/told of the end, app:"live" id:$_/) == 1, "once of $_")
    for 21, 22;

$both->stop();
$u->stop();

$t->done();
