package Test::Media::Players;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Players - hls.js, dash.js, shaka-player, mpegts.js in Chromium

=head1 SYNOPSIS

    players_needed();               # dies where they are not installed

    my @results = players_play($t, $seconds, [['hls', $url], ...],
                               again => sub { @{$_[0]{stalls}} });

players_play() has all of them play at the same time, as t/players.mjs says,
and returns its results, in order.  Decoders share the machine with whatever
else runs there: one of which "again" says so is played once more, alone.

=cut

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();
use Test::More;

use Test::Media::Tools qw/ sh slurp /;

our @EXPORT = qw/ players_needed players_play /;


sub players_needed {
    my $modules = Test::Media->root() . '/t/node_modules';

    die "node, chromium and t/node_modules are needed: run scripts/deps test\n"
        if (sh('node', '--version'))[0]
           || !-x ($ENV{TEST_CHROMIUM} || '/usr/bin/chromium')
           || !-d "$modules/playwright-core";
}


sub players_play {
    my ($t, $seconds, $jobs, %opt) = @_;

    my @results = play($t, $seconds, @$jobs);

    is(scalar @results, scalar @$jobs, 'all of them');

    for my $i (0 .. $#results) {
        next if !$opt{again}->($results[$i]);

        diag("$jobs->[$i][0] went badly among others, once more alone");

        my ($alone) = play($t, $seconds, $jobs->[$i]);
        $results[$i] = $alone || $results[$i];
    }

    return @results;
}


sub play {
    my ($t, $seconds, @jobs) = @_;

    my $out = $t->path('players.json');

    my $process = $t->background('players', sub {
        open STDOUT, '>', $out or die "$out: $!\n";
        exec 'node', $t->root() . '/t/players.mjs', $seconds,
             map { @$_ } @jobs;
    });

    is($process->wait($seconds + 120), 0, 'the players ran')
        or diag($process->log());

    my $results = eval { JSON::PP->new->utf8->decode(slurp($out)) } || [];

    return @$results;
}


1;
