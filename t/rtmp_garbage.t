#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Truncation and garbage in every message: the connection ends or waits, no
# worker dies, and another publisher does not notice.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 64m; }

stream {
    media_rtmp_timeout      2s;
    media_rtmp_idle_timeout 2s;

    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
    }
}
EOC

$t->run();

my @workers = sort $t->worker_pids();

*amf = \&Test::Media::RTMP::amf;

srand(20260721);

my @tags = flv_read(fixture('av.flv'));

# one that goes on all the time

my $good = $t->rtmp();
is($good->open('live/good'), 'NetStream.Publish.Start', 'a good publisher');

my $next = 0;

sub goes_on {
    my $tag = $tags[$next++ % @tags];

    return $good->message(@$tag) && $good->poll(0);
}

# a whole session in bytes: all messages and where each begins

my $builder = $t->rtmp();
my @session;

{
    my $add = sub { push @session, $builder->chunks(@_) };

    my $object = { app => 'live', tcUrl => 'rtmp://localhost/live',
                   fourCcList => ['avc1', '*'], capsEx => 7,
                   videoFourCcInfoMap => { '*' => 7 } };

    $add->(20, 0, amf('connect', 1, $object), csid => 3);
    $add->(5, 0, pack('N', 2500000));
    $add->(20, 0, amf('releaseStream', 2, undef, 'x'), csid => 3);
    $add->(20, 0, amf('FCPublish', 3, undef, 'x'), csid => 3);
    $add->(20, 0, amf('createStream', 4, undef), csid => 3);
    $add->(20, 0, amf('publish', 5, undef, '%NAME%', 'live'), csid => 8,
           message_stream => 1);
    $add->(4, 0, pack('nN', 6, 1));
    $add->(3, 0, pack('N', 3073));
    $add->(@$_, stream => 1) for @tags[0 .. 8];
    $add->(22, 1000, "\x08\0\0\x04\0\0\0\0\0\0\0\xaf\x01\x21\0\0\0\0\x0f",
           stream => 1);
    $add->(2, 0, pack('N', 6));
    $add->(1, 0, pack('N', 4096));
    $add->(20, 0, amf('FCUnpublish', 6, undef, '%NAME%'), csid => 3);
    $add->(20, 0, amf('deleteStream', 7, undef, 1), csid => 3);
    $builder->close();
}

my $names = 10000;

sub bytes_of {
    my (@messages) = @_;

    my $name = 'g' . ++$names;
    my $bytes = join '', @messages;
    $bytes =~ s/%NAME%/$name/g;

    return $bytes;
}

my @open;

# connections are kept for a moment, as many as a client may have

sub throw {
    my ($bytes, $end) = @_;

    my $p = $t->rtmp(timeout => 5);

    $p->raw("\x03" . "\0" x 3072);
    $p->raw($bytes);

    if (!$end) {
        push @open, $p;
        (shift @open)->close() if @open > 20;

    } elsif ($end eq 'reset') {
        $p->reset();

    } else {
        $p->fill(0);
        $p->close();
    }

    return $p;
}

sub survived {
    my ($what) = @_;

    is(join(' ', sort $t->worker_pids()), "@workers", "$what: workers");
    ok(goes_on(), "$what: the good publisher");
}

# cut after each byte of the first 400, then here and there

my $whole = bytes_of(@session);

for my $n (0 .. 399, map { 400 + int rand(length($whole) - 400) } 1 .. 150) {
    throw(bytes_of(substr $whole, 0, $n), $n & 1 ? 'reset' : 'close');
    goes_on() if $n % 10 == 0;
}

survived('truncation');

# cut in the handshake

for my $n (0, 1, 2, 5, 1535, 1536, 1537, 1538, 3071, 3072, 3073) {
    my $p = $t->rtmp();
    $p->raw(substr "\x03" . "\0" x 3072, 0, $n) if $n;
    $n & 1 ? $p->reset() : $p->close();
}

survived('truncated handshakes');

# each message with a few of its bytes changed

for my $i (0 .. $#session) {
    for my $try (1 .. 12) {
        my $bad = $session[$i];

        for (1 .. 1 + int rand 4) {
            my $n = length $bad < 60 || $try & 1 ? length $bad : 60;
            substr($bad, int rand $n, 1) = chr int rand 256;
        }

        throw(bytes_of(@session[0 .. $i - 1], $bad, @session[$i + 1 ..
                                                             $#session]));
        goes_on() if $try == 1;
    }
}

survived('changed bytes');

# each message shorter or longer than it says

for my $i (0 .. $#session) {
    for my $cut (1, 3, int length($session[$i]) / 2) {
        next if $cut >= length $session[$i];
        throw(bytes_of(@session[0 .. $i - 1],
                       substr($session[$i], 0, -$cut),
                       @session[$i + 1 .. $#session]));
    }

    throw(bytes_of(@session[0 .. $i - 1], $session[$i] . "\0" x 7,
                   @session[$i + 1 .. $#session]));
    throw(bytes_of(@session[0 .. $i - 1], $session[$i] x 2,
                   @session[$i + 1 .. $#session]));
    throw(bytes_of(@session[0 .. $i - 1], @session[$i + 1 .. $#session]));
    goes_on();
}

survived('messages cut, doubled, left out');

# bodies that end anywhere, with a length that agrees

for my $body (amf('connect', 1, { app => 'live', x => [1, { y => undef }] }),
              amf('publish', 5, undef, 'x', 'live'),
              amf('deleteStream', 7, undef, 1))
{
    for my $n (0 .. length $body) {
        my $cut = substr $body, 0, $n;
        throw($builder->chunks(20, 0, $cut, csid => 3));
        throw(bytes_of(@session[0 .. 4])
              . $builder->chunks(20, 0, $cut, csid => 8,
                                 message_stream => 1));
    }

    goes_on();
}

for my $tag (@tags[0 .. 4]) {
    my ($type, $ts, $body) = @$tag;

    for my $n (0 .. (length $body < 60 ? length $body : 60)) {
        throw(bytes_of(@session[0 .. 10])
              . $builder->chunks($type, $ts, substr($body, 0, $n),
                                 stream => 1));
    }

    goes_on();
}

survived('bodies that end anywhere');

# deep and large AMF

throw($builder->chunks(20, 0, "\x02\0\7connect" . "\0" . "\0" x 8
                       . "\x03\0\1a" x 5000, csid => 3));
throw($builder->chunks(20, 0, "\x02\0\7connect" . "\0" . "\0" x 8
                       . "\x0a\xff\xff\xff\xff" x 3000, csid => 3));
throw($builder->chunks(20, 0, "\x02\0\7connect" . "\0" . "\0" x 8 . "\x11"
                       . "\x0a\x0b\1" x 3000, csid => 3));
throw($builder->chunks(20, 0, amf('x' x 70000, 1), csid => 3));
survived('deep AMF');

# pure noise, with and without a handshake

for my $try (1 .. 60) {
    my $noise = join '', map { chr int rand 256 } 1 .. 1 + int rand 5000;
    throw($noise);

    my $p = $t->rtmp();
    $p->raw(($try & 1 ? "\x03" : '') . $noise);
    $p->close();
    goes_on() if $try % 10 == 0;
}

survived('noise');

$_->close() for @open;

wait_ok(sub {
    $t->log_count(qr/rtmp publish started/)
        - $t->log_count(qr/rtmp publish ended/) == 1
}, 10, 'all but one have ended');

cmp_ok($t->log_count(qr/\[info\].* rtmp client sent invalid data: /), '>', 100,
       'faults of clients are logged at level info');
is($t->log_count(qr/\[(?:warn|error)\].* rtmp /), 0, 'and not above');

$good->finish('good');
ok($good->wait_command('onStatus', 5), 'the good publisher ends in order');

$t->done();
