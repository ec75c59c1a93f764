#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A publisher whose packets come one by one, a thousand a second, is not waited
# for any more: its socket leaves epoll and is looked at by the worker's clock,
# until it is slow again.  It does not lose a frame by either, nor by ending
# meanwhile, whether packets are handed on early or not, and who is slow is
# waited for as ever.

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ sleep /;

use Test::Media;
use Test::Media::SRT;

use constant { PACKET => 188, RATE => 1000, VIDEO => 0x100 };

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; window 1m; }

stream {
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_EARLY%% udp reuseport; media_srt live;
             media_srt_delivery early; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/ { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

# so many packets of TS a second, of which some are empty

my $ts = slurp(fixture('srt-polled.ts', qw/ -f lavfi -i
    testsrc=size=160x90:rate=25:duration=30 -f lavfi -i
    sine=frequency=440:duration=30 -map 0 -map 1 -c:v libx264 -preset ultrafast
    -b:v 600k -maxrate 600k -bufsize 300k -bf 2 -g 25 -c:a aac -f mpegts
    -muxrate /, RATE * PACKET * 8));

my @packets = unpack '(a' . PACKET . ')*', $ts;

sub begins {
    my ($head) = unpack 'xn', $_[0];

    return ($head & 0x1fff) == VIDEO && $head & 0x4000;
}

# descriptors that epoll of a worker waits for, and those of sockets that are
# connected to this caller

sub waited_for {
    my ($pid) = @_;
    my %fds;

    for my $file (glob "/proc/$pid/fdinfo/*") {
        my $text = eval { slurp($file) } // next;
        $fds{$_} = 1 for $text =~ /^tfd:\s*(\d+)/mg;
    }

    return \%fds;
}

sub is_polled {
    my ($p) = @_;

    my $remote = sprintf ':%04X', $p->port();
    my ($inode) = map { (split)[9] } grep { (split)[2] =~ /$remote$/ }
                  split /\n/, slurp('/proc/net/udp');

    return undef if !$inode;

    for my $pid ($t->worker_pids()) {
        for my $fd (glob "/proc/$pid/fd/*") {
            my $link = readlink $fd;

            next if !defined $link || $link ne "socket:[$inode]";

            return !waited_for($pid)->{$fd =~ s{.*/}{}r};
        }
    }

    return undef;
}

# fast: one by one, slow: what is due four times a second, at once

my %callers = map {
    my $p = Test::Media::SRT->new(
        port => $t->udp($_ eq 'ends' ? 'EARLY' : 'SRT'), latency => 1000,
        streamid => "publish:live/$_");
    is($p->connect(), 1, "$_: connected");

    $_ => { name => $_, p => $p, at => 0, fast => $_ ne 'slow' };
} qw/ changes ends slow /;

my $begin = now();

# all send until it is so; a machine that has other things to do sends later

sub send_until {
    my ($done) = @_;
    my $looked = now();
    my $until = now() + 20;

    while (now() < $until) {
        my $due = int((now() - $begin) * RATE);

        # late by much: it is sent later, not at once

        if ($due - $callers{ends}{at} > 100) {
            $begin += ($due - $callers{ends}{at} - 100) / RATE;
            $due = $callers{ends}{at} + 100;
        }

        for my $c (values %callers) {
            my $to = $c->{fast} ? $due : $due - $due % (RATE / 4);

            $c->{p}->data($packets[$c->{at}++])
                while $c->{at} < $to && $c->{at} < @packets;
            $c->{p}->pump(0);
        }

        if (now() - $looked > 0.1) {
            $looked = now();
            return 1 if $done->();
        }

        return 0 if $callers{ends}{at} >= @packets - RATE;

        sleep 0.0004;
    }

    return 0;
}

# up to where the next picture begins; a goodbye is right behind it

sub finish {
    my ($c) = @_;

    $c->{p}->data($packets[$c->{at}++])
        while $c->{at} < @packets && !begins($packets[$c->{at}]);

    $c->{p}->shutdown();
}

ok(!is_polled($_->{p}), "$_->{name}: waited for at first")
    for map { $callers{$_} } sort keys %callers;

ok(send_until(sub { is_polled($callers{changes}{p})
                    && is_polled($callers{ends}{p}) }),
   'who sends one by one is polled');
ok(!is_polled($callers{slow}{p}), 'who does not is waited for');

my $more = now() + 1;
send_until(sub { now() > $more });

# it is told how near to each other its packets come: those that are read
# together came at the time when each did.  Of 188 bytes, read in the same us:
# 130,000 full ones a second

my $told = $callers{changes}{p}{acks}[-1]{words}[5];
cmp_ok($told, '<', 50_000, 'the bandwidth that it is told of');

$callers{changes}{fast} = 0;

ok(send_until(sub { !is_polled($callers{changes}{p}) }),
   'who has become slow is waited for again');
ok(is_polled($callers{ends}{p}), 'and who has not is still polled');

$more = now() + 0.6;
send_until(sub { now() > $more });

finish($_) for @callers{qw/ ends changes slow /};

for my $c (map { $callers{$_} } sort keys %callers) {
    my $name = $c->{name};
    my $sent = grep { begins($_) } @packets[0 .. $c->{at} - 1];

    ok($t->wait_log(qr/srt publish ended: peer closed .*stream: $name$/m, 10),
       "$name: ended");

    $t->hls_save("/live/$name/v1.m3u8", $t->path("$name.mp4"), parts => 1);

    my ($ok, $said, $frames) = decode_clean($t->path("$name.mp4"));
    ok($ok, "$name: is decoded") or diag($said);
    is($frames, $sent, "$name: all pictures");
}

$t->done();
