#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Rungs of a live ladder against their source: numbers, times, durations, every
# picture to the tick, key frames where segments begin and nowhere else.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;
use List::Util qw/ sum0 /;
use Time::HiRes qw/ sleep /;

my $t = ladder_nginx(ladder => 'video 120p 100k preset=ultrafast;
                                video 90p 50k fps=half preset=ultrafast;
                                video 72p 30k bframes=2 lookahead=4
                                      preset=ultrafast;
                                audio aac 64k; latency 1900ms;',
                     app => 'segment 4s;', threads => 4);

# near: pictures of one segment are shown in another one's time; keys: those
# of the source are nearer than rungs have theirs

my %cases = (
    plain => {},
    bframes => {},
    pyramid => { near => 12 },
    gop10 => { least => 2 },
    gop18 => {},
    ntsc => {},
    fast => {},
    refresh => { keys => 1 },
    still => { least => 2 },
);

my @names = $ENV{ONLY} ? split / /, $ENV{ONLY} : sort keys %cases;

# so many pictures were left out, as far as is known a second later

sub publish {
    my ($suffix, @group) = @_;

    my %p = map { $_ => live_publish($t, "live/$_$suffix") } @group;

    live_play(map { [$p{$_}, [live_tags($_)], speed => 1, to => 12000] }
              @group);

    sleep 1.2;

    my $left = sum0(map { $_->{dropped_frames},
                          map { $_->{skipped} } @{$_->{rungs}} }
                    map { live_stream($t, "$_$suffix")->{transcode} } @group);

    $_->close() for values %p;

    ladder_done($t, "$_$suffix", qw/ v1 v2 v3 v4 /) for @group;

    return $left;
}

# all at a time; where the machine has something else to do, some of them

my $suffix = '';
my $left;

for my $at_a_time (@names + 0, 3, 1) {
    my @rest = @names;

    $left = 0;
    $left += publish($suffix, splice @rest, 0, $at_a_time)
        while @rest && !$left;

    last if !$left;

    note("the machine is busy, $left pictures were left out, once more");
    $suffix .= 'x';
}

is($left, 0, 'no picture was left out');

for my $name (@names) {
    my $table = ladder_table($t, "$name$suffix", qw/ v1 v2 v3 v4 /);
    my %opt = %{$cases{$name}};

    ladder_aligned({ %$table, tracks => [qw/ v1 v2 v4 /] }, $name, %opt);

    ladder_aligned({ %$table, tracks => ['v1', 'v3'] }, "$name, half",
                   %opt, every => 2)
        if !$opt{near} && $name ne 'still';
}

$t->done();
