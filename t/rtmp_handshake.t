#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Handshakes: plain, signed in both schemes, in pieces, late, wrong.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 16m; }

stream {
    media_rtmp_timeout 2s;

    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
    }
}
EOC

$t->run();

sub connects {
    my ($p) = @_;

    my $reply = $p->connect('live');

    return $reply ? $reply->{args}[1]{code} : 'no answer';
}

my $success = 'NetConnection.Connect.Success';

# plain

my $p = $t->rtmp();
is($p->handshake(), 3, 'plain: version');
ok($p->{echo}, 'plain: S2 is C1');
is(connects($p), $success, 'plain: connect');

# signed

for my $scheme (0, 1) {
    for my $try (1 .. 3) {
        $p = $t->rtmp();
        $p->handshake(digest => 1, scheme => $scheme);
        is($p->{server_digest}, 1, "signed, scheme $scheme, try $try");
    }

    is(connects($p), $success, "signed, scheme $scheme: connect");
}

# a version but no valid digest, as some hardware encoders send: plain

$p = $t->rtmp();
my $c1 = pack('NN', 0, 0x80000702) . 'x' x 1528;
$p->raw("\x03" . $c1);
is($p->need(1, 'S0'), "\x03", 'unsigned with a version');
my $s1 = $p->need(1536, 'S1');
is($p->need(1536, 'S2'), $c1, 'unsigned with a version: S2 is C1');
$p->raw($s1);
is(connects($p), $success, 'unsigned with a version: connect');

# byte by byte, and with all at once

$p = $t->rtmp();
$p->handshake(step => 100, pause => 0.001);
is(connects($p), $success, 'in pieces');

$p = $t->rtmp();
$p->raw("\x03" . 'y' x 3072
        . $p->chunks(20, 0, Test::Media::RTMP::amf('connect', 1,
                                                   { app => 'live' })));
$p->need(3073, 'S0 S1 S2');
is($p->reply(1)->{args}[1]{code}, $success, 'all in one segment');

# S2 comes before C2

$p = $t->rtmp();
$p->raw("\x03" . "\0" x 1536);
ok($p->need(3073, 'S0 S1 S2'), 'answer before C2');
$p->poll(0.5);
ok(!$p->{closed}, 'C2 may be late');
$p->raw('z' x 1536);
is(connects($p), $success, 'late C2');

# not RTMP, and RTMPE

for my $version (0, 2, 6, 0x16, 0x47, 0xff) {
    $p = $t->rtmp();
    $p->raw(chr($version) . 'x' x 100);
    ok($p->wait_closed(5), "version $version is refused");
    is(length $p->{in}, 0, 'without a word');
}

$t->wait_log(qr/rtmp client sent invalid data: not RTMP/, 5);

# a client that is too slow, and one that is too slow byte by byte

$p = $t->rtmp();
my $slow = $t->rtmp();
my $start = now();

while (now() - $start < 40 && !$slow->{closed}) {
    $slow->raw("\x03");
    $slow->poll(0.2);
}

ok($slow->{closed}, 'one that trickles is closed');
ok($p->wait_closed(5), 'a silent one is closed');

is($t->log_count(qr/did not publish or play in time/), 2, 'and it is logged')
    or diag $t->log();

# one that is connected, but never publishes

$p = $t->rtmp();
$p->handshake();
is(connects($p), $success, 'connected');
ok($p->wait_closed(6), 'one that does not publish is closed');

$t->done();
