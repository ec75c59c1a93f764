#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Rungs of a live ladder against their source: numbers, times, durations, every
# picture to the tick, key frames where segments begin and nowhere else.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;

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
my %p = map { $_ => live_publish($t, "live/$_") } @names;

live_play(map { [$p{$_}, [live_tags($_)], speed => 1, to => 12000] } @names);

$_->close() for values %p;

for my $name (@names) {
    ladder_done($t, $name, qw/ v1 v2 v3 v4 /);

    my $table = ladder_table($t, $name, qw/ v1 v2 v3 v4 /);
    my %opt = %{$cases{$name}};

    ladder_aligned({ %$table, tracks => [qw/ v1 v2 v4 /] },
                   $name, %opt);

    my $half = $opt{near} ? 0 : 1;

    ladder_aligned({ %$table, tracks => ['v1', 'v3'] }, "$name, half",
                   %opt, every => 2)
        if $half && $name ne 'still';
}

is($t->log_count(qr/pictures of "/), 0, 'no rung shed pictures');

$t->done();
