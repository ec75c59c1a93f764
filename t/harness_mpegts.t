#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# mpegts.js in Chromium plays FLV, and says so when it cannot: with files.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;

players_needed();

my $t = Test::Media->new(modules => 0);

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        add_header Access-Control-Allow-Origin * always;
        location /files/ { alias %%FIXTURES%%/; }
        location /bad/ { alias %%DIR%%/; }
    }
}
EOC

$t->run();

my $file = fixture('short.flv', ffmpeg_source(re => 0),
                   qw/ -t 3 -pix_fmt yuv420p /);
my ($name) = $file =~ m|([^/]+)$|;

spew($t->path('bad.flv'), 'no FLV at all' x 1000);

my $at = 'http://127.0.0.1:' . $t->port('HTTP');

my ($good, $bad, $none) = players_play(
    $t, 20, [[mpegts => "$at/files/$name"], [mpegts => "$at/bad/bad.flv"],
             [mpegts => "$at/bad/none.flv"]],
    again => sub { $_[0]{url} =~ /files/ && @{$_[0]{stalls}} });

is(join(', ', @{$good->{errors}}, @{$good->{bad}}), '', 'no error');
is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$good->{stalls}}), '',
   'no stall');
ok($good->{ended}, 'it played to the end');
cmp_ok($good->{played}, '>', 2.5, 'all of it');
# Chromium counts one more now and then
cmp_ok(abs($good->{frames} - 75), '<=', 1, 'frames')
    or diag($good->{frames});
cmp_ok($good->{audio}, '>', 0, 'sound');
is($good->{size}, '320x180', 'size');

like(join(', ', @{$bad->{errors}}), qr/^fatal /, 'no FLV');
like(join(', ', @{$none->{errors}}), qr/^fatal NetworkError /, 'no file');
is(join(', ', @{$none->{bad}}), "404 $at/bad/none.flv", 'its answer');

$t->done();
