#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Parameters that change in mid-stream: picture size, sampling rate, codec.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my $t = live_nginx(reload => 1);

# tags of the first file up to 4 s, then those of the second one

sub join_tags {
    my ($first, $second, %opt) = @_;

    my $at = $opt{at} || 4000;

    return (
        (grep { $_->[1] < $at } @$first),
        map({ [$_->[0], $_->[1] + $at, $_->[2]] }
            grep { $_->[0] != 18 && $_->[1] < 8000 - $at } @$second));
}

# an MP4 file's track as Enhanced RTMP

sub enhanced {
    my ($file, $fourcc, $box) = @_;

    my $bytes = slurp($file);
    my ($track) = values %{mp4_tracks(mp4_boxes($bytes))};
    my ($config) = mp4_find($track->{entry}{boxes}, $box);
    my $scale = $track->{timescale};
    my @samples = mp4_samples($bytes);
    my $start = $samples[0]{dts};

    return ([9, 0, "\x90$fourcc" . $config->{data}], map {
        [9, ($_->{dts} - $start) * 1000 / $scale,
         ($_->{key} ? "\x93" : "\xa3") . $fourcc . $_->{data}]
    } @samples);
}

my @plain = live_tags('plain');
my @other = live_tags('other');
my @hertz = live_tags('hertz');

my @hevc = enhanced(fixture('live-hevc.mp4',
    qw/ -f lavfi -i testsrc2=size=320x180:rate=25 -t 5 -c:v libx265
        -preset ultrafast -pix_fmt yuv420p -x265-params /,
    'log-level=none:keyint=25:bframes=0:pools=1', '-movflags',
    '+frag_keyframe+empty_moov+default_base_moof'), 'hvc1', 'hvcC');

my @headers = grep {
    Test::Media::RTMP::is_header($_->[0], $_->[2])
} @plain;

my %cases = (
    # headers come again and again, unchanged
    same => [map {
        my $tag = $_;
        $tag->[0] == 9 && $tag->[2] =~ /^\x17\x01/
            ? (map({ [$_->[0], $tag->[1], $_->[2]] } @headers), $tag) : $tag
    } @plain],
    # picture and rate of frames
    picture => [join_tags([grep { $_->[0] == 9 } @plain],
                          [grep { $_->[0] == 9 } @other])],
    # only the picture; sound goes on
    video => [sort { $a->[1] <=> $b->[1] }
              grep({ $_->[0] != 9 } @plain),
              join_tags([grep { $_->[0] == 9 } @plain],
                        [grep { $_->[0] == 9 } @other])],
    # only the sound, amid a GOP: from stereo to mono
    sound => [sort { $a->[1] <=> $b->[1] }
              grep({ $_->[0] != 8 && $_->[1] < 8000 } @plain),
              join_tags([grep { $_->[0] == 8 } @plain],
                        [grep { $_->[0] == 8 } live_tags('mono')],
                        at => 4400)],
    # sampling rate
    rate => [join_tags(\@plain, \@hertz)],
    # AVC, then HEVC, as Enhanced RTMP says it
    codec => [sort { $a->[1] <=> $b->[1] }
              grep({ $_->[0] != 9 && $_->[1] < 8000 } @plain),
              join_tags([grep { $_->[0] == 9 } @plain], \@hevc)],
);

# tracks that are listed at the end, those that have ended, runs

my %expect = (
    same => { runs => 1, lost => 1 },
    picture => { tracks => 'v1' },
    video => { lost => 2 },
    sound => { lost => 60, silent => [1, 60] },
    rate => { lost => 3, silent => [0, 2] },
    codec => { tracks => 'a1 v1 v2', over => 'v1' },
);

my @names = $ENV{ONLY} ? split / /, $ENV{ONLY} : sort keys %cases;

my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map { [$p{$_}, $cases{$_}, speed => 1, to => 8000] } @names);

$_->close() for values %p;

for my $name (@names) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my %e = (tracks => 'a1 v1', runs => 2, lost => 2, %{$expect{$name}});

    my $r = live_check($t, "/live/$name", name => $name,
                       tracks => $e{tracks}, more => $e{over},
                       $e{over} ? () : (runs => $e{runs}));
    my $m = live_match($r, $p{$name});

    is($m->{video}{missing}, 0, "$name: all frames");
    cmp_ok($m->{audio}{missing}, '<=', $e{lost}, "$name: no more is lost");
    cmp_ok($m->{av}, '<', $e{silent} ? 15 : 3,
           "$name: sound and picture");
    is(@{$r->{periods}}, $e{runs}, "$name: periods");

    if ($e{silent}) {
        cmp_ok($m->{audio}{silent}, '<=', $e{silent}[1], "$name: silence");

    } else {
        is($m->{audio}{silent}, 0, "$name: no silence");
    }

    if ($e{over}) {
        my ($old, $new) = ($e{over}, $e{over} =~ s/1/2/r);
        my %list = map { $_ => $r->{tracks}{$_}{list} } $old, $new;

        ok($list{$old}{endlist}, "$name: the old track has ended");
        ok(!$list{$new}{endlist}, "$name: the new one has not");
        is($list{$new}{msn}, $list{$old}{next_msn},
           "$name: and goes on where the old one ends");
    }
}

is($t->log_count(qr/\[info\].* media .*: same$/), 0, 'nothing to tell');
is($t->log_count(qr/\[info\].* media .*: $_$/), 1, "$_: said once")
    for grep { $_ ne 'same' } @names;

$t->done();
