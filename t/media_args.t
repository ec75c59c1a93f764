#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media_args_forward: arguments of the request for a playlist are in each URI
# that is in it, of live streams and of files, however deep; what might break
# out of it is in none.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Uncompress::Gunzip qw/ gunzip /;

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_file('key', '0123456789abcdef0123456789abcdef');
chmod 0600, $t->path('key');

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 5s; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }

http {
    media_args_forward st e tok;
    media_vod_segment 2s;
    media_vod_thumbs interval=1s width=32;
    media_token_key %%DIR%%/key;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/ {
            media_live live;
            set $both $arg_st$arg_e;
            if ($both != "a%2Fb-_=.19") { return 403; }
        }

        location /vod/ {
            alias %%DIR%%/media/; media_vod on;
            set $both $arg_st$arg_e;
            if ($both != "a%2Fb-_=.19") { return 403; }
        }

        location /off/   { media_live live; media_args_forward off; }
        location /all/   { media_live live; }
        location /gzip/  { media_live live; gzip on; gzip_types *;
                           gzip_min_length 1; }
        location /token/ { media_live live; media_args_forward t;
                           media_token query=t; }
    }
}
EOC

mkdir $t->path('media');
link vod_made('args.mp4', seconds => 4), $t->path('media/film.mp4');

sh('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'color=s=32x32:r=1:d=2400',
   '-c:v', 'libx264', '-preset', 'ultrafast', '-g', 2, '-movflags',
   '+faststart', $t->path('media/hour.mp4'));

$t->run();

my $pub = $t->ffmpeg_publish('live/s');
$t->wait_playlist('/all/s/v1.m3u8', sub { @{$_[0]{segments}} >= 3 }, 20);

my $args = 'st=a%2Fb-_=.1&e=9';


# what a playlist or manifest names; $RepresentationID$ is in none of ours

sub uris {
    my ($body) = @_;

    return grep { $_ ne '' } $body =~ /^([^#\s].*)$/mg, $body =~ /URI="(.*?)"/g
        if $body =~ /^#EXTM3U/;

    return $body =~ /^(\S+\.jpg\S*)$/mg if $body =~ /^WEBVTT/;

    $body =~ s/&amp;/&/g;

    my $n = $body =~ /startNumber="(\d+)"/ ? $1 : 0;

    return map { s/\$Number\$/$n/r }
        $body =~ /(?:initialization|sourceURL|media)="(.*?)"/g,
        $body =~ m|<BaseURL>(.*?)</|g, $body =~ /http-iso:2014" value="(.*?)"/;
}


# all of it, from this one down

sub walk {
    my ($at, $uri, $seen) = @_;

    my $r = $t->http_get("$at/$uri");

    return if $seen->{$uri}++;
    return $uri =~ s/\?.*//r . ": $r->{status}"
        if $r->{status} != 200 && $r->{status} !~ /^404/;
    return if $uri !~ /\.(m3u8|mpd)|thumbs\.vtt/;

    return map { walk($at, $_, $seen) } grep { !$seen->{$_} } uris($r->{body});
}


for my $way (['/live/s', qw/ index.m3u8 ts.m3u8 manifest.mpd /],
             ['/vod/film.mp4', qw/ index.m3u8 ts.m3u8 manifest.mpd
                                   thumbs.vtt /])
{
    my ($at, @first) = @$way;

    for my $first (@first) {
        next if $first =~ /thumbs/
            && $t->http_get("$at/$first?$args")->{status} == 404;

        my %seen;
        my @bad = walk($at, "$first?$args", \%seen);
        my @without = grep { !/\?\Q$args\E(?:$|#)/ } keys %seen;

        is(join(', ', @bad), '', "$at/$first: all that it leads to is there");
        is(join(', ', @without), '', 'and has the arguments');
        cmp_ok(scalar(keys %seen), '>', 3, 'which are many: ' . keys %seen);
    }

    is($t->http_get("$at/index.m3u8")->{status}, 403, 'not without');
}

my $list = $t->http_get("/live/s/v1.m3u8?$args")->{body};

like($list, qr/^#EXT-X-$_\b.*URI="[^"]+\?\Q$args\E"/m, $_)
    for qw/ MAP PART PRELOAD-HINT RENDITION-REPORT /;
like($t->http_get("/live/s/v1.m3u8?_HLS_skip=YES&$args")->{body},
     qr/^#EXT-X-VERSION.*\?\Q$args\E$/ms, 'delta updates');

my ($msn) = $list =~ /^#EXT-X-MEDIA-SEQUENCE:(\d+)/m;
my $n = () = $list =~ /^#EXTINF/mg;
my $wanted = '_HLS_msn=' . ($msn + $n) . '&_HLS_part=0';
my $blocked = $t->http_get("/live/s/v1.m3u8?$wanted&$args");

is($blocked->{status}, 200, 'and blocking ones');
unlike($blocked->{body}, qr/_HLS_/, 'which say nothing of their own');
is(join(', ', grep { !/\?\Q$args\E$/ } uris($blocked->{body})), '',
   'but the arguments');

# the shared text stays what it is

is(join('', grep { /\?/ } split /^/, $t->http_get("/$_/s/v1.m3u8")->{body}),
   '', "$_: nothing") for qw/ off all /;
unlike($t->http_get("/off/s/index.m3u8?$args")->{body}, qr/\?/, 'off');
unlike($t->http_get('/all/s/index.m3u8?x=1')->{body}, qr/\?/, 'others');
like($t->http_get('/all/s/index.m3u8?e=2&ST=1&st=3&x=4')->{body},
     qr/^v1\.m3u8\?st=1&e=2$/m, 'in the order of the directive, the first');

# validators, compression

my %tag = map { $_ => $t->http_get("/all/s/index.m3u8?st=$_")
                        ->{headers}{etag} } 1, 2;
my $plain = $t->http_get('/all/s/index.m3u8')->{headers}{etag};

isnt($tag{1}, $tag{2}, 'each has a validator of its own');
isnt($tag{1}, $plain, 'other than the shared one');
is($t->http_get('/all/s/index.m3u8?st=1',
                headers => { 'If-None-Match' => $tag{1} })->{status}, 304,
   'which is good');
is($t->http_get('/all/s/index.m3u8?st=2',
                headers => { 'If-None-Match' => $tag{1} })->{status}, 200,
   'for this one only');

for my $path ('/gzip/s/index.m3u8?st=1', '/gzip/s/index.m3u8',
              '/all/s/index.m3u8?st=1')
{
    my $r = $t->http_get($path, headers => { 'Accept-Encoding' => 'gzip' });
    my ($body, $encoding) = ($r->{body}, $r->{headers}{'content-encoding'});

    if ($encoding) {
        my $packed = $body;
        gunzip(\$packed => \$body);
    }

    is($encoding || 'none', $path =~ /gzip/ ? 'gzip' : 'none', $path);
    is($body, $t->http_get($path)->{body}, 'is the same, unpacked');
}

# nobody else's cache may give it to others

my %kept = map { $_ => $t->http_get("/all/s/v1.m3u8$_")
                         ->{headers}{'cache-control'} } '', '?st=1';

like($kept{'?st=1'}, qr/^max-age=\d+, private$/, 'is for one client only');
like($kept{''}, qr/^max-age=\d+$/, 'the shared one is for all');

# a text of many URIs is not made as large as somebody likes

my %hour = map { $_ => $t->http_get('/vod/hour.mp4/v1.m3u8?st=a%2Fb-_=.1&e=9'
                                    . '&tok=' . 'x' x $_) } 100, 1900;

is(scalar(grep { /\?/ } uris($hour{100}{body})), 1201, 'a long list');
is(join(' ', map { $hour{$_}{status} } sort keys %hour), '200 200',
   'is there');
cmp_ok(length $hour{1900}{body}, '<', 100000, 'and not of some MB');
ok($t->wait_log(qr/put into the playlist: it would be of 2\d{6} bytes/, 3),
   'the log says why');

# hostile ones: what they hold is not there, all else is as it was

my $index = $t->http_get('/off/s/index.m3u8')->{body};
my $mpd = $t->http_get('/off/s/manifest.mpd')->{body};
my $media = $t->http_get('/off/s/v1.m3u8')->{body} =~ s/^#EXT-X-(?!VER).*//mgr;

for my $value ('a"b', "a'b", 'a<b', 'a>b', 'a\\b', 'a{$b}', '$Number$', 'a%',
               'a%2', 'a%zz', "a\tb", "a\x7fb", "\xff", 'a`', '[', '|', '^',
               'x' x 2100)
{
    my ($m3u8, $dash) = map {
        $t->http_get("/all/s/$_?st=$value")
    } 'index.m3u8', 'manifest.mpd';

    next if $m3u8->{status} == 400;

    is($m3u8->{body}, $index, 'not in a playlist: ' . substr($value, 0, 9)
                              =~ s/[^ -~]/./gr);
    is(join(' ', uris($dash->{body})), join(' ', uris($mpd)),
       'nor in a manifest');
}

like($t->http_get('/all/s/index.m3u8?st=%0A%22%3C%26&e=1')->{body},
     qr/^v1\.m3u8\?st=%0A%22%3C%26&e=1$/m, 'encoded they stay encoded');
like($t->http_get('/all/s/index.m3u8?st=%22&e="')->{body},
     qr/^v1\.m3u8\?st=%22$/m, 'one that is bad takes no other with it');
ok($t->wait_log(qr/argument "st" is not put into the playlist: it is too/, 3),
   'the log says which');

# a token that is an argument

my ($rc, $token) = sh($t->root() . '/scripts/token', $t->path('key'), 's');
chomp $token;

my %seen;
is(join(', ', walk('/token/s', "index.m3u8?t=$token", \%seen)), '',
   'tokens that are arguments are passed on, too');
cmp_ok(scalar(keys %seen), '>', 3, 'to all');

$pub->stop();

# mistakes

my $c = Test::Media->new();

for my $case (['a=b', qr/invalid name of an argument "a=b"/],
              ['_HLS_msn', qr/invalid name of an argument "_HLS_msn"/],
              ['a off "b c"', qr/invalid name of an argument "b c"/],
              ['a; media_args_forward b', qr/is duplicate/])
{
    $c->write_conf("http { server { listen 127.0.0.1:%%PORT_HTTP%%; location "
                   . "/ { media_args_forward $case->[0]; } } }\n");
    my ($good, $said) = $c->conf_test();
    ok(!$good, $case->[0]);
    like($said, $case->[1], 'is said');
}

$t->done();
