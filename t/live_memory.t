#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A zone that is too small for what comes: the oldest segments go early, and
# those of the largest stream first.  Viewers that never read hold memory, but
# the stream goes on.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my @big = live_tags('big');

# 6 Mbit/s want 9 MB for 12 s, the zone has 8

my $t = live_nginx(zone => '8m', app => 'window 20s; send_limit 20s;');

my %p = map { $_ => live_publish($t, "live/$_") } qw/ big small /;
my @slow;

for my $i (0 .. 11) {
    my @range = (speed => 3, from => $i * 1000, to => $i * 1000 + 1000,
                 $i ? (headers => 0) : ());

    live_play([$p{big}, \@big, @range], [$p{small}, \@tags, @range]);

    # somebody asks for the newest segment, and never reads

    next if $i < 2;

    my $list = m3u8_parse($t->http_get('/live/big/v1.m3u8')->{body});
    my ($newest) = reverse @{$list->{segments}};
    next if !$newest || @slow == 3;

    my $uri = $newest->{uri};
    my $h = $t->start_get("/live/big/$uri", rcvbuf => 4096, timeout => 60);
    $h->pause();
    push @slow, $h;
}

my $big = live_stream($t, 'big');

cmp_ok($big->{evictions}, '>', 0, 'segments went early');
is($t->log_count(qr/\[warn\].*oldest segments of stream "big" go early/), 1,
   'said once');
cmp_ok($big->{used}, '<=', 8 << 20, 'within the zone');
is(live_stream($t, 'small')->{evictions}, 0, 'those of the small one stay');
is($big->{track}{v1}{dropped_nomem}, 0, 'nothing was dropped');

$_->cancel() for @slow;
$_->close() for values %p;

wait_until(sub { live_stream($t, 'big')->{state} eq 'grace' }, 5, 'end');

my $r = live_check($t, '/live/small', runs => 1, name => 'small');
my $m = live_match($r, $p{small});
is($m->{video}{missing}, 0, 'small: all frames');
is($m->{audio}{missing}, 1, 'small: all sound but a frame');

$r = live_check($t, '/live/big', runs => 1, name => 'big');
$m = live_match($r, $p{big});

my $v = $r->{tracks}{v1}{list};
cmp_ok($m->{video}{missing}, '>', 0, 'big: the first segments have gone');
cmp_ok(scalar @{$v->{segments}}, '>=', 5, 'big: a playlist is long enough');
cmp_ok($m->{av}, '<', 3, 'big: sound and picture');


# what cannot be kept at all: 3 target durations do not fit

my $huge = live_publish($t, 'live/huge');
my $pad = "\xff" x 60000;

$huge->play(\@big, speed => 3, to => 10000, map => sub {
    my ($type, $ts, $bytes) = @_;
    return [@_] if $type != 9
                   || Test::Media::RTMP::is_header($type, $bytes);

    # filler data: 12 Mbit/s more
    return [$type, $ts, $bytes . pack('N', 1 + length $pad) . "\x0c$pad"];
});

my $s = live_stream($t, 'huge');

is($s->{state}, 'live', 'a stream that does not fit goes on');
cmp_ok($s->{track}{v1}{dropped_nomem}, '>', 0, 'not all of it is kept');
is($t->log_count(qr/\[warn\].*zone "live" is too small, parts are lost/), 1,
   'said once');
is(live_stream($t, 'small')->{state}, 'grace', 'the small one is there');

# what is kept can be played, what is not is a gap

my $master = m3u8_parse($t->http_get('/live/huge/index.m3u8')->{body});

is(join(' ', map({ $_->{uri} } @{$master->{variants}}),
        map { $_->{URI} } @{$master->{media}}), 'v1.m3u8 a1.m3u8', 'tracks');

for my $id (qw/ v1 a1 /) {
    my $list = m3u8_parse($t->http_get("/live/huge/$id.m3u8")->{body});
    my ($kept, @bad) = (0);

    for my $segment (@{$list->{segments}}) {
        my $r = $t->http_get("/live/huge/$segment->{uri}");
        my $init = $t->http_get("/live/huge/$segment->{map}")->{body};

        if ($segment->{gap}) {
            push @bad, "$segment->{uri}: gap, $r->{status}"
                if $r->{status} != 410;
            next;
        }

        my ($first) = $r->{status} == 200 ? mp4_samples($r->{body}, $init)
                                          : ();
        push @bad, "$segment->{uri}: $r->{status}"
                   . ($first ? ', no key frame' : '')
            if !$first || !$first->{key};
        $kept++;
    }

    is(join(', ', @bad), '', "$id: segments are what the playlist says");
    cmp_ok($kept, '>=', 3, "$id: some are kept");
}

$huge->close();

$t->done();
