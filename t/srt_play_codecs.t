#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A publisher that changes the codecs of video and sound in the midst of a
# stream: viewers over SRT are sent other PIDs, in other tables, and a demuxer
# that does not look at what a PID is for a second time decodes all of it.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; grace 2s; }

stream {
    media_srt_play on;
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
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

my @kinds = (['libx264', 'aac', 0], ['libx265', 'ac3', 2],
             ['libx264', 'aac', 4]);
my @files;

for my $kind (@kinds) {
    my ($video, $audio, $at) = @$kind;
    my $file = $t->path("$at.ts");

    my ($status, $said) = sh('ffmpeg', qw/ -nostdin -v error
        -f lavfi -i testsrc2=s=160x90:r=25:d=2 -f lavfi -i sine=r=48000:d=2
        -c:v /, $video, qw/ -preset ultrafast -g 25 -bf 0 -x265-params
        log-level=none:keyint=25:bframes=0 -pix_fmt yuv420p -c:a /, $audio,
        '-mpegts_start_pid', 0x100 + 16 * $at, '-output_ts_offset', $at,
        qw/ -f mpegts -y /, $file);

    is($status, 0, "$video and $audio") or diag($said);

    push @files, $t->read_file("$at.ts");
}

my $url = 'srt://127.0.0.1:' . $t->udp('SRT') . '?streamid=read:live/x';
my $viewer = $t->run_daemon('viewer', 'sh', '-c', "sleep 1; "
    . "exec srt-live-transmit -q -a no '$url' file://con > "
    . $t->path('seen.ts'));

my $p = Test::Media::SRT->new(port => $t->udp('SRT'),
                              streamid => 'publish:live/x');

is($p->connect(), 1, 'connected');
$p->send_ts($_, seconds => 2) for @files;
$p->pump(1);
$p->shutdown();

wait_ok(sub { !$viewer->running() }, 20, 'the viewer has seen the end');

# each codec is a stream of its own, and all of its frames are decoded

my $seen = ffprobe_json($t->path('seen.ts'), qw/ -probesize 50M
    -analyzeduration 50M -count_frames -show_entries /,
    'stream=codec_name,id,nb_read_frames')->{streams};

my %count;
push @{$count{$_->{codec_name}}}, $_->{nb_read_frames} for @$seen;

is(join(' ', map { scalar @{$count{$_} || []} } qw/ h264 hevc aac ac3 /),
   '2 1 2 1', 'codecs, each with a PID');
is(scalar(keys %{{ map { $_->{id} => 1 } @$seen }}), 6, 'PIDs');

my $h264 = $count{h264} || [0, 0];

cmp_ok($h264->[0], '>=', 25, 'H.264 from its key frame on');
is(($count{hevc} || [0])->[0], 50, 'all of HEVC');
cmp_ok($h264->[1], '>=', 49, 'H.264 again');
cmp_ok(($count{ac3} || [0])->[0], '>=', 60, 'AC-3');
cmp_ok(($count{aac} || [0, 0])->[1], '>=', 91, 'AAC again');

$t->done();
