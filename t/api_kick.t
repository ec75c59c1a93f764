#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Publishers that are made to leave, by any worker, and bans: back at once
# without one, refused with one, over reloads and dead workers.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Live;

my $start = 'NetStream.Publish.Start';
my $denied = 'NetStream.Publish.Denied';
my $secret = 'a-secret-of-an-encoder';

my @tags = live_tags('plain');

my $t = live_nginx(workers => 2, http => <<'EOC',
        location /api/ { media_api write; allow 127.0.0.1; deny all; }
EOC
    main => <<'EOC',
media keyed { zone 16m; publish_auth keys=%%DIR%%/keys; }
EOC
    rtmp => 'media_rtmp_play on;', stopped => 1);

$t->write_file('keys', "$secret hidden\n");
chmod 0600, $t->path('keys');
$t->run();

my $api = Test::Media::API->new($t, '/api');

sub workers { return $t->worker_pids() }

# what one is told who would publish

sub told {
    my ($path, %opt) = @_;

    my $p = live_publish($t, $path, refused => 1, %opt);
    my $said = $p->{code} eq $start ? 'yes' : $p->{status}{description};
    $p->close();

    return $said;
}

sub bans { return $api->call('GET', '/v1/bans')->{json} }

sub lift {
    $api->call('DELETE', "/v1/bans/$_->{id}") for @{bans()->{items}};
    is(bans()->{total}, 0, 'all bans are lifted');
}

# by the other worker, one that sends and one that is silent

my ($one, $two) = workers();

for my $silent (0, 1) {
    my $p = live_publish($t, 'live/x', worker => $two);
    $p->play(\@tags, to => 2000);

    is(live_stream($t, 'x')->{publisher}{pid}, $two, 'on the second worker');

    my $r = $api->call('DELETE', '/v1/publishers/live/x', worker => $one);
    is($r->{status}, 204, 'disconnected by the first');
    is(live_stream($t, 'x')->{publisher}{connected}, JSON::PP::false(),
       'at once');
    is(live_stream($t, 'x')->{publisher}{end},
       'it was disconnected by an administrator', 'the status knows why');

    eval { $p->play(\@tags, from => 2000, to => 4000) } if !$silent;

    my $m = $p->wait_command('onStatus', 10);
    is($m->{args}[1]{code}, 'NetStream.Unpublish.Success',
       ($silent ? 'silent' : 'sending') . ', it is told');
    is($m->{args}[1]{description}, 'it was disconnected by an administrator',
       'and why');
    ok($p->wait_closed(10), 'and its connection is closed');
    wait_ok(sub {
        $t->log_count(qr/live\/x: ended .* disconnected by an admin/)
            == $silent + 1;
    }, 10, 'so is who follows its end');

    is(told('live/x', worker => $silent ? $one : $two), 'yes',
       'it may come back');
}

is(live_stream($t, 'x')->{publishes}, 4, 'to the same stream');
is($t->log_count(qr/\[notice\].*media publisher of "live\/x" is disconnected/),
   2, 'the log says who did that');

# ffmpeg takes it for an end

my $encoder = $t->ffmpeg_publish('live/a/b', worker => $two);
wait_until(sub { my $s = live_stream($t, 'a/b'); $s && @{$s->{tracks}} }, 20,
           'ffmpeg');
is($api->call('DELETE', '/v1/publishers/live/a%2Fb', worker => $one)->{status},
   204, 'a name with a slash, encoded or not');
ok(defined $encoder->wait(20), 'ffmpeg ends');

# nobody, nowhere

for (['/v1/publishers/live/none', 'no-such-publisher'],
     ['/v1/publishers/live/x?ban=60', 'no-such-publisher'],
     ['/v1/publishers/other/x', 'no-such-application'],
     ['/v1/bans/0000000000000001', 'no-such-ban'],
     ['/v1/bans/none', 'no-such-ban'])
{
    my $r = $api->call('DELETE', $_->[0]);
    is("$r->{status} $r->{json}{type}", "404 urn:media:$_->[1]", $_->[0]);
}

is(bans()->{total}, 0, 'nobody is banned by that');

# with a ban of the name, or of the address

my $by_name = q(the stream's name is banned for a while);
my $by_address = 'the address is banned for a while';

for (['', $by_name, 'yes', $by_name],
     ['&by=address', $by_address, $by_address, 'yes'],
     ['&by=both', $by_name, 'yes', 'yes'])
{
    my ($by, $same, $other, $from) = @$_;

    my $p = live_publish($t, 'live/x', worker => $two);
    is($api->call('DELETE', "/v1/publishers/live/x?ban=600$by",
                  worker => $one)->{status}, 204, "with a ban$by");
    is($p->wait_command('onStatus', 10)->{args}[1]{description},
       'it is banned', 'it is told');

    for my $worker ($one, $two) {
        is(told('live/x', worker => $worker), $same, 'it is refused');
        is(told('live/y', worker => $worker), $other, 'with another name');
        is(told('live/x', from => '127.0.0.2', worker => $worker), $from,
           'from another place');
    }

    lift();
    is(told('live/x'), 'yes', 'it is let in again');
}

# for a second

{
    my $p = live_publish($t, 'live/x');
    $api->call('DELETE', '/v1/publishers/live/x?ban=1');
    is(told('live/x'), $by_name, 'for a second');
    wait_ok(sub { told('live/x') eq 'yes' }, 10, 'which goes by');
    is(bans()->{total}, 0, 'and nothing is left');
}

# it outlives a reload, and each worker

my $p = live_publish($t, 'live/x');
$api->call('DELETE', '/v1/publishers/live/x?ban=600');
my $ban = bans()->{items}[0];
$t->reload();
is(told('live/x'), $by_name, 'after a reload');

for my $worker (workers()) {
    $t->kill_worker($worker);
    is(told('live/x'), $by_name, 'after kill -9');
}

is(bans()->{items}[0]{id}, $ban->{id}, 'it is the same');
is_deeply([map { $_->{json}{total} } $api->each_worker('GET', '/v1/bans')],
          [1, 1], 'for each worker');
lift();

# whose worker has just died

($one, $two) = workers();
$p = live_publish($t, 'live/x', worker => $two);
$p->play(\@tags, to => 2000);
$t->kill_worker($two);
my $r = $api->call('DELETE', '/v1/publishers/live/x');
like($r->{status}, qr/^(?:204|404)\z/, "it may have been noticed or not");
is($api->call('GET', '/v1/publishers')->{json}{total}, 0, 'it has gone');
is(told('live/x'), 'yes', 'it may come back');

# one that is not there; a network; who publishes is disconnected

$p = live_publish($t, 'live/x', from => '127.0.0.3');
my $other = live_publish($t, 'live/y', from => '127.0.1.3');

$r = $api->call('POST', '/v1/bans', json => { app => 'live',
                address => '127.0.0.0/24', seconds => 600 });
is($r->{status}, 201, 'a network is banned');
is($r->{json}{address}, '127.0.0.0/24', 'that one');
is($r->{headers}{location}, "bans/$r->{json}{id}", 'and where it is');
ok($p->wait_closed(10), 'who publishes from it is disconnected');
is(told('live/z', from => '127.0.0.9'), $by_address, 'nobody else comes');
is(told('live/z', from => '127.0.1.9'), 'yes', 'but from elsewhere');
is($api->call('GET', '/v1/publishers')->{json}{items}[0]{name}, 'y',
   'who is not in it stays');
$other->close();
lift();

$r = $api->call('POST', '/v1/bans',
                json => { app => 'live', address => '2001:db8::1:2',
                          seconds => 1 });
is($r->{json}{address}, '2001:db8::/64', 'IPv6 is its /64');
$r = $api->call('POST', '/v1/bans',
                json => { app => 'live', address => '2001:db8::1/128',
                          name => 'x', action => 'any', seconds => 1 });
is($r->{json}{address}, '2001:db8::1', 'unless it is said');

# to play

$p = live_publish($t, 'live/x');
$p->play(\@tags, to => 2000);
$api->call('POST', '/v1/bans', json => { app => 'live', name => 'x',
           action => 'play', seconds => 600 });

my $viewer = $t->rtmp();
$viewer->open_app('live');
$viewer->play('x');
is($viewer->{status}{description}, $by_name, 'who would play over RTMP');
$viewer->close();

is($t->http_get('/live/x.flv')->{status}, 403, 'or in FLV');
is($t->http_get('/live/x/index.m3u8')->{status}, 200, 'not over HLS');
is($api->call('GET', '/v1/publishers')->{json}{total}, 1, 'nor to publish');
$p->close();
lift();

# whose stream key is a secret: its name is banned, and the key is nowhere

is(told("keyed/$secret"), 'yes', 'by a key');
$p = live_publish($t, "keyed/$secret");
is($api->call('DELETE', "/v1/publishers/keyed/$secret")->{status}, 404,
   'the key is no name');
is($api->call('DELETE', '/v1/publishers/keyed/hidden?ban=600')->{status}, 204,
   'the name is');
is(told("keyed/$secret"), $by_name, 'who has the key is refused');
$r = $t->http_get('/api/v1/publishers')->{body}
     . $t->http_get('/api/v1/bans')->{body}
     . $t->http_get('/api/v1/streams')->{body};
unlike($r, qr/\Q$secret\E/, 'no answer has it');
lift();

$api->call('POST', '/v1/bans', json => { app => 'keyed',
           address => '127.0.0.1', seconds => 600 });
is(told("keyed/$secret"), $by_address, 'by address');
lift();

my $log = $t->log();
$log =~ s/, request: "DELETE .*//g;
unlike($log, qr/\Q$secret\E/, 'nor has the log');

# there are too many

my $conn;

for my $n (1 .. 1024) {
    my $r = $api->raw('POST', '/v1/bans', keepalive => 1,
                      ($conn ? (conn => $conn) : ()),
                      json => { app => 'live', name => "n$n",
                                seconds => 600 });
    $conn = $r->{conn};
    is($r->{status}, 201, "ban $n"), last if $r->{status} != 201;
}

is(bans()->{total}, 1024, 'there are 1024 bans');
$r = $api->call('POST', '/v1/bans', json => { app => 'live', name => 'more',
                seconds => 600 });
is("$r->{status} $r->{json}{type}", '409 urn:media:too-many-bans',
   'and no more');
$p = live_publish($t, 'live/x');
$r = $api->call('DELETE', '/v1/publishers/live/x?ban=60');
is($r->{status}, 409, 'nor with a kick');
like($r->{json}{detail}, qr/is disconnected, but not banned/, 'which says so');
ok($p->wait_closed(10), 'and is one');
is(told('live/x'), 'yes', 'without a ban');

my ($page, %seen) = (bans());

for (1 .. 20) {
    $seen{$_->{id}}++ for @{$page->{items}};
    last if !defined $page->{cursor};
    $page = $api->call('GET', "/v1/bans?limit=100&cursor=$page->{cursor}")
        ->{json};
}

is(scalar keys %seen, 1024, 'pages have all of them');
is_deeply([grep { $_ > 1 } values %seen], [], 'each once');
is($api->call('GET', '/v1/bans?app=keyed')->{json}{total}, 0,
   'by application');

$t->done();
