#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# "source off" of a ladder: playlists and MPD have the rungs without their
# source, which is there all the same; a stream without rungs has its source.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Formats;
use Test::Media::Ladder;
use Test::Media::Live;

my $t = ladder_nginx(
    ladder => 'video 120p 100k; video 90p 50k; source off;',
    app => 'segment 2s; grace 3s; transcode off for=^none;');

my @tags = live_tags('plain');
my %p = map { $_ => live_publish($t, "live/$_") } qw/ a none /;

live_play(map { [$p{$_}, \@tags, speed => 2, to => 6000] } sort keys %p);


# the variants, and the representations of pictures

sub variants {
    my ($name) = @_;

    return join ' ', sort map { $_->{uri} } @{m3u8_parse(
        $t->http_get("/live/$name/index.m3u8")->{body})->{variants}};
}

sub shown {
    my ($name) = @_;

    my $mpd = $t->http_get("/live/$name/manifest.mpd")->{body};

    return join ' ', sort grep { /^v/ }
        $mpd =~ /<Representation [^>]*\bid="(\w+)"/g;
}

sub lists {
    my ($name, $rungs) = @_;

    wait_until(sub { shown($name) =~ /\b$rungs\b/ }, 20, "$name: $rungs");

    return (variants($name), shown($name));
}

my ($hls, $dash) = lists('a', 'v3');

unlike($hls, qr/\bv1\b/, 'variants are without the source');
like($hls, qr/\bv2\b.*\bv3\b/, 'and are the rungs');
is($dash, 'v2 v3', 'and so are representations');

($hls, $dash) = lists('none', 'v1');

like($hls, qr/\bv1\b/, 'a stream without a ladder has its source');
is($dash, 'v1', 'in both');

my $own = m3u8_parse($t->http_get('/live/a/v1.m3u8')->{body});
cmp_ok(scalar @{$own->{segments}}, '>', 0, 'the source has its playlist');

# it ends

$p{a}->close();
wait_until(sub { live_stream($t, 'a')->{state} eq 'ended' }, 20, 'the end');

($hls, $dash) = lists('a', 'v3');
unlike($hls, qr/\bv1\b/, 'when it has ended, too');
is($dash, 'v2 v3', 'in both');

$t->done();
