#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A full restart: nothing is left, but what comes later has higher numbers,
# discontinuity sequences and times.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

my $t = live_nginx();
my @r;

for my $i (0 .. 2) {
    my $p = live_publish($t, 'live/x');
    $p->play(\@tags, speed => 1, to => 2500);

    # one that ends, one that is cut off, one that never ends

    if ($i == 0) {
        $p->close();
        wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5,
                   'end');
    }

    my $r = live_check($t, '/live/x', runs => 1, name => "time $i");
    push @r, { %{$r->{tracks}{v1}}, periods => $r->{periods} };

    last if $i == 2;

    if ($i == 0) {
        $t->stop();

    } else {
        $t->signal('TERM');
        wait_until(sub { !$t->running() }, 5, 'the end');
        ok($p->wait_closed(2), 'the publisher is cut off');
    }

    $t->run();
    is(live_stream($t, 'x'), undef, 'nothing is left');
    is($t->http_get('/live/x/v1.m3u8')->{status}, 404, 'no such stream');
}

for my $i (1, 2) {
    my ($old, $new) = @r[$i - 1, $i];

    cmp_ok($new->{list}{msn}, '>', $old->{list}{next_msn}, 'numbers grow');
    cmp_ok($new->{list}{dsn}, '>=', $old->{list}{dsn},
           'discontinuity sequence does not fall');
    cmp_ok($new->{runs}[0]{start}, '>', $old->{runs}[-1]{end},
           'times grow');
    is($new->{list}{segments}[0]{map}, $old->{list}{segments}[0]{map},
       'equal parameters have the same name');
    cmp_ok($new->{periods}[0]{attr}{id}, '>', $old->{periods}[0]{attr}{id},
           'periods are new');

    # what is past is gone for good

    my $uri = $old->{list}{segments}[0]{uri};
    is($t->http_get("/live/x/$uri")->{status}, 410, 'old segments are gone')
        if $i == 2;
}

$t->done();
