#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers over SRT where the kernel cuts no messages into datagrams
# (UDP_SEGMENT), which shows only when the first one is sent: they get all of
# the stream, in clear and encrypted, and it is tried once for each of them.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;

my $pass = 'a passphrase of 26 letters';
my $t = Test::Media->new();

my ($status, $said) = sh('gcc', '-shared', '-fPIC', '-O1', '-Wall', '-o',
    $t->path('uncut.so'), $t->root() . '/t/tools/uncut.c');

BAIL_OUT("t/tools/uncut.c is not built: $said") if $status;

$t->write_conf(<<"EOC");
worker_processes 1;

media live { zone 32m; segment 1s; part 200ms; grace 1s; }

stream {
    media_srt_play on;

    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
    server { listen 127.0.0.1:%%UDP_CLEAR%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_KEYED%% udp reuseport; media_srt live;
             media_srt_passphrase "$pass"; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
    }
}
EOC

$t->write_file('uncut.log', '');
chmod 0666, $t->path('uncut.log');

$ENV{UNCUT_LOG} = $t->path('uncut.log');

{
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD},
                                  $t->path('uncut.so');
    $t->run();
}

my @tags = grep { $_->[0] == 9 && $_->[1] < 4000 } live_tags('big');
my @frames = grep { ord(substr $_->[2], 1, 1) == 1 } @tags;
my @keys = grep { (ord($frames[$_][2]) >> 4 & 7) == 1 } 0 .. $#frames;

my $publisher = play_publish($t, 'live/s', \@tags);

my %viewers = map {
    my ($name, $args) = @$_;
    my $url = 'srt://127.0.0.1:' . $t->udp($name)
              . "?streamid=read:live/s$args";
    my $file = $t->path("$name.ts");

    $name => $t->run_daemon($name, 'sh', '-c',
        "exec srt-live-transmit -q -a no '$url' file://con > $file");
} ['CLEAR', ''], ['KEYED', "&passphrase=$pass"];

is($publisher->wait(20), 0, 'published');

for my $name (sort keys %viewers) {
    ok(defined $viewers{$name}->wait(20), "$name: the end");

    my ($ok, $said, $frames) = decode_clean($t->path("$name.ts"));

    ok($ok, "$name: is decoded") or diag($said);
    ok(scalar(grep { $frames == @frames - $_ } @keys),
       "$name: $frames frames of " . @frames);
}

is(join(' ', split /\n/, $t->read_file('uncut.log')), 'EIO EINVAL',
   'it was tried once for each');

$t->done();
