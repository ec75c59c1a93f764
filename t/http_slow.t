#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers that never read are cut after send_limit and hold nothing longer;
# viewers that go away in the middle, too; the others notice nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live {
    zone 64m; segment 2s; part 200ms; window 12s; grace 2s; send_limit 4s;
}
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    sendfile on;
    server {
        listen 127.0.0.1:%%PORT_HTTP%% sndbuf=16k;
        location /live/  { media_live live; }
        location /copy/  { sendfile off; media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $pub = $t->ffmpeg_publish('live/s', bitrate => '3000k',
                             size => '640x360');
my $list = $t->wait_playlist('/live/s/v1.m3u8', sub {
    @{$_[0]{segments}} >= 2
}, 20);

my $uri = $list->{segments}[-1]{uri};
my $bytes = $t->http_get("/live/s/$uri")->{body};

cmp_ok(length $bytes, '>', 300000, 'a segment larger than buffers');


sub pins { return $t->status()->{apps}[0]{zone}{pins} }


# they never read

my @slow = map {
    my $at = $_ % 2 ? 'live' : 'copy';
    my $h = $t->start_get("/$at/s/$uri", rcvbuf => 4096, timeout => 60);
    $h->pause();
    $h
} 1 .. 30;

# a few may have been read before they were told to stand still

wait_ok(sub { pins() >= 10 }, 5, 'responses in progress are pinned');
my $pins = pins();

is($t->http_get("/live/s/$uri")->{body}, $bytes, 'another viewer');

wait_ok(sub { pins() == 0 }, 12, 'slow responses were cut');

cmp_ok($t->log_count(qr/send_limit reached/), '>=', $pins,
       'each with a line');

# the segment leaves while one reads it slowly: all its bytes are right

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
$uri = $list->{segments}[-1]{uri};
$bytes = $t->http_get("/live/s/$uri")->{body};

my $reader = $t->start_get("/live/s/$uri", rcvbuf => 4096, timeout => 60);
$reader->pause();
select undef, undef, undef, 0.5;
$reader->resume();

is($reader->result(20)->{body}, $bytes, 'read late, and whole');


# they read a little and go

my @gone = map {
    $t->start_get("/live/s/$uri", rcvbuf => 4096, timeout => 60)
} 1 .. 20;

$_->pause() for @gone;

wait_until(sub { pins() > 0 }, 5, 'pins');
$_->cancel() for @gone;
wait_ok(sub { pins() == 0 }, 5, 'aborted responses hold nothing');


# the same with the segment in progress

my $open = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body})->{next_msn};

@slow = map {
    my $h = $t->start_get("/live/s/v1/$open.m4s", rcvbuf => 4096,
                          timeout => 60);
    $h->pause();
    $h
} 1 .. 10;

$t->http_get("/live/s/v1.m3u8?_HLS_msn=$open");

wait_ok(sub { pins() == 0 }, 20,
        'slow readers of a growing segment were cut');

is($t->http_get('/live/s/v1.m3u8')->{status}, 200, 'and all goes on');

$t->done();
