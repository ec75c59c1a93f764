#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A worker that is killed: peers of its sessions are told by another one and are
# back at once, those of others notice nothing.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; publish_conflict reject; }

stream {
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /status { media_status; }
    }
}
EOC

$t->run();

my $ts = srt_source();

sub stream { return $t->stream('live', $_[0]) }
sub frames { return $t->frames('live', $_[0]) }

sub publishes {
    my ($name) = @_;

    my $p = srt_caller($t, "publish:live/$name");
    my $code = $p->connect() // 'nothing';

    die "$name is told $code\n" if $code != 1;

    $p->send_ts(substr($ts, 0, 1316 * 30));
    $p->pump(20, sub { frames($name) }) or die "no media of $name\n";

    return $p;
}

# two of them, in two workers

my $one = publishes('one');
my $pid = stream('one')->{publisher}{pid};
my ($two, $name);

for my $i (1 .. 40) {
    $name = "other$i";
    $two = publishes($name);
    last if stream($name)->{publisher}{pid} != $pid;
    $two->shutdown();
    undef $two;
}

ok($two, 'two publishers in two workers');

my $before = frames($name);

$t->kill_worker($pid);

# what it sends next comes to a worker that is there

my $sent = 0;

ok($one->pump(10, sub {
    $one->data('x' x 188) if $sent++ < 400;
    select undef, undef, undef, 0.005;
    $one->{closed};
}), 'the peer of a dead worker is told');

my ($told) = grep { $_->{control} && $_->{type} == 5 } @{$one->{got}};
is($told->{dst}, $one->{opt}{id}, 'by its own id');

my $n = $one->{count}{5};
$one->data('x' x 188) for 1 .. 50;
$one->pump(0.2);
cmp_ok($one->{count}{5}, '<=', $n + 1, 'and not each time');

my $again = publishes('one');

ok($again, 'it is back at once, in spite of "reject"');
is(stream('one')->{publishes}, 2, 'the same stream goes on');
isnt(stream('one')->{publisher}{pid}, $pid, 'in another worker');

ok(!$two->{closed}, 'the other publisher has noticed nothing');
$two->send_ts(substr($ts, 1316 * 30, 1316 * 60));
ok($two->pump(10, sub { frames($name) > $before }), 'and goes on');
is(stream($name)->{publishes}, 1, 'as one publisher');

# a session that has ended: late packets are answered, once a second

$two->shutdown();
ok($t->wait_log(qr/srt publish ended: peer closed .* stream: $name$/m, 5),
   'it ends');

$two->data('x' x 188) for 1 .. 20;
$two->pump(0.3);
cmp_ok($two->{count}{5} // 0, '<=', 1, 'what comes late is no flood');

$again->shutdown();
ok($t->wait_log(qr/srt publish ended: peer closed .* stream: one$/m, 5),
   'the end');

$t->done();
