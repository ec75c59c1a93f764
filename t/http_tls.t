#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# TLS and HTTP/2: the same bytes, ranges, and many requests that wait on one
# connection, some of which are reset.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my ($status, $version) = sh('curl', '--version');

die "no curl with HTTP/2: run scripts/deps test\n"
    if $status || $version !~ /HTTP2/;

my $t = Test::Media->new();

($status) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
               '-keyout', $t->path('key.pem'), '-out', $t->path('cert.pem'),
               '-subj', '/CN=localhost', '-days', 2);

die "no openssl: run scripts/deps test\n" if $status;

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 2s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    sendfile on;

    ssl_certificate %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        listen 127.0.0.1:%%PORT_TLS%% ssl http2;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s', bitrate => '2000k');
my $list = $t->wait_playlist('/live/s/v1.m3u8', sub {
    @{$_[0]{segments}} >= 3
}, 20);

my $base = 'https://127.0.0.1:' . $t->port('TLS') . '/live/s';


sub curl {
    my ($url, @args) = @_;

    my $file = $t->path('curl.out');
    my ($status, $out) = sh('curl', '-sk', '-o', $file, '-w',
                            '%{http_code} %{http_version}', @args,
                            "$base/$url");

    return ($out, $status ? '' : slurp($file));
}


my @uris = map { $_->{uri} } @{$list->{segments}};

for my $uri ($list->{segments}[0]{map}, @uris,
             $list->{segments}[-1]{parts}[0]{uri})
{
    my $plain = $t->http_get("/live/s/$uri")->{body};

    for my $version ('--http1.1', '--http2') {
        my ($out, $body) = curl($uri, $version);

        is($out, $version eq '--http2' ? '200 2' : '200 1.1',
           "$uri $version");
        ok($body eq $plain, 'the same bytes');

        ($out, $body) = curl($uri, $version, '-r', '50-149');

        like($out, qr/^206 /, 'range');
        ok($body eq substr($plain, 50, 100), 'its bytes');
    }
}

my ($out, $body) = curl('index.m3u8', '--http2', '--compressed');
is($out, '200 2', 'a playlist');
is($body, $t->http_get('/live/s/index.m3u8')->{body}, 'compressed');

# what waits

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});

($out, $body) = curl("v1.m3u8?_HLS_msn=$list->{next_msn}", '--http2');
is($out, '200 2', 'a blocked playlist');
cmp_ok(m3u8_parse($body)->{next_msn}, '>', $list->{next_msn}, 'has it');

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
($out, $body) = curl($list->{hints}[0]{URI}, '--http2');
is($out, '200 2', 'a hinted part');
ok($body eq $t->http_get("/live/s/$list->{hints}[0]{URI}")->{body},
   'its bytes');

# a growing segment

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
($out, $body) = curl("v1/$list->{next_msn}.m4s", '--http2');
is($out, '200 2', 'a growing segment');
ok($body eq $t->http_get("/live/s/v1/$list->{next_msn}.m4s")->{body},
   'its bytes');

# 60 at once on one connection

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});

my ($rc, $codes) = sh('curl', '-sk', '--http2', '--parallel',
                      '--parallel-max', 60, '-w', "%{http_code}\n",
                      map { ('-o', '/dev/null',
                             "$base/v1.m3u8?_HLS_msn=$list->{next_msn}&n=$_")
                      } 1 .. 60);

is(scalar(grep { /^200$/ } split /\n/, $codes), 60, '60 that wait');

# the connection breaks while they wait

for (1 .. 3) {
    $list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});

    sh('curl', '-sk', '--http2', '--parallel', '--parallel-max', 60,
       '--max-time', 0.3,
       map { ('-o', '/dev/null',
              "$base/v1.m3u8?_HLS_msn=" . ($list->{next_msn} + 1)
              . "&n=$_") } 1 .. 40);
}

is($t->http_get('/live/s/v1.m3u8')->{status}, 200, 'all goes on');

$t->done();
