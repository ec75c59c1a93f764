#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Who may publish and play by RTMP: keys of a file, tokens; what the others
# are told, and what nobody is told.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::SHA qw/ hmac_sha256 /;
use MIME::Base64 qw/ encode_base64 /;

use Test::Media;
use Test::Media::FLV;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Viewer;

my $start = 'NetStream.Publish.Start';
my ($key, $other, $secret) = ('s3cr3t-of-demo', 's3cr3t-of-news',
                              '0123456789abcdef0123456789abcdef');

my $t = Test::Media->new(workers => 2);

$t->write_file('keys', <<"EOF");
# who publishes what

$key  demo
\t$other\tnews/one
$other news/two
EOF
$t->write_file('token', "$secret\n");
chmod 0600, $t->path($_) for qw/ keys token /;

$t->write_conf(<<'EOC');
media keys { zone 32m; segment 1s; part 200ms; grace 2s;
             publish_auth keys=%%DIR%%/keys; publish_conflict drop; }
media live { zone 32m; segment 1s; part 200ms; grace 2s;
             publish_auth token; play_auth token;
             token_key k1 %%DIR%%/token; }
media any  { zone 32m; publish_auth token jti=any; publish_conflict reject;
             token_key k1 %%DIR%%/token; }
media few  { zone 32m; max_streams 1; publish_auth token;
             token_key k1 %%DIR%%/token; }

stream {
    log_format ours '$media_app|$media_stream|$media_reason|$status';
    access_log %%DIR%%/stream.log ours;

    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; media_rtmp_play on; }
}

http {
    access_log off;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /keys/   { media_live keys; }
        location /live/   { media_live live; }
        location /token/  { media_live live; media_token path;
                            media_token_key %%DIR%%/token; }
        location /status  { media_status; }
    }
}
EOC

$t->run();


sub made {
    my ($rc, $out) = sh($t->root() . '/scripts/token', @_);

    die $out if $rc;
    chomp $out;

    return $out;
}


sub code_of {
    my ($path, %opt) = @_;

    my $p = $t->rtmp(%opt);
    my $code = $p->open($path) || 'nothing';

    $p->close();

    return "$code: $p->{status}{description}";
}


# as made(), many a second

sub numbered {
    my ($jti) = @_;

    my ($head, $claims) = map {
        my $text = encode_base64($_, '');
        $text =~ tr|+/=|-_|d;
        $text;
    } '{"alg":"HS256"}', sprintf '{"exp":%d,"jti":"%s","media":[{"a":"publish",'
                                 . '"p":"*"}]}', time + 600, $jti;

    my $mac = encode_base64(hmac_sha256("$head.$claims", $secret), '');
    $mac =~ tr|+/=|-_|d;

    return "$head.$claims.$mac";
}


sub streams { return join ' ', sort keys %{$t->streams($_[0])} }


# keys

my @tags = live_tags('plain');
my $pub = play_publish($t, "keys/$key", \@tags, to => 12000);

$t->wait_playlist('/keys/demo/v1.m3u8', sub { @{$_[0]{segments}} >= 1 }, 20);
is(streams('keys'), 'demo', 'who has the key publishes its name');

for my $path ('keys/demo', 'keys/s3cr3t-of-dem0', "keys/x$key", 'keys/***',
              'keys/demo?key=nothing', "keys/demo?key=$other",
              "keys/demo?key=$key\%00", "keys/demo?akey=$key",
              'keys/demo?key=')
{
    like(code_of($path),
         qr/^NetStream.Publish.Denied: the stream key is not valid/, $path);
}

ok($pub->running(), 'nobody disturbs the one who has it');
is(streams('keys'), 'demo', 'and there is no other stream');

my $p = $t->rtmp();
is($p->open("keys/$key"), $start, 'whose it is has it at once');
ok($t->wait_log(qr/publish ended: another publisher took the stream/, 5),
   'the one before him is told');
$p->close();

like(code_of("keys/news/two?key=$other"), qr/^$start/, 'as an argument');
like(code_of("keys/$other"), qr/^$start/, 'the first name of a key');
like(code_of('keys/news/one?x=1&key=s3cr3t%2Dof%2Dnews'), qr/^$start/,
     'which is decoded');
wait_ok(sub { streams('keys') eq 'demo' }, 10, 'those have gone');

$p = $t->rtmp();
$p->open("keys/$other");
$p->command('FCUnpublish', undef, \$other);
$p->command('_checkbw', undef);
$p->reply($p->{transaction});
ok($t->wait_log(qr/client unpublished/, 3), 'FCUnpublish knows it by its key');
$p->close();

my $ffmpeg = $t->ffmpeg_publish("keys/$other", duration => 2);
is($ffmpeg->wait(20), 0, 'ffmpeg') or diag($ffmpeg->log());
$ffmpeg = $t->ffmpeg_publish('keys/nothing-that-is-one', duration => 2);
isnt($ffmpeg->wait(20), 0, 'ffmpeg without one');

# tokens

my $token = made('--publish', $t->path('token'), 'demo', 'a/*');

like(code_of($_), qr/^NetStream.Publish.Denied/, $_)
    for 'live/demo', "live/demo2?token=$token", 'live/demo?token=',
        'live/demo?token=' . made($t->path('token'), 'demo'),
        'live/demo?token=' . made('--publish', '--expires', time - 60,
                                  $t->path('token'), 'demo');

like(code_of("live/$_?token=$token"), qr/^$start/, "live/$_, token")
    for 'demo', 'a/b';
like(code_of('live/demo?token=' . made('--jwt', '--publish',
                                       $t->path('token'), 'demo')),
     qr/^$start/, 'JWT');
ok($t->wait_log(qr/refused: the token has expired, name:"demo"/, 2),
   'the log says why');

# a token that has a number is for one publisher, who may come back with it

my $once = made('--jwt', '--publish', '--session', 'one', $t->path('token'),
                '*');
my @other = (from => '127.0.0.2');
my $denied = 'NetStream.Publish.Denied: the token was used from another '
             . 'address, or for another stream';

like(code_of("live/once?token=$once"), qr/^$start/, 'one with a number');

my $holds = $t->rtmp();
is($holds->open("live/once?token=$once"), $start, 'may be used once more');
$holds->send_tags(\@tags, to => 500);
is(code_of("live/once?token=$once", @other), $denied,
   'by nobody else, while he publishes');
is(code_of("live/two?token=$once"), $denied, 'nor for something else');
ok($holds->poll(0.1), 'which does not disturb him');

my $again = $t->rtmp();
is($again->open("live/once?token=$once"), $start,
   'an encoder whose connection broke is back at once');
ok($holds->wait_closed(10), 'and has its stream');
$again->close();

wait_ok(sub {
    ($t->stream('live', 'once') || { state => '' })->{state} ne 'live';
}, 20, 'he has gone');
is(code_of("live/once?token=$once", @other), $denied, 'nor then');
$t->reload();
is(code_of("live/once?token=$once", @other), $denied, 'nor after a reload');
like(code_of("any/once?token=$once", @other), qr/^$start/,
     'but in another application');
like(code_of("any/two?token=$once"), qr/^$start/, 'where it is for any');

for my $n (0 .. 256) {
    my $said = code_of('few/x?token=' . numbered($n));

    next if $said =~ /^$start/ && $n < 256;
    is($said, 'NetStream.Publish.Denied: there is no room to remember the '
              . 'token', 'where there is no room nobody may');
    is($n, 256, 'after so many');
    last;
}

is($t->log_count(qr/there is no room for the "jti" of one more token, /), 1,
   'the log says so');

my $stream = play_publish($t, "live/demo?token=$token", \@tags, to => 12000);
$t->wait_playlist('/live/demo/v1.m3u8', sub { @{$_[0]{segments}} >= 1 }, 20);

my $play = made($t->path('token'), 'demo');

like(viewer_rtmp($t, $_->[0])->{status}, qr/^NetStream.Play.[DF]/, $_->[1])
    for ['live/demo', 'play without a token'],
        ["live/demo?token=$token", 'with that of a publisher'];

my @v = (viewer_rtmp($t, "live/demo?token=$play"),
         viewer_flv($t, "/live/demo.flv?token=$play"),
         viewer_flv($t, "/token/~$play/demo.flv"));

viewers_have(sub { $_[0]->frames() >= 5 }, 10, @v);
is(scalar(grep { $_->frames() >= 5 } @v), 3, 'RTMP, FLV, and in its path');
is($t->http_get('/live/demo.flv')->{status}, 403, 'FLV without');
is($t->http_get('/token/demo.flv')->{status}, 401, 'in either place');

$_->close() for @v;
$_->stop() for $pub, $stream;

# what nobody is told

my $told = join "\n", $t->log(), slurp($t->path('stream.log')),
    $t->http_get('/status')->{body};

is(join("\n", grep { /s3cr3t|\Q$secret\E|\Q$token\E|\Q$play\E/ }
        split /\n/, $told), '', 'no secret is in a log or the status');
like(slurp($t->path('stream.log')), qr/^keys\|demo\|/m,
     '$media_stream is the name');
ok($t->log_count(qr/publish ended: [^,]+, .*stream: demo\b/),
   'and the one of its lines at the end');

# a worker that leaves, before anybody is asked

$p = $t->rtmp();
$p->open("keys/$key");
$p->create_stream();
$t->reload();
$p->publish($other);
is($t->log_count(qr/s3cr3t/), 0, 'nor is it when a worker leaves');
ok($t->wait_log(qr/refused: [^,]+, name:"\*\*\*"/, 2), 'which says so');
$p->close();

# mistakes

my %wrong = (
    'publish_auth on;' => qr/invalid value "on", it must be "off", "keys=FILE"/,
    'publish_auth token;' => qr/media "x" asks for tokens and has no/,
    'play_auth keys=a;' => qr/must be "off", "token" or "hook"/,
    'publish_auth keys=none;' => qr/none" failed/,
    'publish_auth keys=open;' => qr/open" cannot be used: it holds secrets/,
    'publish_auth keys=half;' => qr/line 2 of ".*half": it must be a secret/,
    'publish_auth keys=odd;' => qr/a secret must be of letters, digits/,
    'publish_auth keys=blank;' => qr/the name must be without blanks/,
    'publish_auth keys=short;' => qr/line 1 of ".*short": a secret must have/,
);

my $c = Test::Media->new();

$c->write_file('open', 'something-secret name');
$c->write_file('half', "# a\nsomething-secret\n");
$c->write_file('short', 'short name');
$c->write_file('odd', 'something-secret%20 name');
$c->write_file('blank', 'something-secret my name');
chmod 0644, $c->path('open');
chmod 0600, $c->path($_) for qw/ half short odd blank /;

for my $lines (sort keys %wrong) {
    (my $conf = $lines) =~ s|(keys=)(\w)|$1%%DIR%%/$2|;

    $c->write_conf("media x { zone 16m; $conf }\n");
    my ($good, $said) = $c->conf_test();
    ok(!$good, $lines);
    like($said, $wrong{$lines}, 'is said');
    unlike($said, qr/something-secret/, 'and no secret');
}

$t->done();
