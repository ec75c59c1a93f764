#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Joins out of the table of scripts/joins, which only have to start.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Joins;
use Test::Media::Players;

players_needed();

my @joins = map {
    my %join;
    @join{qw/ player age gop kind /} = split;
    \%join;
} (
    'hls 0 2 plain', 'dash 0.5 1 plain', 'shaka-hls 1 1 plain',
    'hls 0.3 4 video_first', 'shaka 0.5 2 video_first', 'dash 2 1 plain',
    'hls 2 1 audio_first', 'dash 0 1 audio_first', 'shaka-hls 0.5 1 late_audio',
    'hls 0.3 1 return', 'dash 1 1 return', 'shaka 0.5 1 change',
);

my $t = joins_nginx();
my $players = Test::Media::Joins->new($t);

# Chromium of some versions plays HLS itself

push @joins, { player => 'native', age => 0.5, gop => 1, kind => 'plain' },
             { player => 'native', age => 1, gop => 1, kind => 'late_audio' }
    if $players->native();

my @left = @joins;

while (my @now = splice @left, 0, 3) {
    my @got = $players->joins(@now);

    # decoders share the machine with whatever else runs there: once more,
    # alone

    for my $i (grep { !started($got[$_]) } 0 .. $#now) {
        ($got[$i]) = $players->joins($now[$i]);
    }

    for my $r (@got) {
        ok(started($r), "$r->{player} at $r->{age} s, GOP $r->{gop} s, "
                        . $r->{kind})
            or diag(join ', ', @{$r->{errors}}, @{$r->{bad} || []});

        note(defined $r->{started} ? "after $r->{started} ms, due at $r->{due}"
                                   : 'never');
    }
}

$players->stop();
$t->done();


sub started {
    my ($r) = @_;

    return defined $r->{started} && !grep { /^fatal/ } @{$r->{errors}};
}
