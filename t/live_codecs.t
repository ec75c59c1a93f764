#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A publisher with a track each of AAC, AC-3, Enhanced AC-3, Opus and MP3: all
# are listed, in groups of their codecs, play, are in step with the picture,
# and have the frames that were sent, however long these are.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Codecs;
use Test::Media::FLV;
use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::Tools qw/ ffprobe_json /;

my @tags = codecs_tags(8);
my $t = live_nginx(debug => 1, http => 'location /vod/ {
    alias %%DIR%%/media/; media_vod on; }');
my $p = live_publish($t, 'live/x');

$p->play(\@tags, speed => 2);

my $s = live_stream($t, 'x');

my %of = map { ($_->{codec} => $_) } @{$s->{tracks}};

is(join(' ', sort keys %of), 'aac ac3 eac3 h264 mp3 opus', 'codecs');
is(join(' ', map { $of{$_}{channels} } qw/ aac ac3 eac3 mp3 opus /),
   '2 6 2 2 2', 'channels');

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/x';

for my $list (qw/ index.m3u8 manifest.mpd /) {
    my $json = ffprobe_json("$at/$list", '-show_entries',
                            'stream=codec_type,codec_name');
    my %audio = map { $_->{codec_name} => 1 }
                grep { $_->{codec_type} eq 'audio' } @{$json->{streams}};

    is(join(' ', sort keys %audio), 'aac ac3 eac3 mp3 opus',
       "$list: ffprobe");
}

$p->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $r = live_check($t, '/live/x', runs => 1,
                   tracks => 'a1 a2 a3 a4 a5 v1');
my $m = live_match($r, $p);

is($m->{video}{missing}, 0, 'all pictures');
cmp_ok($m->{audio}{missing}, '<=', 15, 'no more is lost of sound');
is($m->{audio}{silent}, 0, 'no silence');
cmp_ok($m->{av}, '<', 3, 'sound and picture');

# a packet lasts as long as it says

my %lasts = map { $_->{duration} => 1 }
            @{$r->{tracks}{$of{opus}{name}}{samples}};

is(join(' ', sort { $a <=> $b } keys %lasts), '960 1920', 'Opus of 40 ms');

# groups, with what is in them

my %groups;

for my $media (grep { $_->{TYPE} eq 'AUDIO' } @{$r->{index}{media}}) {
    push @{$groups{$media->{'GROUP-ID'}}}, $media->{URI} // 'in the variant';
}

my @codecs = map { $_->{attr}{CODECS} } @{$r->{index}{variants}};

is(scalar keys %groups, 5, 'a group of each codec');
is(join(' ', sort map { s/^avc1\.\w+,//r } @codecs),
   'ac-3 ec-3 mp4a.40.2 mp4a.6B opus', 'a variant of each group');

# DASH: their codecs

my $mpd = $t->http_get('/live/x/manifest.mpd')->{body};

is(join(' ', sort grep { !/avc1/ } $mpd =~ /\bcodecs="([^"]*)"/g),
   'ac-3 ec-3 mp4a.40.2 mp4a.6B opus', 'codecs in DASH');

# what onMetaData says of the first sound is not said of the others

my ($rate) = map { /bandwidth="(\d+)"/ } grep { /"ac-3"/ }
             $mpd =~ /<Representation[^>]*>/g;
cmp_ok($rate, '>', 192000, 'bandwidth in DASH');

# MPEG-TS: what players know there

my $ts = m3u8_parse($t->http_get('/live/x/ts.m3u8')->{body});

is(join(' ', sort map { $_->{attr}{CODECS} =~ s/^avc1\.\w+,//r }
             @{$ts->{variants}}), 'ac-3 ec-3 mp4a.40.2 mp4a.6B',
   'MPEG-TS has none of Opus');

live_replay($r, 'x');

# the same from a file, a track of it alone, several frames in a message

my ($ac3, @alone) = (0);

for my $tag (grep { substr($_->[2], 2, 4) eq 'ac-3' } @tags) {
    $ac3++;
    my $bytes = substr $tag->[2], 7;

    $ac3 % 2 ? push @alone, [8, $tag->[1], "\x91ac-3$bytes"]
             : ($alone[-1][2] .= $bytes);
}

$t->write_file('media/other', '');
flv_write($t->path('media/ac3.flv'), @alone);

my ($sound) = @{ffprobe_json('http://127.0.0.1:' . $t->port('HTTP')
                             . '/vod/ac3.flv/index.m3u8', '-count_packets',
                             '-show_entries',
                             'stream=codec_name,nb_read_packets')->{streams}};

is("$sound->{codec_name} $sound->{nb_read_packets}", "ac3 $ac3",
   'from a file');

$t->done();
