#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What players are told of a stream with rungs, which are behind their source:
# to stay away from the edge by so much more, where each track is, and in DASH
# no number that not all have.  A thumbnail is made of a rung that is large
# enough.

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw/ max uniq /;

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;

my $t = ladder_nginx(ladder => 'video 120p 100k; video 90p 50k;
                                latency 400ms;', app => 'segment 1s;');

my $p = live_publish($t, 'live/a');
my @tags = live_tags('plain');

$p->play(\@tags, speed => 1, to => 3000);

my @videos = qw/ v1 v2 v3 /;

wait_until(sub {
    my $list = $t->http_get('/live/a/index.m3u8')->{body};
    return !grep { $list !~ /^$_\.m3u8$/m } @videos;
}, 20, 'rungs');


# numbers that the MPD lists last, of each Representation of video

sub last_listed {
    my ($body) = @_;

    my %last;

    while ($body =~ m|<Representation id="(v\d+)(.*?)</Representation>|sg) {
        my ($id, $rest) = ($1, $2);
        my ($n) = $rest =~ /startNumber="(\d+)"/;

        $n += 1 + ($_ =~ /\br="(\d+)"/ ? $1 : 0) for $rest =~ /(<S .*?>)/g;
        $last{$id} = $n - 1;
    }

    return \%last;
}


# as the stream goes on: each MPD by itself, and whether rungs were behind

my ($looks, $uneven, $behind) = (0, 0, 0);

for (my $at = 3000; $at < 6500; $at += 100) {
    $p->play(\@tags, speed => 1, from => $at, to => $at + 100, headers => 0);

    my $last = last_listed($t->http_get('/live/a/manifest.mpd')->{body});

    next if keys %$last != 3;

    my $newest = max values %$last;

    $looks++;

    # a rung that is two behind holds up nobody

    $uneven++ if grep { $_ == $newest - 1 } values %$last;

    my $list = m3u8_parse($t->http_get('/live/a/v1.m3u8')->{body});
    my ($source) = $list->{segments}[-1]{uri} =~ m|/(\d+)\.m4s|;

    $behind++ if defined $source && $source > $newest;
}

cmp_ok($looks, '>', 10, 'MPDs');
is($uneven, 0, 'all list the same numbers');
note("the source had one more in $behind of $looks");


# HLS: one line for all, and each track's own edge

my (%control, %reports);

for my $track (@videos, 'a1') {
    my $body = $t->http_get("/live/a/$track.m3u8")->{body};

    $control{$1}++ if $body =~ /^#EXT-X-SERVER-CONTROL:(.*)$/m;
    $reports{$track} = join ' ', sort $body
                       =~ /RENDITION-REPORT:URI="(\w+)\.m3u8",LAST-MSN=\d+,
                           LAST-PART=\d+/gx;
}

is(scalar keys %control, 1, 'the same control in all');
like((keys %control)[0], qr/PART-HOLD-BACK=1\.081$/, 'three parts, a frame, '
     . 'and the latency of the ladder');
is($reports{v1}, 'a1 v2 v3', 'reports of the others');
is($reports{v3}, 'a1 v1 v2', 'of a rung, too');


# thumbnails: of v1 320 wide, v2 214, v3 160

$p->close();
ladder_done($t, 'a', @videos);

my %of;

for my $width (40, 160, 161, 214, 215, 2000) {
    my $r = $t->http_get("/live/a/thumb-w$width.jpg");

    is($r->{status}, 200, "thumbnail, $width");
    ($of{$width}) = $r->{headers}{etag} =~ /^"(\d+)-/;
}

is($of{40}, $of{160}, 'small ones of the smallest');
is($of{161}, $of{214}, 'larger ones of the next');
is($of{215}, $of{2000}, 'and of the source');
is(scalar(uniq(values %of)), 3, 'three tracks');

$t->done();
