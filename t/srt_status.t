#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What is told of SRT's packets: numbers in the status, those of the kernel,
# too, and lines of the log when packets are too late, or there was no room.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; grace 60s; }

stream {
    server {
        listen 127.0.0.1:%%UDP_SRT%% udp reuseport;
        media_srt live;
        media_srt_rcvbuf 64k;
    }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

sub publisher_of {
    my ($name) = @_;

    my $stream = $t->stream('live', $name) || {};

    return $stream->{publisher} || {};
}

sub link_of { return publisher_of($_[0])->{link} || {} }
sub ts_of   { return publisher_of($_[0])->{ts} || {} }

sub caller_of {
    my ($name, %opt) = @_;

    return srt_caller($t, "publish:live/$name", %opt);
}

my ($status) = sh('ffmpeg', qw/ -nostdin -v error -f lavfi
    -i testsrc2=s=160x90:r=25 -c:v libx264 -preset ultrafast -g 25 -t 12
    -f mpegts -y /, $t->path('in.ts'));
is($status, 0, 'media');
my $bytes = $t->read_file('in.ts');

# one that loses each tenth packet and repeats none: its round trip time, which
# it does not answer for, is the 100 ms that a session begins with

my $loser = $t->background('loser', sub {
    my $p = caller_of('loser', quiet => 1);
    my $n = 0;

    die "not connected\n" if $p->connect() != 1;

    $p->send_ts($bytes, seconds => 11.5, size => 188 * 3,
                lose => sub { ++$n % 10 == 0 });
    $p->pump(1);
    $p->shutdown();
});

# meanwhile: one that sends to a worker that does not read

my $p = caller_of('burst');
is($p->connect(), 1, 'connected');
$p->send_ts(substr($bytes, 0, 188 * 50), seconds => 0.2, size => 188);

wait_ok(sub { (link_of('burst')->{pktRecv} || 0) >= 50 }, 10,
        'packets that came')
    or diag explain link_of('burst');

my $link = link_of('burst');
is($link->{$_}, 0, $_)
    for qw/ pktRcvLoss pktRcvDrop pktRcvBelated pktRcvRetrans
            pktRcvUndecrypt kernel_drops key_bytes key_changes strange
            foreign /;
is($link->{msRcvTsbPdDelay}, 120, 'latency');
cmp_ok($link->{pktSentACK}, '>', 0, 'acknowledged');
is($link->{byteRecv}, 50 * 188, 'bytes');

my $ts = ts_of('burst');
is($ts->{packets}, 50, 'packets of MPEG-TS');
is($ts->{bytes}, 50 * 188, 'their bytes');
is($ts->{cc_errors}, 0, 'no gaps');
ok(!(grep { $_->{cc_errors} } @{$ts->{pids}}), 'of no PID');
ok((grep { ($_->{codec} || '') eq 'h264' } @{$ts->{pids}}), 'PIDs');

kill STOP => $_ for $t->worker_pids();

my $packet = "G\x1f\xff\x10" . "\xff" x 184;
$p->data($packet x 7) for 1 .. 600;

kill CONT => $_ for $t->worker_pids();

# the kernel says it with the next one that there is room for

wait_ok(sub {
    $p->data($packet);
    $p->pump(0.1);
    return link_of('burst')->{kernel_drops};
}, 10, 'the kernel had no room');

wait_ok(sub { link_of('burst')->{pktRcvLoss} >= 1 }, 5,
        'and the encoder was asked for them');

cmp_ok(link_of('burst')->{pktSentNAK}, '>=', 1, 'by NAKs');

wait_ok(sub {
    $p->data($packet);
    $p->pump(0.1);
    return $t->log() =~ /srt: \d+ packets dropped by the kernel in \d+ s/;
}, 15, 'the log says what may be done');

$p->shutdown();

my $line = 'srt: \d+ packets too late in \d+ s, RTT 100 ms: '
           . 'latency 120 ms, 400 ms wanted';

ok($t->wait_log(qr/$line.*stream: loser/, 15), 'packets that are too late');

is($loser->wait(10), 0, 'the loser') or diag $loser->log();

$link = link_of('loser');

cmp_ok($link->{pktRcvDrop}, '>', 10, 'lost');
cmp_ok($link->{pktRcvLoss}, '>=', $link->{pktRcvDrop}, 'they were missing');
cmp_ok(ts_of('loser')->{cc_errors}, '>', 0, 'which MPEG-TS says, too');
$t->done();
