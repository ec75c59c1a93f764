#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Text that a publisher sends each second arrives in hls.js, dash.js and
# shaka-player, once each and at its time, also where a publisher's worker is
# killed, and another one takes over on another worker.

use FindBin;
use lib "$FindBin::Bin/lib";

use Time::HiRes qw/ sleep /;

use Test::Media;
use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::Players;
use Test::Media::RTMP qw/ amf /;

my $seconds = 20;

players_needed();

my $t = live_nginx(workers => 2, http => 'media_cors on;');
my @tags = live_tags('plain');
my ($one, $two) = $t->worker_pids();

$t->allow_alerts(qr/worker process $one exited on signal 9/);


# one text in each second, 0.3 s behind a frame, and one more when all was sent:
# that one is in no part yet

my $n = 0;

sub publish {
    my ($worker, $to) = @_;

    my $p;

    wait_until(sub {
        $p = live_publish($t, 'live/s', worker => $worker, refused => 1);
        return 1 if $p->{code} eq 'NetStream.Publish.Start';
        $p->close();
        return 0;
    }, 10, 'a publisher');

    my $second = -1;

    $p->play(\@tags, speed => 1, to => $to, map => sub {
        my @m = @_;
        my $now = int($m[1] / 1000);

        return \@m if $m[0] != 9 || $now == $second
                      || Test::Media::RTMP::is_header(@m[0, 2]);

        $second = $now;

        return (\@m, text($m[1] + 300));
    });

    $p->message(@{text($to)});

    wait_until(sub { live_stream($t, 's')->{data} == $n }, 5, 'all of it');

    return $p;
}


sub text {
    my ($ts) = @_;

    return [18, $ts, amf('onTextData', { text => 'number ' . $n++ })];
}


# what the stream has: seconds of the wall clock by text

sub stream {
    my ($t) = @_;

    my $list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
    my ($anchor, %wall);

    for my $s (@{$list->{segments}}) {
        my $bytes = $t->http_get("/live/s/$s->{uri}")->{body};
        my ($first) = mp4_samples($bytes);

        $anchor = $s->{pdt_msec} - $first->{dts} / 360 if $s->{pdt};

        for my $e (mp4_events($bytes)) {
            my ($k) = $e->{data} =~ /number (\d+)/;

            push @{$wall{$k}}, ($anchor + $e->{time} / 360) / 1000;
        }
    }

    return \%wall;
}


my $publishers = $t->background('publishers', sub {
    my $p = publish($one, 11000);

    kill 'KILL', $one;
    $p->wait_closed(5);

    # which falls silent, and is replaced

    $p = publish($two, 5000);
    wait_until(sub { $t->worker_pids() == 2 }, 10, 'another worker');

    my ($three) = grep { $_ != $two } $t->worker_pids();
    my $q = publish($three, 7000);

    print "sent: $n\n";
    $q->poll(60);
});

$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} }, 20);

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/s';

my @results = players_play($t, $seconds,
    [[hls => "$at/index.m3u8"], [shaka => "$at/index.m3u8"],
     [dash => "$at/manifest.mpd"], [shaka => "$at/manifest.mpd"]],
    again => sub { 0 });

my $wall = stream($t);

is(join(' ', grep { @{$wall->{$_}} > 1 } keys %$wall), '',
   'nothing is twice in the stream');
cmp_ok(scalar keys %$wall, '>', 17, 'it has them');

for my $r (@results) {
    my $name = "$r->{player} " . ($r->{url} =~ /(\w+)$/)[0];
    my @got = map { $_->{text} =~ /number (\d+)/ } @{$r->{data}};
    my %times;

    $times{$_}++ for @got;

    my ($first, @more) = sort { $a <=> $b } keys %times;
    my $last = @more ? $more[-1] : 0;

    cmp_ok($first, '<', 12, "$name: begins with the first publisher")
        if $name ne 'shaka m3u8';
    cmp_ok($last, '>', 18, "$name: goes on to the last one");

    # which reads a segment again that it has read a part of

    %times = map { $_ => 1 } keys %times if $name eq 'shaka m3u8';

    is(join(' ', map { "$_:$times{$_}" } sort { $a <=> $b } keys %times),
       join(' ', map { "$_:1" } $first .. $last), "$name: each once");

    next if $name eq 'shaka m3u8';

    # the last one may be in a segment that is not complete yet

    my @off;

    for my $d (@{$r->{data}}) {
        my ($k) = $d->{text} =~ /number (\d+)/;

        push @off, abs($d->{wall} - $wall->{$k}[0]) * 1000 if $wall->{$k};
    }

    @off = sort { $a <=> $b } @off;

    cmp_ok($off[-1], '<', 20, "$name: at its time");
    note(sprintf "%s: %d of them, %.1f ms off at most", $name, scalar @off,
         $off[-1]);
}

$publishers->stop();
$t->done();
