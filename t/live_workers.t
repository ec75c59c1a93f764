#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# One, two and four workers: a stream on each of them, and the same answers
# from each of them for all streams, while they run and afterwards.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');
my @names = qw/ s0 s1 s2 s3 /;

for my $n (1, 2, 4) {
    my $t = live_nginx(workers => $n);
    my @workers = $t->worker_pids();
    my %p = map {
        ($names[$_] => live_publish($t, "live/$names[$_]",
                                    $n > 1 ? (worker => $workers[$_ % $n])
                                           : ()))
    } 0 .. $#names;

    is(scalar @workers, $n, "$n: workers");

    live_play(map { [$p{$_}, \@tags, speed => 3, to => 5500] } @names);

    my $publishers = sub {
        my %pid = map { ($_->{publisher}{pid} => 1) }
            @{$t->status()->{apps}[0]{streams}};
        return join ' ', sort { $a <=> $b } keys %pid;
    };

    is($publishers->(), join(' ', @workers), "$n: streams on every worker");

    # all that can be asked for, of every worker; nothing moves meanwhile

    my %connection = map {
        ($_ => $t->http_get('/status', keepalive => 1,
                            $n > 1 ? (worker => $_) : ())->{conn})
    } @workers;

    my (%answers, %from);

    my $ask = sub {
        my ($path) = @_;

        for my $pid (@workers) {
            my $r = $t->http_get($path, keepalive => 1,
                                 conn => $connection{$pid});
            $connection{$pid} = $r->{conn};
            $answers{$path}{"$r->{status} $r->{body}"}++;
            $from{$pid}++ if $r->{status} == 200;
        }

        my @answers = keys %{$answers{$path}};
        return @answers == 1 && $answers[0] =~ /^200 (.*)/s ? $1 : undef;
    };

    for my $name (@names) {
        for my $file (qw{ index.m3u8 v1.m3u8 a1.m3u8 v1.iframes.m3u8
                          manifest.mpd })
        {
            my $text = $ask->("/live/$name/$file");
            next if !defined $text || $file !~ /^[va]1.m3u8$/;

            my $list = m3u8_parse($text);

            $ask->("/live/$name/$_")
                for $list->{segments}[0]{uri}, $list->{segments}[-1]{uri},
                    $list->{segments}[0]{map}, $list->{parts}[0]{uri};
        }
    }

    my @differ = grep {
        my @answers = keys %{$answers{$_}};
        @answers != 1 || $answers[0] !~ /^200 /
    } sort keys %answers;

    is(join(' ', @differ), '', "$n: the same answers from every worker");
    is(scalar keys %answers, 4 * (5 + 8), "$n: to so many questions");
    is(scalar keys %from, $n, "$n: all workers answered");

    # all of them know what all of them do

    my @status = map {
        my $r = $t->http_get('/status', keepalive => 1,
                             conn => $connection{$_});
        $connection{$_} = $r->{conn};
        [$r->{body} =~ /"pid":(\d+),"apps"/, $r->{body} =~ /("streams":.*)/]
    } @workers;

    is(join(' ', sort { $a <=> $b } map { $_->[0] } @status),
       join(' ', @workers), "$n: status from every worker");

    my %same = map { ($_->[1] => 1) } @status;
    is(scalar keys %same, 1, "$n: and the same one");

    # a request that waits is answered wherever it waits

    my $list = m3u8_parse($t->http_get('/live/s0/v1.m3u8')->{body});
    my @wait = map {
        $t->start_get("/live/s0/v1.m3u8?_HLS_msn=$list->{next_msn}",
                      conn => $connection{$_}, timeout => 10)
    } @workers;

    live_play(map {
        [$p{$_}, \@tags, speed => 3, from => 5500, to => 8000, headers => 0]
    } @names);

    my %woken = map { my $r = $_->result(); ($r->{status} => 1) } @wait;
    is(join(' ', keys %woken), 200, "$n: all that wait are woken");

    $_->close() for values %p;

    for my $name (@names) {
        wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5,
                   'end');

        my $r = live_check($t, "/live/$name", runs => 1,
                           name => "$n workers, $name");
        my $m = live_match($r, $p{$name});

        is($m->{video}{missing}, 0, "$n: all frames");
        is($m->{audio}{missing}, 1, "$n: all sound but a frame");
    }

    $t->done(more => 1);
}

done_testing();
