#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers over SRT, libsrt's and ffmpeg's: all frames of all tracks, in clear
# and encrypted, over a network that loses some, beside one that takes nothing,
# over a reload and to the end of the stream; who may not, sessions, kicks.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::SRT qw/ DROPREQ srt_caller /;

my $pass = 'a passphrase of 26 letters';
my $kicked = q|the viewer's session was ended|;

my $t = Test::Media->new(workers => 2);

$t->write_file('key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->path('key');

$t->write_conf(<<"EOC");
media live { zone 64m; segment 1s; part 200ms; grace 1s; play_limit stream=6; }
media pay  { zone 32m; segment 1s; part 200ms; grace 1s;
             play_auth token; token_key %%DIR%%/key; }
media ask  { zone 32m; segment 1s; part 200ms; grace 1s; play_auth hook;
             on play http://127.0.0.1:%%PORT_HTTP%%/yes;
             on play_done http://127.0.0.1:%%PORT_HTTP%%/done; }

stream {
    log_format sent '\$media_app|\$media_stream|\$bytes_sent';
    access_log %%DIR%%/stream.log sent if=\$media_srt_session;

    media_srt_play on;

    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }

    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_PAY%% udp reuseport; media_srt pay; }
    server { listen 127.0.0.1:%%UDP_ASK%% udp reuseport; media_srt ask; }
    server { listen 127.0.0.1:%%UDP_OFF%% udp reuseport; media_srt live;
             media_srt_play off; }

    server { listen 127.0.0.1:%%UDP_SHORT%% udp reuseport; media_srt live;
             media_srt_latency 120ms max=500ms; }

    server { listen 127.0.0.1:%%UDP_KEYED%% udp reuseport; media_srt live;
             media_srt_passphrase "$pass"; }
}

http {
    media_sessions 1m timeout=4s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
        location = /yes  { return 200 '{}'; }
        location = /done { return 200; access_log %%DIR%%/done.log; }
        location /api/   { media_api write; allow 127.0.0.1; deny all; }
    }
}
EOC

my $relay = $t->path('relay');

is((sh('gcc', '-O1', '-o', $relay, $t->root() . '/t/tools/srt_relay.c'))[0], 0,
   'a bad network');

$t->run();


# a viewer that writes down what comes, as late as a loaded machine needs, but
# less than the grace time: who is told of the end forgets what has to wait

sub view {
    my ($name, $port, $path, $args) = @_;

    my $url = "srt://127.0.0.1:$port?streamid=read:$path&latency=600"
              . ($args || '');
    my $file = $t->path("$name.ts");

    return $t->run_daemon($name, 'sh', '-c',
        "exec srt-live-transmit -q -a no '$url' file://con > $file");
}


sub network {
    my ($name, @options) = @_;

    my $to = $t->udp('SRT');
    my $port = $t->udp("NET_$name");
    my $process = $t->run_daemon("net-$name", $relay, $port, $to, @options,
                                 'seconds=60');

    wait_until(sub { $process->log() =~ /listening/ }, 10, 'a relay');

    return $port;
}


# 8 s of video and of two tracks of sound, with languages

sub sound {
    my ($track, $tag) = @_;

    my $kind = ord substr $tag->[2], 1, 1;

    return [8, $tag->[1], chr(0x95) . chr($kind) . 'mp4a' . chr($track)
                          . substr $tag->[2], 2];
}

sub is_sound { return $_[0][0] == 8 }

my @video = grep { $_->[0] == 9 && $_->[1] < 8000 } live_tags('plain');
my @audio = grep { is_sound($_) && $_->[1] < 8000 } live_tags('plain');
my @other = grep { is_sound($_) && $_->[1] < 8000 } live_tags('mono');

my @tags = sort { $a->[1] <=> $b->[1] }
           [18, 0, Test::Media::RTMP::amf('onMetaData', {
               language => 'eng',
               audioTrackIdInfoMap => { 1 => { language => 'deu' } },
           })],
           @video, (map { sound(0, $_) } @audio), map { sound(1, $_) } @other;

my @frames = grep { ord(substr $_->[2], 1, 1) == 1 } @video;
my @keys = grep { (ord($frames[$_][2]) >> 4 & 7) == 1 } 0 .. $#frames;

my $lossy = network('lossy', qw/ delay=20 loss=5 /);
my $stuck = network('stuck', qw/ delay=5 packets=150 /);

my $pub = play_publish($t, 'live/s', \@tags);
my $two = play_publish($t, 'live/k', \@tags);
my $dark = play_publish($t, 'live/d', [
    sort { $a->[1] <=> $b->[1] } (grep { $_->[1] < 500 } @video),
    map { sound(0, $_) } @audio,
    map { [$_->[0], $_->[1] + 8000, $_->[2]] }
        grep { $_->[1] > 100 && $_->[1] < 7500 } @audio]);
my $pay = play_publish($t, 'pay/s', \@video);
my $ask = play_publish($t, 'ask/s', \@video);

# refused ones come again by themselves: these come within the first GOP

my %viewers = map { $_->[0] => view(@$_) } (
    ['clear', $t->udp('SRT'), 'live/s'],
    ['keyed', $t->udp('KEYED'), 's', "&passphrase=$pass"],
    ['long', $t->udp('KEYED'), 's', "&passphrase=$pass&pbkeylen=32"],
    ['lossy', $lossy, 'live/s'],
    ['kicked', $t->udp('SRT'), 'live/k']);

my $slow = view('stuck', $stuck, 'live/s');
my $ffmpeg = $t->run_daemon('ffmpeg', 'ffmpeg', '-nostdin', '-v', 'error',
    '-i', 'srt://127.0.0.1:' . $t->udp('SRT') . '?streamid=#!::r=live/s'
    . '&latency=600000', qw/ -map 0 -c copy -f mpegts /, $t->path('ffmpeg.ts'));

# sessions

my $api = Test::Media::API->new($t, '/api');

sub sessions {
    my ($path) = @_;
    my $r = $api->call('GET', "/v1/sessions?stream=$path")->{json};
    return grep { $_->{protocol} eq 'srt' } @{$r->{items}};
}

wait_ok(sub { sessions('live/s') == 6 && sessions('live/k') == 1 }, 10,
        'each is a session');

# one that would wait for a minute, which nothing is kept for

my $waits = srt_caller($t, 'read:live/k', server => 'SHORT',
                       latency => [60000, 120]);
my $first = $waits->{opt}{isn};

is($waits->connect(), 1, 'a latency of a minute');
ok($waits->pump(15, sub { exists $waits->{in}{$first} }), 'it is sent');
$waits->pump(1.2);
$waits->nak($first);
ok($waits->pump(15, sub { $waits->{count}{+DROPREQ} }), 'but not once more');
$waits->shutdown();

view('many', $t->udp('SRT'), 'live/s');
ok($t->wait_log(qr/srt: refused 2403: the stream has too many viewers/, 15),
   'one too many');

view('off', $t->udp('OFF'), 'live/s');
ok($t->wait_log(qr/srt: refused 2403: media_srt_play is off/, 15), 'off');

# a refusal is kept for a second: not for others who ask for the same

for my $mtu (1359, 1360) {
    my $small = srt_caller($t, 'read:live/k', mtu => $mtu);
    is($small->connect(), $mtu == 1360 ? 1 : 2413, "an MTU of $mtu");
    $small->shutdown();
}

view('none', $t->udp('SRT'), 'live/nothing');
ok($t->wait_log(qr/srt: refused 2404: there is no such stream/, 15),
   'nothing to play');

view('clear2', $t->udp('KEYED'), 'live/k');
ok($t->wait_log(qr/srt: refused 1011/, 15), 'no passphrase');

view('nobody', $t->udp('PAY'), 'pay/s');
ok($t->wait_log(qr/srt: refused 2401: |srt: refused 2403: .*token/, 15),
   'no token');

my ($status, $token) = sh($t->root() . '/scripts/token', $t->path('key'), 's');
chomp $token;
view('paid', $t->udp('PAY'), "pay/s?token=$token");
ok($t->wait_log(qr/srt play started.*app: pay, stream: s/, 15), 'a token');

my $asked = view('asked', $t->udp('ASK'), 'ask/s');
ok($t->wait_log(qr/srt play started.*app: ask, stream: s/, 15), 'a hook');
$asked->stop('KILL');

my ($session) = sessions('live/k');

is($api->call('DELETE', "/v1/sessions/$session->{id}?ban=60")->{status}, 204,
   'one is ended');
ok($t->wait_log(qr/srt play ended: \Q$kicked\E.*live, stream: k/, 10),
   'it is gone');

view('again', $t->udp('SRT'), 'live/k');
ok($t->wait_log(qr/srt: refused 2403: .*banned/, 15), 'and does not come back');

# nobody notices a reload

$t->reload();

# viewers in both new workers of what has no pictures any more, but sound

sub followers { return $t->log() =~ /(\d+)#\d+: .*play started.*stream: d$/mg }

for my $n (1 .. 4) {
    view("early$n", $t->udp('SRT'), 'live/d');
    wait_until(sub { @{[followers()]} == $n }, 15, 'an early one');

    last if keys %{{ map { $_ => 1 } followers() }} == 2;
}

my @all = (@viewers{qw/ clear keyed long lossy /}, $ffmpeg);

wait_ok(sub { !grep { $_->running() } $pub }, 30, 'the publisher has gone');

# and one who comes when there was no key frame for long

my $late = view('dark', $t->udp('SRT'), 'live/d');

wait_ok(sub { !grep { $_->running() } @all, $late }, 30, 'and so have viewers');

# what they saw

sub tracks {
    my ($name) = @_;

    my $r = ffprobe_json($t->path("$name.ts"), '-show_entries',
        'stream=index,codec_name:stream_tags=language'
        . ':packet=stream_index,pts_time');

    for my $stream (@{$r->{streams}}) {
        my @times = sort { $a <=> $b } map { $_->{pts_time} }
                    grep { $_->{stream_index} == $stream->{index} }
                    @{$r->{packets}};

        @$stream{qw/ count first last /} = (scalar @times, @times[0, -1]);
    }

    return @{$r->{streams}};
}


# from the beginning of the picture to its end, none is missing

sub is_whole {
    my ($sound, $video) = @_;

    my $span = $sound->{last} - $sound->{first};

    return abs($sound->{count} - 1 - $span * 48000 / 1024) < 0.5
           && abs($sound->{first} - $video->{first}) < 0.15
           && abs($sound->{last} - $video->{last}) < 0.15;
}


for my $name (qw/ clear keyed long lossy ffmpeg /) {
    my ($ok, $said, $frames) = decode_clean($t->path("$name.ts"));

    ok($ok, "$name: is decoded") or diag($said);

    my ($key) = grep { $frames == @frames - $_ } @keys;

    ok(defined $key, "$name: $frames frames of " . @frames);

    my ($video, @sound) = tracks($name);

    is(join(' ', map { $_->{codec_name} } $video, @sound), 'h264 aac aac',
       "$name: tracks");
    is(join(' ', map { $_->{tags}{language} } @sound), 'eng deu',
       "$name: languages");
    is(scalar(grep { is_whole($_, $video) } @sound), 2, "$name: sound")
        or diag(join ' ', map { @$_{qw/ count first last /} } $video, @sound);
}

like($t->read_file('stream.log'), qr/^live\|s\|\d{6,}$/m,
     'the access log has what was sent');

unlike($t->log(), qr/play ended: .*packets:0 .*stream: d$/m,
       'no camera: there is sound');

like($t->log(), qr/srt play ended: the stream has ended, .*repeated:[1-9]/,
     'some was sent again');
is(scalar(sessions('live/s')), 0, 'nobody is there any more');
wait_ok(sub { -s $t->path('done.log') }, 10, 'hooks are told who has gone');

$t->done();
