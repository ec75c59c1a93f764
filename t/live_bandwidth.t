#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# BANDWIDTH is that of segments which last long enough to have one: a publisher
# that goes just after a key frame leaves one of a single large frame.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my $t = live_nginx(app => 'segment 1s;');


sub bandwidth {
    my $r = $t->http_get('/live/x/index.m3u8');
    my ($variant) = @{m3u8_parse($r->{body})->{variants}};

    return $variant->{attr}{BANDWIDTH};
}


my $p = live_publish($t, 'live/x');

$p->play(\@tags, speed => 4, to => 4500);
$t->wait_playlist('/live/x/v1.m3u8', sub { @{$_[0]{segments}} >= 4 });

my $before = bandwidth();

$p->play(\@tags, speed => 4, from => 4500, to => 5030, headers => 0);
$p->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $list = $t->wait_playlist('/live/x/v1.m3u8');
my $last = $list->{segments}[-1];

cmp_ok($last->{duration}, '<', 0.1, 'the last segment is short');

my $size = length $t->http_get("/live/x/$last->{uri}")->{body};

cmp_ok($size * 8 / $last->{duration}, '>', $before * 1.2,
       'and would raise the peak');

# the whole segment in front of it may

cmp_ok(bandwidth(), '<', $before * 1.2, 'but does not');

$t->done();
