#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Hooks and viewers by HTTP: asked about once in "valid", by whichever worker,
# with one id; their ends are told once, whoever of the workers is left.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::Server;

my $t = Test::Media->new(workers => 2);
my $s = Test::Media::Server->new($t, 'S');

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; grace 2s; window 30s;
             on play http://127.0.0.1:%%PORT_S%%/play valid=2s timeout=1s;
             on play_done http://127.0.0.1:%%PORT_S%%/done; }
media open { zone 16m; segment 1s; part 200ms; window 30s;
             on play http://127.0.0.1:%%PORT_S%%/open valid=1s fail=allow; }
media told { zone 16m; segment 1s; part 200ms;
             on play_done http://127.0.0.1:%%PORT_S%%/told format=srs; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_sessions 1m timeout=4s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/   { media_live live; }
        location /open/   { media_live open; }
        location /told/   { media_live told; }
        location /status  { media_status; }
    }
}
EOC

$t->run();

$s->on($_, {}) for qw{ /play /done /told /open };

my @pub = map { $t->ffmpeg_publish("$_/demo") } qw/ live open told /;

$t->wait_playlist("/$_/demo/v1.m3u8", sub { @{$_[0]{segments}} >= 2 }, 30)
    for qw/ live open told /;


sub bodies {
    my ($path) = @_;

    return map { JSON::PP::decode_json($_->{body}) } $s->requests($path);
}

sub get {
    my ($agent, $path, %opt) = @_;

    return $t->http_get($path, headers => { 'User-Agent' => $agent }, %opt);
}

sub play {
    my ($agent, $seconds, %opt) = @_;

    my $end = now() + $seconds;
    my %codes;

    while (now() < $end) {
        $codes{get($agent, '/live/demo/v1.m3u8?ticket=t1cket', %opt)
               ->{status}}++;
        select undef, undef, undef, 0.2;
    }

    return join ' ', sort keys %codes;
}


wait_ok(sub { $s->count('/done') >= 1 }, 20, 'the one of before has gone');
$s->forget();

# one viewer, each of whose requests may be another worker's

is(play('one', 5), 200, 'he plays');

my @asked = grep { $_->{agent} eq 'one' } bodies('/play');

ok(@asked >= 2 && @asked <= 6, 'asked about every two seconds')
    or diag(scalar @asked);
is(scalar(keys %{{ map { $_->{id} => 1 } @asked }}), 1, 'as the same');
is_deeply({ %{$asked[0]}, id => 0 },
          { event => 'play', id => 0, app => 'live', stream => 'demo',
            protocol => 'hls', ip => '127.0.0.1', args => 'ticket=t1cket',
            agent => 'one', reason => undef }, 'with all that is known');
is(scalar(grep { $_->{agent} eq 'one' } bodies('/done')), 0, 'he is here');

wait_ok(sub { grep { $_->{agent} eq 'one' } bodies('/done') }, 20,
        'he has gone');

my ($done) = grep { $_->{agent} eq 'one' } bodies('/done');
is("$done->{event} $done->{id} $done->{args}",
   "play_done $asked[0]{id} ticket=t1cket", 'which is told');

# an answer for longer than "valid", one that changes, and none

$s->forget();
$s->on('/play', { body => '{"expires":60}' });
is(play('two', 3), 200, 'an answer that says for how long');
is($s->count('/play'), 1, 'is asked for once');

$s->on('/play', {}, { status => 403 });
like(play('three', 4), qr/^200 403$/, 'yes, then no');
my ($id) = map { $_->{id} } grep { $_->{agent} eq 'three' } bodies('/play');
wait_ok(sub { grep { $_->{id} eq $id } bodies('/done') }, 20,
        'his end is told');
is(scalar(grep { $_->{agent} eq 'three' } bodies('/done')), 1,
   'and nobody else\'s');

$s->on('/play', { hang => 1 });
my $r = get('four', '/live/demo/v1.m3u8');
is($r->{status}, 503, 'no answer');
is($r->{headers}{'cache-control'}, 'no-store', 'which nobody keeps');

# who is let in without an answer is asked about again

$s->on('/open', { status => 500 });
is(get('open', '/open/demo/v1.m3u8')->{status}, 200, 'fail=allow');
$s->on('/open', { status => 403 });
wait_ok(sub { get('open', '/open/demo/v1.m3u8')->{status} == 403 }, 15,
        'until there is one');

# requests at one time, by two workers, which both ask

$s->forget();
$s->on('/play', { delay => 0.5 });

my @at_once = map {
    $t->start_get('/live/demo/v1.m3u8', worker => $_,
                  headers => { 'User-Agent' => 'twice' })
} $t->worker_pids();

is(join(' ', map { $_->result(10)->{status} } @at_once), '200 200',
   'at one time');

my @twice = sort map { $_->{id} } bodies('/play');

wait_ok(sub { (grep { $_->{agent} eq 'twice' } bodies('/done')) >= @twice },
        20, 'the ends of all that was asked');
is(join(' ', sort map { $_->{id} } grep { $_->{agent} eq 'twice' }
             bodies('/done')), "@twice", 'each once, ' . @twice);

# without being asked

$s->forget();
is(get('five', '/told/demo/v1.m3u8')->{status}, 200, 'nobody is asked');
wait_ok(sub { $s->count('/told') }, 20, 'and the end is told');
is((bodies('/told'))[0]{action}, 'on_stop', 'in the words of SRS');

# the worker that asked dies; the viewer goes on with the other ones

$s->forget();
$s->on('/play', {});
is(get('six', '/live/demo/v1.m3u8', worker => ($t->worker_pids())[0])
   ->{status}, 200, 'a viewer');

my ($worker) = $t->worker_pids();

$_->stop() for @pub;
$t->kill_worker($worker);
sleep 2;
is(scalar(grep { $_->{agent} eq 'six' } bodies('/done')), 0,
   'he has not gone with it');
wait_ok(sub { grep { $_->{agent} eq 'six' } bodies('/done') }, 30,
        'but later');
sleep 2;
is(scalar(grep { $_->{agent} eq 'six' } bodies('/done')), 1, 'once');

$t->done();
