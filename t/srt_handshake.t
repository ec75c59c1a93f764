#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Handshakes of SRT: what callers are answered, which stream it is that they
# ask for, and the numbers by which they are refused.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::SRT qw/ HANDSHAKE reversed srt_caller /;
use Test::Media::Server;

my $t = Test::Media->new(workers => 2);
my $hook = Test::Media::Server->new($t, 'HOOK');

my $pass = 'correct horse battery';

$t->write_conf(<<"EOC");
media live { zone 32m; segment 1s; part 200ms; }
media keys { zone 16m; publish_auth hook;
             on publish http://127.0.0.1:%%PORT_HOOK%%/p timeout=3s; }

stream {
    media_srt_latency 150ms max=2s;

    server {
        listen 127.0.0.1:%%UDP_SRT%% udp;
        media_srt live;
    }
    server {
        listen 127.0.0.1:%%UDP_PASS%% udp;
        media_srt live name=nameless;
        media_srt_passphrase "$pass";
    }
    server {
        listen 127.0.0.1:%%UDP_HOOK%% udp;
        media_srt keys;
    }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
    }
}
EOC

$t->run();

sub caller_of {
    my ($port, %opt) = @_;

    return srt_caller($t, $opt{streamid}, %opt, server => $port);
}

sub streams { return $t->streams($_[0] || 'live') }

sub publishes { return (streams($_[1])->{$_[0]} || {})->{publisher} }

# induction: the same, and what makes a caller speak version 5

my $p = caller_of('SRT', isn => 0x7ffffff0);
my $ask = $p->induction();
my $reply = $p->induce();

is(length $reply->{raw}, length $ask, 'induction: as long as what was asked');
is($reply->{dst}, $p->{opt}{id}, 'induction: whom it is for');
is($reply->{version}, 5, 'induction: version');
is($reply->{encryption}, 0, 'induction: encryption');
is($reply->{field}, 0x4a17, 'induction: magic');
is($reply->{isn}, 0x7ffffff0, 'induction: ISN');
is($reply->{req}, 1, 'induction: type');
is($reply->{id}, $p->{opt}{id}, 'induction: the id of the caller');
isnt($reply->{cookie}, 0, 'induction: a cookie');
is($reply->{peer}, substr($ask, -16), 'induction: the address as it was');

my $cookie = $reply->{cookie};

is($p->induce()->{cookie}, $cookie, 'induction: the same again');
isnt(caller_of('SRT')->induce()->{cookie}, $cookie,
     'induction: another port has another cookie');

# conclusion

$p->{opt}{latency} = [700, 300];
$p->{opt}{streamid} = 'publish:live/first';
$p->{opt}{mtu} = 1400;

$reply = $p->conclude();

ok($reply && $reply->{req} == 0xffffffff, 'conclusion')
    or diag($reply && $reply->{req});
is($reply->{version}, 5, 'conclusion: version');
is($reply->{encryption}, 0, 'conclusion: encryption');
is($reply->{field}, 1, 'conclusion: HSRSP');
is($reply->{isn}, 0x7ffffff0, 'conclusion: ISN');
is($reply->{mtu}, 1400, 'conclusion: MTU');
is($reply->{window}, 8192, 'conclusion: window');
isnt($reply->{id}, $p->{opt}{id}, 'conclusion: our id');
is($reply->{id} & 0x40000000, 0, 'conclusion: which is none of a group');
is(unpack('H*', $reply->{ext}{2}), '00010500' . '0000003f' . '012c02bc',
   'conclusion: HSRSP: version, flags, both latencies');

is($p->conclude()->{id}, $reply->{id}, 'conclusion: the same again');

ok($p->pump(5, sub { publishes('first') }), 'conclusion: it is published');

# latency: ours at least, theirs if it is more, but not beyond the limit

for my $case ([120, 120, 150, 150], [[500, 100], undef, 150, 500],
              [[100, 65535], undef, 2000, 150])
{
    my $n = caller_of('SRT', latency => $case->[0], streamid => 'latency');
    is($n->connect(), 1, 'latency: connected');
    is(join(' ', unpack 'x8nn', $n->{hs}{ext}{2}), "$case->[2] $case->[3]",
       'latency: ' . join ' ', map { ref $_ ? @$_ : $_ } $case->[0]);
    $n->shutdown();
    wait_until(sub { !publishes('latency') }, 5, 'the end');
}

# stream ids, and the streams that come of them

my @sids = (
    ['live/a1', 'a1'], ['a2', 'a2'], ['live/b/a3', 'b/a3'],
    ['live/a4?x=1&y=2', 'a4'], ['publish:live/a5', 'a5'],
    ['publish:live/a6:me:secret', 'a6'], ['publish:live/a7:x=1', 'a7'],
    ['#!::r=live/a8,m=publish', 'a8'],
    ['#!::u=me,r=live/a9?x=1,m=bidirectional,s=secret,t=stream', 'a9'],
    ['#!::u=a10,bmd_uuid=1a2b', 'a10'], ['a11,mode:publish,token:T', 'a11'],
    ['srt://host:9000/live/a12?x=1', 'a12'], ['host:9000/live/a13', 'a13'],
    ['host.tld/live/a14', 'a14'], ['%23!::r=live/a15,m=publish', 'a15'],
    ['srt%3A%2F%2Fhost%2Flive%2Fa16', 'a16'],
    ['a' x 255, 'a' x 255], ['live/' . "caf\xc3\xa9", "caf\x{e9}"],
);

my @open;

for my $case (@sids) {
    my $n = caller_of('SRT', streamid => $case->[0]);
    is($n->connect(), 1, "stream id \"" . substr($case->[0], 0, 50) . '"');
    push @open, $n;
}

my $streams = streams();
is(join(' ', grep { !$streams->{$_} } map { $_->[1] } @sids), '',
   'each of them is published');

$_->shutdown() for @open, $p;
wait_ok(sub { !grep { $_->{publisher} } values %{streams()} }, 10,
        'SHUTDOWN ends it');

# refusals

my $gcm = sub {
    my ($n) = @_;
    my $km = $n->km(1, $pass);
    substr $km, 8, 2, "\x04\x01";
    return $km;
};

my @refused = (
    ['SRT', 2400, streamid => '#!{r=x}'],
    ['SRT', 2400, streamid => "a\nb"],
    ['SRT', 2400, streamid => "a\0b"],
    ['SRT', 2400, streamid => '%23!::r=%4'],
    ['SRT', 2400, streamid => '#!::r=x,m=write'],
    ['SRT', 2400, streamid => 'live/' . 'a' x 256],
    ['SRT', 2400],
    ['SRT', 2403, streamid => 'read:live/first'],
    ['SRT', 2403, streamid => '#!::r=live/first'],
    ['SRT', 2403, streamid => 'first,mode:request'],

    ['SRT', 1004, streamid => 'm1', hsreq => 0],
    ['SRT', 1004, streamid => 'm2', blocks => [[1, "\0" x 12]]],
    ['SRT', 1004, streamid => 'm3', blocks => [[5, 'aaaa']]],
    ['SRT', 1004, streamid => 'm4', mtu => 31],
    ['SRT', 1004, streamid => 'm5', window => 1],
    ['SRT', 1004, streamid => 'm6', isn => 0x80000000],
    ['SRT', 1004, streamid => 'a' x 513],
    ['SRT', 1008, streamid => 'v1', srt => 0x010200],
    ['SRT', 1012, streamid => 'f1', flags => 0xff],
    ['SRT', 1013, streamid => 'f2', flags => 0xa4,
     blocks => [[6, reversed('file')]]],
    ['SRT', 1013, streamid => 'f3', flags => 0xe4,
     blocks => [[6, reversed('file')]]],
    ['SRT', 1014, streamid => 'f4',
     blocks => [[7, reversed('fec,cols:10,rows:5')]]],
    ['SRT', 1015, streamid => 'f5',
     blocks => [[8, pack 'NN', 0x75fa9829, 0x01000000]]],

    ['SRT', 1011, streamid => 'k1', passphrase => $pass],
    ['PASS', 1011, streamid => 'k2'],
    ['PASS', 1010, streamid => 'k3', passphrase => 'another passphrase'],
    ['PASS', 1017, streamid => 'k4', km => $gcm],
    ['PASS', 1004, streamid => 'k5', km => "\x12\x20\x28\x01" . "\0" x 52],
);

for my $case (@refused) {
    my ($port, $code, %opt) = @$case;
    my $n = caller_of($port);

    $opt{km} = $opt{km}->($n) if ref $opt{km};

    my $name = substr $opt{streamid} // '', 0, 30;
    $name =~ s/[^ -~]/./g;

    is($n->connect(%opt), $code, "refused $code: \"$name\"");
}

# what is kept for a second of one is not of others, who ask for the same stream

for my $case ([1014, blocks => [[7, reversed('fec,cols:10,rows:5')]]],
              [1011, passphrase => $pass], [1])
{
    my ($code, %opt) = @$case;
    my $n = caller_of('SRT', streamid => 'shared', %opt);

    is($n->connect(), $code, "the same stream id: $code");
    $n->shutdown();
}

is($t->log_count(qr/srt: refused \d+:.*live\/first|secret|$pass/), 0,
   'nothing of stream ids is in the log');

# HSv4: its conclusion has no blocks, and it does not know refusals

my $v4 = caller_of('SRT');
$v4->induce();
$v4->raw($v4->conclusion(version => 4, hsreq => 0));

ok($v4->pump(5, sub { $v4->{closed} }), 'HSv4: SHUTDOWN');
is(join(' ', map { $_->{req} } grep { $_->{type} == HANDSHAKE } @{$v4->{got}}),
   1008, 'HSv4: and a refusal');

# passphrases

for my $len (16, 24, 32) {
    my $n = caller_of('PASS', passphrase => $pass, pbkeylen => $len);
    is($n->connect(), 1, "keys of $len bytes");
    is($n->{hs}{field}, 3, 'HSRSP and KMRSP');
    is($n->{hs}{ext}{4}, $n->km(1, $pass), 'which is KMREQ');
    ok(publishes('nameless'), 'it has the name of media_srt')
        if $len == 16;
    $n->shutdown();
    wait_until(sub { !publishes('nameless') }, 5, 'the end');
}

# hooks: asked once, whatever is repeated meanwhile, and a refusal is kept

$hook->on('/p', { status => 200, delay => 0.8 });

my $h = caller_of('HOOK', streamid => '#!::r=h1,m=publish,u=me,s=secret,k=v');
is($h->connect(), 1, 'hook: a slow yes');
is($hook->count('/p'), 1, 'hook: is asked once');
is((JSON::PP::decode_json(($hook->requests('/p'))[0]{body}) || {})->{args},
   'u=me&s=secret&k=v', 'hook: what it is asked');
is($h->{count}{+HANDSHAKE} // 0, 0, 'hook: there is one answer');
$h->shutdown();

$hook->on('/p', { status => 403 });

for my $n (1 .. 4) {
    $h = caller_of('HOOK', streamid => '#!::r=h2,m=publish');
    is($h->connect(), 2401, "hook: no, $n");
}

# by each worker that he comes to

cmp_ok($hook->count('/p'), '<=', 3, 'hook: is asked once of who comes back');
cmp_ok($t->log_count(qr/srt: refused 2401/), '<=', 2,
       'hook: and the log says it once');

# a conclusion that comes to another worker, too, while a hook is asked

my ($one, $two) = $t->worker_pids();

my $tries = $two ? 5 : 0;
my ($asked, $conclusion);

# it has 2.5 s: on a machine that is very slow it is refused, and tried again

for my $n (1 .. $tries) {
    $hook->on('/p', { status => 200, delay => 1 });
    $asked = $hook->count('/p');

    $p = caller_of('HOOK', streamid => "publish:keys/elsewhere$n");
    $t->on_worker($one, sub { $p->induce() });
    $conclusion = $p->conclusion();

    $t->on_worker($one, sub {
        $p->raw($conclusion);
        wait_until(sub { $hook->count('/p') > $asked }, 5, 'the hook');
    });
    $t->on_worker($two, sub {
        $p->raw($conclusion) for 1 .. 3;
        $p->pump(0.2);
    });

    $reply = $p->take(10);
    last if !$reply || $reply->{req} != 2503;
}

if ($two) {
    ok($reply && $reply->{req} == 0xffffffff, 'repeated elsewhere: one answer');
    is($hook->count('/p'), $asked + 1, 'repeated elsewhere: asked once');

    $p->{peer} = $reply->{id};
    $p->raw($conclusion);

    my $again = $p->take(10);
    is($again->{id}, $reply->{id}, 'repeated later: the same answer');
    $p->pump(0.2);
    is(scalar(grep { $_->{type} == HANDSHAKE && $_->{id} != $reply->{id} }
              @{$p->{got}}), 0, 'repeated elsewhere: no other one');

    $p->data("\x47" . "\0" x 1315) for 1 .. 3;
    ok($p->pump(5, sub { ($p->{acked} // 0) == $p->{seq} }),
       'repeated elsewhere: its data is acknowledged');
    $p->shutdown();
}

$t->done();
