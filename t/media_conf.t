#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media {}: what nginx -t says of each mistake, and where.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();


sub said {
    my ($block, $rest) = @_;

    my ($ok, $out) = $t->conf_test($block . "\n" . ($rest || ''));

    $out =~ s/^.*test (?:failed|is successful)\n//m;
    $out =~ s/^.*syntax is ok\n//m;
    $out =~ s/^nginx: //gm;

    return ($ok, $out);
}


# the configuration, what nginx says; undef: it is right

my @cases = (

    ['media a { }', undef],
    ['media a { } media b { }', undef],
    ['media a-1_B.c { }', undef],
    ['media a { zone 8m; segment 1s; part 100ms; window 10s; grace 0;'
     . ' track_wait 0; drain 1m; send_limit 10s; publish_conflict reject;'
     . ' max_streams 1; max_bitrate 8m; }', qr/^\[warn\].*try 200ms/],
    ['media a { zone 1g; }', undef],
    ['media a { part off; }', undef],
    ['media a { segment 6s max=10s; }', undef],
    ['media a { segment 4s; window 1h; }', undef],

    ['media { }', 'invalid number of arguments in "media" directive'],
    ['media a b { }', 'invalid number of arguments in "media" directive'],
    ['media a { } media a { }', 'duplicate media application "a"'],
    (map { ["media '$_' { }",
            qq/invalid media application name "$_", it becomes part of URLs: /
            . 'use letters, digits, "-", "_" or "."'] }
         '', 'a/b', 'a b', 'a?', 'a#', 'a%', 'a:b', 'x' x 256, '.', '..',
         'a&b', 'a<b>', "\xc3\xbc", 'a+b', 'a~'),

    ['media a { zone 4m; }', '"zone" of media "a" is too small, it must be at'
                             . ' least 8m'],
    ['media a { zone 100000g; }', '"zone" of media "a" is too large, it may be'
                                  . ' at most 1024g'],
    ['media a { zone all; }', 'invalid size "all", write "zone 512m" for'
                              . ' instance'],
    ['media a { zone 8m; zone 8m; }', '"zone" directive is duplicate'],

    (map { ["media a { segment $_; }",
            qq/invalid segment duration "$_", it must be from 1s to 60s/] }
         '500ms', '2m', 'long', '0'),
    ['media a { segment 2s 3s; }', 'invalid parameter "3s", write "segment 2s'
                                   . ' max=3s"'],
    (map { ["media a { segment 2s max=$_; }",
            qq/invalid longest segment "$_", it must be from the segment /
            . 'duration to 120s'] } '1s', '3m', '', 'x'),
    ['media a { segment 2s; segment 2s; }', '"segment" directive is'
                                            . ' duplicate'],

    (map { ["media a { part $_; }",
            qq/invalid part duration "$_", it must be "off" or from 100ms to /
            . '2s'] } '50ms', '3s', 'x'),
    ['media a { segment 1s; part 600ms; }',
     '"part" of media "a" must be at most half of "segment", which is 1000ms;'
     . ' or write "part off"'],
    ['media a { part 200ms; part off; }', '"part" directive is duplicate'],

    ['media a { window 8s; }', '"window" of media "a" is too short for its'
                               . ' segments, it must be at least 11000ms'],
    ['media a { segment 2s max=10s; window 20s; }',
     '"window" of media "a" is too short for its segments, it must be at'
     . ' least 32000ms'],
    ['media a { window x; }', 'invalid time "x", write "window 15s" for'
                              . ' instance'],

    ['media a { publish_conflict ignore; }', 'invalid value "ignore"'],
    ['media a { max_streams 0; }', 'value must be between 1 and 100000'],
    ['media a { max_streams 200000; }', 'value must be between 1 and 100000'],
    ['media a { max_bitrate 0; }', 'invalid bitrate "0", it is in bits a'
                                   . ' second: write "max_bitrate 8m"'],
    ['media a { max_bitrate fast; }', 'invalid bitrate "fast", it is in bits a'
                                      . ' second: write "max_bitrate 8m"'],

    (map { ["media a { $_ 1x; }", qq/invalid time "1x", write "$_ 15s" for/
                                  . ' instance'],
           ["media a { $_ 1s; $_ 1s; }", qq/"$_" directive is duplicate/],
           ["media a { $_; }", qq/invalid number of arguments in "$_"/] }
         qw/ grace track_wait drain send_limit /),

    ['media a { stream_log off; }', undef],
    ['media a { stream_log on; stream_log off; }', '"stream_log" directive is'
                                                   . ' duplicate'],
    ['media a { stream_log info; }', 'invalid value "info" in "stream_log"'
                                     . ' directive, it must be "on" or "off"'],

    ['media a { listen 1935; }', '"listen" directive is not allowed here'],
    ['media a { foo 1; }', 'unknown directive "foo"'],
    ['zone 8m;', '"zone" directive is not allowed here'],
);

for my $case (@cases) {
    my ($conf, $text) = @$case;
    my ($ok, $out) = said($conf);

    my $name = length $conf > 70 ? substr($conf, 0, 70) . '...' : $conf;

    if (!defined $text) {
        ok($ok && $out !~ /\[/, $name) or diag($out);

    } elsif (ref $text) {
        ok($ok, "$name is right") or diag($out);
        like($out, $text, 'and something is said');

    } else {
        ok(!$ok, "$name is wrong");
        like($out, qr/^\[emerg\] \Q$text\E/m, 'says what');
        like($out, qr/ in \S+test\.conf:\d+$/m, 'and where');
    }
}

# window and segment together

my ($ok, $out) = said('media a { segment 1s; window 12h; }');
ok(!$ok, 'a window that is too long');
my ($most) = $out =~ /must be at most (\d+s) in/;
ok(defined $most, 'says how long it may be') or diag($out);

($ok, $out) = said("media a { segment 1s; window $most; }");
ok($ok, "which is right: $most") or diag($out);

$t->write_conf("media a { zone 8m; }\n");
$t->run();
$t->done();
