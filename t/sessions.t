#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers by HTTP: who is one, how many there are, what they have watched, and
# until when; over reloads, and a worker that dies.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256 /;
use MIME::Base64 ();
use Time::HiRes qw/ sleep /;

use Test::Media;
use Test::Media::Metrics;

my $secret = '0123456789abcdef0123456789abcdef';

my $t = Test::Media->new(workers => 2);

$t->write_file('key', "$secret\n");
chmod 0600, $t->path('key');

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 30s; grace 60s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    log_format ours '$uri $status [$media_session] [$media_viewer] '
                    '[$media_protocol]';
    access_log %%DIR%%/access.log ours;

    media_sessions 1m timeout=4s;
    media_token_key %%DIR%%/key;

    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;

    geo $viewers { default 1; 192.0.2.0/24 0; }

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/ { media_live live; media_cors on;
                          media_session_key auto if=$viewers; }
        location /tv/   { media_live live; media_token path; }
        location /key/  { media_live live; media_session_key $arg_user; }
        location /metrics { media_metrics; }
        location /status  { media_status; }

        location /refused/ { media_live live; deny all;
                             error_page 403 /page; }
        location /page     { return 200 "[$media_viewer$media_session]"; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/demo');
my $list = $t->wait_playlist('/live/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 4 }, 20);
my @uris = map { $_->{uri} } @{$list->{segments}}[-3 .. -1];


sub base64 {
    my $text = MIME::Base64::encode_base64($_[0], '');

    $text =~ tr|+/=|-_|d;

    return $text;
}


sub token {
    my ($opts) = @_;

    my $exp = time + 100;
    $opts = base64($opts);

    return "$exp.$opts." . base64(hmac_sha256("play\n$exp\n$opts", $secret));
}


sub metric {
    my ($name, $default) = @_;

    my $r = $t->http_get('/metrics');
    my $m = metrics_parse($r->{body});

    die "metrics: $m->{error}\n" if $m->{error};

    my $value = $m->{samples}{"ngx_media_$name"};

    return defined $value ? $value : $default;
}


sub viewers {
    my ($protocol) = @_;

    return metric(qq|viewers{app="live",protocol="$protocol"}|, 0);
}


# one viewer: a prefix of URLs, arguments, headers

sub viewer {
    my ($prefix, $args, %headers) = @_;

    return { prefix => "$prefix/demo", args => $args, headers => \%headers };
}


# all of them ask for the same at a time; (status => how many of them)

sub ask {
    my ($what, @viewers) = @_;

    my @asked = map {
        $t->start_get("$_->{prefix}/$what$_->{args}", headers => $_->{headers})
    } @viewers;

    my %statuses;
    $statuses{$_->result(20)->{status}}++ for @asked;

    return \%statuses;
}


# who is no viewer

is(viewers('hls'), 0, 'nobody is there yet, but for a playlist');

my %other = (map { $_ => viewer('/live', '', 'User-Agent' => $_) }
             qw/ monitor preview head /);

for (1 .. 2) {
    $t->http_head("$other{head}{prefix}/$_", headers => $other{head}{headers})
        for 'v1.m3u8', @uris[0, 1];
    ask('index.m3u8', $other{monitor});
    sleep 1.1;
}

my $etag = $t->http_get("/live/demo/$uris[0]")->{headers}{etag};

for (1, 2) {
    my $r = $t->http_get("/live/demo/$uris[0]",
                         headers => { 'If-None-Match' => $etag,
                                      'User-Agent' => 'cache' });
    is($r->{status}, 304, 'it is in a cache');
    $t->http('method' => 'OPTIONS', path => "/live/demo/$uris[0]",
             headers => { Origin => 'https://example.com',
                          'User-Agent' => 'preflight' });
    $t->http_get("/live/demo/none.m4s", headers => { 'User-Agent' => 'lost' });
    sleep 1.1 if $_ == 1;
}

ask($uris[0], $other{preview});


# 200 are, however they are known

my @viewers = (
    map({ viewer('/live', '', 'X-Forwarded-For' => "10.0.0.$_") } 1 .. 40),
    map({ viewer('/live', '', 'X-Forwarded-For' => "2001:db8:0:$_\::1") }
        1 .. 10),
    map({ viewer('/live', '', 'User-Agent' => "browser $_") } 1 .. 50),
    map({ viewer('/tv/~' . token("p=demo&s=$_"), '') } 1 .. 30),
    map({ viewer('/key', "?user=$_") } 1 .. 20),
    map({ viewer('/live', "?CMCD=sf%3Dh%2Csid%3D%22q$_%22",
                 'X-Forwarded-For' => '10.1.0.1') } 1 .. 25),
    map({ viewer('/live', '', 'X-Forwarded-For' => '10.1.0.1',
                 'CMCD-Session' => qq|sf=h,sid="h$_"|) } 1 .. 25),
);

my @edges = map { viewer('/live', '', 'X-Forwarded-For' => '192.0.2.7',
                         'User-Agent' => "browser $_") } 1 .. 20;

is(scalar @viewers, 200, 'so many viewers');

is_deeply(ask('v1.m3u8', @viewers, @edges), { 200 => 220 }, 'a playlist');
is_deeply(ask($uris[0], @viewers, @edges), { 200 => 220 }, 'a segment');

# another address of the same /64, another part of the same player

ask('v1.m3u8', map { viewer('/live', '',
                            'X-Forwarded-For' => "2001:db8:0:$_\::2") }
               1 .. 10);

sleep 1.1;

is_deeply(ask($uris[1], @viewers, @edges), { 200 => 220 }, 'and the next');

my $n = -1;
wait_ok(sub { ($n = viewers('hls')) >= 200 }, 5, 'they are counted');
is($n, 200, 'and nobody else');

is(metric('stream_viewers{app="live",stream="demo"}'), 200, 'of the stream');
is($t->status('/status')->{apps}[0]{streams}[0]{viewers}, 200,
   'in the status, too');

for my $pid ($t->worker_pids()) {
    my $r = $t->http_get('/status', worker => $pid);
    my $status = JSON::PP::decode_json($r->{body});

    is($status->{apps}[0]{streams}[0]{viewers}, 200, 'in each worker');
}

# as long as they go on they are there, one session each

my $made = metric('sessions_total{app="live"}');

for (1 .. 3) {
    ask('v1.m3u8', @viewers);
    sleep 1;
}

ask('manifest.mpd', @viewers[0 .. 29]);

is(viewers('hls'), 170, 'some have gone over');
is(viewers('dash'), 30, 'to DASH');
ask($uris[1], @viewers[0 .. 29]);
is(viewers('dash'), 30, 'and load the same segments');
is(metric('sessions_total{app="live"}'), $made, 'nobody began anew');


# nothing is lost by reloads, nor by who dies

for (1 .. 3) {
    $t->reload();
    ask('v1.m3u8', @viewers);
}

is(viewers('hls') + viewers('dash'), 200, 'reloads');
is(metric('sessions_total{app="live"}'), $made, 'change nothing');

my $owner = $t->status('/status')->{apps}[0]{streams}[0]{publisher}{pid};
my ($first) = grep { $_ != $owner } $t->worker_pids();

$t->kill_worker($first);
wait_until(sub { $t->worker_pids() == 2 }, 10, 'another worker');

ask('v1.m3u8', @viewers);

is(viewers('hls'), 200, 'a worker dies');
is(metric('sessions_total{app="live"}'), $made, 'and nobody notices');

wait_ok(sub { viewers('hls') + viewers('dash') == 0 }, 20, 'all have left');
wait_ok(sub { metric('session_slots_used') == 0 }, 20, 'and nothing stays');
is(metric('sessions_total{app="live"}'), $made, 'what was counted does');
is(metric('stream_viewers{app="live",stream="demo"}'), 0, 'none of the stream');

$pub->stop();
$t->done();
