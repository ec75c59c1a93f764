#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# SRT with a passphrase: keys of all lengths and their changes by libsrt's
# tools, who is turned away, and by a scripted encoder what may go wrong with
# keys: a message is lost, late, damaged, or what comes is not encrypted.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; grace 60s; }

stream {
    map $media_stream $passphrase {
        own      "that of this stream";
        default  "correct horse";
    }

    server {
        listen 127.0.0.1:%%UDP_SRT%% udp reuseport;
        media_srt live;
        media_srt_passphrase $passphrase;
    }

    server {
        listen 127.0.0.1:%%UDP_CLEAR%% udp reuseport;
        media_srt live;
    }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $srt = $t->udp('SRT');
my $clear = $t->udp('CLEAR');

my @source = (qw/ -nostdin -nostats -v warning
                  -f lavfi -i testsrc2=s=160x90:r=25 -f lavfi -i sine
                  -c:v libx264 -preset ultrafast -tune zerolatency -g 25
                  -b:v 800k -minrate 800k -maxrate 800k -bufsize 400k
                  -c:a aac -f mpegts /);

sub stream { return $t->stream('live', $_[0]) }
sub link_of { return (stream($_[0]) || {})->{publisher}{link} || {} }

sub scripted {
    my ($name, %opt) = @_;

    return srt_caller($t, "publish:live/$name",
                      passphrase => 'correct horse', %opt);
}

# a message with keys: those of the scripted encoder, as it is or changed

sub say_keys {
    my ($p, $bytes) = @_;

    $bytes //= $p->km(3, 'correct horse');
    $p->control_packet(0x7fff, $bytes, subtype => 3);

    return $bytes;
}

sub answer {
    my ($p, $seconds) = @_;

    @{$p->{got}} = ();
    $p->pump($seconds, sub { grep { $_->{subtype} == 4 } @{$p->{got}} });

    my ($answer) = grep { $_->{subtype} == 4 } @{$p->{got}};

    return $answer ? $answer->{body} : undef;
}

# libsrt: keys of three lengths by ffmpeg; and one of srt-live-transmit, that
# changes every 600 packets, of which it sends more than 500 a second

my %encoder;

for my $len (16, 24, 32) {
    $encoder{"k$len"} = $t->run_daemon("k$len", 'ffmpeg', '-re', @source,
        "srt://127.0.0.1:$srt?streamid=publish:live/k$len&pbkeylen=$len"
        . '&passphrase=correct horse');
}

$encoder{changes} = $t->run_daemon('changes', 'sh', '-c', 'ffmpeg -re '
    . "@source - | srt-live-transmit -chunk:188 file://con "
    . "'srt://127.0.0.1:$srt?streamid=publish:live/changes&pbkeylen=24"
    . "&passphrase=correct horse&kmrefreshrate=600&kmpreannounce=150'");

# meanwhile: who is turned away

my $p = scripted('wrong', passphrase => 'correct horsE');
is($p->connect(), 1010, 'wrong passphrase');

$p = scripted('bare', passphrase => undef);
is($p->connect(), 1011, 'none, where one is wanted');

$p = scripted('bare', port => $clear);
is($p->connect(), 1011, 'one, where none is wanted');

$p = scripted('own');
is($p->connect(), 1010, 'that of the others');

$p = scripted('gcm');
my $km = $p->km(1, 'correct horse');
is($p->connect(km => substr($km, 0, 8) . "\4" . substr($km, 9)), 1017,
   'AES-GCM');

for my $len (4, 16, 32, 48, length($km) + 4) {
    $p = scripted("km$len");
    $km = $p->km(1, 'correct horse') . "\0" x 4;
    is($p->connect(km => substr($km, 0, $len)), 1004,
       "$len bytes of a key message");
}

$p = scripted('own', passphrase => 'that of this stream', from_port => 0);
sleep 1.1;
is($p->connect(), 1, 'its own');
$p->shutdown();

my ($app) = @{$t->status()->{apps}};
cmp_ok($app->{zone}{refused}, '>=', 5, 'they are counted');

ok($t->wait_log(qr/srt: refused 1010: passphrase does not match/, 5),
   'that is said');

my ($status, $out) = sh('timeout', 10, 'sh', '-c',
    'echo | srt-live-transmit -a:no file://con '
    . "'srt://127.0.0.1:$srt?streamid=publish:live/libsrt&"
    . "passphrase=correct horsE' 2>&1");
like($out, qr/Incorrect passphrase/, 'and libsrt says so');

# libsrt's are there

for my $len (16, 24, 32) {
    wait_ok(sub { (link_of("k$len")->{key_bytes} // 0) == $len }, 10,
            "keys of $len bytes") or diag $encoder{"k$len"}->log();
    $t->wait_playlist("/live/k$len/v1.m3u8",
                      sub { @{$_[0]{segments} || []} }, 10);
    is(link_of("k$len")->{pktRcvUndecrypt}, 0, 'of all packets');
    $encoder{"k$len"}->stop();
}

wait_ok(sub { (link_of('changes')->{key_changes} // 0) >= 3 }, 20,
        'keys have changed') or diag $encoder{changes}->log();

my $link = link_of('changes');

is($link->{pktRcvUndecrypt}, 0, 'all packets had their key');
is(stream('changes')->{publisher}{ts}{cc_errors}, 0, 'none was noise')
    if !$link->{pktRcvDrop};
is(stream('changes')->{ignored}{total}, 0, 'none was ignored');

# scripted ones: five pieces of media, a second each

my $bytes;

($status) = sh('ffmpeg', @source, qw/ -b:v 60k -minrate 60k -maxrate 60k
               -b:a 16k -t 5 -y /, $t->path('in.ts'));
is($status, 0, 'media');
$bytes = $t->read_file('in.ts');

my @chunk = unpack '(a' . 188 * int(length($bytes) / 188 / 5) . ')*', $bytes;

$p = scripted('late');
is($p->connect(), 1, 'connected');
$p->send_ts($chunk[0], seconds => 0.5);

is($p->km(3, 'correct horse') && $p->switch(), 2, 'the next key');
$p->send_ts($chunk[1], seconds => 0.5);
wait_ok(sub { (link_of('late')->{pktRcvUndecrypt} // 0) > 0 }, 5,
        'which nobody knows');

$km = $p->km(3, 'correct horse');
say_keys($p, substr($km, 0, 40) . chr(ord(substr $km, 40, 1) ^ 1)
         . substr $km, 41);
is(answer($p, 0.5), undef, 'a damaged message');
say_keys($p);
is(answer($p, 5), $km, 'it is told later');

my $lost = link_of('late')->{pktRcvUndecrypt};

say_keys($p);
is(answer($p, 5), $km, 'again');

$p->send_ts($chunk[2], seconds => 0.5);
$p->data(substr($bytes, 0, 1316), clear => 1) for 1 .. 3;

wait_ok(sub { link_of('late')->{pktRcvUndecrypt} == $lost + 3 }, 5,
        'clear packets are dropped, no others')
    or diag explain link_of('late');
is(link_of('late')->{key_changes}, 1, 'one new key');
is($p->{closed}, 0, 'it goes on');
$p->shutdown();

# the message is lost for ever

$p = scripted('lost');
is($p->connect(), 1, 'connected');
$p->send_ts($chunk[0], seconds => 0.3);
$p->km(3, 'correct horse');
$p->switch();

my $begin = now();

while (!$p->{closed} && now() < $begin + 20) {
    $p->send_ts($chunk[1], seconds => 0.5);
}

is($p->{closed}, 1, 'told to come back');
cmp_ok(now() - $begin, '>=', 2, 'after two seconds, at least');
ok($t->wait_log(qr/srt: no key for 2 s of data/, 5), 'why');

$p = scripted('lost');
is($p->connect(), 1, 'it comes back');
$p->send_ts($chunk[0], seconds => 0.1);
$p->shutdown();

# nobody has a key here

$p = scripted('clear', port => $clear, passphrase => undef);
is($p->connect(), 1, 'a clear session');
$p->send_ts($chunk[0], seconds => 0.1);
$p->data(substr($bytes, 0, 1316), kk => 1) for 1 .. 3;
wait_ok(sub { (link_of('clear')->{pktRcvUndecrypt} // 0) == 3 }, 5,
        'encrypted packets are dropped');
is(link_of('clear')->{key_bytes}, 0, 'without keys');
$p->shutdown();

unlike($t->log(), qr/correct horse|that of this stream/, 'no secrets');

$encoder{changes}->stop();

$t->done();
