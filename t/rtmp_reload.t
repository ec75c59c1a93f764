#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Publishers and workers that leave: reload, drain, shutdown timeouts, the end.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my @tags = flv_read(fixture('av.flv'));

sub start {
    my (%conf) = @_;

    my $t = Test::Media->new(workers => 1);

    $conf{main} = '' if !defined $conf{main};
    $conf{app} = '' if !defined $conf{app};

    $t->write_conf(<<"EOC");

$conf{main}

media live { zone 64m; publish_conflict drop; $conf{app} }

stream {
    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        media_rtmp_idle_timeout 20s;
    }
}
EOC

    return $t->run();
}

sub publisher {
    my ($t, $name, %props) = @_;

    my $p = $t->rtmp();
    $p->handshake();
    $p->connect('live', %props);
    $p->create_stream();
    is($p->publish($name), 'NetStream.Publish.Start', "$name publishes");
    $p->send_tags([@tags[0 .. 9]]);
    $p->{next} = 10;

    return $p;
}

sub goes_on {
    my ($p) = @_;

    my $i = $p->{next}++;

    return $p->message(@{$tags[$i]}) && $p->poll(0.1);
}

sub reconnect_of {
    my ($p) = @_;

    return $p->wait_message(sub {
        $_[0]{type} == 20 && $_[0]{name} eq 'onStatus'
        && $_[0]{args}[1]{code} eq 'NetConnection.Connect.ReconnectRequest'
    }, 3);
}

# a reload: publishers stay with their worker

my $t = start();

my $plain = publisher($t, 'plain');
my $able = publisher($t, 'able', capsEx => 1);
my $unable = publisher($t, 'unable', capsEx => 2);

my $idle = $t->rtmp();
$idle->handshake();
$idle->connect('live');

my $half = $t->rtmp();
$half->raw("\x03" . 'x' x 100);
$half->poll(0.1);

my ($first) = $t->worker_pids();

$t->reload();

ok($idle->wait_closed(3), 'a connection that does not publish ends');
ok($half->wait_closed(3), 'so does one in its handshake');

my $m = reconnect_of($able);
ok($m, 'ReconnectRequest');
is($m->{args}[1]{level}, 'status', 'level');
is($m->{stream}, 0, 'of the connection');
ok(!$unable->wait_command('onStatus', 0.2), 'only to those who asked for it');

for my $i (1 .. 5) {
    ok(goes_on($_), 'goes on') for $plain, $able, $unable;
}

is(join(' ', $t->old_workers()), $first, 'the old worker is there');

# a second reload asks nobody again, and takes nothing away

$t->reload();
ok(!$able->wait_command('onStatus', 0.5), 'one request is enough');
ok(goes_on($_), 'goes on') for $plain, $able, $unable;

# the client comes back, and the old connection ends

my $again = publisher($t, 'able', capsEx => 1);
ok($able->wait_command('onStatus', 5), 'the old connection is told');
ok($able->wait_closed(5), 'and ends');
ok(goes_on($again), 'the new one goes on');

$plain->finish('plain');
ok($plain->wait_closed(5), 'one that unpublishes ends as well');

$unable->close();
wait_ok(sub { !$t->old_workers() }, 10, 'and the old worker with them');

# without warning

$t->signal('TERM');
wait_until(sub { !$t->running() }, 10, 'the end');
ok($again->wait_closed(1), 'TERM ends publishers');
ok($t->wait_log(qr/publish ended: worker exited.*stream: able$/m, 1),
   'logged');

$t->done(more => 1, zone => 0);

# drain

$t = start(app => 'drain 1s;');
my $p = publisher($t, 'drained', capsEx => 1);
my $start = now();

$t->reload();
ok(reconnect_of($p), 'ReconnectRequest');

while (!$p->{closed} && now() - $start < 10) {
    goes_on($p);
}

ok($p->{closed}, 'drain is over');
ok($t->wait_log(qr/publish ended: the drain time is over/, 1), 'logged');
wait_ok(sub { !$t->old_workers() }, 10, 'and the worker ends');

$t->done(more => 1, zone => 0);

# worker_shutdown_timeout

$t = start(main => 'worker_shutdown_timeout 1s;');
$p = publisher($t, 'hurried');
$start = now();

$t->reload();

while (!$p->{closed} && now() - $start < 10) {
    goes_on($p);
}

ok($p->{closed}, 'the shutdown timeout ends it');
ok($t->wait_log(qr/publish ended: worker is shutting down/, 1), 'logged');
wait_ok(sub { !$t->old_workers() }, 10, 'and the worker ends');

$t->done(more => 1, zone => 0);

# QUIT, then TERM while publishers hold the worker

$t = start();
$p = publisher($t, 'held');
$t->signal('QUIT');

ok(goes_on($p), 'goes on after QUIT');
ok($t->running(), 'nginx waits for it');

$t->signal('TERM');
wait_until(sub { !$t->running() }, 10, 'the end');
ok($p->wait_closed(1), 'TERM ends it');

$t->done(more => 1, zone => 0);

# connections become scarce: those that do not publish go first

$t = start(main => 'events { worker_connections 40; }');
$p = publisher($t, 'kept');

my @idle = map {
    my $q = eval { $t->rtmp() };
    $q->raw("\x03") if $q;
    $p->poll(0.01);
    $q;
} 1 .. 60;

ok(goes_on($p), 'the publisher goes on');
cmp_ok(scalar(grep { $_ && $_->wait_closed(0.01) } @idle), '>=', 10,
       'idle connections make room');

my $late = publisher($t, 'late');
ok(goes_on($late), 'for another publisher');

$t->allow_alerts(qr/worker_connections are not enough/);
$t->done(zone => 0);
