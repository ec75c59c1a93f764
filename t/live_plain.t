#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Streams as encoders send them: each frame comes out once, at its time.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @names = qw/ plain bframes pyramid ntsc fast /;

my $t = live_nginx(reload => 1);
my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map { [$p{$_}, [live_tags($_)], speed => 3] } @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $r = live_check($t, "/live/$name", runs => 1, name => $name);
    my $m = live_match($r, $p{$name});
    my $s = live_stream($t, $name);

    is($m->{video}{missing}, 0, "$name: all frames");
    cmp_ok($m->{audio}{missing}, '<=', 1, "$name: all sound but a frame");
    is($m->{audio}{silent}, 0, "$name: nothing else");
    cmp_ok($m->{av}, '<', 3, "$name: sound and picture");
    is($s->{publisher}{end}, 'client closed connection', "$name: why");
    is($s->{track}{v1}{frames}, $m->{video}{sent}, "$name: status");

    # a period begins where its first picture is shown: hls.js would see a hole
    # before what has an offset, and takes no notice of edit lists

    is(scalar(grep { abs($_->{samples}[0]{cto}) > 0 }
              @{$r->{tracks}{v1}{runs}}), 0, "$name: no offset to begin with");

    unlike($r->{tracks}{v1}{runs}[0]{bytes}, qr/elst/, "$name: no edit list");
}

is($t->log_count(qr/\[(?:warn|error)\]/), 0, 'nothing to warn of');

$t->done();
