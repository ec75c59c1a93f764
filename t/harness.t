#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The harness itself: with a plain nginx, and with what needs no server.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(modules => 0);

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        root %%DIR%%;

        location /worker {
            return 200 "$pid";
        }

        location /slow {
            limit_rate 10k;
        }

        location /gone {
            return 410;
        }
    }
}
EOC

$t->write_file('file.txt', join '', 'a' .. 'z');
$t->write_file('slow', 'x' x 15000);

$t->run();

# requests

my $r = $t->http_get('/file.txt');

is($r->{status}, 200, 'status');
is($r->{body}, join('', 'a' .. 'z'), 'body');
is($r->{headers}{'content-length'}, 26, 'header');

$r = $t->http_get('/file.txt', range => '2-4');
is("$r->{status} $r->{body}", '206 cde', 'range');

$r = $t->http_head('/file.txt');
is("$r->{status} $r->{body}", '200 ', 'head');

is($t->http_get('/gone')->{status}, 410, 'another status');

my $slow = $t->start_get('/slow');
my @fast = map { $t->start_get('/file.txt') } 1 .. 20;

is(scalar(grep { $_->result()->{status} == 200 } @fast), 20, 'concurrent');
ok(!$slow->done(), 'the slow one goes on');

$r = $slow->result(20);
is(length $r->{body}, 15000, 'the slow one ends');
cmp_ok(scalar @{$r->{events}}, '>', 1, 'and came in pieces');

# workers

my @workers = $t->worker_pids();
is(scalar @workers, $t->workers(), 'workers');

for my $pid (@workers, reverse @workers) {
    is($t->http_get('/worker', worker => $pid)->{body}, $pid,
       'answer of the chosen worker');
}

$r = $t->http_get('/worker', keepalive => 1);
my $pid = $r->{body};
is($t->worker_of($r->{conn}), $pid, 'who holds a connection');
is($t->http_get('/worker', conn => $r->{conn})->{body}, $pid, 'keepalive');

$t->reload();
my @new = $t->worker_pids();
is(scalar(grep { my $pid = $_; grep { $_ == $pid } @workers } @new), 0,
   'reload makes new workers');

$t->kill_worker($new[0]);
is(scalar $t->worker_pids(), $t->workers(), 'a killed worker is replaced');

my ($ok, $out) = $t->conf_test("nosuch on;\n");
ok(!$ok, 'a wrong configuration is refused');
like($out, qr/unknown directive "nosuch"/, 'and why');

# processes

my $process = $t->background('child', sub { print "hello\n"; sleep 60 });
wait_until(sub { $process->log() =~ /hello/ }, 5, 'output');
ok($process->running(), 'a process runs');
$process->stop();
ok(!$process->running(), 'and is stopped');

eval { wait_until(sub { 0 }, 0.05, 'something') };
like($@, qr/waiting for something/, 'waiting has an end');

# media

my $flv = fixture('av.flv');
my $probe = ffprobe_json($flv);

is(scalar @{$probe->{streams}}, 2, 'ffprobe');

my @decoded = decode_clean($flv);
ok($decoded[0], 'decode') or diag $decoded[1];
is($decoded[2], 250, 'frames');

my @tags = flv_read($flv);
is(scalar(grep { $_->[0] == 9 } @tags), 252, 'video tags of an FLV file');
is($tags[0][0], 18, 'metadata first');

# boxes

my $mp4 = fixture('av.mp4', '-i', $flv, '-c', 'copy', '-movflags',
                  '+frag_keyframe+empty_moov+default_base_moof');
my $bytes = slurp($mp4);
my $tracks = mp4_tracks(mp4_boxes($bytes));

is(join(' ', map { $tracks->{$_}{codec} } sort keys %$tracks), 'avc1 mp4a',
   'codecs of tracks');
is($tracks->{1}{width}, 320, 'width');

my @samples = grep { $_->{track} == 1 } mp4_samples($bytes);
is(scalar @samples, 250, 'samples');
is(scalar(grep { $_->{key} } @samples), 10, 'key frames');
is(scalar(grep {
       $samples[$_]{dts} != $samples[$_ - 1]{dts}
                            + $samples[$_ - 1]{duration}
   } 1 .. $#samples), 0, 'decode times');

ok(!eval { mp4_boxes(substr($bytes, 0, 1000)); 1 }, 'a cut box is found');

# playlists

my $list = m3u8_parse(<<'EOF');
#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.6
#EXT-X-PART-INF:PART-TARGET=0.2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="v1/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:00.250Z
#EXTINF:2.00000,
v1/7.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PART:DURATION=0.2,URI="v1/8.0.m4s",INDEPENDENT=YES
#EXTINF:1.9,
v1/8.m4s
#EXT-X-PART:DURATION=0.2,URI="v1/9.0.m4s"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v1/9.1.m4s"
EOF

is(join(' ', map { $_->{msn} } @{$list->{segments}}), '7 8', 'numbers');
is($list->{segments}[0]{pdt_msec}, 1577836800250, 'date');
is($list->{segments}[0]{map}, 'v1/init-1.mp4', 'map');
ok($list->{segments}[1]{discontinuity}, 'discontinuity');
ok($list->{segments}[1]{parts}[0]{independent}, 'part');
is($list->{parts}[0]{uri}, 'v1/9.0.m4s', 'part of the next segment');
is($list->{hints}[0]{URI}, 'v1/9.1.m4s', 'hint');
is($list->{next_msn}, 9, 'next number');
is($list->{control}{'PART-HOLD-BACK'}, '0.6', 'attributes');

# AMF

my @values = (1, 'two', undef, { three => 3 }, [4]);
is_deeply([Test::Media::RTMP::amf_read(Test::Media::RTMP::amf(@values))],
          \@values, 'AMF');

$t->done();
