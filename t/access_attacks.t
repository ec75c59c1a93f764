#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What a token must withstand: names that only look like its own, tokens that
# are none, keys that have changed, many wrong ones at once; and nobody is told
# any of it, by the formats of logs that docs/access.md has either.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256 /;
use MIME::Base64 qw/ encode_base64 /;

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Vod;

my ($secret, $new) = ('0123456789abcdef0123456789abcdef',
                      'fedcba9876543210fedcba9876543210');

my $t = Test::Media->new();

for my $name ('ec', 'other') {
    my $pem = $t->path("$name.pem");

    for my $cmd ([qw/ genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256
                      -out /, $pem],
                 [qw/ pkey -pubout -in /, $pem, '-out', $t->path("$name.pub")])
    {
        my ($rc, $out) = sh('openssl', @$cmd);
        die $out if $rc;
    }
}

$t->write_file('key', "$secret\n");
$t->write_file('new', "$new\n");
$t->write_file('pub', slurp($t->path('ec.pub')));
chmod 0600, map { $t->path($_) } qw/ key new /;

my %format = map { /^(http|stream) \{\n(.*log_format media.*)^\}/ms }
    slurp($t->root() . '/docs/access.md') =~ /^```nginx\n(.*?)^```$/msg;

my $conf = <<'EOC';
media live { zone 32m; segment 1s; part 200ms; grace 5s;
             publish_auth token; token_key k1 %%DIR%%/key; }
media open { zone 32m; segment 1s; part 200ms; grace 5s; }

stream {
    %%STREAM_FORMAT%%
    access_log %%DIR%%/stream.log media;
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
}

http {
    %%HTTP_FORMAT%%
    access_log %%DIR%%/access.log media;

    media_token_key k1 %%DIR%%/key;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/ { media_live open;
                          media_token path query=token cookie=media header; }
        location /jwt/  { media_live open; media_token path;
                          media_token_key %%DIR%%/pub; }
        location /soon/ { media_live open; media_token path;
                          media_token_leeway 0; }
        location /new/  { media_live open; media_token path;
                          media_token_key %%DIR%%/new; }
        location /vod/  { alias %%DIR%%/media/; media_vod on;
                          media_token path; }
        location /open/ { media_live open; }
        location /status  { media_status; }
        location /metrics { media_metrics; }
    }

    server {
        listen 127.0.0.1:%%PORT_RAW%%;
        merge_slashes off;
        location /live/ { media_live open; media_token path; }
    }
}
EOC

$conf =~ s/%%(\w+)_FORMAT%%/$format{lc $1}/g;

mkdir $t->path('media');
link vod_made('args.mp4', seconds => 4), $t->path("media/$_.mp4")
    for qw/ demo demo2 /;

$t->write_conf($conf);
$t->run();


sub base64 { return encode_base64($_[0], '') =~ tr|+/=|-_|dr }


sub made {
    my ($rc, $out) = sh($t->root() . '/scripts/token', @_);

    die $out if $rc;
    chomp $out;

    return $out;
}


sub hs256 {
    my ($header, $claims, $key) = @_;

    my $input = base64($header) . '.' . base64($claims);

    return "$input." . base64(hmac_sha256($input, $key));
}


sub status_of {
    my ($path, %opt) = @_;

    return $t->http_get($path, %opt)->{status};
}


# names: each of these streams is there

my @tags = live_tags('plain');
my @pubs = map { play_publish($t, "open/$_", \@tags, to => 30000) }
    qw/ demo demo2 Demo a\/demo /;

$t->wait_playlist("/open/$_/v1.m3u8", sub { @{$_[0]{segments}} >= 1 }, 20)
    for qw/ demo demo2 Demo a\/demo /;

my $good = made($t->path('key'), 'demo', 'demo.mp4');
my $all = made($t->path('key'), '*');
my $list = 'index.m3u8';

is(status_of($_), 200, "the stream: $_")
    for map { s/T/$good/r } "/live/~T/demo/$list", "/live/~T/%64emo/$list",
            "/live//~T//demo//$list", "/live/%7eT/demo/$list",
            "/live/~T/demo2/../demo/$list", "/vod/~T/demo.mp4/$list";

for my $path ("demo2/$list", "Demo/$list", "a/demo/$list",
              "demo/../demo2/$list", "demo/%2e%2e/demo2/$list",
              "demo%2f..%2fdemo2/$list", "demo%2F%2E%2E%2Fdemo2/$list",
              "demo%252f..%252fdemo2/$list", "./demo2/$list", "/demo2/$list",
              "demo;/../demo2/$list", "demo/$list/../../demo2/$list",
              "demo%5c..%5cdemo2/$list", "demo2%2f$list", "demo2%3f/$list",
              "%44emo/$list", "demo/v1/../../demo2/v1.m3u8", "demo%20/$list",
              "~$all/demo2/$list")
{
    my $raw = status_of("/live/~$good/$path", port => $t->port('RAW'));

    is(status_of("/live/~$good/$path"), 403, "another one: $path"
                                             =~ s/~[^\/]*/~T/r);
    ok($raw == 403, 'also where slashes are not merged') or diag($raw);
}

my %other = (
    "/live/~T/../demo2/$list" => 401, "/live/~T/demo/../../demo2/$list" => 401,
    "/live/x/../~T/demo2/$list" => 403, "/live/x/~T/demo/$list" => 401,
    "/LIVE/~T/demo2/$list" => 404, "/live~T/demo2/$list" => 404,
    "/live/~T/demo%00/../demo2/$list" => 400,
    "/live/demo2/$list?token=T&token=A" => 403,
    "/live/demo2/$list?Token=T" => 403, "/live/demo2/$list?token=" => 403,
    "/live/demo2/$list?xtoken=A" => 401, "/live/demo2/$list?token=%2E" => 403,
    "/vod/~T/demo2.mp4/$list" => 403,
    "/vod/~T/demo.mp4/../demo2.mp4/$list" => 403,
    "/vod/~T/demo.mp4%2f..%2fdemo2.mp4/$list" => 403,
    "/vod/~T/demo.mp4/..%2f..%2f..%2fkey" => 404,
    "/vod/~T/demo.mp4/../../key" => 401,
    "/live/~T,A/demo2/$list" => 403, "/live/~T.A/demo2/$list" => 403,
);

is(status_of(s/T(?=[,.\/&]|$)/$good/r =~ s/A(?=[\/&]|$)/$all/r), $other{$_},
   "no way in: $_") for sort keys %other;

is(status_of("http://localhost/live/~$good/demo2/$list"), 403,
   'nor with a host');
is(status_of("/live/demo2/$list", headers => { $_->[1] => $_->[2] }),
   $_->[0], "nor by $_->[1]")
    for [403, Cookie => "media=$good; media=$all"],
        [403, Authorization => "Bearer $good, Bearer $all"],
        [403, Authorization => "Bearer  $all"],
        [401, Authorization => 'Bearer '];

# what is no token, in the manner of one

my $head = '{"alg":"HS256"}';
my $claims = sprintf '{"exp":%d,"media":[{"a":"play","p":"*"}]}', time + 600;
my $ec = made('--jwt', $t->path('ec.pem'), '*');
my ($ec_input, $ec_mac) = $ec =~ /^(.*)\.(.*)$/;

is(status_of('/live/~' . hs256($head, $claims, $secret) . "/demo/$list"), 200,
   'a good one');
is(status_of("/jwt/~$ec/demo/$list"), 200, 'and one by a public key');

for my $bad (
    ['none' => base64('{"alg":"none"}') . '.' . base64($claims) . '.'],
    ['none, signed' => hs256('{"alg":"none"}', $claims, $secret)],
    ['no algorithm' => hs256('{}', $claims, $secret)],
    ['one in capitals' => hs256('{"alg":"hs256"}', $claims, $secret)],
    ['RS256 by a secret' => hs256('{"alg":"RS256"}', $claims, $secret)],
    ['no parts' => 'eyJhbGciOiJIUzI1NiJ9'],
    ['dots' => '..'],
    ['five parts' => hs256($head, $claims, $secret) . '.a.b'],
    ['padding' => hs256($head, $claims, $secret) . '='],
    ['a blank' => hs256("$head ", $claims, $secret) . '%20'],
    ['no JSON' => hs256($head, "$claims,", $secret)],
    ['a list' => hs256($head, "[$claims]", $secret)],
    ['expired by a fraction' =>
        hs256($head, '{"exp":1.9e9.1,"media":[]}', $secret)],
    ['no end' => hs256($head, '{"media":[{"a":"play","p":"*"}]}', $secret)],
    ['an end that is a text' =>
        hs256($head, $claims =~ s/(\d{9,})/"$1"/r, $secret)],
    ['two ends' => hs256($head, $claims =~ s/\{/{"exp":1,/r, $secret)],
    ['not yet' => hs256($head, $claims =~ s/\{/{"nbf":9999999999,/r, $secret)],
    ['a key of its own' => hs256('{"alg":"HS256","jwk":{"kty":"oct","k":"'
        . base64('x' x 32) . '"}}', $claims, 'x' x 32)],
    ['an address of keys' =>
        hs256('{"alg":"HS256","jku":"http://127.0.0.1/"}', $claims, $secret)],
    ['a file of keys' =>
        hs256('{"alg":"HS256","kid":"../../dev/null"}', $claims, '')],
    ['an empty secret' => hs256($head, $claims, '')],
    ['zeros' => hs256($head, $claims, "\0" x 32)],
    ['what is critical' =>
        hs256('{"alg":"HS256","crit":["x"]}', $claims, $secret)],
    ['long' => hs256($head, $claims =~ s/\{/'{"x":"' . 'y' x 4000 . '",'/er,
                     'x' x 32)],
    ['deep' => hs256($head, $claims =~ s/\{/'{"x":' . '[' x 2000 . ']' x 2000
                                            . ','/er, $secret)],
    ['nothing it allows' => hs256($head, '{"exp":9999999999}', $secret)],
    ['a narrower one' => hs256($head, $claims =~ s/"p"/"n":1,"p"/r, $secret)],
)
{
    is(status_of("/live/~$bad->[1]/demo/$list"), 403, "no token: $bad->[0]");
}

# a public key is no secret, and signatures have one form

for my $bad (
    ['its text as a secret' =>
        map { hs256($head, $claims, $_) } slurp($t->path('ec.pub')),
            slurp($t->path('ec.pub')) =~ s/\n\z//r],
    ['another key' => made('--jwt', $t->path('other.pem'), '*')],
    ['zeros' => map { "$ec_input." . base64("\0" x $_) } 64, 32, 0, 65],
    ['its first half' => "$ec_input." . substr $ec_mac, 0, 43],
    ['more' => "$ec_input.${ec_mac}AAAA"],
    ['DER' => "$ec_input." . base64("\x30\x06\2\1\1\2\1\1")],
)
{
    my ($name, @tokens) = @$bad;

    is(status_of("/jwt/~$_/demo/$list"), 403, "no signature: $name")
        for @tokens;
}

# that a signed token is right is remembered, and nothing else of it

my $soon = time + 5;
my $short = made('--expires', $soon, $t->path('key'), 'demo');
my $away = made('--ip', '192.0.2.1', $t->path('key'), 'demo');

is(status_of("/soon/~$short/demo/$list"), 200, 'a good one, ' . ($_ + 1))
    for 0 .. 2;
is(status_of("/soon/~$short/demo2/$list"), 403, 'not for another stream');
is(status_of("/new/~$short/demo/$list"), 403, 'nor where its key is not');
is(status_of("/soon/~${short}A/demo/$list"), 403, 'nor a longer one');
is(status_of('/soon/~' . $short =~ s/^(\d+)/$1 + 9/er . "/demo/$list"), 403,
   'nor one with another time');
is(status_of("/soon/~$away/demo/$list"), 403, 'nor from elsewhere') for 0, 1;
is(status_of("/soon/~$short/demo/$list"), 200, 'which has not lost its place');
wait_ok(sub { status_of("/soon/~$short/demo/$list") == 403 }, 10,
        'until it expires');
cmp_ok(time, '>=', $soon, 'and not sooner');

# RTMP

my $publish = made('--publish', $t->path('key'), 'demo');
my $start = 'NetStream.Publish.Start';


sub code_of {
    my ($app, $name) = @_;

    my $p = $t->rtmp();
    my $reply = $p->open_app($app);
    my $code = 'nothing';

    if ($reply && $reply->{name} eq '_result') {
        $p->create_stream();
        $code = $p->publish($name) || 'nothing';
    }

    $p->close();

    return $code;
}


is(code_of('live', "demo?token=$publish"), $start, 'publishing');
is(code_of('live', "/demo/?token=$publish"), $start, 'with slashes around it');

isnt(code_of(@$_), $start, "another one: $_->[0], " . $_->[1] =~ s/\?.*//r)
    for ['live', "demo2?token=$publish"], ['live', "Demo?token=$publish"],
        ['live/a', "demo?token=$publish"], ['live', "a/demo?token=$publish"],
        ['live', "demo/../demo2?token=$publish"],
        ['live', "demo%2f..%2fdemo2?token=$publish"],
        ['live', "demo//demo2?token=$publish"],
        ['live', "demo\0?token=$publish"], ['live', "demo ?token=$publish"],
        ['live', "demo?Token=$publish"],
        ['live', "demo?token=x&token=$publish"],
        ["live?token=x", "demo?token=$publish"],
        ['live', "demo?x=?token=$publish"], ['live', "demo?token=$good"];

# many wrong ones: neither memory nor loud lines

my ($pid) = $t->worker_pids();


sub memory {
    my ($kb) = slurp("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;

    return $kb;
}


sub flood {
    my ($n) = @_;

    my ($conn, %seen);

    for my $i (1 .. $n) {
        my $token = $i & 1 ? hs256($head, $claims =~ s/\{/{"i":$i,/r, 'x' x 32)
                           : "$ec_input." . base64(pack('N', $i) x 16);
        my $r = $t->http_get(($i & 1 ? '/live' : '/jwt')
                             . "/~$token/demo/$list", keep => 1,
                             $conn ? (conn => $conn) : ());
        $conn = $r->{conn};
        $seen{$r->{status}}++;
    }

    return \%seen;
}


flood(200);
my $before = memory();
my $loud = $t->log_count(qr/\[(?:notice|warn|error|crit|alert)\]/);
my $quiet = $t->log_count(qr/media token refused/);

is_deeply(flood(2000), { 403 => 2000 }, 'many wrong ones are refused');

# AddressSanitizer keeps what was freed

cmp_ok(memory() - $before, '<',
       $t->build_flags() =~ /fsanitize/ ? 200_000 : 2000,
       'which takes no memory, KB');
is($t->log_count(qr/\[(?:notice|warn|error|crit|alert)\]/), $loud,
   'and no lines above "info"');
is($t->log_count(qr/media token refused/) - $quiet, 2000, 'which has each');
is(status_of("/live/~$good/demo/$list"), 200, 'good ones go on');

# other keys: who publishes goes on, who comes is asked by these

my $stays = $t->rtmp();
is($stays->open("live/demo?token=$publish"), $start, 'one who publishes');
$stays->send_tags(\@tags, to => 1000);

$t->write_file('key', "$new\n");
$t->write_file('pub', slurp($t->path('other.pub')));
$t->reload();

is(status_of("/live/~$good/demo/$list"), 403, 'an old token');
is(status_of("/jwt/~$ec/demo/$list"), 403, 'a verdict that was kept');
is(status_of('/live/~' . made($t->path('new'), 'demo') . "/demo/$list"), 200,
   'a new one');
is(code_of('live', "demo?token=$publish"), 'NetStream.Publish.Denied',
   'an old one to publish');
$stays->send_tags(\@tags, from => 1000, to => 2000);
ok($stays->poll(0.2), 'disturbs nobody');
$stays->close();

# nobody is told

$t->http_get("/live/~$good/none");
$t->http_get("/live/none?token=$good");

my $page = $t->http_get("/live/~$good/demo2/$list")->{body}
    . $t->http_get("/nowhere/~$good/demo/$list")->{body};
my (undef, $said) = $t->conf_test();

my %told = (
    'access.log' => slurp($t->path('access.log')),
    'stream.log' => slurp($t->path('stream.log')),
    '/status' => $t->http_get('/status')->{body},
    '/metrics' => $t->http_get('/metrics')->{body},
    'error pages' => $page, 'nginx -t' => $said,

    # nginx says what it was asked for where no location has a token, or it was
    # not understood; and of two in a row the second one is a name

    'error.log' => join("\n", grep { !m{open\(\) "[^"]+/html/}
                                     && !/client sent invalid request/
                                     && index($_, "/live/~$all/demo2/") < 0 }
                              split /\n/, $t->log()),
);

my @hidden = grep { length } $secret, $new,
    map { (/\.([^.]+)$/)[0] } $good, $all, $publish, $ec, $short;

for my $where (sort keys %told) {
    my @lines = grep { my $line = $_;
                       grep { index($line, $_) >= 0 } @hidden }
                split /\n/, $told{$where};

    is(join("\n", @lines), '', "$where has no key and no token");
}

like($told{'access.log'}, qr|GET /live/demo/$list 200|, 'but what was asked');
like($told{'access.log'}, qr|GET /nowhere/-/demo/$list 404|,
     'also what is of no location');
like($told{'stream.log'}, qr|live/demo|, 'and who published');

$_->stop() for @pubs;

# keys that everybody may read

for my $mode (0644, 0604, 0602) {
    chmod $mode, $t->path('new');

    for my $where ('media x { zone 16m; publish_auth token; token_key F; }',
                   'http { server { listen 127.0.0.1:1; location / { '
                   . 'media_token path; media_token_key F; } } }')
    {
        my ($ok, $why) = $t->conf_test($where =~ s|F;|%%DIR%%/new;|r);
        ok(!$ok, sprintf 'a file of mode %03o', $mode);
        like($why, qr/it holds a secret and everybody may read it/, 'is none');
    }
}

chmod 0640, $t->path('new');
ok(($t->conf_test('media x { zone 16m; publish_auth token; token_key '
                  . '%%DIR%%/new; }'))[0], 'a group may');

$t->done();
