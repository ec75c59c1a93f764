#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Limits and timeouts of RTMP, and what nginx -t says of wrong ones.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 1);

$t->write_conf(<<'EOC');
media live { zone 64m; }

stream {
    media_rtmp_max_message 100k;

    log_format bytes '$status $bytes_received';
    access_log %%DIR%%/access.log bytes;

    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        media_rtmp_timeout      1s;
        media_rtmp_idle_timeout 2s;
    }

    server {
        listen 127.0.0.1:%%PORT_LARGE%%;
        media_rtmp;
        media_rtmp_max_message 16m;
    }
}
EOC

# configuration

sub refused {
    my ($server, $why, $stream) = @_;

    my $text = "media live { zone 16m; }\nstream {\n" . ($stream || '')
        . "server { listen 127.0.0.1:%%PORT_TEST%%; $server }\n}\n";
    my ($ok, $out) = $t->conf_test($text);

    ok(!$ok, "refused: $server");
    like($out, $why, 'and why') or diag $out;
}

sub accepted {
    my ($server) = @_;

    my ($ok, $out) = $t->conf_test("stream {\n server { listen 127.0.0.1:"
        . "%%PORT_TEST%%; $server }\n}\nmedia live { zone 16m; }\n");

    ok($ok, "accepted: $server") or diag $out;
}

refused('media_rtmp nosuch;',
        qr/unknown application in "media_rtmp nosuch": add "media nosuch \{/);
refused('media_rtmp nosuch;', qr/test\.conf:\d+/);
refused('media_rtmp "";', qr/"media_rtmp" directive needs the name of a/);
refused('media_rtmp live live;', qr/invalid number of arguments/);
refused('media_rtmp; media_rtmp;', qr/"media_rtmp" directive is duplicate/);
refused('media_rtmp; return x;', qr/give it a server of its own/);
refused('return x; media_rtmp;', qr/give it a server of its own/);
refused('media_rtmp; proxy_pass 127.0.0.1:1;',
        qr/give it a server of its own/);
refused("media_rtmp; listen 127.0.0.1:%%UDP_TEST%% udp;",
        qr/"media_rtmp" is incompatible with the "udp" parameter/);

refused('media_rtmp; media_rtmp_timeout 0;',
        qr/invalid value "0" of "media_rtmp_timeout": it must be from 100ms/);
refused('media_rtmp; media_rtmp_timeout 2h;', qr/from 100ms to 1h/);
refused('media_rtmp; media_rtmp_timeout soon;', qr/invalid value/);
refused('media_rtmp; media_rtmp_idle_timeout 99ms;', qr/from 100ms to 1h/);
refused('media_rtmp; media_rtmp_max_message 1k;', qr/from 64k to 16m/);
refused('media_rtmp; media_rtmp_max_message 17m;', qr/from 64k to 16m/);
refused('media_rtmp; media_rtmp_max_streams 0;',
        qr/must be between 1 and 64/);
refused('media_rtmp; media_rtmp_max_streams 65;',
        qr/must be between 1 and 64/);
refused('media_rtmp; media_rtmp_chunk_size 127;', qr/from 128 to 64k/);
refused('media_rtmp; media_rtmp_window 1;', qr/from 16k to 1024m/);
refused('media_rtmp;', qr/from 64k to 16m/, "media_rtmp_max_message 1k;\n");

accepted('media_rtmp;');
accepted('media_rtmp live;');
accepted('media_rtmp live; media_rtmp_timeout 1h; media_rtmp_idle_timeout '
         . '100ms; media_rtmp_max_message 16m; media_rtmp_max_streams 64; '
         . 'media_rtmp_chunk_size 64k; media_rtmp_window 1024m;');
accepted("media_rtmp; listen [::1]:%%PORT_TEST%%;");

my ($ok, $out) = $t->conf_test("media_rtmp;\n");
like($out, qr/directive is not allowed here|unknown directive/,
     'outside of stream');

# the stream module may be loaded after ours, and may be missing

if ($t->stream_is_dynamic()) {
    my ($stream, $ours) = $t->modules() =~ /(.*\n)(.*\n)/;

    my $plain = Test::Media->new(modules => 0);
    my $text = "media live { zone 16m; }\n";
    my $server = "stream { server { listen 127.0.0.1:%%PORT_TEST%%; "
        . "media_rtmp; } }\n";

    ($ok, $out) = $plain->conf_test("$ours$stream$text$server");
    ok($ok, 'stream is loaded after ours') or diag $out;

    ($ok, $out) = $plain->conf_test("$ours$text");
    ok($ok, 'without stream') or diag $out;
}

$t->run();

sub publisher {
    my (%opt) = @_;

    my $p = $t->rtmp(%opt);
    my $code = $p->open("live/$opt{name}");
    is($code, 'NetStream.Publish.Start', "publishes $opt{name}");

    return $p;
}

my @tags = flv_read(fixture('av.flv'));

# large messages

my $p = publisher(name => 'large');
$p->send_tags([@tags[0 .. 10]]);
$p->raw($p->chunks(9, 1000, 'x' x 4096, length => 100 * 1024 + 1));
ok($p->wait_closed(5), 'a message that is too large');
ok($t->wait_log(qr/ended: .*stream: large$/m, 5), 'is logged');

$p = publisher(name => 'large', port => $t->port('LARGE'));
$p->send_tags([@tags[0 .. 10]]);
my $filler = 12 * 1024 * 1024;
$p->message(9, 1000, "\x17\x01\0\0\0" . pack('N', $filler - 4) . "\x06"
                     . "\0" x ($filler - 5), chunk_size => 4096);
ok($p->reply($p->command('getStreamLength', undef, 'x')),
   'one of 12 MB is read, and what comes after it');
$p->close();

# many of them at once

$p = publisher(name => 'many');

for my $csid (10 .. 40) {
    last if !$p->raw($p->chunks(9, 0, 'x' x 4096, length => 90 * 1024,
                                csid => $csid));
    last if !$p->poll(0.01);
}

ok($p->wait_closed(5), 'large messages at once');
ok($t->wait_log(qr/too many large messages at once/, 5), 'logged');

# chunk streams without end

$p = publisher(name => 'ids');

for my $csid (64 .. 300) {
    last if !$p->raw($p->chunks(9, 0, '', csid => $csid, length => 0));
    last if !$p->poll(0.001);
}

ok($p->wait_closed(5), 'too many chunk streams');

# time

$p = publisher(name => 'idle');
my $start = now();
$p->send_tags([@tags[0 .. 20]]);
ok($p->wait_closed(6), 'a publisher that sends nothing');
cmp_ok(now() - $start, '>', 1.5, 'has its time');
ok($t->wait_log(qr/ended: publisher sent no media for too long.*stream: idle/,
                5), 'logged');

$p = publisher(name => 'slow');

for my $i (0 .. 25) {
    $p->message(8, 23 * $i, '');
    $p->poll(0.1);
}

ok(!$p->{closed}, 'one that sends little stays');

my $data = publisher(name => 'data');
$start = now();

while (!$data->{closed} && now() - $start < 8) {
    $data->message(18, 0, "\x02\0\x04text");
    $data->poll(0.1);
    $p->message(8, 700, '');
}

ok($data->{closed}, 'data alone keeps no publisher');
cmp_ok(now() - $start, '>', 1.5, 'that has its time, too');
$p->command('deleteStream', undef, $p->{stream});
ok($p->wait_closed(5), 'but not after the end of its stream');

# a client that asks and does not read

$p = $t->rtmp(port => $t->port('LARGE'));
$p->handshake();
$p->connect('live');

my $call = $p->chunks(20, 0, Test::Media::RTMP::amf('getStreamLength', 5,
                                                    undef, 'x'), csid => 3);
my $calls = $call x 1000;
my ($sent, $at) = (0, 0);

eval {
    local $SIG{ALRM} = sub { die "time\n" };
    alarm 20;

    while ($sent < 200 * 1024 * 1024) {
        my $n = syswrite $p->sock(), $calls, length($calls) - $at, $at;

        if (!defined $n) {
            last if !$!{EAGAIN};
            select undef, undef, undef, 0.01;
            next;
        }

        $sent += $n;
        $at = ($at + $n) % length $calls;
    }

    alarm 0;
};

ok($t->wait_log(qr/it does not read answers/, 10),
   'answers that nobody reads have an end');
$p->close();

# the access log counts what came

$p = $t->rtmp();
$p->handshake();
$p->connect('nosuch');
$p->wait_closed(5);

my $bytes = $p->{sent};
wait_ok(sub { $t->read_file('access.log') =~ /^403 $bytes$/m }, 5,
        "status and bytes in the access log, 403 $bytes");

# memory of connections that wait

my ($worker) = $t->worker_pids();

sub rss {
    my ($kb) = slurp("/proc/$worker/statm") =~ /^\d+ (\d+)/;

    return $kb * 4096;
}

my $before = rss();
my @idle = map {
    my $p = $t->rtmp(port => $t->port('LARGE'));
    $p->handshake();
    $p->connect('live');
    $p->create_stream();
    $p;
} 1 .. 200;

my $each = (rss() - $before) / @idle;
diag("memory of an idle connection: $each");
cmp_ok($each, '<', 16384, 'memory of an idle connection');
$_->close() for @idle;

$t->done();
