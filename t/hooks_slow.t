#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A hook that takes two seconds, and fifty encoders that come at once: all are
# admitted, after one wait for all of them, and nobody else waits.  They go at
# once, too: so many of them are told at a time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Server;

my ($n, $delay) = (50, 2);

my $t = Test::Media->new(workers => 1);
my $s = Test::Media::Server->new($t, 'S');

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; grace 2s;
             on publish http://127.0.0.1:%%PORT_S%%/p timeout=9s;
             on publish_done http://127.0.0.1:%%PORT_S%%/pd; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

$s->on($_, {}) for qw{ /p /pd };

my $pub = $t->ffmpeg_publish('live/before');
$t->wait_playlist('/live/before/v1.m3u8', sub { 1 }, 20);
$s->forget();
$s->on('/p', { delay => $delay });

my @p = map {
    my $p = $t->rtmp();
    $p->open_app('live');
    $p;
} 1 .. $n;

# all at once

my $asked = now();

for my $i (0 .. $#p) {
    $p[$i]->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef,
                                                  \"s$i", 'live'),
                    csid => 8, message_stream => 1);
}

wait_ok(sub { $s->count('/p') == $n }, 10, 'the hook has been asked of all');

# meanwhile

my $served = 0;

while (now() - $asked < $delay / 2) {
    my $r = $t->http_get('/live/before/v1.m3u8');
    $served++ if $r->{status} == 200;
}

ok($served >= 5, 'playlists are sent meanwhile') or diag("$served of them");

my %codes;

for my $p (@p) {
    my $m = $p->wait_command('onStatus', 20);
    $codes{$m ? $m->{args}[1]{code} : 'nothing'}++;
}

is_deeply(\%codes, { 'NetStream.Publish.Start' => $n }, 'all are admitted');
ok($s->connections() <= $n + 1, 'over as many connections');

# ends do not wait for each other in the time that each of them has

$s->forget();
$s->on('/pd', { delay => 0.5 });
$_->close() for @p;
wait_ok(sub { $s->count('/pd') == $n }, 20, 'all ends are told');

my @ends = $s->requests('/pd');

is(scalar(keys %{{ map { $_->{body} => 1 } @ends }}), $n, 'each once');
cmp_ok(scalar(keys %{{ map { $_->{connection} => 1 } @ends }}), '<=', 32,
       'so many at a time');

# eight of them that nobody answers, who leave

$s->forget();
$s->on('/p', { hang => 1 });

@p = map {
    my $p = $t->rtmp();
    $p->open_app('live');
    $p->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef,
                                              \"h$_", 'live'),
                csid => 8, message_stream => 1);
    $p;
} 1 .. 8;

wait_ok(sub { $s->count('/p') == 8 }, 10, 'asked of others');
$_->close() for @p;
is($t->http_get('/live/before/v1.m3u8')->{status}, 200, 'nobody waits');
wait_ok(sub { $t->log_count(qr/ended before access checks answered/) == 8 },
        10, 'they have left');
ok($pub->running(), 'and one publishes all the time');

$pub->stop();

# nobody else is there to tell what was too much at a time

$s->forget();
$s->on('/p', {});

for my $i (1 .. 40) {
    $p[$i] = $t->rtmp();
    $p[$i]->open("live/q$i");
}

$t->signal('QUIT');
wait_ok(sub { !$t->running() }, 30, 'the end of all');
is(scalar(keys %{{ map { $_->{body} => 1 } $s->requests('/pd') }}), 40,
   'is told of each');

$t->done();
