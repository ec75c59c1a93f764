#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers by HTTP whose sessions are ended: all that they ask for is refused, by
# each worker, and what they are being sent ends.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;

my $t = Test::Media->new(workers => 2);

my $flv = fixture('av.flv');

mkdir $t->path('vod');
sh('ffmpeg', '-v', 'error', '-i', $flv, '-c', 'copy', '-movflags',
   '+faststart', $t->path('vod/film.mp4'));

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 30s; grace 60s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_sessions 1m timeout=2s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/ { media_live live; media_cors on; satisfy any;
                          allow all;
                          add_header X-Session $media_session always; }
        location /slow/ { alias %%DIR%%/vod/; media_vod on; limit_rate 4k;
                          limit_rate_after 4k; }
        location /api/  { media_api write; allow 127.0.0.1; deny all; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my $api = Test::Media::API->new($t, '/api');
my $pub = $t->ffmpeg_publish('live/demo');
my $list = $t->wait_playlist('/live/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 3 }, 20);
my $uri = $list->{segments}[-1]{uri};


sub get {
    my ($agent, $path, %opt) = @_;

    return $t->http(path => $path, %opt,
                    headers => { 'User-Agent' => $agent,
                                 Origin => 'https://example.com' });
}

sub id_of {
    my ($stream, $n) = @_;

    my @items = @{$api->call('GET', "/v1/sessions?stream=$stream")->{json}
                      {items}};
    return map { $_->{id} } @items;
}


my ($a) = map { get($_, '/live/demo/v1.m3u8')->{headers}{'x-session'} }
          qw/ anna anna /;
my ($b) = map { get($_, '/live/demo/v1.m3u8')->{headers}{'x-session'} }
          qw/ ben ben /;

like($a, qr/^[0-9a-f]{16}$/, 'a session');
isnt($a, $b, 'and another one');
ok(scalar(grep { $_ eq $a } id_of('live/demo')), 'the API calls it so');

my ($one, $two) = $t->worker_pids();

is($api->call('DELETE', "/v1/sessions/$a?ban=60", worker => $one)->{status},
   204, 'it is ended');

for my $pid ($one, $two) {
    my $r = get('anna', '/live/demo/v1.m3u8', worker => $pid);

    is($r->{status}, 403, 'a playlist');
    is($r->{headers}{'cache-control'}, 'no-store', 'that nobody keeps');
    is($r->{headers}{'access-control-allow-origin'}, '*', 'pages may see it');
    is(get('anna', "/live/demo/$uri", worker => $pid)->{status}, 403,
       'media');
    is(get('ben', "/live/demo/$uri", worker => $pid)->{status}, 200,
       'others go on');
}

is(get('anna', '/live/demo/v1.m3u8', method => 'HEAD')->{status}, 403,
   'HEAD');
is($t->log_count(qr/media viewer refused: banned/) > 0, 1, 'it is logged');

$t->reload();
is(get('anna', '/live/demo/index.m3u8')->{status}, 403, 'after a reload');

is($api->call('DELETE', "/v1/bans/$a")->{status}, 204, 'it is lifted');
is(get('anna', '/live/demo/v1.m3u8')->{status}, 200, 'and he is back');

# who waits for a playlist: the next one, which nobody has yet

my $next = $t->wait_playlist('/live/demo/v1.m3u8', sub { 1 }, 20);

$pub->kill('STOP');
$next = $next->{msn} + @{$next->{segments}} + 1;

my @waiting = map {
    $t->start_get("/live/demo/v1.m3u8?_HLS_msn=$next",
                  headers => { 'User-Agent' => 'dora' })
} 1, 2;
my $held;
wait_until(sub {
    ($held) = map { $_->{id} } grep { $_->{requests} == 0 }
        @{$api->call('GET', '/v1/sessions?stream=live/demo')->{json}{items}};
}, 10, 'her session');

is($api->call('DELETE', "/v1/sessions/$held?ban=60")->{status},
   204, 'who waits');
ok(!$_->{status}, 'has no answer yet') for @waiting;
ok($_->result(10)->{error}, 'and gets none') for @waiting;
is(get('dora', '/live/demo/v1.m3u8')->{status}, 403, 'nor another one');

$pub->kill('CONT');

# nor is he somebody else when his address has so many sessions that what a
# player says is not believed any more

sub sid { return get('all', "/live/demo/v1.m3u8?CMCD=sid%3D%22$_[0]%22"); }

my $dora = sid('dora')->{headers}{'x-session'};

is($api->call('DELETE', "/v1/sessions/$dora?ban=60")->{status}, 204, 'banned');
wait_until(sub { !grep { $_ eq $dora } id_of('live/demo') }, 30,
           'the session has gone');

sid("sid-$_") for 1 .. 70;
is(sid('dora')->{status}, 403, 'the ban has not');

# in the middle of a response

my $slow = $t->start_get('/slow/film.mp4/clip.mp4',
                         headers => { 'User-Agent' => 'carl' });
my $id;
wait_until(sub { ($id) = id_of('/slow/film.mp4') }, 10, 'his session');

is($api->call('DELETE', "/v1/sessions/$id")->{status}, 204, 'a download');
ok($slow->result(20)->{error}, 'ends before it has all');
wait_ok(sub { $t->log_count(qr/media viewer was kicked, response ended/) }, 5,
        'as the log says');

$pub->stop();
$t->done();
