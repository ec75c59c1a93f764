#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Tokens of viewers: where they may be, what they are for, and what they are
# refused for; at an edge; with nginx's own ways to let somebody in.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256 /;
use JSON::PP ();
use MIME::Base64 ();

use Test::Media;

my $secret = '0123456789abcdef0123456789abcdef';
my $second = 'fedcba9876543210fedcba9876543210';

my $t = Test::Media->new();

$t->write_file('k1', "$secret\n");
$t->write_file('k2', "$second\n");
chmod 0600, $t->path($_) for qw/ k1 k2 /;

for my $way (['rsa', qw/ -algorithm RSA -pkeyopt rsa_keygen_bits:2048 /],
             ['ec', qw/ -algorithm EC -pkeyopt ec_paramgen_curve:P-256 /],
             ['ed', qw/ -algorithm ED25519 /])
{
    my ($name, @options) = @$way;

    my ($rc, $out) = sh('openssl', 'genpkey', @options, '-out',
                        $t->path("$name.pem"));
    die $out if $rc;
    ($rc, $out) = sh('openssl', 'pkey', '-in', $t->path("$name.pem"),
                     '-pubout', '-out', $t->path("$name.pub"));
    die $out if $rc;
}

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    log_format all '$request $status $request_uri $args $uri';
    access_log %%DIR%%/access.log all;
    proxy_cache_path %%DIR%%/cache keys_zone=edge:1m;

    media_token_key k1 %%DIR%%/k1;
    media_token_key k2 %%DIR%%/k2;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/   { media_live live; media_cors on;
                            media_token path query=token cookie=media header; }
        location /cookie/ { media_live live; media_token cookie=media; }
        location /query/  { media_live live; media_token query=t; }
        location /open    { media_live live; }
        location /echo/   { return 200 "$request_method $http_referer"; }
        location /status  { media_status; }

        location /any/ {
            media_live live; media_token path; satisfy any; allow 127.0.0.1;
            deny all;
        }

        location /all/ { media_live live; media_token path; deny all; }

        location /inner/ {
            media_live live; media_token path;
            location /inner/demo/ { deny all; }
        }

        location /page/ {
            media_live live; media_token query=t; media_cors on;
            error_page 403 404 /page/other/index.m3u8;
        }

        location /noslash { alias %%DIR%%/files; media_token path; }

        location ~ ^/(regex|pattern)/ {
            media_token query=t; alias %%DIR%%/files/a.txt;
            if ($uri) { set $y 1; }
        }

        location /if/ {
            media_live live; media_token path;
            if ($uri ~ "~") { return 418; }
        }

        location /jwt/ {
            media_live live; media_token path header;
            media_token_key %%DIR%%/rsa.pub;
            media_token_key %%DIR%%/ec.pub;
            media_token_key ed %%DIR%%/ed.pub;
            media_token_audience tv; media_token_issuer us;
        }
    }

    server {
        listen 127.0.0.1:%%PORT_EDGE%%;

        location /live/ {
            media_token path;
            proxy_pass http://127.0.0.1:%%PORT_HTTP%%/open/;
            proxy_cache edge; proxy_cache_key $uri; proxy_cache_valid 1m;
            add_header X-Cache $upstream_cache_status always;
        }

        location /files/ {
            media_token path header; alias %%DIR%%/files/;
        }

        location /proxied/ {
            media_token header;
            proxy_pass http://127.0.0.1:%%PORT_HTTP%%/echo/;
        }
    }
}
EOC

mkdir $t->path('files');
$t->write_file('files/a.txt', 'text');
$t->run();

my $pub = $t->ffmpeg_publish('live/demo');
$t->wait_playlist('/open/demo/v1.m3u8', sub { @{$_[0]{segments}} >= 2 }, 20);


sub base64 {
    my $text = MIME::Base64::encode_base64($_[0], '');

    $text =~ tr|+/=|-_|d;

    return $text;
}


sub signed {
    my ($opts, %opt) = @_;

    my $exp = $opt{exp} || time + 100;
    my $action = $opt{action} || 'play';

    $opts = base64($opts);

    return "$exp.$opts." . base64(hmac_sha256("$action\n$exp\n$opts",
                                              $opt{key} || $secret));
}


sub made {
    my ($rc, $out) = sh($t->root() . '/scripts/token', @_);

    die $out if $rc;
    chomp $out;

    return $out;
}


sub status_of {
    my ($path, %opt) = @_;

    return $t->http_get($path, %opt)->{status};
}


# where a token may be

my $good = signed('p=demo');
my $r = $t->http_get("/live/~$good/demo/index.m3u8");

is($r->{status}, 200, 'in the path');

for my $uri ($r->{body} =~ /^([^#].*)$/mg) {
    my $list = $t->http_get("/live/~$good/demo/$uri");

    is($list->{status}, 200, "$uri");
    unlike($list->{body}, qr/~/, 'says nothing of it');

    my ($segment) = $list->{body} =~ /^(\S+\.m4s)$/m;
    is(status_of("/live/~$good/demo/$segment"), 200, "$segment");
    is(status_of("/live/demo/$segment"), 401, 'not without');
}

is($t->http_get("/open/demo/index.m3u8")->{body}, $r->{body},
   'everybody has the same playlist');

is(status_of("/live/~$good/demo/manifest.mpd"), 200, 'manifest.mpd');
is($t->http_head("/live/~$good/demo/index.m3u8")->{status}, 200, 'HEAD');

$r = $t->http_get("/live/demo/index.m3u8?x=1&token=$good&y=2");
is($r->{status}, 302, 'as an argument');
like($r->{headers}{location}, qr|/live/~\Q$good\E/demo/index.m3u8\?x=1&y=2$|,
     'leads to the path');
is($r->{headers}{'cache-control'}, 'no-store', 'for this viewer only');
is(status_of("/query/demo/index.m3u8?t=$good"), 200,
   'or is one, where none is taken from the path');

is(status_of('/cookie/demo/index.m3u8',
             headers => { Cookie => "a=b; media=$good; c=d" }), 200,
   'in a cookie');
is(status_of('/cookie/demo/index.m3u8',
             headers => { Cookie => "xmedia=$good" }), 401, 'of this name');
my $other = signed('p=demo&s=other');
is(status_of("/cookie/~$other/demo/index.m3u8"), 401, 'not in the path then');
is(status_of('/live/demo/index.m3u8',
             headers => { Authorization => "Bearer $good" }), 200,
   'in the header');

# what it is for

my %for = (
    'p=demo' => 200, 'p=*' => 200, 'p=other&p=demo' => 200, 'p=demo2' => 403,
    'p=dem' => 403, 'p=demo/*' => 403, 'p=live/demo' => 403,
    'x=1&p=demo' => 403,
    'p=demo&ip=127.0.0.1' => 200, 'p=demo&ip=127.0.0.0/8' => 200,
    'p=demo&ip=192.0.2.1' => 403, 'p=demo&ip=x' => 403, 'p=demo&k=k1' => 200,
    'p=demo&k=k2' => 403, 's=anna&n=2' => 403,
);

is(status_of('/live/~' . signed($_) . '/demo/index.m3u8'), $for{$_}, $_)
    for sort keys %for;

my @refused = (
    ['expired' => signed('p=demo', exp => time - 11)],
    ['to publish' => signed('p=demo', action => 'publish')],
    ['another secret' => signed('p=demo', key => 'x' x 32)],
    ['no token' => 'x'],
    ['an empty one' => ''],
    ['longer than that' => 'e' x 3000],
);

is(status_of("/live/~$_->[1]/demo/index.m3u8"), 403, $_->[0]) for @refused;

is(status_of('/live/~' . signed('p=demo', key => $second)
             . '/demo/index.m3u8'), 200, 'a second key');
is(status_of('/live/~' . signed('p=demo', exp => time - 5)
             . '/demo/index.m3u8'), 200, 'clocks may differ by 10 s');

is(status_of("/live/~$good/$_"), 403, $_)
    for 'demo2/index.m3u8', 'demo/../demo2/index.m3u8', 'demo%2Fx/index.m3u8',
        'x/demo/index.m3u8';
is(status_of("/live/~$good/demo/../../open2/index.m3u8"), 401, 'and that');
is(status_of("/live/~$good/~$other/demo/index.m3u8"), 403, 'one is enough');

$r = $t->http_get('/live/demo/index.m3u8');
is($r->{status}, 401, 'none');
is($r->{headers}{'cache-control'}, 'no-store', 'is said to nobody else');
is($r->{headers}{'access-control-allow-origin'}, '*', 'but to pages');
$r = $t->http_get('/live/demo/index.m3u8');
is($t->http(method => 'OPTIONS', path => '/live/demo/index.m3u8',
            headers => { Origin => 'http://a.example',
                         'Access-Control-Request-Method' => 'GET' })->{status},
   204, 'a preflight request has none');

is($r->{headers}{'www-authenticate'}, 'Bearer', 'how to ask is said, too');

# times: its last second is over when it is over

is(status_of('/live/~' . made('--jwt', $t->path('k1'), 'demo')
             . '/demo/index.m3u8'), 200, 'a JWT by a secret');

for my $claims (['not yet', nbf => time + 60], ['now', nbf => time - 1],
                ['nearly', nbf => time + 5])
{
    my ($name, @claims) = @$claims;
    my $input = base64('{"alg":"HS256"}') . '.'
        . base64(JSON::PP::encode_json({ exp => time + 60, @claims,
              media => [{ a => 'play', p => 'demo' }] }));

    is(status_of("/live/~$input." . base64(hmac_sha256($input, $secret))
                 . '/demo/index.m3u8'), $name eq 'not yet' ? 403 : 200, $name);
    is(status_of("/live/~$input."
                 . substr(base64(hmac_sha256($input, $secret)), 0, 40)
                 . '/demo/index.m3u8'), 403, 'cut off');
}

# with others

is(status_of('/any/demo/index.m3u8'), 200, 'satisfy any');
is(status_of("/any/~$good/demo/index.m3u8"), 200, 'with a token, too');
is(status_of("/all/~$good/demo/index.m3u8"), 403, 'all: not by a token alone');
is(status_of("/if/~$good/demo/index.m3u8"), 200, '"if" does not see it');
is(status_of("/if/~${good}x/demo/index.m3u8"), 403, 'and is asked after it');

is(status_of("/inner/~$good/demo/index.m3u8"), 403,
   'the location is that of the URI without it');
is(status_of('/inner/~' . signed('p=*') . '/other/index.m3u8'), 404,
   'also where it stays');

$r = $t->http_get("/page/demo2/index.m3u8?t=$good");
is($r->{status}, 403, 'a page that is refused in its turn');
is(scalar(grep { /^access-control-allow-origin$/i } @{$r->{names} || []}) < 2,
   1, 'has one header of each');
is(status_of("/page/demo/index.m3u8?t=" . signed('p=demo')), 200,
   'an argument');
is(status_of("/page/demo/v9.m3u8?t=" . signed('p=demo&p=other')), 404,
   'outlives a redirect inside');

is(status_of('/noslash~' . signed('p=*') . '/a.txt'), 401,
   'behind a slash only');
is(status_of('/noslash/~' . signed('p=*') . '/a.txt'), 200, 'there it is');
is(status_of('/regex/a.txt?t=' . signed('p=regex/a.txt')), 200,
   'in a regular expression all of it is the name');
is(status_of('/regex/a.txt?t=' . signed('p=.txt')), 403, 'also in "if"');

# at an edge

my $edge = $t->port('EDGE');
my $path = "/live/~$good/demo/index.m3u8";

$r = $t->http_get($path, port => $edge);
is($r->{status}, 200, 'edge');
is($r->{headers}{'x-cache'}, 'MISS', 'asks the origin');
$r = $t->http_get('/live/~' . signed('p=demo&s=bea') . '/demo/index.m3u8',
                  port => $edge);
is("$r->{status} $r->{headers}{'x-cache'}", '200 HIT',
   'and has it for another viewer then');
$r = $t->http_get('/live/demo/index.m3u8', port => $edge);
is($r->{status}, 401, 'who needs a token for it');
is(status_of("/live/~$good/demo2/index.m3u8", port => $edge), 403,
   'of another stream');
is(status_of('/files/~' . signed('p=a.txt') . '/a.txt', port => $edge), 200,
   'other files');
is(status_of('/files/~' . signed('p=b.txt') . '/a.txt', port => $edge), 403,
   'by their names');

is($t->http(method => 'OPTIONS', path => '/proxied/x', port => $edge,
            headers => { 'Access-Control-Request-Method' => 'GET' })->{status},
   401, 'what is passed on has no preflight requests');
$r = $t->http_get('/proxied/x', port => $edge,
                  headers => { Authorization => 'Bearer ' . signed('p=x'),
                               Referer => "http://a/live/~$good/x" });
is($r->{body}, 'GET http://a/live/', 'nor a token where viewers come from');
is(status_of("/files/~$good", port => $edge), 403, 'nothing behind it');

# JSON Web Tokens

for my $key (qw/ rsa ec ed /) {
    my @jwt = ('--jwt', '--issuer', 'us', '--audience', 'tv');
    my $file = $t->path("$key.pem");

    for my $n (1 .. 2) {
        is(status_of('/jwt/~' . made(@jwt, $file, 'demo')
                     . '/demo/index.m3u8'), 200, "JWT, $key, $n");
    }

    my $jwt = made(@jwt, $file, 'demo');

    is(status_of('/jwt/demo/index.m3u8',
                 headers => { Authorization => "bearer $jwt" }), 200,
       'as a header') for 1 .. 2;

    $jwt =~ s/\.[^.]+\././;
    is(status_of("/jwt/~$jwt/demo/index.m3u8"), 403, 'without its claims');

    my @forged = split /\./, made(@jwt, $file, 'demo');

    $forged[1] = (split /\./, made(@jwt, $file, '*'))[1];
    is(status_of('/jwt/~' . join('.', @forged) . '/demo/index.m3u8'), 403,
       'with others, ' . ($_ == 1 ? 'once' : 'once more')) for 1, 2;
    is(status_of('/live/~' . made('--jwt', $file, 'demo')
                 . '/demo/index.m3u8'), 403, 'where its key is not');
    is(status_of('/jwt/~' . made(@jwt, $file, 'demo2')
                 . '/demo/index.m3u8'), 403, 'of another stream');
    is(status_of('/jwt/~' . made(@jwt, '--expires', time - 20, $file, 'demo')
                 . '/demo/index.m3u8'), 403, 'expired');
    is(status_of('/jwt/~' . made(@jwt, '--publish', $file, 'demo')
                 . '/demo/index.m3u8'), 403, 'to publish');
    is(status_of('/jwt/~' . made('--jwt', '--audience', 'tv', $file, 'demo')
                 . '/demo/index.m3u8'), 403, 'from nobody');
    is(status_of('/jwt/~' . made('--jwt', '--issuer', 'us', $file, 'demo')
                 . '/demo/index.m3u8'), 403, 'for nobody');
}

is(status_of('/live/~' . made('--jwt', $t->path('k1'), 'demo')
             . '/demo/index.m3u8'), 200, 'JWT by a secret');
is(status_of('/live/~' . made('--jwt', '--audience', 'tv', $t->path('k1'),
                              'demo') . '/demo/index.m3u8'), 403,
   'for somebody else');
is(status_of('/live/~' . made($t->path('k2'), 'demo', 'x/*')
             . '/demo/index.m3u8'), 200, 'scripts/token');

# nothing of it is told to anybody

my $logs = slurp($t->path('access.log')) . $t->log();

is(join("\n", grep { /\Q$good\E/ } split /\n/, $logs), "", "it is in no log");
unlike($logs, qr/\Q$secret\E|\Q$second\E/, 'nor is a secret');
ok($t->log_count(qr/media token refused: the token has expired, client/),
   'which says why');

$pub->stop();

# mistakes

my %wrong = (
    'media_token path;' => qr/"media_token" needs a "media_token_key"/,
    'media_token on;' => qr/invalid value "on", it must be "off", or some of/,
    'media_token off path;' => qr/invalid value "off"/,
    'media_token path; media_token_key none;' => qr/none" failed/,
    'media_token path; media_token_key short;' =>
        qr/short" cannot be used: a secret must have at least 32 bytes/,
    'media_token path; media_token_key open;' =>
        qr/open" cannot be used: it holds a secret and everybody may read/,
    'media_token path; media_token_key a.pem;' => qr/it is no public key/,
    'media_token path; media_token_key commented;' => qr/it is neither a set/,
    'media_token path; media_token_key ssh;' => qr/it is neither a set/,
);

my $c = Test::Media->new();

$c->write_file('short', 'short');
$c->write_file('open', $secret);
$c->write_file('a.pem', slurp($t->path('ed.pem')));
$c->write_file('commented', "# public\n" . slurp($t->path('ed.pub')));
$c->write_file('ssh', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6q7 somebody');
chmod 0600, $c->path($_) for qw/ short commented ssh /;
chmod 0644, $c->path('open');

for my $lines (sort keys %wrong) {
    (my $conf = $lines) =~ s|(key) (\w)|$1 %%DIR%%/$2|;

    $c->write_conf("media live { zone 16m; }\nhttp { server { listen "
                   . "127.0.0.1:%%PORT_HTTP%%; location / { media_live live; "
                   . "$conf } } }\n");
    my ($good, $said) = $c->conf_test();
    ok(!$good, $lines);
    like($said, $wrong{$lines}, 'is said');
    unlike($said, qr/\Q$secret\E/, 'and no secret');
}

$c->write_conf("media live { zone 16m; }\nhttp { server { listen "
               . "127.0.0.1:%%PORT_HTTP%%; location ~ /x { media_token path; "
               . "media_token_key %%DIR%%/open; } } }\n");
chmod 0600, $c->path('open');
my (undef, $said) = $c->conf_test();
like($said, qr/needs a location that is a prefix, "\/x" is none/,
     'no regular expression');

$t->done();
