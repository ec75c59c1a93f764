#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers over HLS, RTMP and FLV in the API, by either worker; and how they end.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Viewer;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 30s; grace 60s; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; media_rtmp_play on; }
}

http {
    log_format ours '$uri $status $media_session';
    access_log %%DIR%%/access.log ours;

    media_sessions 1m timeout=4s address=plain;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/   { media_live live; media_session_key $arg_user; }
        location /quiet/  { media_live live; media_session_key off; }
        location /status  { media_status; }
        location /api/    { media_api write; allow 127.0.0.1; deny all; }
    }
}
EOC

$t->run();

my ($one, $two) = $t->worker_pids();
my $api = Test::Media::API->new($t, '/api');
my $pub = $t->ffmpeg_publish('live/demo');
my $list = $t->wait_playlist('/quiet/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 4 }, 20);
my @uris = map { $_->{uri} } @{$list->{segments}}[-3 .. -1];

sub get {
    my ($uri, $user, %opt) = @_;
    return $t->http_get("/live/demo/$uri?user=$user", %opt)->{status};
}

# a player asks again and again

sub watches {
    my ($user, %opt) = @_;
    return join ' ', map { get($_, $user, %opt) } 'v1.m3u8', @uris;
}

sub sessions {
    my ($protocol) = @_;
    my $r = $api->call('GET', '/v1/sessions?stream=live/demo')->{json};
    return $protocol ? grep { $_->{protocol} eq $protocol } @{$r->{items}}
                     : $r->{total};
}

is(watches('anna', worker => $one), '200 200 200 200', 'over HLS');
is(watches('ben', worker => $two), '200 200 200 200', 'another');

my %session = map { $_->{viewer} => $_ } sessions('hls');

is(scalar keys %session, 2, 'two viewers');
is_deeply([sort map { "$_->{by} $_->{address} $_->{requests}" }
           values %session],
          [('key 127.0.0.1 4') x 2], 'who they are');
cmp_ok((values %session)[0]{bytes}, '>', 10000, 'what they got');

# one of them is ended by the other worker

my ($hash) = keys %session;
my $id = $session{$hash}{id};

is($api->call('DELETE', "/v1/sessions/$id?ban=600", worker => $two)
   ->{status}, 204, 'ended and banned');

my @refused = grep { watches($_, worker => $one) eq '403 403 403 403' }
    qw/ anna ben /;
is(scalar @refused, 1, 'it is refused by the other one, at once');
is($t->http_get("/live/demo/v1.m3u8?user=$refused[0]")
   ->{headers}{'cache-control'}, 'no-store', 'and no cache keeps that');

is($api->call('GET', '/v1/bans')->{json}{items}[0]{viewer}, $hash,
   'the ban is of the viewer');
$api->call('DELETE', "/v1/bans/$id");
wait_ok(sub { watches($refused[0]) eq '200 200 200 200' }, 10,
        'it is lifted');

# connections are closed

my $rtmp = viewer_rtmp($t, 'live/demo', worker => $one);
my $flv = viewer_flv($t, '/live/demo.flv?user=carl', worker => $one);

for (['rtmp', $rtmp], ['flv', $flv]) {
    my ($protocol, $viewer) = @$_;
    my ($s) = wait_until(sub { (sessions($protocol))[0] }, 10, $protocol);

    is($s->{protocol}, $protocol, "over $protocol");
    is($api->call('DELETE', "/v1/sessions/$s->{id}", worker => $two)
       ->{status}, 204, 'ended by the other worker');
    ok(viewers_have(sub { $_[0]->closed() }, 20, $viewer),
       'its connection is closed');
}

# streams by viewers

my ($demo) = @{$api->call('GET', '/v1/streams?sort=viewers')->{json}{items}};
is($demo->{name}, 'demo', 'a stream');
ok(exists $demo->{viewers}, 'with viewers');

$pub->stop();
$t->done();
