#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Ladders that come and go leave nothing behind.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;

my $t = ladder_nginx(
    ladder => 'video 160p 200k preset=ultrafast; audio aac 64k when=always;
               video 120p 100k preset=ultrafast fps=half;',
    workers => 1);

my @tags = live_tags('bframes');
my ($worker) = $t->worker_pids();

sub anonymous {
    my ($kb) = slurp("/proc/$worker/status") =~ /^RssAnon:\s+(\d+) kB/m;

    return $kb;
}

sub jobs {
    my ($app) = grep { $_->{name} eq 'live' } @{$t->status()->{apps}};

    return $app->{transcode}{jobs};
}

sub ladders {
    my ($n) = @_;

    for my $i (1 .. $n) {
        my $p = live_publish($t, "live/a$i");

        $p->play(\@tags, to => 3000);
        $p->close();

        wait_until(sub { jobs() == 0 }, 15, 'its ladder has gone');
    }
}

ladders(3);

my $before = anonymous();

ladders(6);

my $after = anonymous();

note("RssAnon $before kB after 3 jobs, $after kB after 6 more");

SKIP: {
    # which keeps what was freed

    skip 'AddressSanitizer', 1
        if slurp("/proc/$worker/maps") =~ /libasan|libubsan/;

    cmp_ok($after - $before, '<', 1500, 'memory of a worker');
}

$t->done();
