#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A name that is being published is taken over only from who has gone silent,
# also by a publisher on another worker.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my $t = live_nginx(workers => 2);
my ($one, $two) = $t->worker_pids();

my $start = 'NetStream.Publish.Start';
my $bad = 'NetStream.Publish.BadName';

# one that sends all the time, in a process of its own

my $sends = $t->background('sends', sub {
    my $p = live_publish($t, 'live/x', worker => $one);
    my $n = $p->play(\@tags, speed => 1, to => 5000);
    my $alive = $p->poll(0.1);
    $p->close();
    die "it was replaced\n" if !$alive;
});

wait_until(sub {
    my $s = live_stream($t, 'x');
    $s && @{$s->{tracks}} && $s->{tracks}[0]{frames};
}, 10, 'media');

my %codes;
my $tries = 0;

while (live_stream($t, 'x')->{state} eq 'live' && $tries < 12) {
    my $p = live_publish($t, 'live/x', worker => $tries % 2 ? $one : $two,
                         refused => 1);
    $codes{$p->{code}}++;
    $tries++;
    is($p->{status}{description}, 'the stream is being published already',
       'it is told why') if $tries == 1;
    $p->close();
    sleep 0.2;
}

is_deeply([keys %codes], [$bad], 'nobody gets the name of one who sends')
    or diag explain \%codes;
is($sends->wait(15), 0, 'who sends goes on to the end') or diag $t->log();
is(live_stream($t, 'x')->{publishes}, 1, 'and was the only publisher');

like($t->log(), qr/rtmp\ publish\ refused:\ the\ stream\ is\ being\ published
                   \ already,\ name:"x"\ by:rtmp\ from:127\.0\.0\.1
                   \ since:\d{4}-\d\d-\d\dT[\d:.]+Z,\ which\ sent\ media
                   \ \d+\ ms\ ago/x, 'the log says who is in the way');

# one that vanishes without a word: its connection stays, nothing comes

my $gone = live_publish($t, 'live/y', worker => $one);
$gone->play(\@tags, to => 2000);

my $back;

wait_ok(sub {
    $back = live_publish($t, 'live/y', worker => $two, refused => 1);
    $back->close() if $back->{code} ne $start;
    $back->{code} eq $start;
}, 15, 'who has gone silent is replaced');

is($gone->wait_command('onStatus', 5)->{args}[1]{code},
   'NetStream.Unpublish.Success', 'the old one is told');
ok($gone->wait_closed(5), 'and its connection closed');

$back->play(\@tags, from => 2000, to => 4000);
is(live_stream($t, 'y')->{publishes}, 2, 'the same stream goes on');
is(live_stream($t, 'y')->{publisher}{pid}, $two, 'on the other worker');
$back->close();

# no message that is not media keeps the name

my $chatter = live_publish($t, 'live/z', worker => $one);
$chatter->play(\@tags, to => 1000);

wait_ok(sub {
    $chatter->message(4, 0, pack('nN', 7, 1));
    $chatter->data(0, Test::Media::RTMP::amf('onTextData', { text => 'x' }));
    my $p = live_publish($t, 'live/z', worker => $two, refused => 1);
    $p->close();
    $p->{code} eq $start;
}, 15, 'talk is not media');

$chatter->close();

$t->done();
