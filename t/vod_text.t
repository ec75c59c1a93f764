#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Text of files: the cues of all segments together are those that were put
# into it, each of them in all segments it shows in and in no other, at the
# times of the media.  As sidecar, as tx3g of ffmpeg, and as wvtt of our own
# making.

use strict;
use warnings;

use Test::More;
use FindBin;
use File::Temp qw/ tempdir /;
use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;


die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version > /dev/null 2>&1');

my $bin = tool('text');

my $tmp = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);


sub ffmpeg {
    my ($args) = @_;

    system("ffmpeg -nostdin -v error -y $args 2> $tmp/ffmpeg.log") == 0
        or die "ffmpeg $args: ", `cat $tmp/ffmpeg.log`;
}


sub stamp {
    my ($msec, $point) = @_;

    return sprintf '%02d:%02d:%02d%s%03d', $msec / 3600000,
        $msec / 60000 % 60, $msec / 1000 % 60, $point, $msec % 1000;
}


sub msec {
    my ($text) = @_;

    $text =~ /^(\d+):(\d\d):(\d\d)[.](\d{3})$/ or return -1;

    return (($1 * 60 + $2) * 60 + $3) * 1000 + $4;
}


sub srt {
    my ($name, @cues) = @_;

    open my $fh, '>', "$tmp/$name" or die "$tmp/$name: $!\n";

    for my $i (0 .. $#cues) {
        my ($start, $end, $text) = @{$cues[$i]};
        print $fh $i + 1, "\n", stamp($start, ','), ' --> ',
            stamp($end, ','), "\n$text\n\n";
    }

    close $fh;
}


# track => [[START, END, FILE], ...]

sub served {
    my ($dir, $msec, @files) = @_;
    my %tracks;

    mkdir "$tmp/$dir";

    my $out = `$bin $tmp/$dir $msec @files 2>&1`;

    is($?, 0, "$dir: is served") or diag($out);

    while ($out =~ /^segment (\w+) (\d+) (-?\d+) (-?\d+)$/mg) {
        $tracks{$1}[$2] = [$3, $4, "$tmp/$dir/$1-$2.vtt"];
    }

    return %tracks;
}


# cues of a segment at media times

sub cues {
    my ($file) = @_;
    my @cues;

    open my $fh, '<', $file or die "$file: $!\n";
    local $/ = '';

    my $head = <$fh>;

    $head =~ /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:(\d+),LOCAL:(\S+)\n\n/
        or return ['no header'];

    my $base = $1 / 90 - msec($2);

    while (my $block = <$fh>) {
        $block =~ /^(\S+) --> (\S+)\n(.*?)\n+$/s or return [$block];
        push @cues, [msec($1) + $base, msec($2) + $base, $3];
    }

    return @cues;
}


sub compare {
    my ($name, $segments, $base, @expected) = @_;
    my ($bad, $count, $last) = (0, 0);

    for my $s (@$segments) {
        my ($start, $end, $file) = @$s;

        my $got = join "\n", sort map { join ' ', @$_ } cues($file);
        my $should = join "\n", sort map {
            join ' ', $_->[0] + $base, $_->[1] + $base, $_->[2]
        } grep {
            $_->[0] + $base < $end && $_->[1] + $base > $start
        } @expected;

        $count += () = $should =~ /^/mg;

        if ($got ne $should || defined $last && $start != $last) {
            diag("$file, $start to $end:\n$got\n-- expected\n$should")
                if !$bad++;
        }

        $last = $end;
    }

    is($bad, 0, "$name: cues of " . @$segments . ' segments');
    cmp_ok($count, '>=', scalar @expected, "$name: all of them");
}


# the packets of the chunks; that they are without a gap sees the tool

sub packets {
    my ($name, $file, @segments) = @_;

    my @times = map { /^pts=(\d+)/ ? $1 : () } split /\n/,
        `ffprobe -v error -show_packets -show_entries packet=pts $file`;

    my %seen = map { $_ => 1 } @times;

    cmp_ok(scalar @times, '>', 0, "$name: samples");
    cmp_ok(scalar @segments, '>', 1, "$name: segments");
    is(scalar keys %seen, scalar @times, "$name: no sample twice");
    is(scalar(grep { !$seen{$_->[0]} } @segments), 0,
       "$name: segments begin with a sample");
}


# 61 s, key frames every 2 s; times that begin below zero are moved

ffmpeg("-f lavfi -i testsrc2=size=128x72:rate=25:duration=61 -c:v libx264"
       . " -preset ultrafast -bf 2 -g 50 -keyint_min 50 -sc_threshold 0"
       . " $tmp/video.mp4");
ffmpeg("-ss 1.5 -i $tmp/video.mp4 -c copy $tmp/cut.mp4");

srand 5;

my (@apart, @over);
my $time = 300;

for my $i (1 .. 40) {
    my $end = $time + 100 + int rand 2400;
    last if $end > 60000;
    push @apart, [$time, $end, "cue $i <i>of</i> some"];
    $time = $end + (rand() < 0.5 ? 0 : int rand 1000);
}

for my $i (1 .. 100) {
    my $start = int rand 58000;
    push @over, [$start, $start + 1 + int rand 9000, "cue $i"];
}

$_->[1] = $_->[1] > 61000 ? 61000 : $_->[1] for @over;
@over = sort { $a->[0] <=> $b->[0] } @over;

srt('apart.srt', @apart);
srt('over.srt', @over);

ffmpeg("-i $tmp/video.mp4 -i $tmp/apart.srt -c:v copy -c:s mov_text"
       . " $tmp/tx3g.mp4");
ffmpeg("-i $tmp/video.mp4 -i $tmp/apart.srt -c:v copy -c:s mov_text"
       . " -movflags frag_keyframe+empty_moov $tmp/fragments.mp4");

my %t = served('sidecar', 4000, map { "$tmp/$_" } 'video.mp4', 'over.srt');

compare('sidecar', $t{t1}, 0, @over);
packets('sidecar', "$tmp/sidecar/t1.mp4", @{$t{t1}});

# what we made of it is a file of samples, too

my %w = served('wvtt', 3000, "$tmp/video.mp4", "$tmp/sidecar/t1.mp4");

my %seen;

for my $s (@{$w{t1}}) {
    for my $cue (cues($s->[2])) {
        my ($start, $end, $text) = @$cue;
        $seen{$text}[0] = $start if !exists $seen{$text}
                                    || $start < $seen{$text}[0];
        $seen{$text}[1] = $end if !defined $seen{$text}[1]
                                  || $end > $seen{$text}[1];
    }
}

is(join("\n", sort map { "$seen{$_}[0] $seen{$_}[1] $_" } keys %seen),
   join("\n", sort map { join ' ', @$_ } @over),
   'wvtt: all cues with all of their times');
packets('wvtt', "$tmp/wvtt/t1.mp4", @{$w{t1}});

%t = served('tx3g', 4000, "$tmp/tx3g.mp4");

compare('tx3g', $t{t1}, 0, @apart);
packets('tx3g', "$tmp/tx3g/t1.mp4", @{$t{t1}});

%t = served('fragments', 4000, "$tmp/fragments.mp4");

# ffmpeg writes no edit lists then, so all begins with the first frame's cto,
# and it leaves out samples in which nothing shows

my %begin = map { map { ("$_->[0] $_->[2]" => 1) } cues($_->[2]) } @{$t{t1}};

is(join("\n", sort keys %begin),
   join("\n", sort map { $_->[0] + 80 . " $_->[2]" } @apart),
   'fragments: cues');

# video before its begin: all times have something added

%t = served('cut', 4000, "$tmp/cut.mp4", "$tmp/apart.srt");

my $base = $t{t1}[0][0];

cmp_ok($base, '>', 0, 'cut: media times do not begin with zero');
compare('cut', $t{t1}, $base, grep { $_->[0] < 59000 } map {
    [$_->[0], $_->[1] > $t{t1}[-1][1] - $base ? $t{t1}[-1][1] - $base
                                               : $_->[1], $_->[2]]
} @apart);

done_testing();
