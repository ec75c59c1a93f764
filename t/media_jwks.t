#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Keys of tokens by URL: while there are none, as they come, when others come in
# their place, and when what comes is none.

use FindBin;
use lib "$FindBin::Bin/lib";

use MIME::Base64 qw/ decode_base64 encode_base64 /;

use Test::Media;
use Test::Media::Server;

my $t = Test::Media->new();

# each process asks for itself
$t->{workers} = 1;

my $s = Test::Media::Server->new($t, 'JWKS');

$s->stop();

$t->write_conf(<<'EOC' . $s->tls('TLS') . "}\n");
media_trusted_certificate ca.pem;

media live {
    zone 32m; segment 1s; part 200ms;
    publish_auth token;
    token_key jwks=http://u:s3cret@127.0.0.1:%%PORT_JWKS%%/keys?key=h1dden;
}

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_token_key jwks=http://u:s3cret@127.0.0.1:%%PORT_JWKS%%/keys?key=h1dden;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /f/      { media_token header; alias %%DIR%%/files/; }
        location /any/    { media_token header; alias %%DIR%%/files/;
                            satisfy any; deny all; }
        location /password/ {
            media_token query=token; alias %%DIR%%/files/; satisfy any;
            auth_basic media; auth_basic_user_file %%DIR%%/users;
        }
        location /tls/ {
            media_token header; alias %%DIR%%/files/;
            media_token_key jwks=https://127.0.0.1:%%PORT_TLS%%/k;
        }
        location /status  { media_status; }
    }
EOC

$t->write_file('files/a.txt', 'text');
$t->write_file('users', "u:{PLAIN}p\n");
$t->run();


# keys, tokens, sets

sub key {
    my ($name) = @_;

    my $file = $t->path("$name.pem");
    my ($rc, $out) = sh('openssl', 'genpkey', '-algorithm', 'ed25519', '-out',
                        $file);
    die $out if $rc;

    ($rc, $out) = sh('openssl', 'pkey', '-in', $file, '-pubout');
    die $out if $rc;

    my ($text) = $out =~ /KEY-----\n(.*?)\n-----END/s;
    my $x = encode_base64(substr(decode_base64($text), -32), '');
    $x =~ tr|+/=|-_|d;

    return qq({"kty":"OKP","crv":"Ed25519","kid":"$name","x":"$x"});
}

sub token {
    my ($file, @options) = @_;

    my ($rc, $out) = sh($t->root() . '/scripts/token', '--jwt', @options,
                        $t->path("$file.pem"), '*');
    die $out if $rc;
    chomp $out;

    return $out;
}

sub get {
    my ($token, $path) = @_;

    return $t->http_get($path || '/f/a.txt',
                        headers => { Authorization => "Bearer $token" });
}

sub status_of { return get(@_)->{status} }

sub keys_are { $s->on('/keys', { type => 'application/json', @_ }) }
sub set { return body => '{"keys":[' . join(',', @_) . ']}' }

my %key = map { $_ => key($_) } qw/ one two three /;
my %token = map { $_ => token($_, '--key', $_) } keys %key;

# the server is down as we start

my $r = get($token{one});

is($r->{status}, 503, 'no keys yet');
is($r->{headers}{'retry-after'}, 5, 'there may be some soon');
is($r->{headers}{'cache-control'}, 'no-store', 'for nobody else');
is(status_of($token{one}, '/any/a.txt'), 503, 'satisfy any: nobody knows');
is($t->http_get('/f/a.txt')->{status}, 401, 'without a token as ever');

sub password {
    my ($password) = @_;

    return $t->http_get("/password/a.txt?token=$token{one}", headers => {
        Authorization => 'Basic ' . encode_base64("u:$password", '') });
}

is(password('p')->{status}, 200, 'satisfy any: a password is good');
$r = password('x');
is($r->{status}, 503, 'satisfy any: another one is not, nor is it known');
is($r->{headers}{'retry-after'}, 5, 'nor for how long');

my $p = $t->rtmp();
isnt($p->open("live/x?token=$token{one}"), 'NetStream.Publish.Start',
     'no publisher');
is($p->{status}{description}, 'the keys of tokens are not there yet, try again',
   'it is told why');
$p->close();

# it answers, but no keys

my $secret = '{"kty":"oct","kid":"one","k":"' . 'A' x 43 . '"}';

my @wrong = (
    [{ status => 404, set($key{one}) }, 'the answer is not 200'],
    [{ status => 302, headers => { Location => '/other' } },
     'the answer is not 200'],
    [{ type => 'text/html', body => '<html>' . 'x' x 100 . '</html>' },
     'it is no JSON object'],
    [{ body => 'A' x 64 }, 'it is no JSON object'],
    [{ body => slurp($t->path('one.pem')) }, 'it is no JSON object'],
    [{ set() }, 'it has no key that can be used'],
    [{ set('{"kty":"RSA","n":"AQAB","e":"AQAB"}') },
     'it has no key that can be used'],
    [{ body => '{"keys":' }, 'it is no JSON'],
    [{ body => '{"keys":1}' }, '"keys" is no array of keys'],
    [{ set($key{one}, '"' . 'x' x 65_500 . '"') }, 'it is too large'],
    [{ size => 100_000 }, 'the answer is too large'],
    [{ set($secret) },
     'it has a secret ("kty":"oct"), which needs "https://"'],
    [{ hang => 1 }, 'there was no answer in time'],
);

# each worker asks once as it starts

for my $pair (@wrong) {
    my ($how, $why) = @$pair;

    my $said = sub {
        return $t->log_count(qr/media\ keys\ of\ http:\S+\ cannot\ be\ used:
                                \ \Q$why\E;\ a\ JSON\ Web\ Key\ set\ is
                                \ needed,\ tokens\ are\ answered\ 503/x);
    };
    my $before = $said->();

    keys_are(%$how);
    $s->start() if $pair == $wrong[0];
    $s->forget();
    $t->reload();

    wait_ok(sub { $s->count('/keys') }, 10, 'it is asked');

    last if $how->{hang};

    wait_ok(sub { $said->() > $before }, 10, $why);
}

is(status_of($token{one}), 503, 'the keys do not come');

# those who come before the keys wait for them

keys_are(delay => 1, set($key{one}), headers => {
    'Cache-Control' => 'max-age=1' });
$s->forget();
$t->reload();

my @waiting = map {
    $t->start_get('/f/a.txt', headers => { Authorization =>
                                           "Bearer $token{$_}" })
} qw/ one one two one two /;
my $gone = $t->start_get('/f/a.txt', headers => { Authorization =>
                                                  "Bearer $token{one}" });

my ($leaver, $name) = ($t->rtmp(), "x?token=$token{one}");
$leaver->open_app('live');
$leaver->raw($leaver->chunks(20, 0, Test::Media::RTMP::amf(
    'publish', 3, undef, \$name, 'live'), csid => 8, message_stream => 1));
$leaver->close();

$p = $t->rtmp();
my $code = $p->open("live/x?token=" . token('one', '--key', 'one',
                                            '--publish'));
is($code, 'NetStream.Publish.Start', 'a publisher');
$p->close();
$gone->cancel();

is(join(' ', map { $_->result(10)->{status} } @waiting), '200 200 403 200 403',
   'and viewers, each by its own key');
is($s->count('/keys'), 1, 'one question for all');
is(($s->requests('/keys'))[0]{headers}{authorization}, 'Basic dTpzM2NyZXQ=',
   'and who asks is said');
is($t->log_count(qr/media keys of \S+, keys:1/), 1, 'how many there are');

# others come in their place: the name of a key that we do not have

keys_are(set($key{two}));
$s->forget();

is(status_of($token{three}), 403, 'a name that nobody has');
is($s->count('/keys'), 1, 'is asked for');
is(status_of($token{two}), 200, 'it came with others');
is(status_of($token{one}), 403, 'and the old one is not good any more');

keys_are(set($key{three}));

for my $n (1 .. 50) {
    is(status_of(token('three', '--key', "x$n")), 403, 'a name made up')
        if $n % 10 == 0;
    status_of("eyJhbGciOiJFZERTQSIsImtpZCI6IngifQ.$n.x");
}

my @flood = map {
    $t->start_get('/f/a.txt', headers => { Authorization =>
                                           "Bearer $token{three}" })
} 1 .. 200;

is(scalar(grep { $_->result(20)->{status} == 403 } @flood), 200,
   'many that ask for it are refused');
is($s->count('/keys'), 1, 'and it is not asked again');
is(status_of($token{two}), 200, 'others go on');

# the server is down: what was good stays, in those that start, too

$s->stop();
is(status_of($token{two}), 200, 'down');
$t->reload();
is(status_of($token{two}), 200, 'down, and another worker');
ok($t->log_count(qr/cannot be used: .*, those from before stay/),
   'the log says so');

# and while it answers nonsense

$s->start();

for my $pair (@wrong[0, 2, 11]) {
    keys_are(%{$pair->[0]});
    $s->forget();
    $t->reload();
    wait_ok(sub { $s->count('/keys') }, 10, 'asked');
    is(status_of($token{two}), 200, "what was good stays: $pair->[1]");
}

# another reload, other keys

keys_are(set($key{one}, $key{three}));
$t->reload();
wait_ok(sub { status_of($token{three}) == 200 }, 10, 'the new ones are there');
is(status_of($token{one}), 200, 'both');
is(status_of($token{two}), 403, 'and nothing else');

# the same text: what was verified stays so; a process that dies

keys_are(hang => 1);
$t->kill_worker(($t->worker_pids())[0]);
wait_ok(sub { ($t->http_get('/f/a.txt')->{status} || 0) == 401 }, 10,
        'another one is there');
is(status_of($token{one}), 200, 'with the keys');

# a secret, which nobody on the way can read

$t->write_file('oct.pem', '0123456789abcdef0123456789abcdef');
$s->on('/k', { set(sprintf '{"kty":"oct","kid":"s","k":"%s"}',
                   encode_base64('0123456789abcdef0123456789abcdef', '')
                   =~ tr|+/=|-_|dr) });
$t->reload();
my $signed = token('oct', '--key', 's');
wait_ok(sub { status_of($signed, '/tls/a.txt') == 200 }, 10,
        'a secret over https');
is(status_of($token{one}, '/tls/a.txt'), 403, 'other keys are of others');

# nobody is told secrets, but for nginx's own debug lines of requests

my $log = $t->log() =~ s/^.*\[debug\].*\n//mgr;
unlike($log, qr/s3cret|h1dden|dTpz|\Q$token{one}\E/, 'no secrets in the log');

# what nginx -t says

my $check = sub {
    my ($key) = @_;

    my ($ok, $out) = $t->conf_test("http { server { location / {
        media_token header; media_token_key $key; } } }\n");

    return $ok ? 'ok' : $out;
};

is($check->('jwks=https://127.0.0.1/x'), 'ok', 'https');
is($check->('name jwks=http://127.0.0.1/x'), 'ok', 'with a name for all');
like($check->('jwks='), qr/the URL is not valid: it must begin with/, 'no URL');
like($check->('jwks=http://u:s3cret@none.invalid/x'),
     qr/host "none.invalid" is not found/, 'no host');
like($check->("jwks=http://u:s3cret\@127.0.0.1/x;
               media_token_key jwks=http://u:s3cret\@127.0.0.1/x"),
     qr|keys of "http://127.0.0.1/x" are there already|, 'twice');

$t->done();
