#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Requests of ours, whatever the server does: answers of each kind, time-outs at
# each stage, connections that are kept, that broke, that are too many, TLS, and
# names.  Who asks is t/modules/ngx_http_media_test_fetch_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;

use Test::Media;
use Test::Media::Server;

my $t = Test::Media->new(test_modules => 1);

# connections and failures are counted by each process for itself
$t->{workers} = 1;

my $s = Test::Media::Server->new($t, 'S');

my @certificates = map { $s->tls(@$_) } ['GOOD'], ['OLD', expired => 1],
    ['OTHER', names => ['DNS:other.example', 'DNS:*.localhost']],
    ['SELF', self => 1];

my %ask = (
    plain => 'http://127.0.0.1:%%PORT_S%%/x?from=conf',
    user => 'http://u:s%65cret@127.0.0.1:%%PORT_S%%/x?key=hidden',
    refused => 'http://127.0.0.1:%%PORT_NOBODY%%/x?key=hidden',
    name => 'http://two.example:%%PORT_S%%',
    unknown => 'http://none.example/x',
    failing => 'http://fails.example/x',
    mute => 'http://mute.example/x',
    good => 'https://localhost:%%PORT_GOOD%%/x',
    address => 'https://127.0.0.1:%%PORT_GOOD%%/x',
    old => 'https://localhost:%%PORT_OLD%%/x',
    other => 'https://localhost:%%PORT_OTHER%%/x',
    self => 'https://localhost:%%PORT_SELF%%/x',
    notls => 'https://localhost:%%PORT_S%%/x',
);

my $conf = <<'EOC' . join '', @certificates, <<'EOD' . "}\n";
media_resolver 127.0.0.1:%%UDP_DNS%% valid=1s;
media_trusted_certificate ca.pem;
http {
EOC
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
EOD

$conf =~ s/\}\n$//;
$conf .= "        location /$_ { media_test_fetch $ask{$_}; }\n"
    for sort keys %ask;
$conf .= "    }\n}\n";

# names: of two addresses nobody listens at the first one

my $dns_port = $t->udp('DNS');
my %names = ('two.example' => ['127.9.9.9', '127.0.0.1'],
             'localhost' => ['127.0.0.1']);

$t->background('dns', sub {
    my $parent = getppid();
    my $dns = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1',
                                    LocalPort => $dns_port)
        or die "bind: $!\n";

    while (getppid() == $parent) {
        vec(my $in = '', fileno($dns), 1) = 1;
        next if select($in, undef, undef, 1) <= 0;

        my $from = $dns->recv(my $query, 512);
        my ($id, $question) = unpack 'a2 x10 a*', $query;
        my $type = unpack 'n', substr $question, -4, 2;
        my $name = join '.', unpack '(C/a)*', substr $question, 0, -5;

        next if $name eq 'mute.example';

        my @addrs = $type == 1 ? @{$names{$name} || []} : ();
        my $code = $names{$name} ? 0 : $name =~ /fails/ ? 2 : 3;

        $dns->send(pack('a2 n5 a*', $id, 0x8180 | $code, 1, scalar @addrs, 0,
                        0, $question)
                   . join '', map { pack 'n3 N n a4', 0xc00c, 1, 1, 1, 4,
                                    pack 'C4', split /\./ } @addrs);
    }
});

$t->write_conf($conf)->run();

sub ask {
    my ($path) = @_;

    my $body = $t->http_get($path)->{body};
    return defined $body ? $body : 'nothing';
}

sub failures {
    my ($error) = @_;

    return $t->log_count(qr/media fetch of \S+ failed: \Q$error\E/);
}

# what is asked

$s->on('/x', { body => 'hello', type => 'text/plain; charset=x',
               headers => { 'Cache-Control' => 'max-age=60' } });

is(ask('/plain'),
   "1 status:200 type:text/plain age:60 location: body:hello\n", 'an answer');

my ($r) = $s->requests();

is("$r->{method} $r->{uri}", 'GET /x?from=conf', 'what was asked');
is_deeply($r->{headers}, { host => '127.0.0.1:' . $s->port(), accept => '*/*',
                           'user-agent' => 'ngx_stream_vod_module',
                           connection => 'keep-alive' }, 'its headers');

ask('/user?method=POST&args=a=1,b=2&type=text/x&body=name=demo');
$r = ($s->requests())[-1];

is("$r->{method} $r->{uri}", 'POST /x?key=hidden&a=1&b=2', 'POST');
is($r->{body}, 'name=demo', 'its body');
is($r->{headers}{'content-type'}, 'text/x', 'its type');
is($r->{headers}{'content-length'}, 9, 'its length');
is($r->{headers}{authorization}, 'Basic dTpzZWNyZXQ=', 'who asks');

ask('/plain?method=POST');
is(($s->requests())[-1]{headers}{'content-length'}, 0, 'no body is said');
is($s->connections(), 1, 'all over one connection');

# what is answered

my @answers = (
    [{ status => 403, body => 'no' }, 'status:403 .* body:no$'],
    [{ status => 302, headers => { Location => '/away' } },
     'status:302 .* location:/away'],
    [{ status => 204 }, 'status:204 '],
    [{ status => 500, type => 'text/html', body => '<html>' },
     'status:500 type:text/html .*<html>'],
    [{ chunked => 3, body => 'abcdefgh' }, 'body:abcdefgh$'],
    [{ until => 1, body => 'abcdefgh' }, 'body:abcdefgh$'],
    [{ body => 'abcdefgh', drip => 0.001 }, 'body:abcdefgh$'],
    [{ after => 'say', body => 'abc' }, 'body:abc$'],
    [{ after => 'close', body => 'abc' }, 'body:abc$'],
    [{ size => 65536 }, 'body:x{8000}'],
    [{ size => 80_000 }, 'error:the answer is too large'],
    [{ size => 80_000, chunked => 100 }, 'error:the answer is too large'],
    [{ raw => "<html>\n\n" }, 'error:the answer is no HTTP/1.1'],
    [{ raw => "HTTP/1.1 200 OK\r\n" . "a: b\r\n" x 100 },
     'error:the head of the answer is too large'],
    [{ raw => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd" },
     'error:there is more than the answer'],
    [{ body => 'abcdef', cut => 20 }, 'error:the answer is cut off'],
    [{ chunked => 2, body => 'abcdef', cut => 60 },
     'error:the answer is cut off'],
    [{ close => 1 }, 'error:the server closed the connection'],
);

for my $pair (@answers) {
    $s->on('/x', $pair->[0]);

    my $said = ask('/plain');
    ok($said =~ /^1 .*$pair->[1]/, "answered: $pair->[1]")
        or diag substr $said, 0, 100;
}

# a deadline is one of all of it

for my $how ({ hang => 1 }, { body => 'abcdef', cut => 30, hang => 1 },
             { body => 'abcdef', drip => 10 }, { delay => 30 })
{
    $s->on('/x', $how);
    is(ask('/plain?timeout=200'), "1 error:there was no answer in time\n",
       'too late: ' . join ' ', sort keys %$how);
}

$s->on('/x', { body => 'fine' });
like(ask('/plain'), qr/body:fine/, 'and then it answers');
is($t->log_count(qr/works again/) > 0, 1, 'which the log says');

# nobody is there, says the log, and not each time

is(ask('/refused'), "1 error:the server cannot be connected to\n", 'refused');
ask('/refused') for 2 .. 16;
is(failures('the server cannot be connected to'), 5,
   '1, 2, 4, 8, 16 of 16 failures are logged');
is($t->log_count(qr/connect\(\) (?:to \S+ )?failed .*Connection refused/),
   $ENV{TEST_DEBUG} ? 16 : 5,
   'and so is what the system says');

# connections

$s->forget();
$s->on('/x', { delay => 0.1, body => 'a' });
like(ask('/plain?n=400&timeout=20000'), qr/^400 status:200/, '400 at once');
is($s->count(), 400, 'each is asked once');
cmp_ok($s->connections(), '<=', 128, 'over no more than 128 connections');
cmp_ok($s->open(), '<=', 17, 'of which some are kept');

$s->on('/x', { hang => 1 });
like(ask('/plain?n=200&timeout=300'),
     qr/\A128\ error:there\ was\ no\ answer\ in\ time
        \n72\ error:others\ were\ asked\ for\ first,\ until\ its\ time/x,
     'who waits has a deadline, too');
like(ask('/plain?n=5000&timeout=1000'),
     qr/^776 error:too many others wait for the server$/m,
     'and so is who waits bounded');
my ($many) = ask('/plain?n=2000&timeout=1000&body=' . 'x' x 7000)
             =~ /^(\d+) error:too many others wait for the server$/m;
cmp_ok($many || 0, '>=', 2000 - 128 - 8 * 1024 * 1024 / 7000,
       'and what they say');
cmp_ok($many || 0, '<', 2000 - 128 - 8 * 1024 * 1024 / 7500,
       'but not more than that');
$s->on('/x', { body => 'a' });
like(ask('/plain?n=3'), qr/^3 status:200/, 'all are free again');

is(ask('/plain?n=3000&cancel=1'), "\n", 'of no interest');
like(ask('/plain?n=3'), qr/^3 status:200/, 'nor is anything left of these');

# one that was kept, and was closed as it was used

ask('/plain');
$s->on('/x', { close => 'reused' }, { body => 'again' });
$s->forget();
is(ask('/plain'), "1 status:200 type: age:-1 location: body:again\n",
   'asked again over another one');
is($s->count(), 2, 'once');

$s->on('/x', { close => 1 });
ask('/plain');
$s->on('/x', { body => 'a' });
ask('/plain');
$s->on('/x', { close => 1 });
$s->forget();
is(ask('/plain'), "1 error:the server closed the connection\n", 'and no more');
is($s->count(), 2, 'than that');

# one that is old is not kept, however busy it is: its name may have moved

$s->on('/x', { body => 'a' });
ask('/plain');
$s->forget();
ask('/plain') for 1 .. 2;
is($s->connections(), 0, 'kept');
ask('/plain?age=200000');
ask('/plain');
is($s->connections(), 0, 'for minutes');
ask('/plain?age=101000');
ask('/plain') for 1 .. 20;
is($s->connections(), 1, 'and no longer');

$s->on('/x', { after => 'close', body => 'a' });
like(ask('/plain'), qr/status:200/, 'closed behind the answer')
    for 1 .. 3;

# names

$s->on('/', { body => 'by name' });
like(ask('/name'), qr/body:by name/, 'the second address is the one');
is(($s->requests('/'))[0]{headers}{host}, 'two.example:' . $s->port(),
   'its name is said');
is(ask('/unknown'), "1 error:the server's name is not found\n", 'no such name');
is(ask('/failing'), "1 error:the server's name is not found\n",
   'a look-up that fails');
is(ask('/mute?timeout=300'), "1 error:there was no answer in time\n",
   'one that nobody answers');

# TLS

$s->on('/x', { body => 'secret' });
like(ask('/good'), qr/body:secret/, 'TLS, a name');
like(ask('/address'), qr/body:secret/, 'TLS, an address');
like(ask('/good?n=20'), qr/^20 status:200/, 'TLS, some at once');
is(ask('/old'), "1 error:the server's certificate cannot be trusted\n",
   'expired');
is(ask('/self'), "1 error:the server's certificate cannot be trusted\n",
   'by itself');
is(ask('/other'), "1 error:the server's certificate is for another host\n",
   'of another');
ok($t->log_count(qr/certificate of "localhost" cannot be trusted: \(10:/),
   'and why: expired');
ok($t->log_count(qr/certificate of "localhost" cannot be trusted: \(18:/),
   'and why: self-signed');

$s->on('*', { raw => "HTTP/1.1 400 No\r\n\r\n", after => 'close' });
$s->mode('close');
is(ask('/notls'), "1 error:the server does not speak TLS with us\n", 'no TLS');
$s->mode('deaf');
is(ask('/notls?timeout=300'), "1 error:there was no answer in time\n",
   'TLS that hangs');
is(ask('/plain?timeout=300'), "1 error:there was no answer in time\n",
   'a server that hangs') for 1 .. 2;
$s->mode('');

# secrets are not said

unlike($t->log(), qr/hidden|s%65cret|secret|dTpz/, 'no secrets in the log');

# a worker that leaves

$s->on('/x', { delay => 1.5, body => 'late' });
$s->forget();

my $late = $t->start_get('/plain');
wait_ok(sub { $s->count() == 1 }, 10, 'one is in flight');
$t->reload();
like($late->result(20)->{body}, qr/body:late/, 'it is not lost');
wait_ok(sub { !$t->old_workers() }, 10, 'and then the worker leaves');

$s->on('/x', { body => 'kept' });
ask('/plain');
$t->reload();
wait_ok(sub { !$t->old_workers() }, 10, 'whom no kept connection holds');

# a client that goes

$s->on('/x', { hang => 1 });
$s->forget();
my $gone = $t->start_get('/plain?timeout=60000');
wait_ok(sub { $s->count() == 1 }, 10, 'asked');
$gone->cancel();
wait_ok(sub { $s->open() <= 0 }, 10, 'its connection is closed');

# what is told to who debugs

SKIP: {
    skip 'nginx without debug lines', 2
        if $t->build_flags() !~ /--with-debug/ || $ENV{TEST_DEBUG};

    $t->write_conf("error_log %%DIR%%/debug.log debug_core;\n$conf")->reload();
    $s->on('/x', { body => 'a' });
    ask('/plain');
    like(slurp($t->path('debug.log')),
         qr/media fetch \w+ connects to \Q127.0.0.1:${\$s->port()}\E, fd:/,
         'an address of the URL');
    ask('/good');
    like(slurp($t->path('debug.log')),
         qr/connects to \Q127.0.0.1:${\$t->port('GOOD')}\E, fd:/,
         'one that was looked up');
}

# what nginx -t says

my $check = sub {
    my ($url, $main) = @_;

    my ($ok, $out) = $t->conf_test(($main || '') . "http { server {
        location / { media_test_fetch $url; } } }\n");

    return $ok ? 'ok' : $out;
};

is($check->('http://127.0.0.1/'), 'ok', 'an address needs no resolver');
is($check->('https://[::1]:8443/x'), 'ok', 'and no file of certificates, here');
is($check->('http://localhost/'), 'ok', 'a name is looked up');
like($check->('http://u:pass@none.invalid/'),
     qr/host\ "none.invalid"\ is\ not\ found,\ and\ there\ is\ no
        \ "media_resolver"\ to\ look\ for\ it\ later\ in\ \S*test.conf:
        \d+$/mx,
     'it is not there');
is($check->('http://none.invalid/', "media_resolver 127.0.0.1;\n"), 'ok',
   'it will be looked up');
like($check->('"http://u:pass@a b/"'),
     qr/the URL is not valid: blanks, .*must be percent-encoded/, 'a blank');
like($check->('ftp://u:pass@a/'), qr/it must begin with "http:/, 'ftp');
like($check->('http://[1::2::3]/'), qr/"\[1::2::3\]" in the URL is no address/,
     'no address');
like($check->('https://127.0.0.1/', "media_trusted_certificate none.pem;\n"),
     qr/"media_trusted_certificate" file "\S*none.pem" cannot be used/,
     'no file');
like($check->('https://127.0.0.1/', "media_resolver 127.0.0.1 valid=x;\n"),
     qr/invalid parameter: valid=x/, 'a resolver');
like($check->('http://a/', "media_resolver 127.0.0.1;\n" x 2),
     qr/"media_resolver" directive is duplicate/, 'twice');

$t->done();
