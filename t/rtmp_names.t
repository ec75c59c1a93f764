#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Names of streams: how many one connection may take.

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
my ($began, $denied) = (0, 0);

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
cmp_ok($denied, '>=', 900, 'most are too many a second');
ok($t->wait_log(qr/refused: this connection begins too many streams/, 2),
   'the log says so');
is(zone()->{streams}, 0, 'no name is kept');
is(zone()->{refused}, $denied, 'refusals are counted');

my $q = $t->rtmp();
is($q->open('live/real'), $start, 'others may publish');

wait_until(sub { $p->publish('later') eq $start }, 10,
           'the connection to be slow enough');
pass('and so may this one, a second later');

$_->close() for $p, $q;
wait_until(sub { zone()->{streams} == 0 }, 5, 'the names to be free');
pass('names are free as soon as their publishers leave');

$t->done();
