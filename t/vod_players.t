#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# hls.js, dash.js and shaka-player play files in Chromium, fMP4 and MPEG-TS,
# go forth and back in them and to their end, and take other renditions of a
# ladder while they play.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Players;
use Test::Media::Vod;

my $seconds = 15;

players_needed();

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;
        location / {
            root %%DIR%%/media;
            media_vod on;
            media_vod_segment 4s;
        }
    }
}
EOC

my %ladder = (90 => '160x90', 180 => '320x180', 270 => '480x270');

for my $height (sort keys %ladder) {
    my $file = vod_made("m_$height.mp4", seconds => 35, bframes => 2,
                        gop => 50, size => $ladder{$height},
                        bitrate => $height . 'k');

    $t->write_file("media/m_$height.mp4", slurp($file));
}

$t->run();

my $at = 'http://127.0.0.1:' . $t->port('HTTP');
my $set = 'm_,90,180,270,.mp4.urlset';

# to 20 s, back to 3 s, and to what is nearly the end

my @one = map { ["$_->[0]\@20,3,33", "$at/m_180.mp4/$_->[1]"] }
    ['hls', 'index.m3u8'], ['hls', 'ts.m3u8'], ['dash', 'manifest.mpd'],
    ['shaka', 'index.m3u8'], ['shaka', 'manifest.mpd'];

my @ladder = map { ["$_->[0]\@15+switch", "$at/$set/$_->[1]"] }
    ['hls', 'index.m3u8'], ['hls', 'ts.m3u8'], ['dash', 'manifest.mpd'],
    ['shaka', 'index.m3u8'], ['shaka', 'manifest.mpd'];

my @of_one = players_play($t, $seconds, \@one, again => sub {
    return @{$_[0]{stalls}} || !$_[0]{ended};
});

for my $r (@of_one) {
    my $name = seen($r);

    ok($r->{ended}, "$name: to its end");
    is(scalar @{$r->{sought}}, 3, "$name: went there");
}

my @of_ladder = players_play($t, $seconds, \@ladder, again => sub {
    return @{$_[0]{stalls}} || @{$_[0]{sizes}} < 2;
});

for my $r (@of_ladder) {
    my $name = seen($r) . ', a ladder';

    cmp_ok(scalar @{$r->{sizes}}, '>=', 2, "$name: other renditions")
        or diag("@{$r->{sizes}}");
}

$t->done();


sub seen {
    my ($r) = @_;

    my $name = "$r->{player} " . ($r->{url} =~ m|/([^/]+)$|)[0];

    is(join(', ', map { "$_->{msec} ms at $_->{at}" } @{$r->{stalls}}), '',
       "$name: no stall");

    # what was stopped by going elsewhere is no error
    my @errors = grep {
        !/^mediaError buffer(?:Stalled|SeekOverHole|NudgeOnStall)/
        && !/^networkError aborted/
    } @{$r->{errors}};

    is(join(', ', @errors), '', "$name: no error");
    is(join(', ', @{$r->{bad}}), '', "$name: all requests were answered");
    is(scalar @{$r->{jumps}}, 0, "$name: no jump");
    cmp_ok($r->{frames}, '>', 200, "$name: frames");
    cmp_ok($r->{audio}, '>', 0, "$name: sound");

    my @late = grep { $_->{at} < $_->{to} || $_->{at} > $_->{to} + 3 }
               @{$r->{sought}};

    is(join(', ', map { "$_->{at} for $_->{to}" } @late), '',
       "$name: it plays where it went");

    note(sprintf '%s: started in %d ms, %.1f s played, went on after %s ms, '
         . '%s', $name, $r->{startup}, $r->{played},
         join('/', map { $_->{msec} } @{$r->{sought}}) || 0,
         join(' ', @{$r->{sizes}}));

    return $name;
}
