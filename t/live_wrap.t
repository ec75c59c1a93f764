#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Time stamps that wrap, sooner in one track than in the other, and those that
# need extended time stamps from some moment on: nobody notices.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

# the stamp that 4 s of the file are at
my %at = (wrap => 1 << 32, extended => 0x1000000, half => 0x80000000,
          first => (1 << 32) - 3980);

my $t = live_nginx(reload => 1);
my %p = map { $_ => live_publish($t, "live/$_") } sort keys %at;

live_play(map {
    [$p{$_}, \@tags, speed => 3, to => 9000, shift => $at{$_} - 4000]
} sort keys %at);

$_->close() for values %p;

for my $name (sort keys %at) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $r = live_check($t, "/live/$name", runs => 1, name => $name);
    my $m = live_match($r, $p{$name});

    is($m->{video}{missing}, 0, "$name: all frames");
    cmp_ok($m->{audio}{missing}, '<=', 1, "$name: all sound but a frame");
    is($m->{audio}{silent}, 0, "$name: nothing else");
    cmp_ok($m->{av}, '<', 3, "$name: sound and picture");
}

is($t->log_count(qr/\[info\].* media /), 0, 'nothing to tell');

$t->done();
