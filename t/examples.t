#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The whole configurations in docs/ and in README.md are ones that nginx
# accepts; and edge.conf does what it says, in front of live.conf.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

my ($status, $out) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048',
    '-nodes', '-subj', '/CN=localhost', '-days', '2',
    '-keyout', $t->path('media.key'), '-out', $t->path('media.crt'));
die "openssl: $out\n" if $status;


# only what belongs to the machine is replaced

sub here {
    my ($text) = @_;

    my $dir = $t->dir();

    $text =~ s/^(?:user|pid|error_log) .*\n//mg;
    $text =~ s/^include \S+modules-enabled.*$/%%MODULES%%/m;
    $text =~ s/\blisten(\s+)(\d+)/listen${1}127.0.0.1:%%PORT_P$2%%/g;
    $text =~ s!/(?:etc|var/log|var/cache|usr/share)/nginx/!$dir/!g;
    $text =~ s/\b192\.0\.2\.10:8080/127.0.0.1:%%PORT_P8080%%/;

    return $text;
}


my @examples = sort glob $t->root() . '/docs/examples/*.conf';

cmp_ok(scalar @examples, '>=', 3, 'examples');

for my $file (@examples) {
    my ($ok, $said) = $t->conf_test(here(slurp($file)));
    my ($name) = $file =~ m!([^/]+)$!;

    ok($ok, "$name is right") or diag($said);
    unlike($said, qr/\[(?:warn|alert|emerg)\]/, 'nothing is said against it');
}

my ($readme) = slurp($t->root() . '/README.md') =~ /^```nginx\n(.*?)^```/ms;

my ($ok, $said) = $t->conf_test(here($readme));
ok($ok, "README.md's configuration is right") or diag($said);


# an edge in front of an origin

my $edge = Test::Media->new(modules => 0);

$t->write_conf(here(slurp($t->root() . '/docs/examples/live.conf')));
$t->run();

my $conf = slurp($t->root() . '/docs/examples/edge.conf');
$conf =~ s/^(?:user|worker_processes|pid|error_log) .*\n//mg;
$conf =~ s/listen  80;/listen 127.0.0.1:%%PORT_HTTP%%;/;
$conf =~ s!/var/cache/nginx/!$edge->dir() . '/'!e;
$conf =~ s/192\.0\.2\.10:8080/'127.0.0.1:' . $t->port('P8080')/e;
$conf =~ s!access_log     off;!log_format up '\$upstream_cache_status'
           ' \$status \$request_uri';
    access_log $edge->{dir}/access.log up;!;

$edge->write_conf($conf);
$edge->run();

sub answers {
    my ($what) = @_;

    my %n;
    my $log = $edge->read_file('access.log');
    $n{$1}++ while $log =~ /^(\S+) \d+ \S*$what/mg;
    $edge->write_file('access.log', '');
    $edge->signal('USR1');
    wait_until(sub { -e $edge->path('access.log') }, 5);

    return \%n;
}

my $pub = $t->ffmpeg_publish('live/demo', port => $t->port('P1935'));

my $list = $edge->wait_playlist('/live/demo/v1.m3u8',
                                sub { @{$_[0]{segments}} >= 2 }, 20);

# one request at the origin for all who wait for the same thing

my $next = '/live/demo/v1.m3u8?_HLS_msn=' . ($list->{next_msn} + 1);
my @waiting = map { $edge->start_get($next) } 1 .. 20;
my @answers = map { $_->result(15) } @waiting;

is(scalar(grep { $_->{status} == 200 } @answers), 20,
   'a playlist to come, twenty times');
is(scalar(keys %{{ map { $_->{body} => 1 } @answers }}), 1, 'the same one');

my $n = answers('_HLS_msn');
is($n->{MISS}, 1, 'the origin was asked once');

# and one for a segment; what measures does not count

my ($segment) = $answers[0]{body} =~ m!^(v1/\d+\.m4s)$!m;

$edge->http_get("/live/demo/$segment?CMCD=cid%3D" . $_) for 1 .. 5;
my $r = $edge->http_get("/live/demo/$segment", range => '0-99');
is("$r->{status} " . length $r->{body}, '206 100', 'a range from the cache');

$n = answers('m4s');
is("$n->{MISS} $n->{HIT}", '1 5', 'a segment is asked for once');

# two encodings of one playlist

my $plain = $edge->http_get('/live/demo/index.m3u8');
my $gzip = $edge->http_get('/live/demo/index.m3u8',
                           headers => { 'Accept-Encoding' => 'br, gzip' });

is($plain->{headers}{'content-encoding'}, undef, 'a plain playlist');
is($gzip->{headers}{'content-encoding'}, 'gzip', 'and a compressed one');

# the segment in progress is relayed as it grows, and not stored

my ($open) = $edge->http_get('/live/demo/v1.m3u8')->{body}
             =~ /PRELOAD-HINT:TYPE=PART,URI="v1\/(\d+)\./;

my @growing = map { $edge->start_get("/live/demo/v1/$open.m4s") } 1 .. 3;
my @grown = map { $_->result(15) } @growing;

is(scalar(grep { $_->{status} == 200 && $_->{headers}{'x-media-open'} }
          @grown), 3, 'the segment in progress, three times');
is($edge->http_get("/live/demo/v1/$open.m4s")->{body}, $grown[0]{body},
   'and afterwards');

# what may come is asked for again

$r = $edge->http_get('/live/none/index.m3u8');
is("$r->{status} $r->{headers}{'cache-control'}", '404 max-age=1',
   'a stream that is not there');

$pub->stop();
$edge->done(more => 1, zone => 0);
$t->done();
