#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# RTMPS, and what else of nginx's stream module stands before RTMP: PROXY
# protocol, preread, access rules.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 2);

my ($status) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=localhost', '-days', '2',
                  '-keyout', $t->path('key.pem'), '-out',
                  $t->path('cert.pem'));

die "no openssl: run scripts/deps test\n" if $status;

$t->write_conf(<<'EOC');
media live { zone 64m; }

stream {
    ssl_certificate     %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;

    log_format name '$status $ssl_preread_server_name $bytes_received';

    server {
        listen 127.0.0.1:%%PORT_TLS%% ssl;
        media_rtmp;
        media_rtmp_timeout      2s;
        media_rtmp_idle_timeout 3s;
    }

    server {
        listen 127.0.0.1:%%PORT_PROXY%% proxy_protocol;
        media_rtmp;
        set_real_ip_from 127.0.0.1;
    }

    server {
        listen 127.0.0.1:%%PORT_PREREAD%%;
        ssl_preread on;
        access_log %%DIR%%/preread.log name;
        media_rtmp;
    }

    server {
        listen 127.0.0.1:%%PORT_DENIED%%;
        deny all;
        media_rtmp;
    }
}
EOC

$t->run();

# ffmpeg over TLS, and the same twice with TLS 1.2

my $port = $t->port('TLS');
my $pub = $t->ffmpeg_publish('live/tls', url => "rtmps://127.0.0.1:$port/live"
                                                . '/tls');

ok($t->wait_log(qr/rtmp publish started.*app: live, stream: tls$/m, 20),
   'RTMPS') or diag $pub->log();

ok($pub->running(), 'goes on');
$pub->stop();

ok($t->wait_log(qr/rtmp publish ended: client (?:unpublished|deleted stream)/,
                10), 'ended');

# garbage inside and outside of TLS

my $p = $t->rtmp(port => $port);
$p->raw("\x03" . "\0" x 3072);
ok($p->wait_closed(5), 'plain RTMP to a TLS port');

# openssl as a client: what it is given, and what it prints until the end

sub tls {
    my ($bytes, $until) = @_;

    $t->write_file('input', $bytes);

    my $rc = $t->background('openssl', sub {
        exec 'sh', '-c', "{ cat input; sleep 10; } | openssl s_client -quiet "
            . "-connect 127.0.0.1:$port > output 2> /dev/null";
    });

    eval { wait_until(sub { $until->($t->read_file('output')) }, 8, 'TLS') };

    return $rc;
}

chdir $t->dir();
$t->write_file('output', '');

my $rtmp = Test::Media::RTMP->new();
my $hello = "\x03" . "\0" x 3072;

sub command { return $rtmp->chunks(20, 0, Test::Media::RTMP::amf(@_),
                                   csid => 3) }

my $process = tls($hello . command('connect', 1, { app => 'nosuch' }),
                  sub { $_[0] =~ /InvalidApp/ });
like($t->read_file('output'), qr/NetConnection\.Connect\.InvalidApp/,
     'a refusal over TLS');
$process->stop();

# more answers than one TLS record, and many small messages

$process = tls($hello . command('connect', 1, { app => 'live' })
               . join('', map { command('_checkbw', $_) } 2 .. 500),
               sub { 500 == (() = $_[0] =~ /\x02\0\x07_result\0/g) });

my @answers = $t->read_file('output') =~ /\x02\0\x07_result\0/g;
is(scalar @answers, 500, 'many answers');

my $start = now();
ok($t->wait_log(qr/did not publish or play in time/, 8), 'and then a timeout');
$process->stop();

chdir '/';

# PROXY protocol: the address of the publisher

$p = $t->rtmp(port => $t->port('PROXY'));
$p->raw("PROXY TCP4 192.0.2.7 192.0.2.1 4000 1935\r\n");
is($p->open('live/proxy'), 'NetStream.Publish.Start', 'PROXY protocol');
ok($t->wait_log(qr/publish started.*client: 192\.0\.2\.7,.*stream: proxy$/m,
                5), 'address');
$p->close();

# bytes that another module has read before

$p = $t->rtmp(port => $t->port('PREREAD'));
is($p->open('live/preread'), 'NetStream.Publish.Start', 'preread');
$p->finish('preread');
$p->poll(0.2);

my $sent = $p->{sent};
$p->close();

wait_ok(sub { $t->read_file('preread.log') =~ /^200 \S* $sent$/m }, 5,
        "preread bytes are counted, $sent");

$p = $t->rtmp(port => $t->port('DENIED'));
ok($p->wait_closed(5), 'deny');

$t->done();
