#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Texts are compressed once for all, but never behind the back of a filter that
# changes them: tokens put into playlists are there for everybody.  What they
# depend on is said in one line.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Uncompress::Gunzip qw/ gunzip /;

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    media_vod_segment 2s;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        sub_filter_types application/vnd.apple.mpegurl application/dash+xml;

        location /plain/ { alias %%DIR%%/media/; media_vod on; }

        location /token/ { alias %%DIR%%/media/; media_vod on;
                           sub_filter ".m4s" ".m4s?token=abc";
                           sub_filter_once off; }

        # as long as it was

        location /swap/  { alias %%DIR%%/media/; media_vod on;
                           sub_filter ".m3u8" ".m3u9";
                           sub_filter_once off; }

        location /kept/  { alias %%DIR%%/media/; media_vod on;
                           sub_filter ".m4s" ".m4s?token=abc";
                           sub_filter_once off;
                           sub_filter_last_modified on; }

        location /both/  { alias %%DIR%%/media/; media_vod on;
                           sub_filter ".m4s" ".m4s?token=abc";
                           sub_filter_once off;
                           gzip on; gzip_types *; gzip_min_length 1; }

        location /gzip/  { alias %%DIR%%/media/; media_vod on;
                           gzip on; gzip_types *; gzip_min_length 1; }

        location /vary/  { alias %%DIR%%/media/; media_vod on; gzip_vary on;
                           gzip on; gzip_types *; gzip_min_length 1; }

        location /added/ { alias %%DIR%%/media/; media_vod on;
                           addition_types *; add_after_body /after; }

        location /some/  { alias %%DIR%%/media/; media_vod on;
                           media_cors https://a.example; }

        location /page/  { alias %%DIR%%/none/;
                           error_page 404 /plain/a.mp4/index.m3u8; }

        location = /after { return 200 "# after\n"; }
    }
}
EOC

mkdir $t->path('media');
link vod_made('filters.mp4', seconds => 10), $t->path('media') . '/a.mp4'
    or die "link: $!\n";

$t->run();

my @names = qw/ index.m3u8 v1.m3u8 manifest.mpd /;


# HEAD and GET, by a client that takes gzip; and the text

sub get {
    my ($at, $name, %headers) = @_;
    my $r = $t->http_get("/$at/a.mp4/$name", headers => {
        'Accept-Encoding' => 'gzip', %headers
    });

    $r->{encoding} = $r->{headers}{'content-encoding'} || '-';
    $r->{text} = $r->{body};
    gunzip(\$r->{body}, \$r->{text}) if $r->{encoding} eq 'gzip';

    return $r;
}


for my $name (@names) {
    my $plain = $t->http_get("/plain/a.mp4/$name");
    my $r = get('plain', $name);

    is($r->{encoding}, 'gzip', "$name is compressed");
    is($r->{text}, $plain->{body}, 'the same text');
    is($r->{headers}{'content-length'}, length $r->{body}, 'its length');
    isnt($r->{headers}{etag}, $plain->{headers}{etag}, 'another validator');

    is(get('plain', $name, 'If-None-Match' => $r->{headers}{etag})->{status},
       304, 'that holds');

    my $head = $t->http_head("/plain/a.mp4/$name",
                             headers => { 'Accept-Encoding' => 'gzip' });

    is($head->{headers}{$_}, $r->{headers}{$_}, "HEAD: $_")
        for qw/ content-encoding content-length etag /;

    is(get('gzip', $name)->{body}, $r->{body}, 'with gzip on, too');
}

for my $at (qw/ token swap kept both added /) {
    for my $name (@names) {
        my $plain = $t->http_get("/$at/a.mp4/$name");
        my $r = get($at, $name);

        is($r->{status}, 200, "$at: $name");
        is($r->{text}, $plain->{body}, 'the same for all');

        isnt($r->{text}, $t->http_get("/plain/a.mp4/$name")->{body},
             'is changed')
            if $at eq 'added' || ($at eq 'swap') == ($name eq 'index.m3u8');
        is($r->{encoding}, $at eq 'both' ? 'gzip' : '-', 'encoding');
        unlike($r->{headers}{etag} || '', qr/-gz/, 'and validator');

        my $head = $t->http_head("/$at/a.mp4/$name",
                                 headers => { 'Accept-Encoding' => 'gzip' });

        is($head->{headers}{'content-encoding'} || '-', $r->{encoding},
           'HEAD, too');
    }
}

{
    my $plain = $t->http_get('/plain/a.mp4/index.m3u8');
    my $r = get('page', 'index.m3u8');

    is("$r->{status} $r->{encoding}", '404 -', 'the page of an error');
    is($r->{body}, $plain->{body}, 'is the text');
    is($r->{headers}{etag} || $plain->{headers}{etag},
       $plain->{headers}{etag}, 'and has no validator of another');
}

# nginx has no validator of what sub_filter has changed, unless it is told so

for my $name (@names) {
    is(get('token', $name)->{headers}{etag}, undef, "$name: no validator");

    for my $encoding (qw/ gzip identity /) {
        my @headers = ('Accept-Encoding' => $encoding);
        my $etag = get('kept', $name, @headers)->{headers}{etag};

        like($etag, qr/^W\/"/, "$name, $encoding: a weak one");

        my $r = get('kept', $name, @headers, 'If-None-Match' => "\"x\", $etag");

        is($r->{status}, 304, 'that holds');
        like($etag, qr/\Q$r->{headers}{etag}\E$/, 'the same one');
        is(get('kept', $name, @headers, 'If-None-Match' => 'W/"x"')->{status},
           200, 'and no other one');
    }
}

like(get('token', 'v1.m3u8')->{text}, qr/\.m4s\?token=abc\n/, 'tokens');
is($t->http_get('/token/a.mp4/' . (get('token', 'v1.m3u8')->{text}
                                   =~ /^(v1\S+\.m4s\?\S+)/m)[0])->{status},
   200, 'which segments do not mind');


# one line

for (['plain', 'Accept-Encoding'], ['gzip', 'Accept-Encoding'],
     ['vary', 'Accept-Encoding'], ['both', 'Accept-Encoding'],
     ['some', 'Origin, Accept-Encoding'])
{
    my ($at, $expected) = @$_;

    for my $accept ('gzip', 'identity') {
        my $r = get($at, 'v1.m3u8', 'Accept-Encoding' => $accept,
                    Origin => 'https://a.example');

        is(join(' | ', $r->{head} =~ /^Vary: (.*?)\r?$/mg), $expected,
           "$at, $accept: Vary");
    }
}

$t->done();
