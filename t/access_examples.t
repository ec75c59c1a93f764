#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The whole examples of docs/access.md do what they say when they are copied:
# what is typed is run by a shell, and only paths and ports are replaced.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $docs = slurp($FindBin::Bin . '/../docs/access.md') =~ s/.*^## Whole ex//msr;
my %example = $docs =~ /^### Example: (.*?)\n(.*?)(?=^### |\z)/msg;

is(join(', ', sort keys %example),
   'JSON Web Tokens, an edge with tokens and a cache, '
   . 'an encoder with a stream key, signed URLs', 'the examples');

my ($origin, $n);


# the blocks of one, in their order: [language, text]

sub blocks {
    my @blocks;

    while ($_[0] =~ /^```(\w+)\n(.*?)^```$/msg) {
        push @blocks, [$1, $2];
    }

    return @blocks;
}


sub here {
    my ($t, $text) = @_;

    my $dir = $t->dir();
    my $root = $t->root();

    $text =~ s/^include \S+modules-enabled.*$//m;
    $text =~ s/^error_log .*\n//m;
    $text =~ s/\blisten (\d+)/listen 127.0.0.1:%%PORT_P$1%%/g;
    $text =~ s!/etc/nginx/!$dir/!g;
    $text =~ s!/var/cache/!$dir/!g;
    $text =~ s!\bscripts/token\b!$root/scripts/token!g;
    $text =~ s!\bsign\.pem\b!$dir/sign.pem!g;
    $text =~ s!\bfilm\.mp4\b!$dir/film.mp4!g;
    $text =~ s!192\.0\.2\.10:8080!'127.0.0.1:' . $origin->port('P8080')!e;

    return $text;
}


# of a command's URLs, too

sub there {
    my ($t, $text) = @_;

    $text = here($t, $text);
    $text =~ s!rtmp://127\.0\.0\.1!'rtmp://127.0.0.1:' . $t->port('P1935')!ge;
    $text =~ s!http://127\.0\.0\.1:8080!
               'http://127.0.0.1:' . $t->port('P8080')!gex;
    $text =~ s!http://127\.0\.0\.1/!'http://127.0.0.1:' . $t->port('P80') . '/'
              !gex;

    return $text;
}


sub run_example {
    my ($t, $name) = @_;

    my ($pub, $url, $running);

    link vod_made('example.mp4', seconds => 20, more => [qw/ -f mp4 /]),
        $t->path('film.mp4') if !-f $t->path('film.mp4');

    for my $block (blocks($example{$name})) {
        my ($language, $text) = @$block;

        if ($language eq 'nginx') {
            $t->write_conf(here($t, $text));
            $t->run();
            $running = 1;

        } elsif ($text =~ /^ffmpeg /m) {
            $text =~ s/^ffmpeg /exec ffmpeg -nostdin -v error /m;
            $pub = $t->run_daemon('publish-' . ++$n, 'sh', '-c',
                                  there($t, $text));

        } else {
            $text = there($t, $text) if $running;
            my ($rc, $out) = sh('sh', '-c', $running ? $text : here($t, $text));
            is($rc, 0, "$name: what is typed") or diag($out);
            $url = $1 if $out =~ m{^(http://\S+)$}m;
        }
    }

    return ($pub, $url);
}


# what a player asks for, at this URL: a segment comes

sub plays {
    my ($t, $url, $what) = @_;

    my ($port, $path) = $url =~ m{^http://127\.0\.0\.1:(\d+)(/.*)$}
        or die "no URL: $url\n";
    (my $base = $path) =~ s|[^/]*$||;

    my $list = $t->wait_playlist("${base}v1.m3u8",
                                 sub { @{$_[0]{segments}} >= 1 }, 30,
                                 port => $port);

    is($t->http_get($path, port => $port)->{status}, 200, "$what: index.m3u8");
    is($t->http_get($base . $list->{segments}[0]{uri},
                    port => $port)->{status}, 200, 'a segment');

    return ($port, $path);
}


sub refused {
    my ($t, $path, $what) = @_;

    my $p = $t->rtmp(port => $t->port('P1935'));

    is($p->open($path), 'NetStream.Publish.Denied', $what);
    $p->close();
}


my $keys = Test::Media->new();
my ($pub) = run_example($keys, 'an encoder with a stream key');

plays($keys, 'http://127.0.0.1:' . $keys->port('P8080')
             . '/live/demo/index.m3u8', 'a stream key');
refused($keys, 'live/demo', 'and nobody publishes without');

# an edge in front of it, with the key of signed URLs

$origin = $keys;

my $edge = Test::Media->new();
my ($made) = grep { $_->[0] eq 'sh' } blocks($example{'signed URLs'});

sh('sh', '-c', here($edge, $made->[1]));

my (undef, $url) = run_example($edge, 'an edge with tokens and a cache');
my ($port, $path) = plays($edge, $url, 'an edge');

is($edge->http_get($path =~ s|/~[^/]*||r, port => $port)->{status}, 401,
   'not without a token');
cmp_ok(scalar(() = glob $edge->path('media') . '/*'), '>', 0, 'it caches');

$pub->stop();
$edge->stop();

for my $name ('signed URLs', 'JSON Web Tokens') {
    my $t = Test::Media->new();
    my ($pub, $url) = run_example($t, $name);

    ($port, $path) = plays($t, $url, $name);

    my ($before, $token, $behind) = $path =~ m{^(.*)/~([^/]+)(/.*)$};

    is($t->http_get("$before$behind", port => $port)->{status}, 401,
       'not without a token');
    is($t->http_get("$before$behind?token=$token", port => $port)->{status},
       302, 'which may be an argument');
    refused($t, "live/demo?token=$token", 'it does not let publish');

    $pub->stop();
    $t->stop();
}

$keys->done();
