#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A kind of URL is a row, and a module of its own may add one: it is parsed,
# found, waited for, counted and typed as all others are, over a reload too.
# The module is t/modules/ngx_http_media_test_kind_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Vod;

my $t = live_nginx(test_modules => 1, http => <<'EOC');
        add_header X-Kind "$media_kind,$media_track,$media_number" always;
        root %%DIR%%;
        location /media/ { media_vod on; }
        location = /metrics { media_metrics; }
EOC

mkdir $t->path('media');
symlink vod_made('kinds.mp4', seconds => 2), $t->path('media/a.mp4');

my $p = live_publish($t, 'live/x');
my @tags = live_tags('plain');

$p->play(\@tags, to => 3400, speed => 4);

my $list = $t->wait_playlist('/live/x/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 3 }, 10);
my ($first) = $list->{segments}[0]{uri} =~ /(\d+)\.m4s$/;

for my $round (0, 1) {
    my $size = length $t->http_get("/live/x/v1/$first.m4s")->{body};
    my $r = $t->http_get("/live/x/v1/$first.size.txt");

    is($r->{status}, 200, 'a row of another module');
    is($r->{body}, $size, 'its handler');
    is($r->{headers}{'content-type'}, 'text/plain', 'its type');
    is($r->{headers}{'x-kind'}, "segment,v1,$first", 'its variables');

    $r = $t->http_get("/live/x/a1/$first.size.txt");
    is($r->{headers}{'content-type'}, 'text/x-audio', 'of audio');

    for my $bad ("x/v1/0$first.size.txt", "x/t1/$first.size.txt",
                 'x/v1/.size.txt', "x/$first.size.txt", 'x/tracks.txt',
                 'x/v1/tracks.txt')
    {
        is($t->http_get("/live/$bad")->{status}, 404, "not $bad");
    }

    $r = $t->http_get('/media/a.mp4/tracks.txt');
    is("$r->{status} $r->{body}", '200 2', 'of a file');
    is($r->{headers}{'x-kind'}, 'other,,', 'its variables');
    is($t->http_get("/media/a.mp4/v1/$first.size.txt")->{status}, 404,
       'that of streams is not of files');

    # the next one is waited for

    next if $round;

    my ($last) = $list->{segments}[-1]{uri} =~ /(\d+)\.m4s$/;
    my $wait = $t->start_get("/live/x/v1/" . ($last + 1) . '.size.txt');

    $p->play(\@tags, from => 3400, to => 6000, speed => 4);

    $r = $wait->result(20);
    is($r->{status}, 200, 'it came');
    is($r->{body}, length $t->http_get('/live/x/v1/' . ($last + 1) . '.m4s')
                          ->{body}, 'the size');

    $t->reload();
}

my ($counted) = $t->http_get('/metrics')->{body}
    =~ /^ngx_media_requests_total\{app="live",kind="segment"\} (\d+)/m;

# six requests of rows of ours, and those of media
cmp_ok($counted || 0, '>=', 8, 'they are counted');

$p->close();
$t->done();
