#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# SRT of people who mean no good, and of a network that repeats and mixes up:
# before they have shown where they are nothing is kept and nobody is sent more
# than he has sent; what is said in another's name is not heard; and whatever
# comes to a session, others notice nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT qw/ HANDSHAKE KEEPALIVE ACK NAK SHUTDOWN ACKACK DROPREQ
                         EXT control srt_caller srt_let_in /;
use Test::Media::TS;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; publish_conflict reject; }

stream {
    media_srt_timeout 1h;
    media_srt_idle_timeout 1h;

    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_OTHER%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_PART%% udp reuseport; media_srt live;
             allow 127.0.0.2; deny all; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
    }
}
EOC

$t->run();

# a programme without media, as long as a payload is

my $ts = ts_write({ pid => 256, type => 0x1b, id => 0xe0, pes => [] });

$ts .= "\x47\x1f\xff\x10" . 'x' x 184 while length $ts < 1316;

sub caller_of {
    my ($port, %opt) = @_;

    return srt_caller($t, $opt{streamid}, %opt, server => $port);
}

# that there were too many callers holds for a second

sub publisher {
    my ($name, %opt) = @_;

    my $p = srt_let_in($t, $name, %opt);

    ok($p, "$name: connected");

    return $p;
}

# does it have what it is sent

sub lives {
    my ($p, $name) = @_;

    $p->data($ts) for 1 .. 3;

    my $seq = $p->{seq};

    ok($p->pump(5, sub { ($p->{acked} // -1) == $seq }),
       "$name: what it sends is acknowledged")
        or diag("acked: " . ($p->{acked} // 'nothing') . ", not $seq; "
                . "closed: $p->{closed}");
}

sub fds { my ($pid) = @_; return scalar(() = glob "/proc/$pid/fd/*") }

sub kbytes {
    my ($pid) = @_;

    return slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : 0;
}

# what comes back for these bytes: an induction behind them ends it

sub answers {
    my ($p, $bytes) = @_;

    $p->raw($bytes);
    $p->raw($p->induction(ts => 0));

    my @got;

    while (my $in = $p->take(10)) {
        return @got if $in->{control} && $in->{type} == HANDSHAKE
                       && $in->{req} == 1 && $in->{id} == $p->{opt}{id};
        push @got, $in;
    }

    return ({ raw => 'x' x 9999, lost => 1 });
}

# before the cookie

my $first = publisher('first');
my @before = map { fds($_) } $t->worker_pids();

my $other = caller_of('SRT');
my $cookie = $other->induce()->{cookie};

my $elsewhere = caller_of('OTHER');
my $same = $elsewhere->induce()->{cookie};

my $p = caller_of('SRT', streamid => 'live/none', from_port => undef);
my $own = $p->conclusion(cookie => 0);

my @datagrams = (
    (map { [substr($p->induction(id => 7), 0, $_), "$_ bytes of an induction"] }
         1, 15, 16, 17, 20, 47, 63),
    [$p->induction(id => 7) . "\0" x 1000, 'a long induction'],
    [$p->induction(id => 7, isn => 0xffffffff), 'an induction without ISN'],
    [$p->induction(id => 7, req => 0), 'rendezvous'],
    [$p->induction(id => 7, req => 0xfffffffe), 'an agreement'],
    [$p->induction(id => 7, req => 1002), 'a refusal'],
    [$own, 'a conclusion without cookie'],
    [$p->conclusion(cookie => $cookie), "another port's cookie"],
    [$p->conclusion(cookie => 0xdeadbeef), 'a cookie of its own'],
    [$p->conclusion(cookie => 1, version => 4), 'HSv4'],
    [$p->conclusion(cookie => 1, blocks => [[7, 'x' x 1000]]),
     'a long conclusion'],
    [substr($own, 0, 60), 'a short conclusion'],
    [pack('N4', 1, 0xc0000001, 0, 0) . $ts, 'data of nobody'],
    [pack('N4', 1, 0xc0000001, 0, 0x12345678) . $ts, 'data for somebody'],
    [pack('N4', 1, 0xc0000001, 0, $first->{peer}) . $ts,
     "data for another's session"],
    ['', 'nothing'], ['x', 'a byte'], ["\xff" x 1472, 'ones'],
    ["\0" x 16, 'zeros'],
    map { my $type = $_;
          map { [control($type, 0, 1, 0, $_, "\0" x 28),
                 "type $type for " . ($_ == $first->{peer} ? 'another' : $_)] }
              0, 0x12345678, $first->{peer} }
        0 .. 8, 0x7fff, 0x1234);

my ($more, @answered) = (0);

for my $case (@datagrams) {
    my ($bytes, $name) = @$case;
    my $got = 0;

    $got += length $_->{raw} for answers($p, $bytes);

    $more++, diag("$name: $got bytes for " . length $bytes)
        if $got > length $bytes;
    push @answered, $name if $got;
}

is($more, 0, 'nobody is sent more than he has sent');
is(join(', ', @answered),
   'a long induction', 'and only what asks for a cookie is answered');

$elsewhere->{opt}{streamid} = 'x';
is($elsewhere->conclude(cookie => $same ^ 1, seconds => 0.3), undef,
   'a wrong cookie is not answered');

is(join(' ', map { fds($_) } $t->worker_pids()), "@before",
   'no descriptor is left of any');

lives($first, 'who was there before');

# floods, twice: what the first one needs may stay, the second needs nothing

my @sockets = map { caller_of('SRT', streamid => "flood$_") } 1 .. 40;
my @flood = map { ($_->induction(), $_->conclusion(cookie => int rand 2 ** 32),
                   pack('N4', 1, 0xc0000001, 0, int rand 2 ** 30) . $ts) }
            @sockets;

sub flood {
    for my $round (1 .. 100) {
        for my $i (0 .. $#flood) {
            $sockets[$i / 3]->raw($flood[$i]);
        }

        $_->take(0) for @sockets, @sockets;
        $first->pump(0);
    }

    # it is over when each is answered again
    for my $s (@sockets) {
        1 while $s->take(0);
        $s->induce();
    }
}

flood();

my @kbytes = map { kbytes($_) } $t->worker_pids();
flood();
my @grown = map { kbytes($_) - shift @kbytes } $t->worker_pids();

SKIP: {
    skip 'AddressSanitizer keeps what was freed', 1
        if slurp('/proc/' . ($t->worker_pids())[0] . '/maps') =~ /asan/;

    is(scalar(grep { $_ > 4096 } @grown), 0, 'no memory is left of a flood')
        or diag("kbytes: @grown");
}

is(join(' ', map { fds($_) } $t->worker_pids()), "@before",
   'and no descriptor');

lives($first, 'who was there during it');
$_->close() for @sockets;

# those who have a cookie, and come at once: some are told to come later

@sockets = map { caller_of('SRT', streamid => "#!::r=many$_,m=no") } 1 .. 400;

$_->induce() for @sockets;

my @others = map {
    caller_of('SRT', streamid => "#!::r=other$_,m=no", from => "127.0.0.$_")
} 2 .. 6;

$_->induce() for @others;

my @conclusions = map { $_->conclusion() } @sockets;
my %codes;

# no more at once than a socket's buffer has room for

while (@conclusions) {
    my @some = map { $sockets[$#conclusions - $_] } 0 .. 49;

    $_->raw(pop @conclusions) for @some;

    for my $s (@some) {
        my $in = $s->take(0.5) || $s->conclude();
        $codes{$in ? $in->{req} : 'none'}++;
    }
}

# but not those who come from elsewhere in the same second

my %elsewhere = map { ($_->conclude() || { req => 'none' })->{req} => 1 }
                @others;

is(join(' ', sort keys %codes), '2400 2402', 'too many callers at a time')
    or diag(join ', ', map { "$_: $codes{$_}" } sort keys %codes);
is(join(' ', sort keys %elsewhere), '2400', 'of one address');
$_->close() for @sockets, @others;

# one who comes back all the time is logged once

$p = caller_of('SRT', streamid => '#!{again}');
$p->induce();

my $again = sub { return ($p->conclude() || { req => 0 })->{req} == 2400 };

wait_until($again, 10, 'the end of the hurry');
is(scalar(grep { $again->() } 1 .. 50), 50, 'refused again and again');
is($t->log_count(qr/srt: refused 2400: stream id begins with/), 1,
   'and logged once');

# what others say in its name

my $stranger = caller_of('SRT');

for my $bytes (control(SHUTDOWN, 0, 0, 0, $first->{peer}, "\0" x 4),
               control(ACK, 0, 1, 0, $first->{peer}, pack 'N7', 1 .. 7),
               control(DROPREQ, 0, 1, 0, $first->{peer},
                       pack 'NN', $first->{seq}, $first->{seq} + 5000),
               control(EXT, 3, 0, 0, $first->{peer}, "\x12" x 56),
               map { pack('N4', $first->{seq} + $_, 0xc0000001, 0,
                          $first->{peer}) . $ts } 0, 5, 9000)
{
    $stranger->raw($bytes);
}

is(scalar(answers($stranger, '')), 0, 'a stranger is not answered');
lives($first, 'a stranger is not heard');

# two behind one address who have made up the same id

my $twin = publisher('twin', id => $first->{opt}{id});
isnt($twin->{peer}, $first->{peer}, 'twins are two');
lives($twin, 'one twin');
lives($first, 'the other one');
$twin->shutdown();

# after the end: SHUTDOWN, but not for each datagram

my $old = publisher('gone');
lives($old, 'before the end');
$old->shutdown();
wait_until(sub {
    $old->data($ts);
    return $old->pump(0.1, sub { $old->{closed} });
}, 10, 'SHUTDOWN');

my $begin = now();

$old->{count} = {};
$old->data($ts), $old->pump(0) for 1 .. 200;
$old->pump(0.3);
cmp_ok($old->{count}{+SHUTDOWN} // 0, '<=', 1 + now() - $begin,
       'data after the end: SHUTDOWN once a second');
is($old->{count}{+ACK} // 0, 0, 'and no ACK');

# what a peer may say that is wrong

my $seq = $first->{seq};
my @wrong = (
    ['ACK of nothing', ACK, '', 1], ['light ACK', ACK, pack('N', $seq), 0],
    ['ACK of what was not sent', ACK, pack('N7', $seq + 1000, 1 .. 6), 5],
    ['ACK of no number', ACK, "\xff" x 28, 5],
    ['NAK', NAK, pack('NN', 0x80000000, 0x7fffffff), 0],
    ['NAK that has no end', NAK, pack('N', 0x80000001), 0],
    ['long NAK', NAK, "\xff" x 1456, 0], ['NAK of nothing', NAK, '', 0],
    ['ACKACK of nothing', ACKACK, '', 0xffffffff],
    ['ACKACK', ACKACK, "\0" x 4, 12345],
    ['DROPREQ of the past', DROPREQ, pack('NN', $seq - 500, $seq - 400), 1],
    ['DROPREQ backwards', DROPREQ, pack('NN', $seq + 5, $seq), 1],
    ['short DROPREQ', DROPREQ, 'xxxx', 1],
    ['KMREQ', EXT, "\x12\x20\x29\x01" . 'x' x 52, 0, 3],
    ['KMREQ of nothing', EXT, '', 0, 3], ['KMRSP', EXT, 'xxxx', 0, 4],
    ['HSREQ', EXT, "\0" x 12, 0, 1], ['no type', 0x1234, 'x' x 100, 0],
    ['congestion', 4, '', 0], ['an error', 8, '', 0],
    ['KEEPALIVE', KEEPALIVE, '', 0],
    ['long KEEPALIVE', KEEPALIVE, 'x' x 1456, 0],
    ['a handshake', HANDSHAKE, 'x' x 48, 0], ['no handshake', HANDSHAKE, '', 0],
);

for my $case (@wrong) {
    my ($name, $type, $body, $info, $subtype) = @$case;

    $first->control_packet($type, $body, info => $info,
                           subtype => $subtype || 0);
}

lives($first, 'control packets that are wrong');

$first->data($ts, seq => $first->{seq} - 1000 & 0x7fffffff);
$first->data($ts, seq => $first->{seq} - 1);
$first->data('', seq => $first->{seq} - 1);
$first->data('x' x 1456);
$first->data('');
$first->data('x' x 13, pp => 2);
$first->data($ts, kk => 1);
$first->data($ts, kk => 3);
$first->data($ts, ts => 0xffffffff);
$first->data($ts, ts => 0);
$first->data($ts, dst => 0x12345678);
$first->raw("\0" x 15);
$first->raw('');
lives($first, 'data that is strange');

# a jump, beyond all windows: it goes on there

$first->{seq} = $first->{seq} + 100_000 & 0x7fffffff;
$first->data($ts) for 1 .. 20;
ok($first->pump(10, sub { ($first->{acked} // -1) == $first->{seq} }),
   'a jump of 100000 packets: it goes on behind it');

is($first->{closed}, 0, 'all that did not end it');
$first->shutdown();

# allow and deny of nginx's are asked before anything is answered

my $denied = caller_of('PART', streamid => 'part');
$denied->raw($denied->induction());
is($denied->take(0.5), undef, 'who is denied hears nothing');

my $allowed = caller_of('PART', streamid => 'part', from => '127.0.0.2');
is($allowed->connect(), 1, 'who is allowed is let in');
$allowed->shutdown();

wait_ok(sub {
    return !grep { $_->{publisher} } values %{$t->streams('live')};
}, 10, 'the end of all');

$t->done();
