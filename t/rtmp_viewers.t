#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What viewers over RTMP may ask for, are refused, and do wrong: commands,
# codecs they do not know, reading too slowly, TLS, workers that leave.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::FLV;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::RTMP qw/ amf /;
use Test::Media::Viewer;

my $start = 'NetStream.Play.Start';
my $t = Test::Media->new(workers => 1);

my ($status) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                  '-subj', '/CN=localhost', '-days', '2',
                  '-keyout', $t->path('key.pem'), '-out',
                  $t->path('cert.pem'));

die "no openssl: run scripts/deps test\n" if $status;

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; grace 2s; drain 4s; }

stream {
    media_rtmp_play on;
    ssl_certificate     %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;

    server {
        listen 127.0.0.1:%%PORT_RTMP%% sndbuf=32k;
        media_rtmp;
        media_rtmp_timeout 2s;
    }

    server { listen 127.0.0.1:%%PORT_TLS%% ssl; media_rtmp; }

    server { listen 127.0.0.1:%%PORT_OFF%%; media_rtmp; media_rtmp_play off; }

    server {
        listen 127.0.0.1:%%PORT_IDLE%% sndbuf=32k;
        media_rtmp;
        media_rtmp_idle_timeout 2s;
        media_rtmp_chunk_size 128;
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


sub status_of {
    my ($p) = @_;

    return ($p->wait_command('onStatus') || {})->{args}[1]{code};
}


sub frames_more {
    my ($n, @v) = @_;

    viewers_have(sub { $_[0]->frames() >= $n }, 10, @v);
}


sub connected {
    my (%opt) = @_;

    my $p = $t->rtmp(map { $_ => delete $opt{$_} } grep { $opt{$_} } 'port');
    $p->handshake();
    $p->connect('live', %opt);
    $p->create_stream();

    return $p;
}


my @plain = live_tags('plain');
play_publish($t, 'live/s', [map {
    my $lap = $_;
    map { [$_->[0], $_->[1] + $lap * 12000, $_->[2]] }
        grep { !$lap || !tag_is_header($_) } @plain
} 0 .. 9]);

# refusals

my $v = viewer_rtmp($t, 'live/s', port => $t->port('OFF'));
is($v->{status}, 'NetStream.Play.Failed', 'play is off');
like($v->{rtmp}{status}{description}, qr/"media_rtmp_play" is off/,
     'and it says so');

for (['none', 'StreamNotFound', 'no such stream'],
     ['', 'StreamNotFound', 'no name'],
     ['x' x 300, 'StreamNotFound', 'a name that is too long'],
     ["a\tb", 'StreamNotFound', 'a name that is none'])
{
    my ($name, $code, $what) = @$_;

    is(viewer_rtmp($t, "live/$name")->{status}, "NetStream.Play.$code", $what);
}

ok($t->wait_log(qr/play refused: there is no such stream, name:"none"/, 2),
   'the log says the name');
is($t->log_count(qr/a\tb/), 0, 'unless it is none');

my $p = connected();
$p->{stream} = 7;
is($p->play('s'), 'NetStream.Play.Failed', 'a stream that was not created');
ok($p->wait_closed(5), 'who plays nothing has to go');

# commands

$p = connected();
$p->stream_command('getStreamLength', undef, 's');
is($p->reply($p->{transaction})->{args}[1], 0, 'no length');
$p->message(4, 0, pack 'nNN', 3, 1, 3000);
$v = viewer_rtmp($t, 'live/s?token=1', connection => $p);
is($v->{status}, $start, 'play, with arguments');
frames_more(10, $v);

$p->stream_command('seek', undef, 1000);
is(status_of($p), 'NetStream.Seek.Failed', 'seek');

$p->stream_command('pause', undef, JSON::PP::true, 0);
is(status_of($p), 'NetStream.Pause.Notify', 'pause');
my $n = () = $v->tags();
$t->pump(0.5);
is(scalar(() = $v->tags()), $n, 'nothing comes');

$p->stream_command('pause', undef, JSON::PP::false, 0);
is(status_of($p), 'NetStream.Unpause.Notify', 'it goes on');
$n = () = $v->keys();
viewers_have(sub { $_[0]->keys() > $n }, 5, $v);
is(join(', ', viewer_faults($v)), '', 'with the next key frame');

$p->stream_command('receiveVideo', undef, JSON::PP::false);
$p->stream_command('_checkbw', undef);
$p->reply($p->{transaction});
my ($frames, $all) = (scalar(() = $v->frames()), scalar(() = $v->tags()));
viewers_have(sub { $_[0]->tags() >= $all + 10 }, 5, $v);
is(scalar(() = $v->frames()), $frames, 'audio alone');

$p->stream_command('receiveAudio', undef, JSON::PP::false);
$p->stream_command('receiveVideo', undef, JSON::PP::true);
is(status_of($p), 'NetStream.Seek.Notify', 'video alone');
is(status_of($p), $start, 'begins');
viewers_have(sub { $_[0]->frames() >= $frames + 20 }, 8, $v);
my @last = ($v->tags())[-15 .. -1];
is(scalar(grep { $_->[0] == 8 } @last), 0, 'without sound');
is(join(', ', viewer_faults($v)), '', 'from a key frame on');

# another stream on it, and the end of the first one

$p->create_stream();
is($p->publish('mine'), 'NetStream.Publish.Start', 'it publishes, too');
is($p->publish('mine'), 'NetStream.Publish.Start', 'once more');
is($p->play('s'), 'NetStream.Play.Failed', 'but does not play there');

$p->command('deleteStream', undef, 1);
$p->command('_checkbw', undef);
$p->reply($p->{transaction});
ok($t->wait_log(qr/play ended: client deleted stream, frames:\d+ dropped:\d/,
                3), 'deleteStream');
$p->close();

$p = connected();
$v = viewer_rtmp($t, 'live/s', connection => $p);
$p->stream_command('play2', undef, { streamName => 's' });
is(status_of($p), 'NetStream.Play.Reset', 'play2');
is(status_of($p), $start, 'plays it anew');
$p->stream_command('closeStream', undef);
ok($t->wait_log(qr/play ended: client closed stream/, 3), 'closeStream');
ok($p->wait_closed(5), 'and then it has to go');

# HEVC, for whom knows it

my ($bytes) = slurp(fixture('hevc.mp4', qw/ -f lavfi -i
    testsrc2=size=320x180:rate=25 -t 4 -c:v libx265 -tag:v hvc1 -preset
    ultrafast -x265-params log-level=error:keyint=25:bframes=0
    -movflags +frag_keyframe+empty_moov+default_base_moof /));

my $at = index $bytes, 'hvcC';
my $hvcc = substr $bytes, $at + 4, unpack('N', substr $bytes, $at - 4, 4) - 8;
my ($track) = values %{mp4_tracks(mp4_boxes($bytes))};

my @hevc = ([9, 0, "\x90hvc1$hvcc"], map {
    [9, $_->{dts} * 1000 / $track->{timescale},
     ($_->{key} ? "\x93" : "\xa3") . "hvc1$_->{data}"]
} mp4_samples($bytes));

play_publish($t, 'live/hevc', \@hevc);

my %knows = map {
    my ($name, %props) = @$_;
    $name => viewer_rtmp($t, 'live/hevc', connection => connected(%props));
} ['nothing'], ['hevc', fourCcList => ['avc1', 'hvc1']], ['all', fourCcList =>
   ['*']], ['none', fourCcList => ['avc1', 'av01']],
   ['map', videoFourCcInfoMap => { hvc1 => 1 }],
   ['encodes', videoFourCcInfoMap => { hvc1 => 2 }];

viewers_have(sub { $_[0]->closed() }, 15, values %knows);

for my $name (qw/ nothing hevc all map /) {
    play_whole($knows{$name}, "HEVC, $name", \@hevc, { decode => 0 });
    is(scalar(grep { $_->[2] =~ /^\x90hvc1\x01/ } $knows{$name}->headers()), 1,
       'its configuration');
}

is(join(' ', map { scalar(() = $knows{$_}->tags()) } qw/ none encodes /),
   '0 0', 'who does not know it is sent nothing');
is($t->log_count(qr/leaves out track.*hevc: the client did not say that/i), 2,
   'and the log says why');

# too slow: the others see all of it

my @big = live_tags('big');
my $big = play_publish($t, 'live/big', \@big, to => 11500);

my @good = map { viewer_rtmp($t, 'live/big', port => $t->port($_)) }
    qw/ RTMP IDLE /;
my ($slow, $stuck) = map { viewer_rtmp($t, 'live/big', port => $t->port($_)) }
    qw/ RTMP IDLE /;

$_->pause() for $slow, $stuck;

viewers_have(sub { $_[0]->frames() >= 190 }, 20, @good);

ok($t->wait_log(qr/rtmp viewer did not read for too long/, 3),
   'who reads nothing is disconnected');
ok($t->wait_log(qr/the viewer is too slow/, 3), 'who is too slow loses some');

# an answer in the midst of a message

$slow->{rtmp}->message(4, 0, pack 'nN', 6, 99);
$slow->{rtmp}->stream_command('getStreamLength', undef, 's');
$slow->resume();
is($slow->{rtmp}->reply($slow->{rtmp}{transaction})->{args}[1], 0,
   'an answer comes to it');

viewers_have(sub { $_[0]->closed() }, 20, @good, $slow);

my $sent = [grep { tag_is_header($_) || $_->[1] < 11500 } @big];

play_whole($_, 'who is not slow', $sent) for @good;
is(join(', ', viewer_faults($slow)), '', 'who was slow: no faults');
ok($t->wait_log(qr/play ended: the stream has ended, .* dropped:[1-9]/, 3),
   'and how many it lost');

my %was = map { $_ => 1 } play_frames(9, @$sent);
is(scalar(grep { !$was{$_} } play_frames(9, $slow->tags())), 0,
   'what it got is whole');

# it is left in the midst of a message

$big = play_publish($t, 'live/big', \@big, to => 4000);
$v = viewer_rtmp($t, 'live/big');
$v->pause();
$t->pump(1.5);
$v->{rtmp}->stream_command('closeStream', undef);
$v->{rtmp}->stream_command('getStreamLength', undef, 's');
$v->resume();
is($v->{rtmp}->reply($v->{rtmp}{transaction})->{args}[1], 0,
   'closed in the midst of a message');
is(join(', ', viewer_faults($v)), '', 'which was sent to its end');

# over TLS

my $ffmpeg = $t->run_daemon('tls', qw/ ffmpeg -nostdin -v error -i /,
    'rtmps://127.0.0.1:' . $t->port('TLS') . '/live/s',
    qw/ -t 3 -c copy -y /, $t->path('tls.flv'));
is($ffmpeg->wait(20), 0, 'RTMPS') or diag($ffmpeg->log());
my @decoded = decode_clean($t->path('tls.flv'));
ok($decoded[0] && $decoded[2] >= 70, 'frames') or diag("@decoded");

# a worker that leaves

my @stay = map { viewer_rtmp($t, 'live/s', connection => $_) }
    connected(), connected(capsEx => 1);
my $flv = viewer_flv($t, '/live/s.flv');

frames_more(5, @stay, $flv);
$t->reload();

is(status_of($stay[1]{rtmp}), 'NetConnection.Connect.ReconnectRequest',
   'who understands it is asked to connect anew');
$n = () = $stay[0]->frames();
frames_more($n + 25, @stay, $flv);
viewers_have(sub { $_[0]->closed() }, 10, @stay, $flv);
ok($t->wait_log(qr/rtmp play ended: the drain time is over/, 1),
   'until drain is over');
ok($t->wait_log(qr/FLV play ended: the drain time is over/, 1), 'in FLV, too');

$t->done();
