#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A feature with memory that all workers share: it is switched on without loss
# of a stream, its memory outlives reloads, what a dead worker had in it is
# cleared, and that its handlers fail harms nobody.  The feature is that of
# t/modules/ngx_media_test_feature_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my $t = live_nginx(test_modules => 1, workers => 2);
my $conf = $t->read_file('nginx.conf');
my @tags = live_tags('plain');
my @one = $t->worker_pids();


# what the memory has, in the newest line

sub feature {
    my ($line) = reverse grep { /test feature/ } split /^/, $t->log();

    return { ($line || '') =~ /(\w+):(\d+)/g };
}


my $p = live_publish($t, 'live/x', worker => $one[0]);
live_play([$p, \@tags, speed => 4, to => 2400]);

wait_until(sub { (feature()->{rows} || 0) == 2 }, 10, 'both workers');

my $before = feature();
is($before->{made}, 1, 'its memory');
is($before->{on}, 0, 'while it is off');
is($before->{failed}, 0, 'and nothing is told');

# on

$t->write_file('nginx.conf',
               $conf =~ s/^(media live \{)/$1 test_feature on;/mr);
$t->reload();

wait_until(sub { feature()->{on} }, 10, 'a new worker');

is($t->log_count(qr/was replaced/), 0, 'no zone is replaced');
is(live_stream($t, 'x')->{publisher}{pid}, $one[0], 'the publisher stays');

my $on = feature();
is($on->{made}, 1, 'the same memory');
cmp_ok($on->{ticks}, '>', $before->{ticks}, 'as it was');

# a publisher of a new worker

my @two = $t->worker_pids();
my $q = live_publish($t, 'live/y', worker => $two[0]);

live_play([$q, \@tags, speed => 4, to => 4000]);
wait_until(sub { feature()->{failed} > 100 }, 10, 'handlers that fail');

$q->close();
wait_until(sub { live_stream($t, 'y')->{state} eq 'grace' }, 5, 'the end');

my $r = live_check($t, '/live/y', runs => 1, name => 'y');
my $m = live_match($r, $q);

is($m->{video}{missing}, 0, 'all frames');
cmp_ok($m->{audio}{missing}, '<=', 1, 'all sound but a frame');
ok($t->wait_log(qr/ live\/y: ended after [^;]+; 100 frames/),
   'another feature is told all the same');

# one worker leaves with its publisher, and one dies

$p->close();
wait_until(sub { !$t->old_workers() && feature()->{rows} == 2 }, 10,
           'old ones have left');

my $swept = feature()->{swept};

$t->kill_worker($two[1]);

wait_ok(sub { my $f = feature();
              $f->{swept} > $swept && $f->{rows} == 2 }, 10,
        'what a dead one had is cleared');
is(feature()->{made}, 1, 'and the memory is the same');

$t->done();
