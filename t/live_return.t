#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Publishers that vanish without a word and return on another worker; second
# publishers, which take over or are refused.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my @other = live_tags('other');

my $t = live_nginx(rtmp => 'media_rtmp_idle_timeout 4s;', main => <<'EOC');
media strict {
    zone 16m; segment 1s; window 60s; grace 30s; publish_conflict reject;
}
EOC

my ($one, $two) = $t->worker_pids();

# beside them somebody publishes all the time

my $beside = $t->background('beside', sub {
    my $p = live_publish($t, 'live/beside', worker => $two);
    $p->play([live_tags('gop10')], speed => 1, to => 12000);
    $p->close();
});

wait_until(sub { live_stream($t, 'beside') }, 5, 'a stream beside');

# gone without a FIN: its connection stays open, and nothing comes

my $gone = live_publish($t, 'live/x', worker => $one);
$gone->play(\@tags, speed => 1, to => 3000);

my $before = live_stream($t, 'x');
is($before->{publisher}{pid}, $one, 'publishes on one worker');

my $last = m3u8_parse($t->http_get('/live/x/v1.m3u8')->{body});

# in the meantime: a second one is refused where it is to be

my $strict = live_publish($t, 'strict/x', worker => $one);
$strict->play(\@tags, to => 1500);

my $second = live_publish($t, 'strict/x', worker => $two, refused => 1);
is($second->{code}, 'NetStream.Publish.BadName', 'a second one is refused');
$second->close();

ok($strict->play(\@tags, from => 1500, to => 2000, headers => 0)
   && $strict->poll(0.1), 'the first one goes on');

# it vanishes, too, and is given up after its idle timeout

wait_ok(sub {
    my $p = live_publish($t, 'strict/x', worker => $two, refused => 1);
    $p->play(\@other, to => 2000) if $p->{code} =~ /Start/;
    $second = $p;
    $p->{code} =~ /Start/;
}, 8, 'the name is free after the idle timeout');

ok($strict->wait_closed(2), 'and the connection closed');

# the first one returns on another worker

my $return = live_publish($t, 'live/x', worker => $two);
$return->play(\@other, speed => 1, to => 2500);
my $played = time();

my $after = live_stream($t, 'x');
is($after->{publisher}{pid}, $two, 'publishes on the other worker');
is($after->{publishes}, 2, 'for the second time');
cmp_ok($after->{track}{v1}{key_interval_max_ms}, '<', 10_000,
       'time since the epoch is no key frame interval');

# a third one is refused while the second one is sending, and takes over when
# that one falls silent

my $third = live_publish($t, 'live/x', worker => $one, refused => 1);
is($third->{code}, 'NetStream.Publish.BadName', 'not while it sends');

wait_until(sub {
    $third->close();
    $third = live_publish($t, 'live/x', worker => $one, refused => 1);
    $third->{code} =~ /Start/;
}, 10, 'the name of one who is silent');

ok($return->wait_command('onStatus', 5), 'the second one is told');
ok($return->wait_closed(5), 'and its connection closed');
$third->play([map { [$_->[0], $_->[1] + 100000, $_->[2]] } @tags], speed => 1,
             from => 104000, to => 106000);
$third->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $r = live_check($t, '/live/x', runs => 3, name => 'x');
my $m = live_match($r, $gone, $return, $third);
my ($first, @more) = @{$r->{tracks}{v1}{runs}};

# an open part is its publisher's own, and lost with the name

cmp_ok($m->{video}{missing}, '<=', 2 * 5, 'most frames');
cmp_ok($m->{audio}{missing}, '<=', 3 + 2 * 10, 'most sound');
is($m->{audio}{silent}, 0, 'no silence');
cmp_ok($m->{av}, '<', 3, 'sound and picture');
is($r->{tracks}{v1}{list}{msn}, $last->{msn}, 'numbers go on');

# what had begun counts, also where it is not listed yet

cmp_ok($more[0]{msn} - $last->{next_msn}, '>=', 0, 'where they were');
cmp_ok($more[0]{msn} - $last->{next_msn}, '<=', 1, 'and no farther');
cmp_ok($more[0]{start} - $first->{end}, '>', 1, 'the hole is to be seen');

# the wall clock of playlists is the clock

my @segments = @{$r->{tracks}{v1}{list}{segments}};
my ($back) = grep { $_->{msn} == $more[0]{msn} } @segments;
my $sent = $return->{sent_frames}[0]{at} * 1000;
cmp_ok($back->{pdt_msec}, '>', $sent - 1500, 'wall clock');
cmp_ok($back->{pdt_msec}, '<', $played * 1000, 'no later');

is($t->log_count(qr/publish ended: another publisher took.*: x$/), 1,
   'taken over: said once') or diag($t->log());

# nobody else noticed

is($beside->wait(15), 0, 'the one beside has sent all');
$r = live_check($t, '/live/beside', runs => 1, name => 'beside', forced => 1);
is(scalar @{$r->{tracks}{v1}{samples}}, 300, 'beside: all frames');

$_->close() for $second, $gone;

$t->done();
