#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers over RTMP: each frame once, from any worker, over publishers that
# return, reloads and crashes.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::FLV;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::RTMP qw/ amf amf_read /;
use Test::Media::Viewer;

my $start = 'NetStream.Play.Start';

my $t = live_nginx(workers => 2, app => 'grace 2s; window 6s;',
                   rtmp => 'media_rtmp_play on;');
my ($here, $there) = $t->worker_pids();

my @plain = live_tags('plain');
my @video = live_tags('video');
my @audio = live_tags('audio');
my @bframes = live_tags('bframes');


sub closed { viewers_have(sub { $_[0]->closed() }, 20, @_) }


sub codes {
    my ($v) = @_;

    return join ' ', map { $_->{args}[1]{code} =~ /(\w+)$/ }
        grep { $_->{type} == 20 && $_->{name} eq 'onStatus' }
        @{$v->{rtmp}{messages}};
}


# several streams at once, joined in their first half second, by whom knows
# RTMP from elsewhere, and later

my %pub = map { $_->[0] => play_publish($t, "live/$_->[0]", $_->[1],
                                        to => 5000, worker => $here) }
    [plain => \@plain], [video => \@video], [audio => \@audio],
    [bframes => \@bframes];

my %first = map { $_ => viewer_rtmp($t, "live/$_") } qw/ video audio bframes /;
my @both = map { viewer_rtmp($t, 'live/plain', worker => $_) } $here, $there;

is(join(' ', map { $_->{status} } @both, values %first),
   join(' ', ($start) x 5), 'they may play');

my $dump = $t->rtmpdump('live/plain', $t->path('dump.flv'));
my $ffmpeg = $t->run_daemon('ffmpeg', qw/ ffmpeg -nostdin -v warning -i /,
    'rtmp://127.0.0.1:' . $t->port('RTMP') . '/live/bframes',
    qw/ -c copy -y /, $t->path('bframes.mkv'));

viewers_have(sub { $_[0]->frames() >= 60 }, 10, @both);

my $late = viewer_rtmp($t, 'live/plain', worker => $there);

closed(@both, $late, values %first);

my @sent = map { my $tags = $_; [grep { tag_is_header($_) || $_->[1] < 5000 }
                                 @$tags] } \@plain, \@video, \@audio, \@bframes;

play_whole($both[0], 'a viewer of its worker', $sent[0]);
play_whole($both[1], 'a viewer of the other one', $sent[0]);
play_whole($late, 'who came later', $sent[0]);
play_whole($first{video}, 'video alone', $sent[1]);
play_whole($first{audio}, 'audio alone', $sent[2]);
play_whole($first{bframes}, 'B-frames', $sent[3]);

is(codes($both[0]), 'UnpublishNotify Stop', 'what it was told at the end');
is(scalar(grep { $_->{type} == 4 && $_->{bytes} eq pack 'nN', 1, 1 }
          @{$both[0]{rtmp}{messages}}), 1, 'and the end of the stream');
is(scalar(grep { $_->{type} == 4 && $_->{bytes} eq pack 'nN', 0, 1 }
          @{$both[0]{rtmp}{messages}}), 1, 'after its begin');

is(($both[0]->tags())[0][1], 0, 'metadata is at 0');
my (undef, $meta) = amf_read(($both[0]->tags())[0][2]);
is("@$meta{qw/ width height videocodecid audiocodecid /}", '320 180 7 10',
   'and says what it is');

# pictures are shown when they are to be, and decoded before that

sub shown {
    my %at;

    for my $tag (grep { tag_is_frame($_) } @_) {
        my $cts = unpack 'N', "\0" . substr $tag->[2], 2, 3;

        $cts -= 1 << 24 if $cts & 0x800000;
        $at{substr $tag->[2], 5} = [$tag->[1] + $cts, $cts];
    }

    return %at;
}

my %was = shown(@bframes);
my %is = shown($first{bframes}->tags());
my %shift = map { $is{$_}[0] - $was{$_}[0] => 1 } keys %is;

is(scalar(keys %shift), 1, 'B-frames: when they are shown');
is((sort { $a <=> $b } map { $_->[1] } values %is)[0], 0,
   'and none is decoded later');

is($dump->wait(10), 0, 'rtmpdump') or diag($dump->log());
my @dumped = flv_read($t->path('dump.flv'));
is_deeply([play_frames(9, @dumped)],
          [(play_frames(9, @{$sent[0]}))[-play_frames(9, @dumped) .. -1]],
          'has frames as they were sent');
is((decode_clean($t->path('dump.flv')))[0], 1, 'which decode');

is($ffmpeg->wait(10), 0, 'ffmpeg');
is($ffmpeg->log(), '', 'has nothing to say');
my @decoded = decode_clean($t->path('bframes.mkv'));
ok($decoded[0] && $decoded[2] >= 75, 'and frames that decode')
    or diag("@decoded");

is(viewer_rtmp($t, 'live/plain')->{status}, 'NetStream.Play.StreamNotFound',
   'of what has ended there is no more');
is($t->log_count(qr/play ended: the stream has ended, frames:\d+ dropped:0/),
   8, 'log');

# a publisher that returns on the other worker, with other parameters

my @other = live_tags('other');

play_publish($t, 'live/back', \@plain, to => 2000, worker => $here);
@both = map { viewer_rtmp($t, 'live/back', worker => $_) } $here, $there;
viewers_have(sub { $_[0]->frames() == 50 }, 10, @both);

# what there is comes at once, also where nobody follows it yet

my $quiet = play_publish($t, 'live/quiet', \@plain, to => 2000, gone => 1,
                         speed => 4);
$quiet->wait(10);

my $joined = viewer_rtmp($t, 'live/back', worker => $here);
my @quiet = map { viewer_rtmp($t, 'live/quiet', worker => $_) } $here, $there;

is(viewers_have(sub { $_[0]->frames() == 25 }, 2, $joined, @quiet), 1,
   'who comes in a pause has the last key frame, and what came after it');

play_publish($t, 'live/back', \@other, to => 2000, worker => $there);
closed(@both, $joined);

@sent = map { my $tags = $_; [grep { tag_is_header($_) || $_->[1] < 2000 }
                              @$tags] } \@plain, \@other;

for my $v (@both, $joined) {
    play_whole($v, 'who saw it return', @sent, { joined => 1, decode => 0 });
    is(scalar(grep { $_->[0] == 9 } $v->headers()), 2, 'both configurations');
}

# its worker is killed, and that of viewers reloaded

play_publish($t, 'live/kill', \@plain, to => 20000, worker => $here);
my ($near, $far) = map { viewer_rtmp($t, 'live/kill', worker => $_) }
    $here, $there;
viewers_have(sub { $_[0]->frames() >= 30 }, 10, $near, $far);

$t->kill_worker($here);
closed($near);

$t->reload();

my $again = play_publish($t, 'live/kill', \@plain, from => 6000, to => 9000);
closed($far);

is(join(', ', viewer_faults($far)), '', 'a viewer in a worker that leaves');
my @last = grep { $_->[1] >= 6000 && $_->[1] < 9000 } @plain;
my @got = play_frames(9, $far->tags());
is_deeply([@got[-75 .. -1]], [play_frames(9, @last)], 'sees it return');

my $n = 0;
my %of = map { $_ => $n++ } play_frames(9, @plain);
my @numbers = map { $of{$_} } @got[0 .. $#got - 75];
is("@numbers", join(' ', $numbers[0] .. $numbers[-1]),
   'and lost none of those before');

$t->done();
