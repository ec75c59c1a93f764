#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Hooks that are told of ends: once for each who was let in, and of nobody else,
# however that comes about; and updates.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Server;
use Test::Media::Viewer;

my $start = 'NetStream.Publish.Start';

my $t = Test::Media->new(workers => 2);
my $s = Test::Media::Server->new($t, 'S');

my $url = 'http://127.0.0.1:%%PORT_S%%';

my $conf = <<"EOC";
media live { zone 32m; segment 1s; part 200ms; grace 2s;
             publish_auth hook; publish_conflict drop;
             on publish $url/p timeout=3s; on publish_done $url/pd;
             on play $url/play; on play_done $url/playd; }
media told { zone 16m; segment 1s; part 200ms;
             on publish_done $url/td format=form call=done; }
media up { zone 16m; segment 1s; part 200ms;
           on update $url/u interval=1s; on publish_done $url/ud; }
media strict { zone 16m; segment 1s; part 200ms;
               on update $url/us format=form interval=1s fail=deny; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; media_rtmp_play on; }
}

http {
    media_sessions 1m timeout=3s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/   { media_live live; }
        location /up/     { media_live up; }
        location /strict/ { media_live strict; }
        location /status  { media_status; }
        location /metrics { media_metrics; }
    }
}
EOC

$t->write_conf($conf);
$t->run();

my @tags = live_tags('plain');

$s->on($_, {}) for qw{ /p /pd /play /playd /td /u /ud /us };


sub bodies {
    my ($path) = @_;

    return map { JSON::PP::decode_json($_->{body}) } $s->requests($path);
}


# what was told at this path: once for each id that was let in, for this reason

sub told {
    my ($path, $asked, $reason, $name) = @_;

    my @ids = map { $_->{id} } bodies($asked);

    wait_ok(sub { $s->count($path) >= @ids }, 10, "$name: told");

    my @told = bodies($path);

    is(join(' ', sort map { $_->{id} } @told), join(' ', sort @ids),
       "$name: of each once");
    like($_->{reason}, $reason, "$name: why") for @told;

    return @told;
}


sub publish {
    my ($path, %opt) = @_;

    my $p = $t->rtmp(%opt);
    my $code = $p->open($path) || 'nothing';

    is($code, $start, "$path is published");

    return $p;
}


# publish, without waiting for what it comes to

sub ask {
    my ($name) = @_;

    my $p = $t->rtmp();

    $p->open_app('live');
    $p->message(20, 0, Test::Media::RTMP::amf('publish', 9, undef, \$name,
                                              'live'),
                csid => 8, message_stream => 1);

    return $p;
}


# the usual way

my ($one, $two);
my $p = publish('live/demo?k=1');
$p->close();

my ($end) = told('/pd', '/p', qr/^client closed connection$/, 'publisher');

is_deeply($end, { event => 'publish_done', id => (bodies('/p'))[0]{id},
                  app => 'live', stream => 'demo', protocol => 'rtmp',
                  ip => '127.0.0.1', args => 'k=1', agent => 'FMLE/3.0',
                  reason => 'client closed connection' }, 'with all of it');

# without having been asked, in another format

publish('told/demo?k=1')->close();
wait_ok(sub { $s->count('/td') }, 10, 'told without being asked');
like(($s->requests('/td'))[0]{body},
     qr/^app=told&.*&clientid=\d+&call=done&name=demo&k=1$/, 'in a form');

# nor of one who does not get the name of another

$one = publish('told/busy');
$two = $t->rtmp();
isnt($two->open('told/busy'), $start, 'the name is taken');
$two->close();
sleep 1;
is($s->count('/td'), 1, 'which is not told');
$one->close();
wait_ok(sub { $s->count('/td') == 2 }, 10, 'the end of who had it is');

# who is not let in

$s->forget();
$s->on('/p', { status => 403 });
$p = $t->rtmp();
$p->open('live/demo');
$p->close();

# a client that does not wait for its yes, and one that would have had a no

$s->on('/p', { delay => 1 }, { delay => 1, status => 403 });

for my $name (qw/ yes no /) {
    my $n = $s->count('/p');

    $p = ask($name);
    wait_ok(sub { $s->count('/p') > $n }, 5, "asked about $name");
    $p->close();
}

wait_ok(sub { $s->count('/pd') }, 5, 'told of one who did not wait');
is(join(' ', map { "$_->{stream}: $_->{reason}" } bodies('/pd')),
   'yes: the client left before it was let in', 'of the one with a yes');

# another name, and one that is taken over

$s->forget();
$s->on('/p', { body => '{"stream":"news"}' });
$one = publish('live/secret-1');
$two = publish('live/secret-2');
ok($one->wait_closed(10), 'one takes over from the other');
$two->close();
told('/pd', '/p', qr/another publisher|client closed/, 'taken over');
is(join(' ', map { $_->{stream} } bodies('/pd')), 'news news',
   'as it is called');

# a name that is no name, and one that cannot be had

$s->forget();
$s->on('/p', { body => '{"stream":"a//b"}' });
$p = $t->rtmp();
isnt($p->open('live/x'), $start, 'no name');
$p->close();
told('/pd', '/p', qr/^it was not let in$/, 'no name');

# viewers

my $pub = play_publish($t, 'told/show', \@tags, to => 3000);
$pub->stop();
$s->on('/p', {});
$pub = play_publish($t, 'live/show', \@tags, to => 20000);
$t->wait_playlist('/live/show/v1.m3u8', sub { 1 }, 20);
$s->forget();

my @v = (viewer_rtmp($t, 'live/show'), viewer_flv($t, '/live/show.flv'));
viewers_have(sub { $_[0]->frames() >= 5 }, 10, @v);
is($s->count('/playd'), 0, 'they are here');
$_->close() for @v;
told('/playd', '/play', qr/^the viewer has left$/, 'viewers');

$s->forget();
like(viewer_rtmp($t, 'live/none')->{status}, qr/StreamNotFound/, 'not there');
$t->http_head('/live/show.flv');
told('/playd', '/play', qr/^it was not played$/, 'not played');

# it is tried again, also as the worker leaves

$s->forget();
$s->on('/pd', { status => 500 }, { close => 1 }, {});
publish('live/retry')->close();
$t->wait_log(qr/publish ended: .*stream: retry/, 5);
$t->reload();
wait_ok(sub { $s->count('/pd') >= 3 }, 20, 'told at the third time');
is(join(' ', map { $_->{id} } bodies('/pd')),
   join(' ', ((bodies('/p'))[0]{id}) x 3), 'the same');

$s->forget();
$s->on('/pd', { status => 404 });
publish('live/final')->close();
wait_ok(sub { $s->count('/pd') }, 10, 'told');
ok($t->wait_log(qr/answered publish_done with 404/, 5), 'a no is the end');

# a reload while one is asked about, whose worker does not take him then

$s->forget();
$s->on('/p', { delay => 1.5 });
$s->on('/pd', {});
$p = ask('late');
wait_ok(sub { $s->count('/p') }, 5, 'asked');
$t->reload();
told('/pd', '/p', qr/^(the server is restarting|the client left)/, 'reload');
$p->close();

# killed: who publishes, who is asked about, and who tells

wait_ok(sub { !$t->old_workers() }, 20, 'the old workers have gone');
$pub->stop();

for my $case (['publishes', {}, {}], ['is asked about', { delay => 2 }, {}],
              ['is told of', {}, { delay => 2 }])
{
    my ($name, $asked, $told) = @$case;

    $s->forget();
    $s->on('/p', $asked);
    $s->on('/pd', $told, {});

    $p = ask('killed');
    my $worker = $t->worker_of($p->sock());

    if ($asked->{delay}) {
        wait_ok(sub { $s->count('/p') }, 5, 'asked');

    } else {
        is($p->wait_command('onStatus', 10)->{args}[1]{code}, $start,
           'published');
    }

    if ($told->{delay}) {
        $p->close();
        wait_ok(sub { $s->count('/pd') }, 5, 'told');
    }

    $t->kill_worker($worker);

    # who dies as he sends has another one send it again

    my $n = $told->{delay} ? 2 : 1;

    wait_ok(sub { $s->count('/pd') >= $n }, 15, "killed: who $name");
    is(join(' ', map { $_->{id} } bodies('/pd')),
       join(' ', ((bodies('/p'))[0]{id}) x $n), 'the same');
    like((bodies('/pd'))[-1]{reason},
         $told->{delay} ? qr/^client closed/ : qr/^its worker process has gone/,
         'why');
    $p->close();
    sleep 2;
    is($s->count('/pd'), $n, 'and not again');
}

# many, two reloads, and one of the old workers dies

wait_ok(sub { !$t->old_workers() }, 20, 'the old workers have gone');
$s->forget();
$s->on($_, {}) for qw{ /p /pd };

my @many = map { publish("live/many-$_") } 1 .. 12;

$t->reload();
push @many, map { publish("live/more-$_") } 1 .. 4;
$t->reload();

my ($old) = $t->old_workers();
my $lost = grep { $t->worker_of($_->sock()) == $old } @many;

$t->kill_worker($old);
wait_ok(sub { $s->count('/pd') == $lost }, 20, "those of a worker, $lost")
    or diag($s->count('/pd'));
$_->close() for @many;
told('/pd', '/p', qr/^(client closed|its worker)/, 'many');

# a yes that is over

$s->forget();
$s->on('/p', { body => '{"expires":2}' });
$p = publish('live/short');
ok($p->wait_closed(10), 'it has to go then');
told('/pd', '/p', qr/^the time that access was given for is over$/, 'over');

# updates: who is here, until one is refused

$s->forget();
$pub = play_publish($t, 'up/demo', \@tags, to => 20000);
$t->wait_playlist('/up/demo/v1.m3u8', sub { 1 }, 20);
my $v = viewer_rtmp($t, 'up/demo?k=1');

my $of = sub { return grep { $_->{action} eq $_[0] } bodies('/u') };

wait_ok(sub { $of->('publish') >= 2 && $of->('play') >= 2 }, 15, 'updates');
is(scalar(keys %{{ map { $_->{id} => 1 } bodies('/u') }}), 2, 'of two');
ok(($of->('publish'))[1]{time} >= 1, 'with a time');

$s->on('/u', { status => 500 });
my $n = $s->count('/u');
wait_ok(sub { $s->count('/u') >= $n + 3 }, 10, 'one that fails');
ok($pub->running(), 'changes nothing');

$s->on('/u', { status => 403 });
wait_ok(sub { $v->closed() }, 10, 'a viewer is refused');
ok($t->wait_log(qr/publish ended: the hook does not let it go on/, 10),
   'and a publisher');
wait_ok(sub { $s->count('/ud') == 1 }, 10, 'which is told');
is((bodies('/ud'))[0]{reason}, 'the hook does not let it go on', 'why');
$pub->stop();

$s->on('/us', { status => 302 }, { status => 302 }, { close => 1 });
$pub = play_publish($t, 'strict/demo', \@tags, to => 20000);
ok($t->wait_log(qr/ends id:[0-9a-f]+: the hook did not answer/, 15),
   'fail=deny');
ok($s->count('/us') >= 3, 'forms may redirect');
like(($s->requests('/us'))[0]{body},
     qr/&call=update_publish&time=1&timestamp=1\d\d\d&name=demo$/, 'a form');
$pub->stop();

# given up, with a name where it cannot be a secret

$p = publish('live/hidden');
$s->stop();
$p->close();
publish('told/lost')->close();
ok($t->wait_log(qr/was not told publish_done of stream "lost", .* 4 tries: the/,
                30), 'the log has what was lost');
ok($t->wait_log(qr/was not told publish_done of stream "\*\*\*", id:/, 15),
   'but no secret');
like($t->http_get('/metrics')->{body},
     qr/hooks_total\{app="told",event="publish_done",result="lost"\} 1$/m,
     'and it is counted');

$t->done();
