#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Audio that is made when somebody asks for it: a stream of Opus, which HLS of
# MPEG-TS does not carry, has AAC there from the first playlist of that on, and
# nowhere else; after 30 s without a request it has not.

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw/ sum0 /;

use Test::Media;
use Test::Media::Codecs;
use Test::Media::Ladder;
use Test::Media::Live;

my $t = ladder_nginx(ladder => 'audio aac 64k when=asked; latency 400ms;',
                     app => 'segment 1s;', workers => 2);

# what announces AAC is left out

my @all = grep { $_->[0] != 18 } codecs_tags(12);
my @aac = grep { $_->[0] != 8 || $_->[2] !~ /^\x95/ } @all;

# Opus is the first track of the one, not the fourth

my @opus = map {
    my ($type, $ts, $bytes) = @$_;

    substr($bytes, 6, 1) = "\0" if $type == 8;
    [$type, $ts, $bytes];
} grep { $_->[0] != 8 || substr($_->[2], 2, 4) eq 'Opus' } @all;

my %p = (opus => live_publish($t, 'live/opus'),
         aac => live_publish($t, 'live/aac'));

live_play([$p{opus}, \@opus, speed => 2, to => 4000],
          [$p{aac}, \@aac, speed => 2, to => 4000]);


sub get { return $t->http_get(@_)->{body} }

sub tracks { return join ' ', sort keys %{live_stream($t, $_[0])->{track}} }

# what decides on Periods in the MPD

sub periods {
    return scalar(() = get("/live/$_[0]/manifest.mpd") =~ /<Period/g);
}


is(tracks('opus'), 'a1 v1', 'nobody has asked');

for my $uri (qw/ index.m3u8 v1.m3u8 a1.m3u8 manifest.mpd /) {
    is($t->http_get("/live/opus/$uri")->{status}, 200, $uri);
}

is(tracks('opus'), 'a1 v1', 'that was not for MPEG-TS');


# the first one waits until it is there

my $ask = $t->start_get('/live/opus/ts.m3u8',
                        worker => ($t->worker_pids())[1]);
my $other = $t->start_get('/live/aac/ts.m3u8');

live_play([$p{opus}, \@opus, speed => 2, from => 4000, to => 8000,
           headers => 0]);

my $ts = $ask->result(10);
my $list = m3u8_parse($ts->{body});

is($ts->{status}, 200, 'asked');
is(join(' ', map { $_->{uri} } @{$list->{variants}}), 'v1-a2.ts.m3u8',
   'the picture, and audio that is there now');
like($list->{variants}[0]{attr}{CODECS}, qr/,mp4a\.40\.2$/, 'of AAC');
is(tracks('opus'), 'a1 a2 v1', 'it is a track');
is($t->log_count(qr/opus: ladder "web" converts audio track 0 to "aac"/), 1,
   'the log says so');

is($other->result(10)->{status}, 200, 'a stream that has AAC');
is(tracks('aac'), 'a1 v1', 'is not converted');


# where both are, and decoded

my $pair = $t->wait_playlist('/live/opus/v1-a2.ts.m3u8',
                             sub { @{$_[0]{segments}} >= 2 }, 10);
my $whole = m3u8_parse(get('/live/opus/v1.m3u8'));

cmp_ok($pair->{segments}[0]{msn}, '>', $whole->{segments}[0]{msn},
       'not from where there is none');

my ($first) = map { $t->http_get("/live/opus/$_->{uri}") }
              $pair->{segments}[0];
is($first->{status}, 200, 'a segment');

spew($t->path('a.ts'), $first->{body});

my ($streams) = ffprobe_json($t->path('a.ts'), '-show_streams',
                             '-count_frames');
my %streams = map { $_->{codec_type} => $_ } @{$streams->{streams}};

is($streams{audio}{codec_name}, 'aac', 'AAC in it');
cmp_ok($streams{audio}{nb_read_frames}, '>=', 40, 'of a second');
cmp_ok(abs($streams{audio}{start_time} - $streams{video}{start_time}), '<',
       0.025, 'that begins with the picture');


# nobody else is told of it

for my $uri (qw/ index.m3u8 v1.m3u8 a1.m3u8 manifest.mpd /) {
    unlike(get("/live/opus/$uri"), qr/\ba2\b/, "$uri has none of it");
}

is($t->http_get('/live/opus/a2.m3u8')->{status}, 404, 'no playlist alone');
is(periods('opus'), 1, 'no Period begins with it');
unlike(get('/live/opus/v1.m3u8'), qr/EXT-X-DISCONTINUITY\n/,
       'and no discontinuity');

# the publisher leaves, and is back: asked still

$p{opus}->close();
wait_until(sub { live_stream($t, 'opus')->{state} eq 'grace' }, 10, 'it left');

$p{opus} = live_publish($t, 'live/opus');
live_play([$p{opus}, \@opus, speed => 2, from => 0, to => 4000]);

is(tracks('opus'), 'a1 a2 v1', 'the same tracks');

$pair = $t->wait_playlist('/live/opus/v1-a2.ts.m3u8',
    sub { grep { $_->{discontinuity} } @{$_[0]{segments}} }, 10);
ok((grep { $_->{discontinuity} } @{$pair->{segments}}),
   'it goes on behind the discontinuity');

$p{$_}->close() for qw/ opus aac /;

$t->done();
