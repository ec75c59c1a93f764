#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Commands of an RTMP connection and their answers, above all refusals.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 1);

$t->write_conf(<<'EOC');
media live { zone 16m; publish_conflict reject; }
media two  { zone 16m; publish_conflict drop; max_streams 4; }

stream {
    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        media_rtmp_max_streams 3;
        media_rtmp_chunk_size  1000;
        media_rtmp_window      100000;
    }

    server {
        listen 127.0.0.1:%%PORT_FIXED%%;
        media_rtmp two;
    }
}
EOC

$t->run();

*amf = \&Test::Media::RTMP::amf;

my $start = 'NetStream.Publish.Start';
my $bad = 'NetStream.Publish.BadName';

sub client {
    my (%opt) = @_;

    my $p = $t->rtmp(%opt);
    $p->handshake();

    return $p;
}

sub connected {
    my ($app, %props) = @_;

    my $p = client();
    my $reply = $p->connect(defined $app ? $app : 'live', %props);

    die "no connection\n" if !$reply || $reply->{name} ne '_result';

    return $p;
}

sub status_of {
    my ($p) = @_;

    my $m = $p->wait_command('onStatus', 5);

    return $m ? $m->{args}[1]{code} : 'no status';
}

# connect

my $p = client();
my $reply = $p->connect('live');

is($reply->{name}, '_result', 'connect');
is($reply->{transaction}, 1, 'transaction');
is($reply->{args}[1]{code}, 'NetConnection.Connect.Success', 'code');
is($reply->{args}[1]{level}, 'status', 'level');
is($reply->{args}[1]{objectEncoding}, 0, 'objectEncoding');
like($reply->{args}[0]{fmsVer}, qr/^FMS/, 'fmsVer');
ok(!exists $reply->{args}[0]{capsEx}, 'no enhanced answer unless asked');
is($p->{window}, 100000, 'window');
is($p->{in_chunk}, 1000, 'chunk size');
ok($p->wait_message(sub { $_[0]{type} == 6 }, 2), 'peer bandwidth');

$reply = $p->reply($p->command('connect', { app => 'live' }));
is($reply->{name}, '_error', 'a second connect is refused');
is($reply->{args}[1]{code}, 'NetConnection.Connect.Rejected', 'code');
ok($t->wait_log(qr/connect refused: it is connected/, 2), 'and is logged');
ok($p->poll(0.1), 'and the connection goes on');

for my $app ('live/', '/live', 'live?token=1', 'live/room', 'live/a/b/?x=y') {
    $reply = client()->connect($app);
    is($reply->{args}[1]{code}, 'NetConnection.Connect.Success', "app $app");
}

for my $app ('nosuch', '', '/', '?live', 'live2', 'LIVE', 'liv', "live\0",
             'x' x 5000, 'live/' . 'x' x 256)
{
    my $name = length $app > 20 ? length $app : $app;
    $p = client();
    $reply = $p->connect($app);
    is($reply->{name}, '_error', "app \"$name\" is refused");
    is($reply->{args}[1]{code}, 'NetConnection.Connect.InvalidApp', 'code');
    is($reply->{args}[1]{level}, 'error', 'level');
    ok($p->wait_closed(5), 'closed');
    is($p->{closed}, 'end of file', 'in good order');
}

$p = client(port => $t->port('FIXED'));
is($p->connect('whatever')->{name}, '_result', 'app of the directive');
$p = client(port => $t->port('FIXED'));
is($p->connect('')->{name}, '_result', 'app of the directive, none sent');

# without a command object, or with other types in it

$p = client();
is($p->reply($p->command('connect'))->{name}, '_error', 'no object');
$p = client();
is($p->connect('', app => 5, tcUrl => undef)->{name}, '_error',
   'app is a number');

# AMF3 command: AMF0 after a byte

$p = client();
$p->message(17, 0, "\0" . amf('connect', 1, { app => 'live',
                                              objectEncoding => 3 }),
            csid => 3);
$reply = $p->reply(1);
is($reply->{name}, '_result', 'AMF3 connect');
is($reply->{args}[1]{objectEncoding}, 0, 'but AMF0 from now on');

# Enhanced RTMP

$p = client();
$reply = $p->connect('live', fourCcList => ['*'], capsEx => 3,
                     videoFourCcInfoMap => { '*' => 2 });

for my $i (0, 1) {
    my $object = $reply->{args}[$i];
    is($object->{capsEx}, 15, "enhanced: capsEx, object $i");
    ok(scalar(grep { $_ eq 'hvc1' } @{$object->{fourCcList}}), 'fourCcList');
    is($object->{videoFourCcInfoMap}{avc1}, 4, 'video');
    is($object->{audioFourCcInfoMap}{mp4a}, 4, 'audio');
    ok(!exists $object->{videoFourCcInfoMap}{mp4a}, 'each to its own');
}

# before connect

for my $name (qw/ createStream publish releaseStream nosuch _result /) {
    $p = client();
    $p->command($name, undef);
    ok($p->wait_closed(5), "$name before connect");
}

# what encoders ask besides

$p = connected();

for my $name (qw/ releaseStream FCPublish _checkbw FCSubscribe /) {
    $reply = $p->reply($p->command($name, undef, 'x'));
    is($reply->{name}, '_result', $name);
}

ok($p->wait_command('onFCPublish', 2), 'onFCPublish');

$reply = $p->reply($p->command('getStreamLength', undef, 'x'));
is($reply->{args}[1], 0, 'getStreamLength');

$reply = $p->reply($p->command('nosuch', undef, { a => [1] }));
is($reply->{name}, '_error', 'unknown command');
is($reply->{args}[1]{code}, 'NetConnection.Call.Failed', 'code');

$p->message(20, 0, amf('nosuch', 0, undef), csid => 3);
$reply = $p->reply($p->command('releaseStream', undef, 'x'));
is($reply->{name}, '_result', 'unknown without transaction is ignored');

# ping

$p->message(4, 0, pack('nN', 6, 0x12345678));
my $m = $p->wait_message(sub {
    $_[0]{type} == 4 && unpack('n', $_[0]{bytes}) == 7
}, 5);
is(unpack('N', substr $m->{bytes}, 2), 0x12345678, 'pong');

# what is too short, or cannot be read, is left out and said once

for my $type (2 .. 6) {
    $p->message($type, 0, substr("\0\0\0\1", 0, $_)) for 0 .. 3;
}

$p->message(6, 0, pack('N', 2500000));
$p->message(4, 0, "\0");
$p->message(20, 0, $_, csid => 3)
    for '', "\2", "\2\0\x09dele", "\xff" x 9, amf(5, 6);
$p->message(17, 0, $_, csid => 3) for '', "\0", "\0\2\0\5pub";
$p->message(255, 0, 'x');
$p->message(0, 0, 'x');

$reply = $p->reply($p->command('releaseStream', undef, 'x'));
is($reply->{name}, '_result', 'short messages do not end it');
is($t->log_count(qr/ignored: control message that is too short, type:/), 1,
   'control messages: said once');
is($t->log_count(qr/ignored: command that cannot be read, type:20/), 1,
   'commands: said once');

{
    my $short = connected();
    $short->raw($short->chunks(1, 0, "\0\0\1"));
    ok($short->wait_closed(5), 'Set Chunk Size has to be read');
    ok($t->wait_log(qr/invalid data: malformed control message/, 2),
       'says so');
}

# streams of a connection

is($p->create_stream(), 1, 'createStream');
is($p->create_stream(), 2, 'createStream');
is($p->create_stream(), 3, 'createStream');
is($p->create_stream(), undef, 'createStream beyond max_streams');

$p->command('deleteStream', undef, 2);
is($p->create_stream(), 2, 'a deleted one is free again');

for my $bogus (0, -1, 4, 5e300, 'x', undef, 1.5e9) {
    $p->command('deleteStream', undef, $bogus);
}

$p->message(20, 0, amf('deleteStream', 0, undef) . "\0"
                   . pack('d>', 'nan'), csid => 3);
$reply = $p->reply($p->command('releaseStream', undef, 'x'));
is($reply->{name}, '_result', 'deleteStream of nothing');

# publish

is($p->publish('one'), $start, 'publish');
is($p->{status}{level}, 'status', 'level');
ok($p->wait_message(sub {
       $_[0]{type} == 4 && $_[0]{bytes} eq pack('nN', 0, $p->{stream})
   }, 2), 'stream begin');
is($p->publish('other'), $bad, 'publish on a stream that does');
is($p->publish('one'), $start, 'publish of the same again');
is($p->{status}{level}, 'status', 'level');
is($p->publish('/one/?key=2'), $start, 'and again, said differently');

my $q = connected();
$q->create_stream();
is($q->publish('one'), $bad, 'name is taken');
is($q->{status}{level}, 'error', 'level');
ok($t->wait_log(qr/publish refused: the stream is being published/, 2),
   'logged');
is($q->publish('one?key=2'), $bad, 'name is taken, query');
is($q->publish('/one/'), $bad, 'name is taken, slashes');

is($q->publish('two'), $start, 'another name after refusals');
ok($p->poll(0.1), 'the first publisher goes on');

for my $name ('', '?x', '/', 'x' x 256, "a\nb", "a\0b") {
    $q = connected();
    $q->create_stream();
    my $text = $name =~ /[^ -~]/ ? unpack 'H*', $name : substr $name, 0, 20;
    is($q->publish($name), $bad, "name \"$text\" is refused");
}

$q = connected();
$q->create_stream();
$q->stream_command('publish', undef);
is(status_of($q), $bad, 'publish without a name');
$q->stream_command('publish', undef, { a => 1 });
is(status_of($q), $bad, 'publish of an object');

$q = connected();
$q->{stream} = 2;
is($q->publish('three'), 'NetStream.Publish.Denied', 'stream not created');
ok($t->wait_log(qr/publish refused: the stream was not created, message \S+2/,
                2), 'logged');
$q->{stream} = 0;
is($q->publish('three'), 'NetStream.Publish.Denied', 'stream 0');
$q->{stream} = 0xffffffff;
is($q->publish('three'), 'NetStream.Publish.Denied', 'stream 2^32 - 1');

# from one message stream to another of the same connection

$q = connected();
$q->create_stream();
is($q->publish('moves'), $start, 'on one message stream');
$q->create_stream();
is($q->publish('moves'), 'NetStream.Unpublish.Success', 'ends there');
is(status_of($q), $start, 'and begins on the other');
$q->close();

# types

for my $type (qw/ live record append nonsense /) {
    $q = connected();
    $q->create_stream();
    is($q->publish("type-$type", $type), $start, "publish type $type");
}

# what follows the application is part of the name

$q = connected('live/room/7?a=b');
$q->create_stream();
is($q->publish('cam?key=secret'), $start, 'path in the application');
ok($t->wait_log(qr/publish started.*app: live, stream: room\/7\/cam$/m, 2),
   'name');
unlike($t->log(), qr/secret/, 'keys are not logged');

$q = client(port => $t->port('FIXED'));
$q->connect('some/where');
$q->create_stream();
is($q->publish('cam'), $start, 'application of the directive');
ok($t->wait_log(qr/publish started.*app: two, stream: where\/cam$/m, 2),
   'name');

# a new publisher takes the place of an old one that is silent

sub fixed {
    my (%props) = @_;

    my $p = client(port => $t->port('FIXED'));
    $p->connect('live', %props);
    $p->create_stream();

    return $p;
}

sub takes_over {
    my ($p, $name) = @_;

    my $code = $p->publish($name);
    is($code, $bad, "$name: not while it has just begun");

    wait_until(sub { $code = $p->publish($name); $code eq $start; }, 10,
               "$name to be given up");

    return $code;
}

my $old = fixed();
is($old->publish('taken'), $start, 'old publisher');
my $new = fixed();
is(takes_over($new, 'taken'), $start, 'new publisher');
is(status_of($old), 'NetStream.Unpublish.Success', 'the old one is told');
ok($old->wait_closed(5), 'and closed');
ok($t->wait_log(qr/publish ended: another publisher.*stream: taken$/m, 2),
   'logged');
ok($new->poll(0.3), 'the new one stays');

# on a connection with another stream only that one ends

$old = fixed();
is($old->publish('both'), $start, 'first stream of the old one');
my $both = $old->{stream};
$old->create_stream();
is($old->publish('taken2'), $start, 'second stream');
is($new->create_stream(), 2, 'second stream of the new one');
is(takes_over($new, 'taken2'), $start, 'takes it over');
is(status_of($old), 'NetStream.Unpublish.Success', 'the old one is told');
ok($old->poll(1), 'its other stream goes on');

# as many as the application takes

$old->{stream} = $both + 1;

for my $i (1 .. 10) {
    last if $old->publish("many$i") ne $start;
    $old->create_stream();
}

is($old->{status}{code}, 'NetStream.Publish.Denied', 'max_streams');
$old->close();
$new->close();

# ends

$q = connected();
$q->create_stream();

is($q->publish('ends'), $start, 'publish');
$q->command('FCUnpublish', undef, 'ends');
is(status_of($q), 'NetStream.Unpublish.Success', 'FCUnpublish');

is($q->publish('ends'), $start, 'publish again');
$q->command('FCUnpublish', undef, 'another');
$q->stream_command('closeStream', undef);
is(status_of($q), 'NetStream.Unpublish.Success', 'closeStream');

is($q->publish('ends'), $start, 'publish again');
$q->command('deleteStream', undef, $q->{stream});
is(status_of($q), 'NetStream.Unpublish.Success', 'deleteStream');
is($q->publish('ends'), 'NetStream.Publish.Denied', 'on what was deleted');

$q->close();

$q = connected();
$q->create_stream();
is($q->publish('ends'), $start, 'publish again');
$q->close();
ok($t->wait_log(qr/publish ended: client closed connection.*stream: ends/, 5),
   'FIN');

$q = connected();
$q->create_stream();
is($q->publish('ends'), $start, 'publish again');
$q->reset();
ok($t->wait_log(qr/publish ended: connection was broken.*stream: ends/, 5),
   'RST');

# viewers

$q = connected();
$q->create_stream();
$q->stream_command('play', undef, 'one', -2);
is(status_of($q), 'NetStream.Play.Failed', 'play');
$q->stream_command('play2', undef, { streamName => 'one' });
is(status_of($q), 'NetStream.Play.Failed', 'play2');
$q->stream_command('seek', undef, 5);
is(status_of($q), 'NetStream.Seek.Failed', 'seek');
$q->stream_command('pause', undef, 1, 5);
is(status_of($q), 'NetStream.Pause.Failed', 'pause');
ok($t->wait_log(qr/play refused: .*"media_rtmp_play" is off/, 3),
   'the log says what to do');
is($q->publish('after-play'), $start, 'and it may still publish');

ok($p->poll(0.1), 'the first publisher is still there');

$t->done();
