#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Live ladders as their viewers have them: playlists and MPD, what decodes,
# audio of another codec, pictures that change, publishers that return or take
# over, a reload, and a server that is stopped amid all of that.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;
use Test::Media::RTMP qw/ flv_read /;
use Time::HiRes qw/ sleep time /;

my $t = ladder_nginx(
    ladder => 'video 120p 100k preset=ultrafast; audio aac 64k;
               video 90p 50k preset=ultrafast;
               latency 1900ms;',
    app => 'segment 4s; part 500ms; transcode off for=^none;', threads => 4,
    http => 'location /metrics { media_metrics; }');

my ($one, $two) = $t->worker_pids();

my @plain = live_tags('plain');
my @other = live_tags('other');

my @mp3 = flv_read(fixture('live-mp3.flv',
    qw/ -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i
        anoisesrc=amplitude=0.1:seed=4:sample_rate=44100 -c:v libx264 -preset
        ultrafast -threads 1 -pix_fmt yuv420p -sc_threshold 0 -b:v 250k -g 25
        -bf 0 -tune zerolatency -c:a libmp3lame -b:a 96k -ac 2 -t 12 /));

# tags of the second one from there on, in time

sub then {
    my ($at, $first, $second) = @_;

    return ((grep { $_->[1] < $at } @$first),
            map { [$_->[0], $_->[1] + $at, $_->[2]] }
            grep { $_->[0] != 18 } @$second);
}

my %tags = (
    mp3 => \@mp3,
    none => \@plain,
    change => [then(5000, \@plain, \@other)],
    audio => [live_tags('audio')],
    back => \@plain,
    over => \@plain,
    reload => \@plain,
);

my %p = map { $_ => live_publish($t, "live/$_") } grep { $_ ne 'over' }
        keys %tags;
$p{over} = live_publish($t, 'live/over', worker => $one);

live_play(map { [$p{$_}, $tags{$_}, speed => 1, to => 5000] } keys %tags);

my %tracks = map { ($_ => join ' ', sort keys %{live_stream($t, $_)->{track}}) }
             keys %tags;

is($tracks{none}, 'a1 v1', 'none: it has no ladder');

# what is said of it, by whichever worker

my $said;

wait_ok(sub {
    $said = live_stream($t, 'mp3')->{transcode};
    return $said->{frames} > 50 && $said->{rungs}[1]{pictures} > 50;
}, 5, 'status of a ladder');

is($said->{ladder}, 'web', 'its name');
is($said->{audio_tracks}, 1, 'audio');
is($said->{decode_errors} + $said->{dropped_frames}, 0, 'no errors');
is(join(' ', map { "$_->{name} $_->{width}x$_->{height} $_->{encoder} "
                   . "$_->{step} $_->{skipped} $_->{restarts}" }
        @{$said->{rungs}}),
   '120p 214x120 libx264 all 0 0 90p 160x90 libx264 all 0 0', 'rungs');
ok(!live_stream($t, 'none')->{transcode}, 'none: none');

my ($app) = grep { $_->{name} eq 'live' } @{$t->status()->{apps}};

is($app->{transcode}{jobs}, 6, 'jobs');
cmp_ok($app->{transcode}{cores}, '>', 0, 'they use something');

my $metrics = $t->http_get('/metrics')->{body};

like($metrics, qr/^ngx_media_transcode_pictures_total\{app="live",
                  stream="mp3",rung="90p"\}\ [1-9]/mx, 'metrics of a rung');
like($metrics, qr/^ngx_media_transcode_jobs\{app="live"\} 6$/m, 'and of all');
is($tracks{change}, 'a1 v1 v2 v3', 'it has rungs');
is($tracks{audio}, 'a1', 'audio: none, and no other audio');
is($tracks{mp3}, 'a1 a2 v1 v2 v3', 'mp3: audio is converted');

# its publisher leaves, and is back; another one takes over, elsewhere

$p{back}->close();
wait_until(sub { live_stream($t, 'back')->{state} eq 'grace' }, 5, 'it left');

$p{again} = live_publish($t, 'live/back');

# which may be a second after its last frame

sleep 1.1;
$p{taken} = live_publish($t, 'live/over', worker => $two);

$t->reload();

live_play(
    [$p{again}, \@plain, speed => 1, to => 5000],
    [$p{taken}, \@other, speed => 1, to => 5000],
    map { [$p{$_}, $tags{$_}, speed => 1, from => 5000, to => 10000,
           $_ eq 'change' ? () : (headers => 0)] } qw/ mp3 change reload /);

ok(!$p{over}->poll(0.1) || $p{over}{closed}, 'over: the first one has gone');

$p{$_}->close() for qw/ mp3 change reload again taken /;

ladder_done($t, $_, qw/ v1 v2 v3 /) for qw/ mp3 change reload back over /;

for my $name (qw/ mp3 reload /) {
    ladder_aligned(ladder_table($t, $name, qw/ v1 v2 v3 /), $name,
                   least => 3);
}

for my $name (qw/ change back over /) {

    # where one leaves in the midst of a segment its rungs may end sooner

    ladder_aligned(ladder_table($t, $name, qw/ v1 v2 v3 /), $name,
                   least => 3, lost => $name eq 'over');
}

for my $name (qw/ mp3 change reload back /) {
    live_check($t, "/live/$name", name => $name,
               tracks => $name eq 'mp3' ? 'a1 a2 v1 v2 v3' : 'a1 v1 v2 v3',
               runs => $name eq 'mp3' || $name eq 'reload' ? 1 : 2);
}

my $index = m3u8_parse($t->http_get('/live/change/index.m3u8')->{body});

is(join(' ', map { $_->{attr}{RESOLUTION} } @{$index->{variants}}),
   '256x144 214x120 160x90', 'change: sizes of the rungs are what they were');

is($t->log_count(qr/pictures of "/), 0, 'no rung shed pictures');
is($t->log_count(qr/ ladder "web" /), 0, 'nothing was to be said');

# stopped while streams are encoded: at once, and nothing is left

my @busy = map { live_publish($t, "live/busy$_") } 1 .. 4;

live_play(map { [$_, \@plain, speed => 4, to => 6000] } @busy);

my $start = time();
$t->signal('TERM');
wait_until(sub { !$t->running() }, 5, 'it stops');
cmp_ok(time() - $start, '<', 1.4, 'stopped before it would be killed');

$t->done();
