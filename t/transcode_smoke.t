#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A little of all that is done by libav, with whatever FFmpeg and nginx are
# here; scripts/matrix runs it in other releases of Debian.  ffmpeg publishes to
# a ladder, with AV1 where SVT-AV1 passes the check; a live picture; files that
# libavformat reads, and that are converted, and a picture of one.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;
use Test::Media::Vod;

my ($status, $said) = sh(qw/ ffmpeg -hide_banner -version /);
my ($lavc) = $said =~ /libavcodec +(\d+)/ or die $said;

# what publishers of the same FFmpeg can do

my (undef, $encoders) = sh(qw/ ffmpeg -hide_banner -encoders /);
my $svt = $encoders =~ / libsvtav1 /;

my $t = ladder_nginx(
    ladder => 'video 180p 200k; video 90p 80k; audio aac 64k;
               latency 1900ms;',
    app => 'segment 4s; part 500ms;'
           . ($svt ? ' transcode av1 threads=encode for=^av1;' : ''),
    main => $svt ? 'media_ladder av1 {
                        video 90p 60k codec=av1; latency 1900ms;
                    }' : '',
    http => 'location /vod/ { alias %%DIR%%/; media_vod on;
                              media_vod_temp_path temp max_size=50m; }');

my %p = map {
    $_ => $t->ffmpeg_publish("live/$_", size => '480x270', duration => 9,
                             acodec => 'libmp3lame', sample_rate => 44100)
} 'smoke', $svt ? 'av1' : ();

wait_until(sub { (live_stream($t, 'smoke') || {})->{track}{v3} }, 10,
           'rungs');

my $thumb = $t->http_get('/live/smoke/thumb-w160.jpg');
picture($thumb->{body}, 'live', '160x90');

for my $name (sort keys %p) {
    is($p{$name}->wait(30), 0, "$name is published")
        or diag $p{$name}->log();
}

# each picture of each segment, decoded

ladder_done($t, 'smoke', qw/ v1 v2 v3 /);
ladder_aligned(ladder_table($t, 'smoke', qw/ v1 v2 v3 /), 'smoke', least => 3);
live_check($t, '/live/smoke', tracks => 'a1 a2 v1 v2 v3', runs => 1,
           name => 'smoke');

is($t->log_count(qr/pictures of "/), 0, 'no rung shed pictures');

if ($svt && $lavc >= 61) {
    ladder_done($t, 'av1', qw/ v1 v2 /);
    ladder_aligned(ladder_table($t, 'av1', qw/ v1 v2 /), 'av1', least => 3);
    live_check($t, '/live/av1', tracks => 'a1 v1 v2', runs => 1,
               name => 'av1');

} elsif ($svt) {
    is(join(' ', sort keys %{live_stream($t, 'av1')->{track}}), 'a1 v1',
       'av1: this SVT-AV1 is too old');
    cmp_ok($t->log_count(qr/libsvtav1/), '>=', 1, 'which is said');
}

is($t->log_count(qr/^Svt\[/m), 0, 'SVT-AV1 says nothing in the log');

# files

for my $name (qw/ av.mkv av.ts /) {
    my $file = fixture($name);

    $t->write_file($name, slurp($file));

    my $list = vod_hls($t, "/vod/$name/v1.m3u8");
    my $made = $t->write_file("$name.mp4", $list->{bytes});
    my ($ok, $messages, $frames) = decode_clean($made);

    ok($ok, "$name decodes") or diag $messages;
    is($frames, 250, "$name has all pictures");
    is(scalar @{$list->{samples}}, 250, "$name has all frames");
}

picture($t->http_get('/vod/av.mkv/thumb-3000-w160.jpg')->{body}, 'file',
        '160x90');

$t->done();


sub picture {
    my ($jpeg, $name, $size) = @_;

    my $file = $t->write_file("$name.jpg", $jpeg);
    my ($ok, $messages) = decode_clean($file);

    ok($ok, "picture of $name") or diag $messages;

    my $s = ffprobe_json($file, '-show_streams')->{streams}[0];
    is("$s->{codec_name} $s->{width}x$s->{height}", "mjpeg $size",
       "size of the picture of $name");
}
