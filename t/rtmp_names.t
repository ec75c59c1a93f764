#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Names of streams: what they may be, and how many one connection may take.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 16m; max_streams 20; grace 60s; }

stream {
    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        media_rtmp_max_streams 5;
    }

    server {
        listen 127.0.0.1:%%PORT_FIXED%%;
        media_rtmp live;
    }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location = /status { media_status; }
    }
}
EOC

$t->run();

my $start = 'NetStream.Publish.Start';

sub zone { return $t->status()->{apps}[0]{zone} }

# publish and closeStream, over and over, on one connection: as many names as
# it may have a second, and none of them stays

my $p = $t->rtmp();
my ($began, $denied, $since) = (0, 0, now());

$p->handshake();
$p->connect('live');
$p->create_stream();

for my $i (1 .. 1100) {
    $p->stream_command('publish', undef, \"name$i", 'live');
    $p->stream_command('closeStream', undef);
    $p->poll(0) if $i % 4 == 0;
}

while (my $m = $p->wait_command('onStatus', $denied + $began < 1100 ? 5 : 0))
{
    $began++ if $m->{args}[1]{code} eq $start;
    $denied++ if $m->{args}[1]{code} eq 'NetStream.Publish.Denied';
}

is($began + $denied, 1100, 'each of 1100 publish commands is answered');
cmp_ok($began, '>=', 5, 'some may publish');
cmp_ok($began, '<=', 20 * (now() - $since + 1),
       'no more than max_streams a second');
ok($t->wait_log(qr/refused: this connection begins too many streams/, 2),
   'the log says so');
is(zone()->{streams}, 0, 'no name is kept');
is(zone()->{refused}, $denied, 'refusals are counted');

my $q = $t->rtmp();
is($q->open('live/real'), $start, 'others may publish');

wait_ok(sub { $p->publish('later') eq $start }, 10,
        'and so may this one, a second later');

$_->close() for $p, $q;
wait_ok(sub { zone()->{streams} == 0 }, 5,
        'names are free as soon as their publishers leave');

# names that cannot be one: the log has the name and what is wrong with it

my $bad = 'NetStream.Publish.BadName';

sub client {
    my ($app, %opt) = @_;

    my $p = $t->rtmp(%opt);
    $p->handshake();
    $p->connect($app);
    $p->create_stream();

    return $p;
}

my @wrong = (
    ['a%20b', '"a%20b"', 'a character that cannot be in it: "%"'],
    ['a#b', '"a#b"', 'a character that cannot be in it: "#"'],
    ['a\\b', '"a\\x5Cb"', 'a character that cannot be in it: "\\x5C"'],
    ["a\tb\r\n[notice]", '"a\\x09b\\x0D\\x0A[notice]"',
     'a character that cannot be in it: "\\x09"'],
    ["\xc3\x9c\"%", '"\\xC3\\x9C\\x22%"', 'cannot be in it: "%"'],
    ['a//b', '"a//b"', 'a component between slashes is empty'],
    ['a/../b', '"a/../b"', 'a component between slashes is "." or ".."'],
    ['.', '"."', 'a component between slashes is "." or ".."'],
    ['?key=secret', '""', 'it is empty'],
    ['n' x 256 . '?secret', '"' . 'n' x 128 . '..."',
     'it is longer than 255 bytes'],
);

for my $case (@wrong) {
    my ($name, $logged, $why) = @$case;

    $p = client('live');
    is($p->publish($name), $bad, "refused: $logged");
    ok($t->wait_log(qr/rtmp\ publish\ refused:\ \Q$logged\E\ is\ not\ a\ name
                       \ for\ a\ stream,\ .*\Q$why\E/x, 5), $why)
        or diag $t->log();
    $p->close();
}

$p = client('live/' . 'p' x 200);
is($p->publish('n' x 100), $bad, 'refused: too long with its path');
ok($t->wait_log(qr/"n{100}" \S+ not a name .*with what stands before it/, 5),
   'says so');
$p->close();

unlike($t->log(), qr/secret/, 'keys are not logged');
cmp_ok(zone()->{refused}, '>=', $denied + @wrong + 1, 'counted');

# whole URLs

my $url = 'rtmp://192.168.5.116:1935';

for my $case (["$url/live/cam1", 'live', 'cam1'],
              ["$url/97ADC289-456A", 'live', '97ADC289-456A'],
              ["$url/live", 'live', 'live'],
              ["$url/live/room/cam2", 'live/room', 'room/cam2'],
              ["rtmps://[::1]/other/cam3?key=secret", 'live', 'other/cam3'],
              ["$url/mine/cam4", 'mine', 'cam4', 'FIXED'],
              ["$url/97ADC289-456A", '97ADC289-456A', '97ADC289-456A',
               'FIXED'],
              ["$url/live/cam5", 'mine', 'cam5', 'FIXED'],
              ['rtmp:', 'live', 'rtmp:'], ['a:b/c', 'live', 'a:b/c'])
{
    my ($name, $app, $expected, $port) = @$case;

    $p = client($app, $port ? (port => $t->port($port)) : ());
    is($p->publish($name), $start, "published: $name of $app");
    is($t->status()->{apps}[0]{streams}[0]{name}, $expected,
       "is stream $expected");
    $p->close();
    wait_until(sub { zone()->{streams} == 0 }, 5, 'its end');
}

for my $name ("$url/", $url, "$url//", "$url/a//b") {
    $p = client('live');
    is($p->publish($name), $bad, "refused: $name");
    $p->close();
}

$t->done();
