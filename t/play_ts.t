#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A stream that is followed, as MPEG-TS without an end: video with B-frames and
# two tracks of audio come in the order in which they were published, each
# frame once, with its times, and what is written is a transport stream.  Who
# sends it is t/modules/ngx_http_media_test_ts_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Records qw/ probe /;
use Test::Media::TS;

my $t = live_nginx(test_modules => 1, app => 'grace 2s;', workers => 2);

# Enhanced RTMP: one track of audio in a message

my @video = grep { $_->[0] == 9 } live_tags('bframes');
my @audios = map { [grep { $_->[0] == 8 } live_tags($_)] } qw/ plain hertz /;
my @tags = sort { $a->[1] <=> $b->[1] } @video, map {
    my $i = $_;
    map { [8, $_->[1], chr(0x95) . chr(ord substr $_->[2], 1, 1) . 'mp4a'
                       . chr($i) . substr($_->[2], 2)] } @{$audios[$i]}
} 0, 1;

my @workers = $t->worker_pids();
my $p = live_publish($t, 'live/x', worker => $workers[0]);

$p->play(\@tags, to => 2500, speed => 4);
$t->wait_playlist('/live/x/v1.m3u8', sub { @{$_[0]{segments}} >= 2 }, 10);

my @viewers = map { $t->start_get('/live/x.live.ts', worker => $_) }
              @workers[0, 1];

$p->play(\@tags, from => 2500, to => 7000, speed => 4);
$p->close();

for my $i (0, 1) {
    my $r = $viewers[$i]->result(30);

    is($r->{status}, 200, 'a stream');
    is($r->{headers}{'content-type'}, 'video/mp2t', 'its type');

    my $file = $t->path("got$i.ts");
    $t->write_file("got$i.ts", $r->{body});

    my $walked = ts_walk($file);
    is(join("\n", @{$walked->{bad}}), '', 'packets');
    cmp_ok($walked->{pcr}, '<=', 9000, 'the clock is every 100 ms');
    cmp_ok($walked->{tables}, '<=', 45000, 'tables are every 500 ms');

    my $said = `ffmpeg -nostdin -v error -i $file -map 0 -f null - 2>&1`;
    is($said, '', 'it decodes');

    my @got = probe($file);
    is(join(' ', map { $_->{codec_name} } @got), 'h264 aac aac', 'streams');

    my @keys = grep { $_->{flags} =~ /K/ } @{$got[0]{packets}};
    like($got[0]{packets}[0]{flags}, qr/K/, 'from a key frame on');
    is($walked->{keys}, scalar @keys, 'tables before each of them');

    # those that were published last, all of them, at their times

    frames($got[0], 4500, grep { ord substr($_->[2], 1, 1) } @video);

    # in the order in which they appeared

    for my $stream (@got[1, 2]) {
        frames($stream, 4500, grep { ord substr($_->[2], 1, 1) }
                              @{$audios[$stream->{sample_rate} == 44100]});
    }
}

is($t->log_count(qr/test ts: .* late:0 breaks:0 damaged:0/), 2,
   'nothing is late');

$t->done();


sub frames {
    my ($stream, $least, @published) = @_;

    my @found = @{$stream->{packets}};
    my @sent = grep { $_->[1] < 7000 } @published;
    my $name = "$stream->{codec_type} $stream->{index}";

    cmp_ok(scalar @found, '<=', scalar @sent, "$name: frames");

    @sent = @sent[@sent - @found .. $#sent];

    cmp_ok($sent[-1][1] - $sent[0][1], '>=', $least - 100, "$name: so long");

    # stamps of RTMP are whole ms, and those of audio are put right

    my ($last) = $found[-1]{dts};
    my $wrong = 0;

    for my $i (0 .. $#sent) {
        my $ms = ($found[$i]{dts} - $last) / 90;
        my $cto = $stream->{codec_type} eq 'video'
                  ? unpack 'N', "\0" . substr($sent[$i][2], 2, 3) : 0;

        $wrong++ if abs($ms - ($sent[$i][1] - $sent[-1][1])) > 2
                    || abs(($found[$i]{pts} - $found[$i]{dts}) / 90 - $cto)
                       > 1;
    }

    is($wrong, 0, "$name: times");
}
