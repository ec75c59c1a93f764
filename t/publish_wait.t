#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Access checks that answer later, or never, or fail: nothing of what a
# publisher sends meanwhile is lost, and nobody else is hurt.  The check is that
# of t/modules/ngx_media_test_access_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my $start = 'NetStream.Publish.Start';
my $denied = 'NetStream.Publish.Denied';

my @tags = live_tags('plain');
my @video = grep { $_->[0] == 9 && !Test::Media::RTMP::is_header(9, $_->[2]) }
    @tags;

my $t = live_nginx(test_modules => 1, workers => 1, stopped => 1,
                   main => 'media_test_access;',
                   rtmp => <<'EOC');
    }
    server {
        listen 127.0.0.1:%%PORT_SHORT%%;
        media_rtmp;
        media_rtmp_timeout      2s;
        media_rtmp_idle_timeout 3s;
EOC
$t->run();

# what a client says that waits for nothing: all is sent before any answer

sub pipelined {
    my ($name, $from, $to, %opt) = @_;

    my $p = $t->rtmp(%opt);
    $p->handshake();

    my $out = $p->chunks(1, 0, pack 'N', 4096);
    $p->{out_chunk} = 4096;

    my $command = sub {
        my ($stream, @args) = @_;
        $out .= $p->chunks(20, 0, Test::Media::RTMP::amf(@args), csid => 8,
                           message_stream => $stream);
    };

    $command->(0, 'connect', 1, { app => \($opt{app} || 'live') });
    $command->(0, 'createStream', 2, undef);
    $command->(1, 'publish', 3, undef, \$name, 'live');

    $out .= $p->chunks(@$_)
        for grep { Test::Media::RTMP::is_header($_->[0], $_->[2])
                   || $_->[1] >= $from && $_->[1] < $to } @tags;

    $p->{out} = $out;

    return $p;
}

sub frames {
    my ($name) = @_;

    my $s = live_stream($t, $name);
    return $s && $s->{track}{v1} ? $s->{track}{v1}{frames} : 0;
}

sub status_of {
    my ($p) = @_;

    my $m = $p->wait_command('onStatus', 10);
    return $m ? $m->{args}[1] : { code => 'no status' };
}

sub code_of { return status_of($_[0])->{code} }

sub asked { return $t->wait_log(qr/access asked, publish name:"$_[0]"/, 5) }

# media behind the command, more than the kernels hold, and the end

my $sent = grep { $_->[1] < 8000 } @video;
my $p = pipelined('x?wait=300', 0, 8000, app => 'live?key=1');

ok(length $p->{out} > 300_000, 'much more than is held');
$p->raw($p->{out});
is(code_of($p), $start, 'admitted after 300 ms');
ok($t->wait_log(qr/asked,\ publish\ name:"x"\ args:"key=1&wait=300"
                   \ by:rtmp\ from:127\.0\.0\.1/x, 5),
   'the check knows who it is');
$p->close();
wait_ok(sub { frames('x') == $sent }, 10, 'each frame has come')
    or diag frames('x') . " of $sent";
is(live_stream($t, 'x')->{discontinuities} || 0, 0, 'in its order');

# small pieces, so that the rest ends in the middle of a message

$p = pipelined('y?wait=300', 0, 2000);
$p->raw($p->{out}, step => 4999, pause => 0.001);
is(code_of($p), $start, 'in pieces');
$p->close();
$sent = grep { $_->[1] < 2000 } @video;
wait_ok(sub { frames('y') == $sent }, 10, 'each frame has come');

# as if later, which is at once

$p = $t->rtmp();
is($p->open('live/once?wait=0'), $start, 'answered before it returned');
$p->close();

# refused, at once and later, and a check that fails

my $status = $t->status();
my $refused = sub { return live_stream($t, 'x')->{zone}{refused} };
my $before = $refused->();
my $good = live_publish($t, 'live/good');
$good->play(\@tags, to => 1000);

for my $case (['say=no', 'the test says no'],
              ['wait=50&say=no', 'the test says no'],
              ['wait=0&say=no', 'the test says no'],
              ['say=fail', 'the access check failed'],
              ['wait=50&say=fail', 'the access check failed'])
{
    my ($args, $reason) = @$case;

    $p = pipelined("no?$args", 0, 2000);
    $p->raw($p->{out});
    is_deeply(status_of($p), { level => 'error', code => $denied,
                               description => $reason }, "refused, $args");
    ok($p->poll(0.1), 'its connection goes on');
    $p->close();
}

is($refused->(), $before + 5, 'counted');
is($t->log_count(qr/rtmp publish refused: the test says no, name:"no"/), 3,
   'and said');
ok(!live_stream($t, 'no'), 'its name was never claimed');

$good->play(\@tags, from => 1000, to => 3000);
wait_ok(sub { frames('good') >= 70 }, 10, 'who publishes is not hurt');

# one that never answers: the deadline, with others on the same connection

$p = pipelined('never?wait=never', 0, 2000, port => $t->port('SHORT'));
$p->raw($p->{out});
is_deeply(status_of($p), { level => 'error', code => $denied,
                           description => 'the access check did not answer '
                                          . 'in time' }, 'never answered');
ok($p->wait_closed(10), 'and closed');
ok($t->wait_log(qr/test access cancelled/, 5), 'the check is told');

$p = live_publish($t, 'live/first', port => $t->port('SHORT'));
$p->play(\@tags, to => 1000);
is($p->reply($p->command('createStream', undef))->{args}[1], 2, 'a second');
$p->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef,
                                          \'second?wait=never', 'live'),
            csid => 8, message_stream => 2);
is(code_of($p), $denied, 'its deadline');
$p->play(\@tags, from => 1000, to => 3000);
wait_ok(sub { frames('first') >= 70 }, 10, 'and the first goes on');
$p->close();

# two streams: what comes for the first while the second waits

$p = live_publish($t, 'live/one');
$p->play(\@tags, to => 1000);
$p->reply($p->command('createStream', undef));
$p->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef,
                                          \'two?wait=300', 'live'),
            csid => 8, message_stream => 2);
$p->play(\@tags, from => 1000, to => 4000, speed => 1000);
is(code_of($p), $start, 'a second stream is admitted');
$p->close();
$sent = grep { $_->[1] < 4000 } @video;
wait_ok(sub { frames('one') == $sent }, 10, 'and the first lost nothing')
    or diag frames('one') . " of $sent";

# a client that goes away, by its end and by a reset

for my $how (qw/ close reset /) {
    my $n = $t->log_count(qr/test access cancelled/);

    $p = pipelined("gone-$how?wait=never", 0, 1000);
    $p->raw($p->{out});
    ok(asked("gone-$how"), "$how: it waits");
    $p->$how();
    wait_ok(sub { $t->log_count(qr/test access cancelled/) > $n }, 5,
            "$how: the check is told");
    ok($t->wait_log(qr/ended before access checks answered: .*gone-$how"/, 5),
       "$how: and the log");
}

# a worker that leaves: who only waits has to come again, and who is admitted
# too late is told so

$p = pipelined('leaves?wait=never', 0, 1000);
$p->raw($p->{out});
ok(asked('leaves'), 'it waits');

my $stays = live_publish($t, 'live/stays');
$stays->play(\@tags, to => 1000);
$stays->reply($stays->command('createStream', undef));
$stays->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef,
                                              \'late?wait=exit', 'live'),
                csid => 8, message_stream => 2);
ok(asked('late'), 'another waits');

$t->{conf} =~ s/media_test_access;//;
$t->write_file('nginx.conf', $t->{conf});
$t->reload();

ok($p->wait_closed(10), 'a worker that leaves closes it');
is_deeply(status_of($stays), { level => 'error', code => $denied,
                               description => 'the server is restarting, '
                                              . 'connect again' },
          'a worker that leaves takes nobody');
$stays->play(\@tags, from => 1000, to => 2000);
$stays->close();
$good->close();

# the list is that of the configuration

$p = $t->rtmp();
is($p->open('live/free?say=fail'), $start, 'without a check all may');
$p->close();

$t->done();
