#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# SRT publishers and workers that leave: ten reloads without a lost frame, the
# time to drain, the end of nginx.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live    { zone 32m; segment 1s; part 200ms; window 30s; }
media drained { zone 32m; segment 1s; part 200ms; drain 1s; }

stream {
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_ONE%% udp; media_srt live; }
    server { listen 127.0.0.1:%%UDP_DRAIN%% udp reuseport; media_srt drained; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
        location /live/ { media_live live; }
    }
}
EOC

$t->run();

my $ts = srt_source();

sub caller_of {
    my ($name, $server) = @_;

    return srt_caller($t, "publish:$name", server => $server);
}

sub stream { return $t->stream(@_) }
sub frames { return $t->frames(@_) }

# a reload every now and then

my $p = caller_of('ten');
is($p->connect(), 1, 'an encoder');

my ($reloads, $every) = (0, int(length($ts) / 1316 / 11));

$p->send_ts($ts, seconds => 9, at => sub {
    return if $_[0] == 0 || $_[0] % $every || $reloads == 10;

    $t->signal('HUP');
    $reloads++;
});

is($reloads, 10, 'ten reloads');
ok(!$p->{closed}, 'none of which has ended it');
# the others have left; it says that it is there meanwhile

wait_ok(sub {
    my @old = $t->old_workers();

    $p->keepalive();
    $p->pump(0.1);
    @old == 1;
}, 10, 'one old worker is there, for it');

# a worker that leaves: repeated handshakes and other callers go elsewhere

is($p->conclude()->{id}, $p->{peer}, 'the connected socket answers its own');

my $new = caller_of('new');
is($new->connect(), 1, 'a new caller');
my ($old) = $t->old_workers();
isnt(stream('live', 'new')->{publisher}{pid}, $old, 'is a new worker\'s');
$new->shutdown();

$p->shutdown();
ok($t->wait_log(qr/srt publish ended: peer closed .* stream: ten$/m, 5),
   'it ends');
wait_ok(sub { !$t->old_workers() }, 10, 'and the old worker with it');

my $s = stream('live', 'ten');
is($s->{publishes}, 1, 'one publisher');
is(frames('live', 'ten'), 250, 'no frame is lost');

$t->hls_save('/live/ten/v1.m3u8', $t->path('ten.mp4'), parts => 1);

my ($ok, $said, $decoded) = decode_clean($t->path('ten.mp4'));
ok($ok, 'all of it can be decoded') or diag($said);
is($decoded, 250, 'frame by frame');

# workers that share a socket

my $shared = caller_of('shared', 'ONE');
is($shared->connect(), 1, 'a listener without reuseport');
$shared->send_ts(substr($ts, 0, 1316 * 40));
ok($shared->pump(10, sub { frames('live', 'shared') }), 'media come');
$shared->shutdown();

# drain

my $d = caller_of('d', 'DRAIN');
is($d->connect(), 1, 'one with a time to drain');
$d->send_ts(substr($ts, 0, 1316 * 40));
ok($d->pump(10, sub { frames('drained', 'd') }), 'its media come');

$t->signal('HUP');

ok($d->pump(15, sub { $d->data('x' x 188) if !$d->{closed}; $d->{closed} }),
   'it is told when that is over');
ok($t->wait_log(qr/srt publish ended: the drain time is over/, 5), 'logged');
wait_ok(sub { !$t->old_workers() }, 10, 'and the worker ends');

my $back = caller_of('d', 'DRAIN');
is($back->connect(), 1, 'it comes back');

# TERM

$t->signal('TERM');
wait_until(sub { !$t->running() }, 10, 'the end');
ok($back->pump(5, sub { $back->{closed} }), 'TERM ends it, and says so');
ok($t->wait_log(qr/srt publish ended: worker exited.*stream: d$/m, 1),
   'logged');

$t->done(zone => 0);
