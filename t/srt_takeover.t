#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Encoders that vanish and come back over SRT, several behind one address, and
# callers that use a port which was another one's.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::SRT;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; publish_conflict reject; }
media drop { zone 32m; segment 1s; part 200ms; publish_conflict drop; }

stream {
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt live; }
    server { listen 127.0.0.1:%%UDP_DROP%% udp reuseport; media_srt drop; }
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

sub caller_of { return srt_caller($t, "publish:$_[0]", @_[1 .. $#_]) }
sub stream { return $t->stream(@_) }
sub frames { return $t->frames(@_) }

# as many bytes as a second has, at once

my $second = 1316 * int(length($ts) / 10 / 1316);
my %sent;

sub sends {
    my ($p, $seconds) = @_;

    my $from = $sent{$p} || 0;

    $p->send_ts(substr($ts, $from, $second), seconds => $seconds || 0);
    $sent{$p} = $from + $second;
}

# one that sends is never replaced, whoever asks

my $one = caller_of('x');
is($one->connect(), 1, 'an encoder');
sends($one);
ok($one->pump(10, sub { frames('live', 'x') }), 'its media come');

sends($one, 0.4);

my $other = caller_of('x');
is($other->connect(), 2409, 'another one, from the same address');
$other->close();

my $two = caller_of('y');
is($two->connect(), 1, 'two behind one address are two');
sends($two);
ok($two->pump(10, sub { frames('live', 'y') }), 'both publish');
ok(!$one->{closed}, 'the first has not been disturbed');

# it vanishes, and returns from another port, in spite of "reject"

my $back = srt_let_in($t, 'publish:x');

ok($back, 'it returns from another port');

ok($one->pump(5, sub { $one->{closed} }), 'its ghost is told');
is(stream('live', 'x')->{publishes}, 2, 'the same stream goes on');
like($t->log(), qr/srt publish ended: another publisher took the stream over/,
     'the log says so');

sends($back);
ok($back->pump(10, sub { frames('live', 'x') }), 'and has media');

# from another address nobody takes it

my $far = caller_of('x', from => '127.0.0.2');
sleep 1.2;
is($far->connect(), 2409, 'one from another address is refused');
$far->close();

# with "drop" he may, after 2 s of silence

my $gone = caller_of('z', server => 'DROP');
is($gone->connect(), 1, 'one that vanishes');
sends($gone);
ok($gone->pump(10, sub { frames('drop', 'z') }), 'its media come');

$far = srt_let_in($t, 'publish:z', server => 'DROP', from => '127.0.0.2');
ok($far, 'another address has it with "drop"');

# the same port, which is another caller's now

my $port = $far->port();
$far->close();

my $same = caller_of('w', server => 'DROP', from => '127.0.0.2',
                     from_port => $port);
is($same->connect(), 1, 'a caller with the port of another one');
ok($t->wait_log(qr/its port is another caller's now/, 5),
   'ends what there was');
sends($same);
ok($same->pump(10, sub { frames('drop', 'w') }), 'and publishes');

# likewise one that always has the same id, also right after its end

my $id = $same->{opt}{id};

for my $how ('while it is there', 'after its end') {
    $same->shutdown() if $how =~ /end/;
    $same->close();
    $same = caller_of('w', server => 'DROP', from => '127.0.0.2',
                      from_port => $port, id => $id);
    is($same->connect(), 1, "one with the same port and id, $how");
    is($same->{hs}{isn}, $same->{opt}{isn}, 'with its own ISN');
}

# nobody is there any more: ICMP says so

$same->close();
ok($t->wait_log(qr/srt peer is not there any more/, 10),
   'a port that is closed is not waited for');

# spoofed: an induction, or a conclusion without a cookie, ends nothing

my $last = caller_of('last');
is($last->connect(), 1, 'one that stays');
$last->raw($last->induction(id => 77));
$last->raw($last->conclusion(id => 77, cookie => 1234));
sends($last);
$last->pump(0.3);
ok(!$last->{closed}, 'who only knows addresses ends nothing');
ok($last->pump(10, sub { frames('live', 'last') }), 'it publishes');

$last->shutdown();
ok($t->wait_log(qr/srt publish ended: peer closed .* stream: last$/m, 5),
   'the end');

$t->done();
