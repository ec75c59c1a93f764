#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Access checks of viewers, by RTMP and in FLV: what they are asked, answers
# that come later, no answer, and clients that go meanwhile.  The check is that
# of t/modules/ngx_media_test_access_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Viewer;

my $t = live_nginx(test_modules => 1, workers => 1, app => 'grace 2s;',
                   main => 'media_test_access;',
                   rtmp => 'media_rtmp_play on;');
my $start = 'NetStream.Play.Start';
my @tags = live_tags('plain');

play_publish($t, 'live/s', \@tags);
wait_until(sub { $t->log_count(qr/publish started/) }, 5, 'a publisher');

sub rtmp { return viewer_rtmp($t, "live/s?$_[0]") }
sub flv { return viewer_flv($t, "/live/s.flv?$_[0]") }

my @v = map { (rtmp($_), flv($_)) } 'key=1', 'wait=0', 'wait=300';

viewers_have(sub { $_[0]->frames() >= 30 }, 10, @v);
is(join(' ', map { $_->status() } @v), join(' ', ($start, 200) x 3),
   'yes, at once and later');
ok($t->wait_log(qr/asked, play name:"s" args:"key=1" by:rtmp from:127/, 1),
   'what is asked of RTMP');
ok($t->wait_log(qr/asked, play name:"s" args:"key=1" by:flv from:127/, 1),
   'and of FLV');

for my $args ('say=no', 'wait=50&say=no') {
    my $v = rtmp($args);
    my $w = flv($args);

    is($v->{status}, 'NetStream.Play.Failed', "RTMP, $args");
    is($v->{rtmp}{status}{description}, 'the test says no', 'why');

    viewers_have(sub { $_[0]->closed() }, 5, $w);
    is($w->status(), 403, "FLV, $args");
}

is(viewer_rtmp($t, 'live/none?say=no')->{status}, 'NetStream.Play.Failed',
   'who may not play is not told what there is');
is(viewer_rtmp($t, 'live/none')->{status}, 'NetStream.Play.StreamNotFound',
   'who may is');

# nobody waits any more

my $p = $t->rtmp();
$p->open_app('live');
$p->stream_command('play', undef, \'s?wait=never', -2000);
$p->stream_command('closeStream', undef);
my $v = viewer_rtmp($t, 'live/s', connection => $p);
is($v->{status}, $start, 'another play in place of one that waits');

my $q = $t->rtmp();
$q->open_app('live');
$q->stream_command('play', undef, \'s?wait=never', -2000);
$q->poll(0.2);
$q->close();

my $w = flv('wait=never');
$t->pump(0.3);
$w->close();

viewers_have(sub { $_[0]->frames() >= 5 }, 5, $v);
is(join(', ', map { viewer_faults($_) } @v, $v), '', 'the others see it all');

$t->done();
