#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Sessions in the API, whoever made them: lists, kicks, bans of viewers; and a
# table of calls that another module adds, t/modules/.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::API;
use Test::Media::Live;

my $t = live_nginx(workers => 2, test_modules => 1, http => <<'EOC');
        location /api/ { media_api write; allow 127.0.0.1; deny all; }
    }

    media_test_sessions;

    server {
        listen 127.0.0.1:%%PORT_OTHER%%;
EOC

my $api = Test::Media::API->new($t, '/api');

# a path that two tables have

my $text = $t->http_get('/api/v1/openapi.json')->{body};
is(scalar(() = $text =~ m|"/v1/bans/\{id\}"|g), 1, 'it is there once');
is(join(' ', sort keys %{$api->document()->{paths}{'/v1/bans/{id}'}}),
   'delete patch', 'with all its methods');
is($api->call('PATCH', '/v1/bans/0123456789abcdef')->{status}, 204,
   'which are there');

sub watch {
    my ($stream, $viewer) = @_;
    return $api->call('POST', "/v1/test/$stream?viewer=$viewer")->{status};
}

sub sessions {
    my ($args) = @_;
    return $api->call('GET', '/v1/sessions' . ($args || ''))->{json};
}

my @pub = map { live_publish($t, "live/$_") } qw/ few many none /;

is(sessions()->{total}, 0, 'nobody watches');
is($api->call('GET', '/v1/streams')->{json}{items}[0]{viewers}, 0,
   'so no stream is watched');

is(watch('live/few', $_), 204, "$_ watches") for qw/ anna ben /;
is(watch('live/many', $_), 204, "$_ does") for map { "v$_" } 1 .. 5;
is_deeply([map { $_->{json}{total} } $api->each_worker('GET', '/v1/sessions')],
          [7, 7], 'seven sessions');

my $few = sessions('?stream=live/few');

is($few->{total}, 2, 'of one stream');

for (@{$few->{items}}) {
    is("$_->{app}/$_->{name} $_->{protocol} $_->{by} $_->{address}",
       'live/few hls key 127.0.0.1', 'what it is');
    is("$_->{bytes} $_->{watch_ms} $_->{requests} $_->{confirmed}",
       '1000 10000 1 1', 'what it got');
}

# a validator holds while nothing has changed, in all workers

my $etag = $api->call('GET', '/v1/sessions')->{headers}{etag};

for (1 .. 3) {
    select undef, undef, undef, 0.11;
    is_deeply([map { $_->{headers}{etag} }
               $api->each_worker('GET', '/v1/sessions')], [$etag, $etag],
              'nothing has changed');
}

is(sessions('?stream=live/none')->{total}, 0, 'one that nobody watches');
is(sessions("?stream=$_")->{total}, 0, "no stream: $_")
    for qw/ live live\/ other\/x \/ x live\/fewer /;

my (@ids, $cursor);

do {
    my $page = sessions('?limit=3' . (defined $cursor ? "&cursor=$cursor"
                                                      : ''));
    is($page->{total}, 7, 'a page');
    push @ids, map { $_->{id} } @{$page->{items}};
    $cursor = $page->{cursor};
} while (defined $cursor && @ids < 20);

is(scalar @ids, 7, 'all of them');
is(scalar keys %{{ map { $_ => 1 } @ids }}, 7, 'each once');

my $streams = $api->call('GET', '/v1/streams?sort=viewers')->{json}{items};
is(join(' ', map { "$_->{name} $_->{viewers}" } @$streams),
   'many 5 few 2 none 0', 'streams by viewers');

my $first = $api->call('GET', '/v1/streams?sort=viewers&limit=1')->{json};
is($api->call('GET', "/v1/streams?sort=viewers&limit=1&cursor="
              . $first->{cursor})->{json}{items}[0]{name}, 'few',
   'page by page');

is(watch('x/a/film.mp4', 'anna&place=/vod/'), 204, 'a file');
is(sessions('?stream=/vod/a/film.mp4')->{items}[0]{app}, '/vod/',
   'as its location names it');

is(watch('x/a.mp4', 'anna&place=/vod/hd/'), 204, 'of a location in it');
is(sessions('?stream=/vod/hd/a.mp4')->{total}, 1, 'the longest is meant');

# the end of one, by the other worker

my ($one, $two) = $t->worker_pids();
my $id = $few->{items}[0]{id};

is($api->call('DELETE', "/v1/sessions/$id", worker => $two)->{status}, 204,
   'it is ended');

my @left = map { watch('live/few', $_) } qw/ anna ben /;
is(join(' ', sort @left), '204 403', 'its viewer is refused, the other not');

my ($who) = grep { watch('live/few', $_) == 403 } qw/ anna ben /;
is(watch('live/many', $who), 204, 'but for another stream');

($id) = map { $_->{id} } grep { !$_->{kicked} }
    @{sessions('?stream=live/few')->{items}};

is($api->call('DELETE', "/v1/sessions/$id?ban=600")->{status}, 204,
   'the other, with a ban');

my $bans = $api->call('GET', '/v1/bans');
select undef, undef, undef, 0.11;
is($api->call('GET', '/v1/bans')->{headers}{etag}, $bans->{headers}{etag},
   'and stays the same');
$bans = $bans->{json};
is($bans->{total}, 1, 'which is listed');
is(join(' ', map { $bans->{items}[0]{$_} } qw/ id app name action by /),
   "$id live few watch key", 'as what it is');

$api->call('POST', '/v1/bans', json => { app => 'live', name => 'z',
           seconds => 600 });
is(join(' ', map { $_->{action} }
        @{$api->call('GET', '/v1/bans?app=live')->{json}{items}}),
   'publish watch', 'behind those of publishers');
my $page = $api->call('GET', '/v1/bans?limit=1')->{json};
is($api->call('GET', "/v1/bans?limit=1&cursor=$page->{cursor}")
   ->{json}{items}[0]{id}, $id, 'page by page');

$t->reload();

my ($other) = grep { $_ ne $who } qw/ anna ben /;
is(watch('live/few', $other), 403, 'after a reload');
is($api->call('DELETE', "/v1/bans/$id")->{status}, 204, 'it is lifted');
is($api->call('DELETE', "/v1/bans/$id")->{status}, 404, 'once');
is(watch('live/few', $other), 204, 'he may watch again');

for (['DELETE', '/v1/sessions/0000000000000001', 404],
     ['DELETE', '/v1/sessions/xyz', 404],
     ['DELETE', "/v1/sessions/$id?ban=0", 400],
     ['GET', '/v1/sessions?stream=', 400],
     ['GET', '/v1/sessions?cursor=x', 400],
     ['GET', '/v1/sessions?cursor=99999999', 200],
     ['GET', "/v1/sessions/$id", 405],
     ['POST', '/v1/test/live/few?who=anna', 400])
{
    is($api->call($_->[0], $_->[1])->{status}, $_->[2], "$_->[0] $_->[1]");
}

$_->close() for @pub;
$t->done();
