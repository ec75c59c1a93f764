#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Live streams as FLV over HTTP: each frame once, from any worker, whatever
# HTTP it is, and who is too slow harms nobody.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::FLV;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Viewer;

my $t = Test::Media->new(workers => 2);

my ($status) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=localhost', '-days', '2',
                  '-keyout', $t->path('key.pem'), '-out',
                  $t->path('cert.pem'));

die "no openssl: run scripts/deps test\n" if $status;

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 10s; grace 2s; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
}

http {
    gzip on;
    gzip_types *;
    gzip_vary on;

    ssl_certificate     %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;

    server {
        listen 127.0.0.1:%%PORT_HTTP%% sndbuf=32k;
        listen 127.0.0.1:%%PORT_TLS%% ssl http2;

        location /live/   { media_live live; media_cors on; }
        location /slow/   { media_live live; limit_rate 20k; }
        location /vod/    { alias %%FIXTURES%%/; media_vod on; }
        location /status  { media_status; }
    }
}
EOC

$t->run();

my ($here, $there) = $t->worker_pids();
my $port = $t->port('HTTP');
my $tls = 'https://127.0.0.1:' . $t->port('TLS');

my @plain = live_tags('plain');
my @audio = live_tags('audio');


sub closed { viewers_have(sub { $_[0]->closed() }, 20, @_) }


sub until_ms {
    my ($ms, @tags) = @_;

    return [grep { tag_is_header($_) || $_->[1] < $ms } @tags];
}


sub curl {
    my ($name, @args) = @_;

    return $t->run_daemon("curl-$name", qw/ curl -sk --max-time 30 -w /,
                          '%{http_code} %{http_version} %{content_type}',
                          '-o', $t->path("$name.flv"), @args);
}


# answers

play_publish($t, 'live/s', \@plain, to => 5000, worker => $here);
play_publish($t, 'live/a', \@audio, to => 4000, worker => $there);

my @v = map { viewer_flv($t, '/live/s.flv', worker => $_) } $here, $there;
my $audio = viewer_flv($t, '/live/a.flv', headers => {
    'Accept-Encoding' => 'gzip', Origin => 'http://example.com',
    Range => 'bytes=0-99' });
my $old = viewer_flv($t, '/live/s.flv', raw =>
    "GET /live/s.flv HTTP/1.0\r\nHost: localhost\r\n\r\n");

my %curl = map { $_ => curl($_, "--http$_", "$tls/live/s.flv") } '1.1', '2';

my $head = $t->http_head('/live/s.flv');
is($head->{status}, 200, 'HEAD');
is($head->{headers}{'content-type'}, 'video/x-flv', 'its type');

is($t->http_get('/live/none.flv')->{status}, 404, 'no such stream');
is($t->http_get('/vod/av.flv')->{status}, 404, 'not of files');
is($t->http(path => '/live/s.flv', method => 'POST')->{status}, 405, 'POST');

closed(@v, $audio, $old);

my $h = $v[0]{http}{headers};
is($h->{'content-type'}, 'video/x-flv', 'type');
is($h->{'cache-control'}, 'no-store', 'no cache');
is($h->{'x-accel-buffering'}, 'no', 'no buffer');
is($h->{'content-length'}, undef, 'no length');
is($h->{'transfer-encoding'}, 'chunked', 'chunks');
is($h->{'accept-ranges'}, undef, 'no ranges');
is($v[0]->closed(), 'the end of the body', 'and it ends as it should');

$h = $audio->{http}{headers};
is($audio->status(), 200, 'a range is ignored');
is($h->{'content-encoding'}, undef, 'it is not compressed');
is($h->{'access-control-allow-origin'}, '*', 'CORS');

is($old->{http}{headers}{'transfer-encoding'}, undef, 'HTTP/1.0: no chunks');

my $sent = until_ms(5000, @plain);

play_whole($v[0], 'a viewer of its worker', $sent);
play_whole($v[1], 'a viewer of the other one', $sent);
play_whole($old, 'HTTP/1.0', $sent);
play_whole($audio, 'audio alone', until_ms(4000, @audio));

is(join(' ', map { sprintf '%d', $_->{flv}{has} } $v[0], $audio), '5 4',
   'the header says what there is');

for my $version (sort keys %curl) {
    is($curl{$version}->wait(10), 0, "HTTP/$version over TLS");
    is($curl{$version}->log(), "200 $version video/x-flv", 'answer');

    my @got = play_frames(9, flv_read($t->path("$version.flv")));
    is_deeply(\@got, [(play_frames(9, @$sent))[-@got .. -1]], 'frames');
    is((decode_clean($t->path("$version.flv")))[0], 1, 'which decode');
}

# slow ones, and those that go

my @big = live_tags('big');

my $pub = play_publish($t, 'live/big', \@big, to => 11500, worker => $here);

my $good = viewer_flv($t, '/live/big.flv', worker => $here);
my @slow = map {
    viewer_flv($t, '/live/big.flv', worker => $_, rcvbuf => 16384)
} $here, $there;
my @gone = map { viewer_flv($t, '/live/big.flv', rcvbuf => 16384) } 1 .. 10;
my $limited = viewer_flv($t, '/slow/big.flv');

$_->pause() for @slow, @gone;

viewers_have(sub { $_[0]->frames() >= 50 }, 10, $good);
$_->close() for @gone;

viewers_have(sub { $_[0]->frames() >= 210 }, 20, $good);
wait_ok(sub { $t->log_count(qr/the viewer is too slow/) >= 3 }, 5,
        'who is too slow is told once');

$_->resume() for @slow;
closed($good, @slow);

play_whole($good, 'who is not slow', until_ms(11500, @big));

for my $v (@slow) {
    is(join(', ', viewer_faults($v)), '', 'who was slow: no faults');

    my @frames = grep { tag_is_frame($_) } $v->tags();
    my ($jump) = grep { $frames[$_][1] - $frames[$_ - 1][1] > 100 }
        1 .. $#frames;

    ok($jump && tag_is_key($frames[$jump]), 'it goes on with a key frame')
        or diag(scalar @frames);

    my @sound = grep { $_->[0] == 8 && !tag_is_header($_) } $v->tags();
    my ($quiet) = grep { $sound[$_][1] - $sound[$_ - 1][1] > 100 }
        1 .. $#sound;

    ok($quiet && abs($sound[$quiet][1] - $frames[$jump][1]) < 100,
       'and so does the sound');
}

is($t->log_count(qr/the viewer is too slow/), 3, 'once each');
$limited->close();

# a reload while it is followed, and what drain says

play_publish($t, 'live/r', \@plain, to => 6000);
my $v = viewer_flv($t, '/live/r.flv');
viewers_have(sub { $_[0]->frames() >= 25 }, 10, $v);
$t->reload();
closed($v);
play_whole($v, 'a viewer in a worker that leaves', until_ms(6000, @plain));
wait_ok(sub { !$t->old_workers() }, 10, 'which goes when it has gone');

$t->done();
