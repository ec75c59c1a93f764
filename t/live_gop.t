#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Key frames that are further apart than segments may last: cuts are forced,
# HLS lists them as they are, DASH from key frame to key frame.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('gop10');
my @plain = live_tags('plain');

my $t = live_nginx(reload => 1, debug => 1, app => 'segment 2s;');
my %p = map { $_ => live_publish($t, "live/$_") } qw/ long never turns beside /;

# one that has long GOPs from its start, and one that had none for a while

my @turns = (@plain, map {
    [$_->[0], $_->[1] + 5000, $_->[2]]
} @tags);

live_play([$p{long}, \@tags, speed => 3, to => 24000],
          [$p{never}, [live_tags('one_key')], speed => 3, to => 24000],
          [$p{beside}, \@plain, speed => 1, to => 8000],
          [$p{turns}, [
              grep({ $_->[1] < 5000 } @plain),
              map({ [$_->[0], $_->[1] + 5000, $_->[2]] } @tags)
           ], speed => 3, to => 27000,
           map => sub { $_[1] == 5000 && $_[2] =~ /^\x17\0/ ? () : [@_] }]);

$_->close() for values %p;

for my $name (sort keys %p) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $plain = $name eq 'beside';
    my $r = live_check($t, "/live/$name", runs => 1, name => $name,
                       forced => !$plain);
    my $m = live_match($r, $p{$name});
    live_replay($r, $name);

    is($m->{video}{missing}, 0, "$name: all frames");
    is($m->{audio}{silent}, 0, "$name: no silence");
    cmp_ok($m->{av}, '<', $name eq 'turns' ? 15 : 3,
           "$name: sound and picture");

    my $list = $r->{tracks}{v1}{list};

    if ($plain) {
        like($r->{mpd}, qr/\$Number\$/, "$name: by number");
        unlike($r->{mpd}, qr/\$Time\$/, "$name: not by time");
        next;
    }

    cmp_ok($r->{forced}{v1}, '>=', 7, "$name: forced segments");
    ok(!$list->{independent}, "$name: segments are not independent");
    is(scalar(grep { $_->{duration} > 3 } @{$list->{segments}}), 0,
       "$name: none is too long");

    like($r->{mpd}, qr/v1\/t\$Time\$/, "$name: by time");
    is(() = $r->{mpd} =~ /<Period/g, $name eq 'turns' ? 2 : 1,
       "$name: periods");

    is($t->log_count(qr/\[warn\].*key frames are farther.*: $name$/), 1,
       "$name: said once");
    is(live_stream($t, $name)->{track}{v1}{forced_cuts}, $r->{forced}{v1},
       "$name: counted");

}

$t->done();
