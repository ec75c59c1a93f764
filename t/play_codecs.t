#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers by RTMP and FLV of a stream whose first sound is AC-3: one that does
# not say what it understands is sent AAC, one that does the first of all.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Codecs;
use Test::Media::FLV;
use Test::Media::Live;
use Test::Media::Tools qw/ ffprobe_json /;
use Test::Media::Viewer;

# AC-3 is the publisher's track 0, and comes before the configuration of AAC,
# which is the next one

sub other_way_round {
    my ($type, $ts, $bytes) = @{$_[0]};

    if ($type == 8 && $bytes =~ /^\xaf/) {
        $bytes = "\x95" . substr($bytes, 1, 1) . "mp4a\1" . substr $bytes, 2;

    } elsif ($type == 8 && substr($bytes, 2, 4) eq 'ac-3') {
        substr $bytes, 6, 1, "\0";
    }

    return [$type, $ts, $bytes];
}

my @tags = map { other_way_round($_) } codecs_tags(6);
my ($first) = grep { substr($tags[$_][2], 2, 4) eq 'ac-3' } 0 .. $#tags;
unshift @tags, splice @tags, $first, 1;

my $t = live_nginx(app => 'grace 1s;', rtmp => 'media_rtmp_play on;');
my $p = live_publish($t, 'live/x');

# one that is there when AC-3 is all that is known

my $early = viewer_rtmp($t, 'live/x');

sub listed {
    my $rtmp = $t->rtmp();

    $rtmp->handshake();
    $rtmp->connect('live', fourCcList => [@_]);
    $rtmp->create_stream();

    return viewer_rtmp($t, 'live/x', connection => $rtmp);
}

my @half = grep { $_->[1] < 3000 } @tags;
$p->play(\@half, speed => 2);

is($t->status()->{apps}[0]{streams}[0]{tracks}[0]{codec}, 'ac3',
   'the first sound is AC-3');

my %v = (early => $early, late => viewer_rtmp($t, 'live/x'),
         flv => viewer_flv($t, '/live/x.flv'), none => listed('hvc1'),
         all => listed('*'), some => listed('ac-3'));

$p->play([grep { $_->[1] >= 3000 } @tags], speed => 2);

viewers_have(sub { $_[0]->frames() >= 80 }, 10, values %v);

# SoundFormat, or the codec of Enhanced RTMP

sub sounds {
    my %all = map {
        my ($format, $codec) = unpack 'C a4', $_->[2];
        (($format >> 4 == 9 ? $codec : $format >> 4) => 1);
    } grep { $_->[0] == 8 } $_[0]->tags();

    return join ' ', sort keys %all;
}

like(sounds($v{early}), qr/^10\b/, 'early: AAC as soon as it is there');
is(sounds($v{$_}), 10, "$_: AAC") for qw/ late flv none /;
is(sounds($v{$_}), 'ac-3', "$_: the first one") for qw/ all some /;
is(join(', ', viewer_faults($v{$_})), '', "$_: nothing is wrong")
    for sort keys %v;

$p->close();

my $file = $t->path('x.flv');
viewers_have(sub { $_[0]->closed() }, 10, $v{flv});
$v{flv}->save($file);

is(join(' ', sort map { $_->{codec_name} } @{ffprobe_json($file)->{streams}}),
   'aac h264', 'ffprobe');

$t->done();
