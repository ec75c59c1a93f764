#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Segments of a live stream of ours, put together in a file, are a film: its
# times count from 1970, and it is the same samples, in step.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Vod;

my $t = live_nginx(http => 'location / { root %%DIR%%/media; media_vod on; }');

mkdir $t->path('media');

my $p = $t->ffmpeg_publish('live/s', size => '160x90', duration => 6,
                           bframes => 2);
my %lists;

for my $track (qw/ v1 a1 /) {
    wait_until(sub {
        my $r = $t->http_get("/live/s/$track.m3u8");
        return $r->{status} == 200
               && @{m3u8_parse($r->{body})->{segments}} >= 3;
    }, 30, 'segments');

    $lists{$track} = $t->hls_save("/live/s/$track.m3u8",
                                  $t->path("media/$track.mp4"));
    utime 1.6e9, 1.6e9, $t->path("media/$track.mp4");
}

my %starts;

for my $track (qw/ v1 a1 /) {
    my @live = mp4_samples($lists{$track}{bytes});
    my $vod = vod_hls($t, "/$track.mp4/$track.m3u8");
    my @vod = @{$vod->{samples}};

    is(scalar @vod, scalar @live, "$track: samples");

    my %shifts = map { $live[$_]{pts} - $vod[$_]{pts} => 1 } 0 .. $#vod;
    my ($shift) = keys %shifts;

    is(scalar keys %shifts, 1, "$track: one shift");
    is($shift % $vod->{timescale}, 0, "$track: of whole seconds");
    cmp_ok($vod[0]{pts} / $vod->{timescale}, '<', 3, "$track: from zero on");

    is($t->http_get("/$track.mp4/manifest.mpd")->{status}, 200,
       "$track: DASH");
}

is(vod_ts($t, '/v1.mp4/v1.ts.m3u8')->{segments}[0]{bytes} > 0, 1, 'TS');

$t->done();
