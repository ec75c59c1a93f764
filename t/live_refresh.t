#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Intra refresh: one key frame, then recovery points, from which the picture is
# whole after a second.  Who comes late begins there, and has it after that.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::Tools;

my @tags = live_tags('refresh');
my $t = live_nginx(app => 'segment 1s;');
my $p = live_publish($t, 'live/x');

live_play([$p, \@tags, speed => 3, to => 8000]);
$p->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $list = m3u8_parse($t->http_get('/live/x/v1.m3u8')->{body});
my @segments = @{$list->{segments}};
my $init = $t->http_get("/live/x/$segments[0]{map}")->{body};
my @bodies = map { $t->http_get("/live/x/$_->{uri}")->{body} } @segments;

cmp_ok(scalar @segments, '>=', 6, 'segments');
ok($list->{independent}, 'each can be begun with');
is(scalar(grep { !(mp4_samples($_, $init))[0]{key} } @bodies), 0,
   'each begins with a key frame');

my $v = live_stream($t, 'x')->{track}{v1};
my $sent = grep { $_->{type} eq 'video' } @{$p->{sent_frames}};

is($v->{frames}, $sent, 'all frames');
is($v->{forced_cuts}, 0, 'none is cut by force');
is($t->log_count(qr/\[info\].*intra refresh.* frames:\d+/), 1, 'said once');

# the same pictures from the begin and from the middle, a second later

sub pictures {
    my ($name, @parts) = @_;
    my $file = $t->path($name);

    spew($file, join '', $init, @parts);

    return map { /([0-9a-f]{32})/ }
        `ffmpeg -nostdin -v quiet -i $file -fps_mode passthrough -f framemd5 -`;
}

my @all = pictures('all.mp4', @bodies);
my @late = pictures('late.mp4', @bodies[3 .. $#bodies]);

is(@all, $sent, 'all pictures');
cmp_ok(scalar @late, '>=', @all - 4 * 25 + 25, 'and those from the middle on');
is_deeply([@late[-25 .. -1]], [@all[-25 .. -1]], 'are whole after a while');

$t->done();
