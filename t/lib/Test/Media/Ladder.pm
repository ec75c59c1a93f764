package Test::Media::Ladder;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Ladder - streams that have rungs, and these against their source

=head1 SYNOPSIS

    use Test::Media;
    use Test::Media::Ladder;
    use Test::Media::Live;

    my $t = ladder_nginx(ladder => 'video 90p 100k;');
    my $p = live_publish($t, 'live/a');
    ...
    my $table = ladder_table($t, 'a', 'v1', 'v2');
    ladder_aligned($table, 'a');

=head1 FUNCTIONS

=over

=item ladder_nginx(%opt)

A running nginx whose application live has the ladder "web", of what "ladder"
says; other options are those of live_nginx(), and threads, of the pool (2).
The latency is long unless "ladder" has one: machines that run tests are busy.

=item ladder_table($t, $stream, @tracks)

Of each track by number: { time, duration, pts [], keys [], cut (pts of the
first), init, gap }, in ticks of its timescale.

=item ladder_done($t, $stream, @tracks)

Waits until its publisher has gone, and all has come of what is late.

=item ladder_aligned($table, $what, %opt)

All tracks have what the first one has.  "every" (2): one of so many pictures;
"near": where the source's pictures are reordered across a cut, segments begin
at most so many ticks apart, and pictures are those of the whole stream.

=back

=cut

use strict;
use warnings;

use Exporter 'import';
use List::Util qw/ sum0 max min /;

use Test::Media;
use Test::Media::Formats;
use Test::Media::Live;
use Test::More;

our @EXPORT = qw/ ladder_nginx ladder_table ladder_aligned ladder_done /;


sub ladder_nginx {
    my (%opt) = @_;

    my $threads = delete $opt{threads} || 2;
    my $ladder = delete $opt{ladder};

    $ladder .= ' latency 950ms;' if $ladder !~ /latency/;

    $opt{main} = ($opt{main} || '') . "\nthread_pool encode threads=$threads;\n"
                 . "media_ladder web { $ladder }\n";
    $opt{app} = ($opt{app} || 'segment 2s;')
                . ' transcode web threads=encode;';

    return live_nginx(%opt);
}


sub ladder_table {
    my ($t, $stream, @tracks) = @_;

    my %table = (tracks => \@tracks);

    for my $name (@tracks) {
        my $list = m3u8_parse($t->http_get("/live/$stream/$name.m3u8")->{body});
        my %init;

        for my $segment (@{$list->{segments}}) {
            my ($number) = $segment->{uri} =~ /(\d+)\.m4s/;
            my $entry = $table{$name}{$number} = { gap => $segment->{gap} };

            next if $segment->{gap};

            my $map = $segment->{map};

            $entry->{init} = $map;
            $init{$map} //= $t->http_get("/live/$stream/$map")->{body};

            my $body = $t->http_get("/live/$stream/$segment->{uri}")->{body};
            my @s = mp4_samples($body, $init{$map});

            $entry->{time} = $s[0]{dts};
            $entry->{cut} = $s[0]{pts};
            $entry->{duration} = sum0(map { $_->{duration} } @s);
            $entry->{pts} = [sort { $a <=> $b } map { $_->{pts} } @s];
            $entry->{keys} = [map { $_->{pts} } grep { $_->{key} } @s];
            $entry->{first} = $s[0]{key};
        }
    }

    return \%table;
}


# its publisher has gone, and what is late has come

sub ladder_done {
    my ($t, $stream, @tracks) = @_;

    return wait_until(sub {
        my $s = live_stream($t, $stream);
        return 0 if !$s || $s->{state} ne 'grace';

        my %n = map { scalar @{m3u8_parse($t->http_get(
            "/live/$stream/$_.m3u8")->{body})->{segments}} => 1 } @tracks;

        return keys %n == 1;
    }, 10, "$stream is done");
}


# says what is wrong with it, one line each

sub differs {
    my ($of, $own, %opt) = @_;

    my $near = $opt{near} || 0;
    my @wrong;

    return ('is missing') if !$own;
    return ('is a gap') if $own->{gap};

    push @wrong, 'begins ' . ($own->{time} - $of->{time}) . ' ticks off'
        if abs($own->{time} - $of->{time}) > $near;

    push @wrong, 'is shown ' . ($own->{cut} - $of->{cut}) . ' ticks off'
        if $own->{cut} != $of->{cut};

    push @wrong, 'lasts ' . ($own->{duration} - $of->{duration})
                 . ' ticks more'
        if abs($own->{duration} - $of->{duration}) > $near;

    push @wrong, 'begins without a key frame' if !$own->{first};

    if (!$near) {
        my @pts = @{$of->{pts}};

        if (($opt{every} || 1) > 1) {
            my $n = 0;
            @pts = grep { $n++ % $opt{every} == 0 } @pts;
        }

        push @wrong, 'has ' . @{$own->{pts}} . ' pictures of ' . @pts
            if "@pts" ne "@{$own->{pts}}";

        # where the source has none, a forced cut is a key frame of a rung

        my %has = map { $_ => 1 } @pts;
        my @keys = grep { $has{$_} } $of->{first} ? @{$of->{keys}}
                                                  : ($of->{cut});

        push @wrong, "has key frames at @{$own->{keys}}, not @keys"
            if "@keys" ne "@{$own->{keys}}" && !$opt{keys};
    }

    return @wrong;
}


sub ladder_aligned {
    my ($table, $what, %opt) = @_;

    my ($source, @rungs) = @{$table->{tracks}};
    my @numbers = sort { $a <=> $b } keys %{$table->{$source}};

    pop @numbers if $opt{open};

    for my $rung (@rungs) {
        my (@wrong, @pts);

        for my $n (@numbers) {
            my $own = $table->{$rung}{$n};

            push @wrong, map { "$n $_" }
                differs($table->{$source}{$n}, $own, %opt);
            push @pts, @{$own->{pts}} if $own && !$own->{gap};
        }

        is(join("\n", @wrong), '', "$what: $rung is as $source");

        next if !$opt{near};

        my @all = sort { $a <=> $b } @pts;
        my @of = sort { $a <=> $b }
                 map { @{$table->{$source}{$_}{pts}} } @numbers;

        is("@all", "@of", "$what: $rung has all pictures");
    }

    my $least = $opt{least} || 3;
    cmp_ok(scalar @numbers, '>=', $least, "$what: segments");
}


1;
