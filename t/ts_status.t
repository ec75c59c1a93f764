#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What is told of MPEG-TS in datagrams: numbers of these, of RTP, of the packets
# in them and of each PID, the same in the status, the API and the metrics; and
# those of others than the one who publishes, whom they are nothing to.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use JSON::PP 'decode_json';

use Test::Media;
use Test::Media::Live;
use Test::Media::Metrics;
use Test::Media::TSLive;

my $t = ts_nginx(names => [qw/ rtp full part shared /], workers => 2,
                 full => 'media_ts_rcvbuf 64k;',
                 part => 'allow 127.0.0.2; deny all;',
                 http => 'location /api/ { media_api read; }
                          location /metrics { media_metrics; }');

sub sender {
    my ($name, @from) = @_;

    return IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                 PeerPort => $t->udp($name), @from)
        // die "socket: $!\n";
}

sub publisher_of { return (live_stream($t, $_[0]) || {})->{publisher} || {} }

# packets, as they come from a multiplexer; each PID has its own counter

my $p = ts_publisher('rtp', ts_frames('plain', to => 2));
$p->mux();

my @packets = map { $_->[1] =~ /(.{188})/gs } @{$p->{queue}};
my $pid = sub { unpack('xn', $_[0]) & 0x1fff };
my $extra = sub { pack('CnC', 0x47, $_[0], $_[1]) . "\xff" x 184 };

my %expect = (resyncs => 0, clock_jumps => 0, malformed => 0);
my (%pids, @datagrams);

push @datagrams, join '', splice @packets, 0, 7 while @packets >= 7;
cmp_ok(scalar @datagrams, '>', 40, 'datagrams');

# datagrams that go in different ways, and what becomes of them

my $n = 0;
my $sent = 0;
my $socket = sender('rtp');

my $gap = sub {
    my %hit = map { $pid->($_) => 1 } $_[0] =~ /(.{188})/gs;
    $pids{$_}{cc_errors}++, $expect{cc_errors}++ for keys %hit;
};

my $send = sub {
    my ($seq, $bytes) = @_;

    $socket->send(pack('CCnNN', 0x80, 33, $seq & 0xffff, $seq * 3000, 7)
                  . $bytes);
    $sent++;
};

my $taken = sub {
    my ($bytes) = @_;

    $expect{bytes} += length $bytes;
    $expect{packets} += length($bytes) / 188;
    $pids{$pid->($_)}{packets}++ for $bytes =~ /(.{188})/gs;
};

# others, of the same address and another one, who send the same, with another
# sequence number; and very many, once each

my @others = map { sender('rtp', @$_) } [], [LocalAddr => '127.0.0.2'];
my $foreign = 0;

my $meddle = sub {
    my ($bytes) = @_;

    for my $socket (@others, $n > 5 && $n <= 15
                             ? map { sender('rtp', LocalAddr =>
                                            "127.0.$n.$_") } 1 .. 25 : ())
    {
        $socket->send(pack('CCnNN', 0x80, 33, $n, 0, 7) . $bytes);
        $foreign++;
    }
};

# the sequence number wraps among them

my $seq = 65536 - 20;

for my $bytes (@datagrams) {
    $n++;

    if ($n == 10) {                           # lost
        $gap->($bytes);

    } elsif ($n == 20) {                      # comes behind the next one

        $gap->($bytes);
        $send->($seq + 1, $datagrams[$n]);
        $send->($seq, $bytes);
        $taken->($datagrams[$n]);

    } elsif ($n == 30) {                      # not RTP, and another type of it

        $socket->send('GET / HTTP/1.0');
        $socket->send(pack('CCnNN', 0x80, 96, $seq, 0, 7) . $bytes);
        $sent += 2;
        $send->($seq, $bytes);
        $taken->($bytes);

    } elsif ($n == 31) {                      # twice

        $send->($seq, $bytes) for 1 .. 2;
        $taken->($bytes);

    } elsif ($n == 35) {

        # an error that it says; scrambled; of no PMT; of nothing; and twice

        $bytes .= substr($bytes, -188) . $extra->(0x8100, 0x10)
                  . $extra->(0x101, 0x90) . $extra->(0x1f0, 0x10) x 2
                  . $extra->(0x1fff, 0x10) . "\0" x 188;

        $send->($seq, $bytes);
        $taken->($bytes);
        $expect{packets}--;
        $expect{bytes} -= 188;
        $expect{skipped_bytes} = 188;
        $expect{transport_errors} = 1;
        $expect{scrambled} = 1;
        $pids{0x101}{scrambled} = 1;
        $expect{duplicates} = 1;
        $pids{$_}{packets}-- for 0x100, 0;
        $expect{ignored} = 2;

    } elsif ($n != 21) {

        $send->($seq, $bytes);
        $taken->($bytes);
    }

    $seq++;

    # the listener has the first, and then a socket of its own

    if ($n == 1) {
        wait_ok(sub { publisher_of('rtp')->{ts} }, 10, 'numbers of the first');
    }

    $meddle->($bytes);

    select undef, undef, undef, 0.005;
}

wait_ok(sub { (publisher_of('rtp')->{ts}{packets} || 0) >= $expect{packets} },
        10, 'all of them');

# others are told of when they were refused for a second

wait_ok(sub { publisher_of('rtp')->{link}{foreign} >= $foreign }, 10,
        'those of others');

my $asked = $t->log_count(qr/ts publish refused: the stream is being publ/);
ok($asked > 10 && $asked <= 64 * $t->worker_pids(),
   "$asked of them were asked about");

my $pub = publisher_of('rtp');
my ($link, $ts) = @$pub{qw/ link ts /};

is($link->{pktRecv}, $sent, 'datagrams');
is($link->{pktRcvLoss}, 2, 'missing ones');
is($link->{pktRcvDrop}, 2, 'none of which came in time');
is($link->{pktRcvBelated}, 2, 'but one too late, and one twice');
is($link->{strange}, 2, 'that are no RTP of MPEG-TS');
is($link->{foreign}, $foreign, 'of others');
cmp_ok($link->{byteRecv}, '>', $expect{bytes}, 'bytes, with headers');
cmp_ok($link->{mbpsRecvRate}, '>=', 0, 'rate');
is($link->{msRTT}, undef, 'no round trip time');
is(join(' ', grep { /ACK|NAK|key/ } keys %$link), '', 'nothing of SRT');

is($ts->{$_}, $expect{$_}, $_) for sort keys %expect;
cmp_ok($ts->{damaged_frames}, '>=', 1, 'frames were hit');
is($ts->{pids_omitted}, 0, 'all PIDs');

my %is = map { $_->{pid} => $_ } @{$ts->{pids}};

is(join(' ', sort { $a <=> $b } keys %is), '0 256 257 4096', 'PIDs');
is("$is{256}{codec} $is{257}{codec}", 'h264 aac', 'codecs');
is("$is{256}{stream_type} $is{257}{stream_type}", '27 15', 'types');
is($is{$_}{packets}, $pids{$_}{packets}, "packets of $_") for sort keys %is;
is($is{$_}{cc_errors}, $pids{$_}{cc_errors} || 0, "gaps of $_")
    for sort keys %is;
is($is{$_}{scrambled}, $pids{$_}{scrambled} || 0, "scrambled of $_")
    for sort keys %is;

# the same elsewhere

my $one = $t->http_get('/api/v1/streams/live/rtp');
is($one->{status}, 200, 'API');
my $there = decode_json($one->{body})->{publisher};
is_deeply($there->{ts}, $ts, 'the same there');
is($there->{link}{pktRecv}, $link->{pktRecv}, 'and datagrams');

my $m = metrics_parse($t->http_get('/metrics')->{body})->{samples};
my $label = '{app="live",stream="rtp"}';
my %metrics = (scrambled => 'scrambled_packets',
               malformed => 'malformed_packets',
               ignored => 'ignored_packets',
               duplicates => 'duplicate_packets');

is($m->{'ngx_media_stream_ts_' . ($metrics{$_} || $_) . "_total$label"},
   $ts->{$_}, "$_: metric") for grep { !/pids/ } sort keys %$ts;
is($m->{"ngx_media_stream_link_lost_packets_total$label"}, 2, 'lost');
is($m->{"ngx_media_stream_link_foreign_packets_total$label"}, $foreign,
   'foreign');
is($m->{"ngx_media_stream_link_strange_packets_total$label"}, 2, 'strange');
is($m->{"ngx_media_stream_link_rtt_seconds$label"}, undef, 'no RTT');

# allow and deny of nginx's

sender('part')->send($datagrams[$_]) for 0 .. 3;
my $allowed = sender('part', LocalAddr => '127.0.0.2');
wait_ok(sub {
    $allowed->send($datagrams[0]);
    return publisher_of('part')->{link};
}, 10, 'who is allowed publishes');

$pub = publisher_of('part');
is($pub->{address}, '127.0.0.2', 'he alone');
is($pub->{link}{foreign}, 0, 'nobody else was there');

# workers that share a listener: what comes to others than the one that has the
# stream is lost, and counted as the publisher's own

$socket = sender('shared');

for my $n (0 .. 19) {
    $socket->send($datagrams[$n]);
    select undef, undef, undef, 0.01 if $n % 5 == 4;
}

wait_ok(sub { (publisher_of('shared')->{link}{pktRecv} || 0) == 20 }, 10,
        'all that was sent is known of');

$pub = publisher_of('shared');
is($pub->{ts}{packets} + 7 * $pub->{link}{pktRcvDrop}, 140,
   'as read, or as lost');
is($pub->{link}{foreign}, 0, 'it is his own');

# a worker that does not read: datagrams that are not in RTP

$socket = sender('full');
$socket->send($datagrams[0]);
wait_ok(sub { publisher_of('full')->{link} }, 10, 'another one');

kill STOP => $_ for $t->worker_pids();
$socket->send($datagrams[1]) for 1 .. 600;
kill CONT => $_ for $t->worker_pids();

wait_ok(sub {
    $socket->send($datagrams[1]);
    return publisher_of('full')->{link}{kernel_drops};
}, 10, 'the kernel had no room');

is(publisher_of('full')->{link}{pktRcvLoss}, 0, 'which nothing counts here');

$t->done();
