#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Publishers over SRT: ffmpeg and srt-live-transmit with all their tracks, keys
# and tokens in stream ids, addresses, what comes at the wrong time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new(workers => 2);

my ($key, $pass) = ('s3cr3t-of-demo', 'correct horse battery');

$t->write_file('keys', "$key demo\n");
$t->write_file('token', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->path($_) for qw/ keys token /;

$t->write_conf(<<"EOC");
media live  { zone 32m; segment 1s; part 200ms; window 30s; }
media keys  { zone 16m; segment 1s; publish_auth keys=%%DIR%%/keys; }
media token { zone 16m; segment 1s; publish_auth token;
              token_key k1 %%DIR%%/token; }

stream {
    log_format srt '\$media_app|\$media_stream|\$media_reason|\$status|'
                   '\$bytes_received|\$bytes_sent';
    access_log %%DIR%%/stream.log srt if=\$media_srt_session;

    map \$media_stream \$passphrase {
        locked   "$pass";
        default  "";
    }

    server { listen %%UDP_SRT%% udp reuseport; media_srt live name=nameless;
             media_srt_passphrase \$passphrase; }
    server { listen 127.0.0.1:%%UDP_KEYS%% udp reuseport; media_srt keys;
             media_srt_passphrase \$passphrase; }
    server { listen 127.0.0.1:%%UDP_TOKEN%% udp reuseport; media_srt token; }
    server { listen [::1]:%%UDP_SIX%% udp reuseport; media_srt live;
             media_srt_idle_timeout 1s; media_srt_delivery early; }
    server { listen [::]:%%UDP_BOTH%% udp ipv6only=off; media_srt live; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
        location /live/ { media_live live; }
    }
}
EOC

$t->run();

my $file = fixture('srt2.ts', qw/ -f lavfi -i
    testsrc=size=160x90:rate=25:duration=4 -f lavfi -i
    sine=frequency=440:duration=4 -f lavfi -i sine=frequency=880:duration=4
    -map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -bf 2 -g 25 -c:a aac
    -metadata:s:a:0 language=eng -metadata:s:a:1 language=deu -f mpegts /);
my $ts = slurp($file);

sub caller_of { return srt_caller($t, @_) }
sub frames { return $t->frames(@_) }

# publishes a moment, and ends

sub publishes {
    my ($streamid, $app, $name, %opt) = @_;

    my $p = caller_of($streamid, %opt);

    is($p->connect(), 1, "$opt{what}: accepted") or return;
    $p->send_ts(substr($ts, 0, 1316 * 60));
    ok($p->pump(10, sub { frames($app, $name) }), "$opt{what}: published")
        or diag $t->log();
    $p->shutdown();

    return $p;
}

# ffmpeg, as fast as the stream is, and srt-live-transmit, encrypted

my $url = 'srt://127.0.0.1:' . $t->udp('SRT') . '?';

my $ffmpeg = $t->run_daemon('ffmpeg', 'ffmpeg', '-nostdin', '-hide_banner',
    '-loglevel', 'error', '-re', '-i', $file, '-map', 0, '-c', 'copy', '-f',
    'mpegts', $url . 'streamid=publish:live/ffmpeg&linger=3');
my $tool = $t->run_daemon('tool', 'srt-live-transmit', '-q',
    'udp://127.0.0.1:' . $t->udp('TOOL'), $url
    . "streamid=#!::r=live/locked,m=publish&pbkeylen=32&passphrase=$pass");

ok($t->wait_log(qr/srt publish started.* stream: locked$/m, 10),
   'srt-live-transmit publishes, encrypted');

# over a network with an RTT of 200 ms, where a packet of ten is lost, and
# some are reordered and doubled: 7 RTT are time enough

my $relay = $t->path('relay');
my $to = $t->udp('BAD');

is((sh('gcc', '-O1', '-o', $relay, $t->root() . '/t/tools/srt_relay.c'))[0], 0,
   'a relay');

my $network = $t->run_daemon('network', $relay, $to, $t->udp('SRT'),
    qw/ delay=100 loss=10 reorder=5 late=10 duplicate=5 seed=1 seconds=60 /);
wait_until(sub { $network->log() =~ /listening/ }, 10, 'a bad network');

my $bad = $t->run_daemon('bad', 'ffmpeg', '-nostdin', '-hide_banner',
    '-loglevel', 'error', '-re', '-i', $file, '-map', 0, '-c', 'copy', '-f',
    'mpegts', "srt://127.0.0.1:$to?streamid=publish:live/bad&linger=5"
    . '&latency=1400000');

my $feed = $t->run_daemon('feed', 'ffmpeg', '-nostdin', '-loglevel', 'error',
    '-re', '-i', $file, '-map', 0, '-c', 'copy', '-f', 'mpegts',
    'udp://127.0.0.1:' . $t->udp('TOOL') . '?pkt_size=1316');

is($ffmpeg->wait(30), 0, 'ffmpeg publishes') or diag $ffmpeg->log();
is($feed->wait(30), 0, 'what srt-live-transmit sends');
$tool->stop();

is($bad->wait(30), 0, 'ffmpeg publishes over a bad network')
    or diag $bad->log();
$network->stop('TERM');
like($network->log(), qr/forth_lost=[1-9]\d/, 'on which packets were lost')
    or diag $network->log();

for my $name (qw/ ffmpeg locked bad /) {
    ok($t->wait_log(qr/srt publish ended: .* stream: $name$/m, 10),
       "$name: ended");

    is(frames('live', $name), 100, "$name: all pictures")
        or diag $tool->log();

    my $list = $t->http_get("/live/$name/index.m3u8")->{body};
    my @langs = $list =~ /TYPE=AUDIO.*?LANGUAGE="(\w+)"/g;
    is(join(' ', sort @langs), 'de en', "$name: both sounds");

    $t->hls_save("/live/$name/v1.m3u8", $t->path("$name.mp4"), parts => 1);
    my ($ok, $said, $n) = decode_clean($t->path("$name.mp4"));
    ok($ok, "$name: can be decoded") or diag $said;
    is($n, 100, "$name: picture by picture");
}

# each address answers for itself

for my $host ('127.0.0.1', '127.0.0.2') {
    publishes("publish:live/at$host", 'live', "at$host", host => $host,
              what => "called at $host");
}

publishes('live/six', 'live', 'six', host => '::1', server => 'SIX',
          what => 'IPv6');
publishes('live/four', 'live', 'four', server => 'BOTH',
          what => 'IPv4 in IPv6');

SKIP: {
    # address, number, bits, scope, flags, device; 20 is a link

    my ($link) = grep { $_->[3] eq '20' } map { [split] }
        split /\n/, -r '/proc/net/if_inet6' ? slurp('/proc/net/if_inet6') : '';

    skip 'there is no address of a link', 2 if !$link;

    publishes('live/link', 'live', 'link', server => 'BOTH',
              host => join(':', $link->[0] =~ /..../g) . "%$link->[5]",
              what => 'an address of a link');
}

publishes('', 'live', 'nameless', what => 'no stream id');

# keys and tokens

publishes("publish:keys/$key", 'keys', 'demo', server => 'KEYS',
          what => 'a key');

$t->wait_log(qr/srt publish ended: .* stream: demo$/m, 5);
publishes("#!::r=keys/demo,m=publish,u=me,s=$key", 'keys', 'demo',
          server => 'KEYS', what => 'a key as s');

my $p = caller_of('publish:keys/s3cr3t-of-nobody', server => 'KEYS');
is($p->connect(), 2401, 'not a key');
$p = caller_of('#!::r=keys/demo,m=publish,s=wrong-s3cr3t', server => 'KEYS');
is($p->connect(), 2401, 'not the key of this name');

my ($rc, $token) = sh($t->root() . '/scripts/token', '--publish',
                      $t->path('token'), 'tokened');
chomp $token;
publishes("tokened,mode:publish,token:$token", 'token', 'tokened',
          server => 'TOKEN', what => 'a token');
$p = caller_of('tokened,mode:publish', server => 'TOKEN');
is($p->connect(), 2401, 'no token');

unlike($t->log(), qr/s3cr3t|\Q$token\E/, 'none of them is in the log');

# a passphrase of this stream

$p = caller_of('publish:live/locked');
is($p->connect(), 1011, 'no passphrase where there is one');
$p = caller_of('live/locked', passphrase => 'wrong horse battery');
is($p->connect(), 1010, 'another passphrase');

$p = caller_of('publish:live/open', passphrase => $pass);
is($p->connect(), 1011, 'a passphrase where there is none');

# before the handshake, and after the end

$p = caller_of('publish:live/early');
$p->data('x' x 1316, dst => $_) for 0, 1, 0x3fffffff;
$p->control_packet(5, "\0" x 4, dst => 0x4000);
ok($p->induce(), 'data before the handshake are nobody\'s');
is($p->connect(), 1, 'it begins nevertheless');
$p->shutdown();
ok($t->wait_log(qr/srt publish ended: peer closed .* stream: early$/m, 5),
   'and ends');
$p->data('x' x 1316) for 1 .. 20;
$p->keepalive();
$p->conclude();
$p->pump(0.2);
ok(!frames('live', 'early'), 'what comes then is not taken');
is(() = $t->log() =~ /srt publish started.*stream: early$/mg, 1,
   'a handshake that comes late begins nothing');

# over a network with a small MTU: lists of what is missing are short

for my $case (['SRT', '127.0.0.1', 600 - 28], ['SIX', '::1', 600 - 48]) {
    my ($server, $host, $most) = @$case;

    $p = caller_of("publish:live/mtu$most", mtu => 600, server => $server,
                   host => $host, latency => 4000);
    is($p->connect(), 1, "an MTU of 600, $host");
    is($p->{hs}{mtu}, 600, 'is agreed upon');

    # what is missing is so since one packet, and not one behind the other

    $p->{opt}{quiet} = 1;

    my @seq = map { $p->data('x' x 500, lose => $_ % 800) } 0 .. 800;

    $p->raw($p->{sent}{$seq[2 * $_]}) for 1 .. 399;
    $p->pump(0.3);
    $p->{opt}{quiet} = 0;

    ok($p->pump(5, sub { ($p->{acked} // -1) == $p->{seq} }), 'all has come');

    my @sizes = sort { $a <=> $b } map { length $_->{raw} }
                grep { $_->{type} == 3 } @{$p->{got}};

    is($sizes[-1], $most, 'asked for by lists that fit in');
    $p->shutdown();
}

# it is there, and has nothing to send

$p = caller_of('publish:live/idle', server => 'SIX', host => '::1');
is($p->connect(), 1, 'one that sends nothing');
wait_ok(sub {
    $p->keepalive() if !$p->{closed};
    $p->pump(0.1);
    $p->{closed};
}, 10, 'is ended');
cmp_ok($p->{count}{1} // 0, '>=', 0, 'after we have said that we are there');
ok($t->wait_log(qr/srt publisher sent no data for too long/, 1), 'logged');

# the access log has sessions, and nothing else

wait_until(sub { $t->read_file('stream.log') =~ /early/ }, 5, 'access log');

my @lines = split /\n/, $t->read_file('stream.log');
is((grep { !/^(?:live|keys|token)\|/ } @lines), 0, 'sessions are logged');
like($t->read_file('stream.log'),
     qr/^live\|ffmpeg\|peer closed the connection\|200\|\d{5,}\|\d{3,}$/m,
     'what they were');
like($t->read_file('stream.log'), qr/^keys\|demo\|/m,
     'by the name that a key stands for, which was asked for a passphrase');
unlike($t->read_file('stream.log'), qr/s3cr3t/, 'without secrets');
unlike($t->read_file('stream.log'), qr/repeated/, 'no repeated handshakes');

$t->done();
