#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A machine that is too small for a ladder: rungs have fewer pictures, but all
# segments, and the source is as if there were no ladder.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;
use List::Util qw/ sum0 /;

# one thread, and encoders that take far longer than pictures last

my $slow = 'preset=slower';

my $t = ladder_nginx(
    ladder => "video 160p 200k $slow; video 120p 110k $slow;
               video 90p 60k $slow; latency 300ms;",
    app => 'segment 2s; part 200ms;', threads => 1, workers => 1);

my @tags = live_tags('fast');
my @names = qw/ a b /;
my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map { [$p{$_}, \@tags, speed => 1] } @names);

$_->close() for values %p;

# what is late comes, or is given up

wait_until(sub {
    my %left = map { ($_->{state} => 1) } map { live_stream($t, $_) } @names;
    return join(' ', keys %left) eq 'grace';
}, 5, 'they end');

sleep 1;

cmp_ok($t->log_count(qr/encodes \S+ of the pictures of/), '>', 0,
       'rungs were shed');

for my $name (@names) {
    my @rungs = grep { /^v[2-4]$/ }
                sort keys %{live_stream($t, $name)->{track}};
    my $table = ladder_table($t, $name, 'v1', @rungs);
    my @numbers = sort { $a <=> $b } keys %{$table->{v1}};
    my @wrong;

    is(@rungs, 3, "$name: rungs");

    # the last one may be missing: the publisher has gone

    pop @numbers;

    for my $rung (@rungs) {
        for my $n (@numbers) {
            my ($of, $own) = ($table->{v1}{$n}, $table->{$rung}{$n});

            push @wrong, "$rung: $n is missing" if !$own;
            next if !$own;
            push @wrong, "$rung: $n is a gap" if $own->{gap};
            next if $own->{gap};

            push @wrong, "$rung: $n is another time"
                if $own->{time} != $of->{time} || $own->{cut} != $of->{cut}
                   || $own->{duration} != $of->{duration};
            push @wrong, "$rung: $n has no key frame" if !$own->{first};

            my %has = map { $_ => 1 } @{$of->{pts}};
            push @wrong, "$rung: $n has pictures of its own"
                if grep { !$has{$_} } @{$own->{pts}};
        }
    }

    is(join("\n", @wrong), '', "$name: all segments");
    is(sum0(map { scalar @{$_->{pts}} } values %{$table->{v1}}), 600,
       "$name: the source has all of its pictures");

    cmp_ok(sum0(map { scalar @{$_->{pts} || []} }
                values %{$table->{$rungs[0]}}), '<', 500,
           "$name: a rung has not");
}

$t->done();
