#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media_api: each call against the document that it answers, of each worker, and
# after the one that has the stream died; what is refused, and how; lists of a
# thousand streams; who nginx -t lets write.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use MIME::Base64 ();

use Test::Media;
use Test::Media::API;
use Test::Media::Live;
use Test::Media::RTMP;

my @tags = live_tags('plain');

my $t = live_nginx(workers => 2, stopped => 1, http => <<'EOC',
        location /api/ { media_api write; allow 127.0.0.1; deny all;
                         media_cors on; }
        location /any/  { media_api write; allow 127.0.0.1; deny all;
                          client_max_body_size 0; }
        location /read { media_api read; }
        location /api/v1/nested/ { return 200 nested; }
        location /shut/  { media_api write; deny all; }
        location /mir/   { mirror /shut/v1/publishers/live/x;
                           root %%DIR%%; }
        location /ssi/   { ssi on; root %%DIR%%; }
        location /deny/  { media_api read; deny all; }
        location /token/ { media_api read; media_token header;
                           media_token_key %%DIR%%/key; }
        location /basic/ { media_api write; auth_basic ops;
                           auth_basic_user_file %%DIR%%/users;
                           client_max_body_size 100; }
        location /limit/ { media_api write; limit_except GET { deny all; } }
        location /page/  { media_api read; deny all;
                           error_page 403 =410 /gone; }
        location /gone   { return 410 gone; }
EOC
    main => "media many { zone 16m; max_streams 1100; part off; }\n",
    rtmp => 'media_rtmp_max_streams 64;');

# who may write; "off" and what denies nobody is no guard

$t->write_file('users', 'ops:{PLAIN}secret');

my $file = $t->path('users');
my $basic = "auth_basic ops; auth_basic_user_file $file;";
my $deny = 'allow 127.0.0.1; deny all;';
my $open = qr/"media_api write" in \S+:\d+ lets everybody disconnect/;

for (['read', '', '', undef],
     ['write', '', '', $open],
     ['write access=other', '', '', undef],
     ['write', '', $deny, undef],
     ['write', $deny, '', undef],
     ['write', 'allow 127.0.0.1;', '', $open],
     ['write', $deny, 'allow all;', $open],
     ['write', '', 'deny ::1;', $open],
     ['write', '', 'deny 0.0.0.0/0;', $open],
     ['write', '', 'deny ::/0;', $open],
     ['write', '', 'deny 0.0.0.0/0; deny ::/0;', undef],
     ['write', '', 'allow all; deny all;', $open],
     ['write', '', 'allow ::/0; deny all;', $open],
     ['write', '', 'deny all; allow all;', undef],
     ['write', '', 'allow 10.0.0.0/8; allow fc00::/7; deny all;', undef],
     ['write', 'allow unix:; deny all;', '', undef],
     ['write', $basic, '', undef],
     ['write', 'auth_basic ops;', '', $open],
     ['write', $basic, 'auth_basic off;', $open],
     ['write', '', "$basic satisfy any; allow 127.0.0.1;", undef],
     ['write', '', "$basic satisfy any; allow all;", $open],
     ['write', '', "$basic satisfy any; allow ::/0;", $open],
     ['write', '', "$basic satisfy any; deny all;", undef],
     ['write', '', "$basic allow all;", undef],
     ['write', 'satisfy any;', '', $open],
     ['write', 'satisfy all;', '', $open],
     ['write', 'auth_request /auth;', '', undef],
     ['write', 'auth_request /auth;', 'auth_request off;', $open],
     ['write', '', "limit_except GET { $deny }", undef],
     ['write', '', "limit_except GET DELETE { $deny }", $open],
     ['write', '', "limit_except POST PUT PATCH DELETE { $deny }", $open],
     ['write', $deny, 'limit_except GET { allow all; }', $open],
     ['write', $basic, 'limit_except GET { auth_basic off; }', $open],
     ['write', '', 'media_token header; media_token_key ' . $t->path('key')
                   . ';', $open],
     ['both', '', '', qr/invalid value "both", write "read", "write" or/],
     ['read access=other', '', '', qr/invalid value "access=other"/],
     ['write access=on', '', '', qr/invalid value "access=on"/],
     ['read', '', 'media_api read;', qr/"media_api" directive is duplicate/],
     ['read', '', 'return 204;', undef],
     ['read', '', 'proxy_pass http://127.0.0.1;',
      qr/"media_api" is in one location with another directive/])
{
    my ($value, $server, $location, $wrong) = @$_;

    $t->write_file('key', '0123456789abcdef0123456789abcdef');
    chmod 0600, $t->path('key');

    my ($ok, $out) = $t->conf_test(<<"EOC");
media live { zone 8m; }
http { server { listen 127.0.0.1:%%PORT_HTTP%%; $server
    location /api/ { media_api $value; $location } } }
EOC

    my $name = "media_api $value; $server $location";

    if ($wrong) {
        ok(!$ok, $name);
        like($out, $wrong, 'it says so');

    } else {
        ok($ok, $name) or diag $out;
    }
}

for ('~ ^/api/', '= /api/', '@api') {
    my ($ok, $out) = $t->conf_test(<<"EOC");
http { server { listen 127.0.0.1:%%PORT_HTTP%%;
    location $_ { media_api read; } } }
EOC
    like($out, qr/"media_api" directive has to be in a location of a prefix/,
         "location $_");
}

$t->run();

my ($one, $two) = $t->worker_pids();

my $api = Test::Media::API->new($t, '/api');
my $read = Test::Media::API->new($t, '/read');

# what the document says is what there is

is($api->document()->{openapi}, '3.1.0', 'the document');
is($_->document()->{servers}[0]{url}, "../..$_->{prefix}",
   'what its paths follow, from where it is') for $api, $read;
is_deeply([map { $_->{required}[0] }
           @{$api->document()->{components}{schemas}{BanOrder}{anyOf}}],
          [qw/ name address /], 'a ban is of something');

sub calls {
    my ($of) = @_;

    my $paths = $of->document()->{paths};
    return map { my $path = $_; map { "$_ $path" } keys %{$paths->{$path}} }
        sort keys %$paths;
}

is_deeply([sort { $a cmp $b } calls($read)],
          [sort { $a cmp $b } grep { /^get / } calls($api)],
          'where nothing can be changed, it has calls that read only');

for my $path (sort keys %{$api->document()->{paths}}) {
    for my $of (values %{$api->document()->{paths}{$path}}) {
        is_deeply([grep { !$api->document()->{components}{schemas}{$_} }
                   JSON::PP->new()->encode($of) =~ m|schemas/(\w+)|g], [],
                  "$path: schemas are there");
    }
}

# names of strangers; each call, of each worker

my @odd = ('a/b', 'x"y', '<img src=x>', "\xc3\xbc", 'a&b', "a'b");

my %pub = map { ($_ => live_publish($t, "live/$_", worker => $two)) }
    'x', @odd;

$pub{x}->play(\@tags, to => 3000);

is_deeply([map { $_->{json}{total} } $api->each_worker('GET', '/v1/streams')],
          [7, 7], 'seven streams');

my $list = $api->call('GET', '/v1/streams')->{json};

is_deeply([map { $_->{name} } @{$list->{items}}],
          [map { utf8::decode(my $n = $_); $n } sort keys %pub],
          'in order, whatever they are called');

for my $name (sort keys %pub) {
    (my $path = $name) =~ s/([^\w\/])/sprintf '%%%02x', ord $1/ge;
    utf8::decode($name);

    my $r = $api->call('GET', "/v1/streams/live/$path");
    is("$r->{json}{app}/$r->{json}{name}", "live/$name", "live/$path");
}

is($api->call('GET', '/v1/streams/live/a%2Fb')->{json}{name}, 'a/b',
   'a slash may be encoded');

for my $r ($api->each_worker('GET', '/v1/streams/live/x')) {
    is($r->{json}{state}, 'live', 'a stream');
    is(scalar @{$r->{json}{tracks}}, 2, 'with its tracks');
    is($r->{json}{publisher}{pid}, $two, 'and who publishes it');
}

$list = $api->call('GET', '/v1/publishers?q=X')->{json};
is(join(' ', map { $_->{name} } @{$list->{items}}), '<img src=x> x x"y',
   'publishers by name');
is($list->{items}[1]{address}, '127.0.0.1', 'where from');
is($list->{items}[1]{protocol}, 'rtmp', 'how');

my @about = map { $_->{json} } $api->each_worker('GET', '/v1/');
is_deeply([map { $_->{pid} } @about], [$one, $two], 'who answers');
is($about[0]{write}, JSON::PP::true(), 'and may write');
is($read->call('GET', '/v1/')->{json}{write}, JSON::PP::false(), 'or not');
is_deeply([map { "$_->{name} $_->{zone}{publishers}" } @{$about[0]{apps}}],
          ['many 0', 'live 7'], 'applications');

# nginx asks nobody who it is, of subrequests

mkdir $t->path('ssi');
$t->write_file('ssi/a.html', '<!--# include virtual="/shut/v1/publishers" -->');
unlike($t->http_get('/ssi/a.html')->{body}, qr/"app"/, 'not by SSI');
$t->http(method => 'DELETE', path => '/mir/x');
$t->wait_log(qr/"media_api" answers no subrequests, uri:"\/shut\/v1\/publ.*x"/,
             10);
ok(live_stream($t, 'x')->{publisher}{connected}, 'nor by mirror');

# by state, by bitrate

close_all('a/b', 'a&b');

wait_ok(sub { $api->call('GET', '/v1/streams')->{json}{total} == 5 }, 10,
        'some without media go');

$pub{x}->close();
wait_ok(sub { $api->call('GET', '/v1/streams?state=grace')->{json}{total} },
        10, 'one waits');
$list = $api->call('GET', '/v1/streams?state=grace&app=live')->{json};
is($list->{items}[0]{name}, 'x', 'by its state');
is($list->{items}[0]{connected}, JSON::PP::false(), 'without a publisher');
is($api->call('GET', '/v1/streams?state=live')->{json}{total}, 4, 'the rest');
is($api->call('GET', '/v1/streams?state=ended')->{json}{total}, 0, 'none');
is($api->call('GET', '/v1/streams?app=other')->{json}{total}, 0,
   'of no application');
$list = $api->call('GET', '/v1/streams?sort=bitrate&limit=1')->{json};
is($list->{items}[0]{name}, 'x', 'the largest first');
cmp_ok($list->{items}[0]{bitrate}, '>', 100_000, 'of which it has some');
cmp_ok($list->{items}[0]{fps}, '>', 20, 'and frames');

# conditional

my $r = $api->call('GET', '/v1/streams');
my $etag = $r->{headers}{etag};
my $head = $api->call('HEAD', '/v1/streams');
is($head->{headers}{etag}, $etag, 'HEAD has the same');
is($head->{headers}{'content-length'}, length $r->{body}, 'and its length');

$r = $api->call('GET', '/v1/streams', headers => { 'If-None-Match' => $etag },
                worker => $one);
is($r->{status}, 304, 'nothing has changed');
is($r->{body}, '', 'so there is nothing');

close_all('x"y');
wait_ok(sub { $api->call('GET', '/v1/streams')->{headers}{etag} ne $etag }, 10,
        'something has');
is($api->call('GET', '/v1/streams', headers => { 'If-None-Match' => $etag })
   ->{status}, 200, 'and is told');

# the worker that has the streams dies; the other answers all the same

$t->kill_worker($two);

for my $path ('/v1/', '/v1/streams', '/v1/streams/live/x', '/v1/publishers',
              '/v1/bans', '/v1/openapi.json')
{
    is($api->call('GET', $path, worker => $one)->{status}, 200,
       "$path while its worker is dead");
}

wait_ok(sub { $api->call('GET', '/v1/publishers')->{json}{total} == 0 }, 10,
        'no publisher is left');

# what is wrong

for (['GET', '/v1/none', 404, 'no-such-resource'],
     ['GET', '/v1', 404, 'no-such-resource'],
     ['GET', '/', 404, 'no-such-resource'],
     ['GET', '/v2/streams', 404, 'no-such-resource'],
     ['GET', '/v1/streams/', 404, 'no-such-resource'],
     ['GET', '/v1/streams/live', 404, 'no-such-resource'],
     ['GET', '/v1/streams/live/', 404, 'no-such-resource'],
     ['GET', '/v1/bans/', 404, 'no-such-resource'],
     ['GET', '/v1/streamsx', 404, 'no-such-resource'],
     ['GET', '/v1/streams/live/none', 404, 'no-such-stream'],
     ['GET', '/v1/streams/none/x', 404, 'no-such-application'],
     ['GET', '/v1/streams?limit=', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=0', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=1001', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=-1', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=1x', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=99999999999999999999', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit=1&limit=2', 400, 'bad-argument'],
     ['GET', '/v1/streams?limit', 400, 'bad-argument'],
     ['GET', '/v1/streams?Limit=1', 400, 'bad-argument'],
     ['GET', '/v1/streams?limitx=1', 400, 'bad-argument'],
     ['GET', '/v1/streams?=1', 400, 'bad-argument'],
     ['GET', '/v1/streams?token=secret', 400, 'bad-argument'],
     ['GET', '/v1/streams?state=dead', 400, 'bad-argument'],
     ['GET', '/v1/streams?sort=', 400, 'bad-argument'],
     ['GET', '/v1/streams?q=', 400, 'bad-argument'],
     ['GET', '/v1/streams?q=%', 400, 'bad-argument'],
     ['GET', '/v1/streams?q=%4', 400, 'bad-argument'],
     ['GET', '/v1/streams?q=%zz', 400, 'bad-argument'],
     ['GET', '/v1/streams?q=' . 'x' x 65, 400, 'bad-argument'],
     ['GET', '/v1/streams?cursor=x', 400, 'bad-argument'],
     ['GET', '/v1/streams?cursor=' . 'A' x 1024, 400, 'bad-argument'],
     ['GET', '/v1/streams?cursor=*', 400, 'bad-argument'],
     ['GET', '/v1/bans?cursor=x', 400, 'bad-argument'],
     ['GET', '/v1/streams/live/x?limit=1', 400, 'bad-argument'],
     ['DELETE', '/v1/publishers/live/x?ban=0', 400, 'bad-argument'],
     ['DELETE', '/v1/publishers/live/x?ban=31536001', 400, 'bad-argument'],
     ['DELETE', '/v1/publishers/live/x?by=name', 400, 'bad-argument'],
     ['DELETE', '/v1/publishers/live/x?ban=1&by=none', 400, 'bad-argument'],
     ['GET', '/v1/sessions', 404, 'no-sessions'],
     ['DELETE', '/v1/sessions/0123456789abcdef', 404, 'no-sessions'])
{
    my ($method, $path, $status, $type) = @$_;
    my $r = $api->call($method, $path,
                       unknown => $type eq 'no-such-resource');

    is("$r->{status} " . ($r->{json}{type} || ''), "$status urn:media:$type",
       "$method " . substr $path, 0, 60);
    unlike($r->{body}, qr/secret/, 'no value is repeated') if $path =~ /tok/;
}

is($api->call('GET', '/v1/streams?&limit=5&')->{status}, 200, 'empty ones');
is($api->call('GET', '/v1/streams?q=' . 'x' x 64)->{status}, 200, 'long');
is($api->call('GET', '/v1/streams?q=a+b')->{status}, 200, 'a blank');
is($t->http_get('/api/v1/nested/')->{body}, 'nested', 'a location inside');
is($t->http_get('/readv1/')->{status}, 404, 'a prefix without a slash');

# preconditions

for (['GET', '/v1/streams', '"x"', '412 urn:media:precondition-failed'],
     ['GET', '/v1/streams', '*', '200 '],
     ['DELETE', '/v1/publishers/live/x', '"x"',
      '412 urn:media:precondition-failed'],
     ['DELETE', '/v1/publishers/live/none', '*',
      '404 urn:media:no-such-publisher'])
{
    my ($method, $path, $match, $is) = @$_;
    my $r = $api->call($method, $path, headers => { 'If-Match' => $match });
    is("$r->{status} " . ($r->{json}{type} || ''), $is,
       "$method $path, If-Match: $match");
}

# methods

for (['GET', '/v1/streams', undef],
     ['OPTIONS', '/v1/streams', 'GET, HEAD, OPTIONS'],
     ['OPTIONS', '/v1/bans', 'GET, HEAD, POST, OPTIONS'],
     ['OPTIONS', '/v1/bans/0123456789abcdef', 'DELETE, OPTIONS'],
     ['POST', '/v1/streams', 'GET, HEAD, OPTIONS'],
     ['PUT', '/v1/bans', 'GET, HEAD, POST, OPTIONS'],
     ['PATCH', '/v1/streams/live/x', 'GET, HEAD, OPTIONS'],
     ['GET', '/v1/publishers/live/x', 'DELETE, OPTIONS'],
     ['HEAD', '/v1/publishers/live/x', 'DELETE, OPTIONS'],
     ['BREW', '/v1/streams', 'GET, HEAD, OPTIONS'])
{
    my ($method, $path, $allow) = @$_;
    my $r = $api->call($method, $path);

    is($r->{headers}{allow}, $allow, "$method $path");
    is($r->{status}, $method eq 'OPTIONS' ? 204 : $allow ? 405 : 200,
       'and its status');
}

for (['DELETE', '/v1/publishers/live/x', 'OPTIONS'],
     ['POST', '/v1/bans', 'GET, HEAD, OPTIONS'],
     ['OPTIONS', '/v1/bans', 'GET, HEAD, OPTIONS'])
{
    my $r = $read->call($_->[0], $_->[1], unknown => 1);
    is($r->{headers}{allow}, $_->[2], "$_->[0] $_->[1], where one reads");
}

# bodies

my %good = (app => 'live', name => 'body', seconds => 60);
my $json = 'application/json';

for (['cross-site', 403, { 'Sec-Fetch-Site' => 'cross-site' }],
     ['same-origin', 201, { 'Sec-Fetch-Site' => 'same-origin' }],
     ['no type', 415, { 'Content-Type' => undef }],
     ['a form', 415,
      { 'Content-Type' => 'application/x-www-form-urlencoded' }],
     ['text', 415, { 'Content-Type' => 'text/plain' }],
     ['almost', 415, { 'Content-Type' => 'application/jsonx' }],
     ['with a charset', 201, { 'Content-Type' => "$json; charset=utf-8" }],
     ['in capitals', 201, { 'Content-Type' => 'Application/JSON' }])
{
    my ($name, $status, $headers) = @$_;
    my $r = $api->call('POST', '/v1/bans',
                       data => JSON::PP::encode_json(\%good),
                       headers => { 'Content-Type' => $json, %$headers });
    is($r->{status}, $status, "a body, $name");
}

is($api->call('DELETE', '/v1/publishers/live/none',
              headers => { 'Sec-Fetch-Site' => 'cross-site' })->{status}, 403,
   'a kick by a page of another site');
is($api->call('GET', '/v1/streams',
              headers => { 'Sec-Fetch-Site' => 'cross-site' })->{status}, 200,
   'which may look, if its browser lets it');

for (['', 400], ['{', 400], ['[]', 400], ['"x"', 400], ['{}x', 400],
     ['{"app":"live"}', 422], ['{"app":"live","seconds":1}', 422],
     ['{"app":1,"name":"x","seconds":1}', 400],
     ['{"app":"live","name":"x","seconds":"1"}', 400],
     ['{"app":"live","name":"x","seconds":0}', 400],
     ['{"app":"live","name":"x","seconds":1.5}', 400],
     ['{"app":"live","name":"x","seconds":-1}', 422],
     ['{"app":"live","name":"x","seconds":31536001}', 422],
     ['{"app":"live","name":"x","seconds":1,"seconds":1}', 400],
     ['{"app":"live","app":"live","name":"x","seconds":1}', 400],
     ['{"app":"live","name":"x","seconds":1,"more":1}', 400],
     ['{"app":"live","name":["x"],"seconds":1}', 400],
     ['{"app":"live","name":"../x","seconds":1}', 422],
     ['{"app":"live","name":"' . 'x' x 256 . '","seconds":1}', 422],
     ['{"app":"live","name":"","address":"1.2.3.0/24","seconds":1}', 422],
     ['{"app":"live","name":"x","address":"","seconds":1}', 422],
     ['{"app":"live","address":"unix:","seconds":1}', 422],
     ['{"app":"live","address":"1.2.3","seconds":1}', 422],
     ['{"app":"live","address":"1.2.3.4/33","seconds":1}', 422],
     ['{"app":"live","address":"1.2.3.4/0","seconds":1}', 422],
     ['{"app":"live","address":"::/129","seconds":1}', 422],
     ['{"app":"live","name":"x","action":"look","seconds":1}', 422],
     ['{"name":"x","seconds":1}', 422],
     ['{"app":"","name":"x","seconds":1}', 422],
     ['{"app":"none","name":"x","seconds":1}', 404],
     ['{"app":"live","name":"\u0078","seconds":1,"action":"any"}', 201],
     ['{"app":"live","name":"x","seconds":1}' . ' ' x 65000, 201],
     ['{"app":"live","name":"x","seconds":1}' . ' ' x 65536, 413])
{
    my ($body, $status) = @$_;
    my $r = $api->call('POST', '/v1/bans', data => $body,
                       headers => { 'Content-Type' => $json });
    is($r->{status}, $status, length $body > 80
       ? length($body) . ' bytes' : $body);
}

my $chunked = sub {
    my ($size, $prefix) = (@_, '/api');
    my $body = '{"app":"live","name":"c","seconds":1}' . ' ' x $size;

    return $api->call('POST', '/v1/bans', raw => join "\r\n",
        "POST $prefix/v1/bans HTTP/1.1", 'Host: localhost', 'Connection: close',
        "Content-Type: $json", 'Transfer-Encoding: chunked', '',
        sprintf('%x', length $body), $body, '0', '', '')->{status};
};

is($chunked->(10), 201, 'in chunks');
is($chunked->(60000), 201, 'many');
is($chunked->(70000), 413, 'too many');
is($chunked->(60000, '/any'), 201, 'whatever nginx would take');
is($chunked->(300000, '/any'), 413, 'no more than that');
is($t->log_count(qr/request body is buffered to a temporary file/), 0,
   'and nothing is written to a disk');

# what nginx refuses is told the same way

my $ops = { Authorization => 'Basic ' . MIME::Base64::encode('ops:secret',
                                                             '') };

for (['/deny', 'GET', 403, 'forbidden'],
     ['/token', 'GET', 401, 'unauthorized'],
     ['/deny', 'HEAD', 403, ''],
     ['/basic', 'GET', 401, 'unauthorized'],
     ['/basic', 'POST', 413, 'too-large', headers => $ops,
      data => 'x' x 101],
     ['/limit', 'DELETE', 403, 'forbidden'],
     ['/limit', 'GET', 200, ''])
{
    my ($prefix, $method, $status, $type, %opt) = @$_;
    my $api = bless { %$api, prefix => $prefix }, ref $api;
    my $r = $api->call($method, '/v1/streams', unknown => 1, keepalive => 1,
                       %opt);

    is("$r->{status} " . ($r->{json}{type} || ''),
       "$status " . ($type ? "urn:media:$type" : ''), "$method $prefix");
    is($r->{headers}{'www-authenticate'}, 'Basic realm="ops"', 'and how')
        if $prefix eq '/basic' && $status == 401;

    next if $method eq 'HEAD' || $status == 413;
    is($t->http_get('/gone', conn => $r->{conn})->{body}, 'gone',
       'what follows is whole');
}

is(bless({ %$api, prefix => '/basic' }, ref $api)
   ->call('GET', '/v1/streams', headers => $ops)->{status}, 200,
   'who it is has said so');
is(bless({ %$api, prefix => '/limit' }, ref $api)
   ->call('GET', '/v1/')->{json}{write}, JSON::PP::true(), 'limit_except');
is($t->http_get('/page/v1/')->{body}, 'gone', 'error_page rules');
is($t->http_get('/page/v1/')->{headers}{'content-type'}, 'text/plain',
   'as it was');

# nothing is done before all of the request is there

{
    my $p = live_publish($t, 'live/whole');
    my $r = $api->call('DELETE', '/v1/publishers/live/whole',
        raw => join "\r\n",
        'DELETE /api/v1/publishers/live/whole HTTP/1.1', 'Host: localhost',
        'Connection: close', "Content-Type: $json",
        'Transfer-Encoding: chunked', '', 'zz', '', '');
    is($r->{status}, 400, 'a broken body');
    is($api->call('GET', '/v1/publishers?q=whole')->{json}{total}, 1,
       'and nothing has happened');
    $p->close();
}

# a body that nobody wants is read past

$r = $api->call('DELETE', '/v1/publishers/live/none', data => 'x' x 100,
                headers => { 'Content-Type' => $json }, keepalive => 1);
is($r->{status}, 404, 'with a body');
is($api->call('GET', '/v1/', conn => $r->{conn})->{status}, 200,
   'and what follows it');

$api->call('DELETE', "/v1/bans/$_->{id}")
    for @{$api->call('GET', '/v1/bans')->{json}{items}};

# whatever it is, it is an answer

srand 5;

my @bits = (qw/ limit cursor app state q sort = & % + %25 %00 %ff %2 1000 live x
                name -1 { } [ ] " : \\u0000 \\ seconds /, "\xff", ' ', ',');
my %answers;
my $conn;

for my $n (1 .. 300) {
    my $text = join '', map { $bits[rand @bits] } 1 .. 1 + rand 12;
    my $r;

    if ($n % 2) {
        $text =~ s/[^!-~]|"/x/g;
        $r = $api->call('GET', "/v1/streams?$text", keepalive => 1,
                        ($conn ? (conn => $conn) : ()));

    } else {
        $text = substr "{\"app\":\"live\",\"name\":\"z\",$text",
                       $n % 3 ? 0 : rand 20;
        $r = $api->call('POST', '/v1/bans', data => $text, keepalive => 1,
                        headers => { 'Content-Type' => $json },
                        ($conn ? (conn => $conn) : ()));
    }

    $conn = $r->{conn};
    $answers{$r->{status}}++;
}

is(join(' ', grep { !/^(?:200|201|400|422)\z/ } keys %answers), '',
   'whatever is asked') or diag explain \%answers;

# a thousand

my @held;

for my $n (0 .. 15) {
    my $p = $t->rtmp();
    $p->handshake();
    $p->connect('many');

    for my $k ($n * 63 .. $n * 63 + 62) {
        last if $k >= 1000;
        $p->create_stream();
        $p->publish(sprintf 's%03d', $k);
    }

    push @held, $p;
}

wait_ok(sub {
    $api->call('GET', '/v1/streams?app=many')->{json}{total} == 1000;
}, 20, 'a thousand streams');

for my $limit (1000, 100, 333) {
    my (@names, $cursor);
    my $pages = 0;

    do {
        my $path = "/v1/streams?app=many&limit=$limit"
                   . (defined $cursor ? "&cursor=$cursor" : '');
        my $list = $api->call('GET', $path)->{json};
        is($list->{total}, 1000, 'the total is that of all') if $pages < 2;
        push @names, map { $_->{name} } @{$list->{items}};
        $cursor = $list->{cursor};
        $pages++;
    } while (defined $cursor && $pages < 20);

    is(scalar @names, 1000, "in pages of $limit, all of them");
    is_deeply(\@names, [map { sprintf 's%03d', $_ } 0 .. 999],
              'each once, in order');
}

is(scalar @{$api->call('GET', '/v1/streams')->{json}{items}}, 100,
   'a page is of 100');

my $q = $api->call('GET', '/v1/publishers?app=many&q=S99&limit=3')->{json};
is($q->{total}, 10, 'those that are looked for');
is_deeply([map { $_->{name} } @{$q->{items}}], [qw/ s990 s991 s992 /],
          'in order');

# the one that a cursor stands for goes

$list = $api->call('GET', '/v1/streams?app=many&limit=10&sort=since')->{json};
my $next = $api->call('GET', "/v1/streams?app=many&limit=5&sort=since&cursor="
                             . $list->{cursor})->{json};
$api->call('DELETE', "/v1/publishers/many/$list->{items}[9]{name}");
my $again = $api->call('GET', "/v1/streams?app=many&limit=5&sort=since&cursor="
                              . $list->{cursor})->{json};
is_deeply([map { $_->{name} } @{$again->{items}}],
          [map { $_->{name} } @{$next->{items}}], 'and nothing moves');

$_->close() for @held;

is_deeply([grep { !$api->seen($_) } calls($api)], [], 'all was called');

$t->done();


sub close_all { (delete $pub{$_})->close() for @_ }
