#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Requests that wait, or are being answered, while workers are replaced or
# die.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 2s; part 200ms; window 20s; grace 8s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    sendfile on;
    server {
        listen 127.0.0.1:%%PORT_HTTP%% sndbuf=16k;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my @workers = $t->worker_pids();
my $pub = $t->ffmpeg_publish('live/s', worker => $workers[0],
                             bitrate => '1500k');


sub playlist {
    return m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
}


$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 3 }, 20);


# a reload, and all workers are old: those who wait are answered, and what is
# being sent comes whole

my $list = playlist();
my $uri = $list->{segments}[-1]{uri};
my $bytes = $t->http_get("/live/s/$uri")->{body};
my $next = $list->{next_msn};

my @wait = map {
    $t->start_get("/live/s/v1.m3u8?_HLS_msn=" . ($next + 1),
                  worker => $workers[$_ % 2])
} 1 .. 10;

my @grow = map {
    $t->start_get("/live/s/v1/$next.m4s", worker => $workers[$_ % 2])
} 1 .. 4;

my $slow = $t->start_get("/live/s/$uri", worker => $workers[1],
                         rcvbuf => 4096);
$slow->pause();

$t->reload();

$slow->resume();

is(scalar(grep { $_->result(15)->{status} == 200 } @wait), 10,
   'blocked playlists were answered');

my $whole = $t->http_get("/live/s/v1/$next.m4s")->{body};

is(scalar(grep { $_->result(15)->{body} eq $whole } @grow), 4,
   'growing segments came whole');
ok($slow->result(15)->{body} eq $bytes, 'a slow response, too');

# the worker without a publisher has nothing to stay for

wait_until(sub {
    !grep { $_ == $workers[1] } $t->old_workers()
}, 20, 'the old worker to leave');

is_deeply([$t->old_workers()], [$workers[0]],
          'the one with the publisher stays');


# new workers serve what the old one publishes

$list = playlist();

for my $pid ($t->worker_pids()) {
    my $r = $t->http_get("/live/s/v1.m3u8?_HLS_msn=$list->{next_msn}",
                         worker => $pid);

    is($r->{status}, 200, 'a blocked playlist on a new worker');
}


# the publisher's worker is killed: what waits elsewhere goes on waiting, and
# is answered when the publisher is back

my ($new) = $t->worker_pids();

$next = playlist()->{next_msn};

my $grow = $t->start_get("/live/s/v1/$next.m4s", worker => $new);
my $wait = $t->start_get("/live/s/v1.m3u8?_HLS_msn=" . ($next + 1),
                         worker => $new);

$t->http_get("/live/s/v1.m3u8?_HLS_msn=$next&_HLS_part=1", worker => $new);
$t->kill_worker($workers[0]);
$pub->wait(10);

$pub = $t->ffmpeg_publish('live/s', bitrate => '1500k');

my $r = $wait->result(15);
is($r->{status}, 200, 'the blocked playlist');
ok((grep { $_->{discontinuity} } @{m3u8_parse($r->{body})->{segments}})
   || m3u8_parse($r->{body})->{open}{discontinuity},
   'has what came after');

$r = $grow->result(15);
is($r->{status}, 200, 'the growing segment');

if (!$r->{error}) {
    is($t->http_get("/live/s/v1/$next.m4s")->{body}, $r->{body},
       'ended with what there is');

} else {
    like($r->{error}, qr/^connection closed in state|^read: /,
         'was broken off, visibly');
}

is($t->http_get('/live/s/v1.m3u8', worker => $_)->{status}, 200,
   'all workers go on') for $t->worker_pids();

$t->done();
