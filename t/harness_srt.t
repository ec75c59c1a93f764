#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The SRT caller of the tests, with libsrt as its listener, and as a viewer's:
# all of what was sent comes, lost packets and encrypted ones, too.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT qw/ EXT /;

my $t = Test::Media->new(modules => 0);

my $pass = 'passphrase of 24';
my $ts = join '', map { pack('N', $_) . chr($_ & 255) x 184 } 0 .. 699;

sub transmit {
    my ($name, $from, $to) = @_;

    return $t->run_daemon($name, 'sh', '-c',
                          "exec srt-live-transmit '$from' '$to' "
                          . '> ' . $t->path("$name.out") . ' < '
                          . ($from =~ /^file/ ? $t->path('in') : '/dev/null'));
}

sub caller_of {
    my ($port, %opt) = @_;

    return wait_until(sub {
        my $p = Test::Media::SRT->new(port => $port, %opt);
        my $rc = $p->connect(seconds => 1);
        return $rc ? [$p, $rc] : undef;
    }, 10, 'a listener');
}

for my $test (
    ['clear', '', {}],
    ['encrypted', "&passphrase=$pass", { passphrase => $pass, pbkeylen => 24 }])
{
    my ($name, $args, $opt) = @$test;
    my $port = $t->udp($name);

    my $receiver = transmit($name, "srt://127.0.0.1:$port?mode=listener$args",
                            'file://con');

    if ($opt->{passphrase}) {
        my ($p, $rc) = @{caller_of($port, passphrase => 'another one')};
        is($rc, 1010, "$name: another passphrase");
    }

    my ($p, $rc) = @{caller_of($port, streamid => 'publish:live/test', %$opt)};
    is($rc, 1, "$name: connected");

    my $n = 0;
    my $lose = sub { return $n++ % 10 == 3 };

    $p->send_ts($ts, seconds => 0.5, lose => $lose);

    if ($opt->{passphrase}) {
        $p->refresh();
        ok($p->pump(5, sub {
               grep { $_->{type} == EXT && $_->{subtype} == 4 } @{$p->{got}}
           }), "$name: KMRSP");
        $p->switch();
    }

    $p->send_ts($ts, seconds => 0.5, lose => $lose);

    ok($p->pump(10, sub { ($p->{acked} // 0) == $p->{seq} }),
       "$name: all is acknowledged");
    cmp_ok($p->{repeated}, '>', 5, "$name: some of it was sent again");

    # what is on its way is lost with the end, and it writes as it leaves

    $p->pump(0.5);
    $p->shutdown();
    $receiver->stop();

    ok(slurp($t->path("$name.out")) eq $ts . $ts,
       "$name: all of it has come, as it was");
}

# a viewer, of one who sends keys of its own

my $port = $t->udp('viewer');

system 'mkfifo', $t->path('in');

my $sender = transmit('viewer', 'file://con',
                      "srt://127.0.0.1:$port?mode=listener&passphrase=$pass"
                      . '&pbkeylen=32');

open my $in, '+<', $t->path('in') or die;
$in->autoflush(1);

my ($p, $rc) = @{caller_of($port, passphrase => $pass, pbkeylen => 32,
                           viewer => 1)};
is($rc, 1, 'viewer: connected');

my $payload = substr $ts, 0, 1456;

$p->pump(5, sub {
    print $in $payload;
    return keys %{$p->{in}} >= 3;
});

is(scalar(grep { $_ eq $payload } values %{$p->{in}}), 3, 'viewer: packets');

$p->shutdown();
$sender->kill('KILL');

$t->done(zone => 0);
