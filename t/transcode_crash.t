#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A stream that kills whoever decodes it: its worker dies, twice, then it has no
# ladder, and plays; other streams have theirs.  And an encoder that fails: its
# rung begins anew, three times.

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw/ tempdir /;
use Test::Media;
use Test::Media::Ladder;
use Test::Media::Live;

my $root = "$FindBin::Bin/..";
my $dir = tempdir(CLEANUP => 1);

system('gcc', qw/ -O1 -w -shared -fPIC -o /, "$dir/fake.so",
       "$root/t/tools/fake_decoder.c", '-ldl') == 0
    or BAIL_OUT('t/tools/fake_decoder.c is not built');

my $t = do {
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD},
                                       "$dir/fake.so";
    local $ENV{FAKE_HEIGHT} = 90;
    ladder_nginx(ladder => 'video 120p 100k; latency 1900ms;', workers => 1,
                 threads => 4, app => 'segment 4s; transcode fails
                                       threads=encode for=^fails;',
                 main => 'media_ladder fails {
                              video 120p 100k preset=ultrafast;
                              video 90p 50k preset=ultrafast;
                              latency 1900ms; }');
};

$t->allow_alerts(qr/exited on signal 6/);

my @tags = live_tags('plain');

# SEI, of the unregistered kind, in front of each picture

sub marked {
    my ($type, $ts, $bytes) = @_;

    if ($type == 9 && $bytes =~ /^.\x01/s) {
        my $text = 'x' x 16 . 'abort within libav';
        my $sei = "\x06\x05" . chr(length $text) . $text . "\x80";

        substr($bytes, 5, 0) = pack('N', length $sei) . $sei;
    }

    return [$type, $ts, $bytes];
}

sub dies {
    my ($n) = @_;

    my ($pid) = $t->worker_pids();
    my $p = live_publish($t, 'live/bad');

    $p->play(\@tags, to => 2000, map => \&marked);

    ok($p->wait_closed(10), "$n: its worker dies");
    wait_until(sub { my ($new) = $t->worker_pids(); $new && $new != $pid }, 10,
               'another one');
    $t->wait_log(qr/process $pid died/, 5);
}

dies('first');

# the other one did nothing

my $good = live_publish($t, 'live/good');
$good->play(\@tags, speed => 2, to => 4000);
is(join(' ', sort keys %{live_stream($t, 'good')->{track}}), 'a1 v1 v2',
   'another stream has its ladder');
$good->close();

dies('second');

my ($pid) = $t->worker_pids();
my $bad = live_publish($t, 'live/bad');
$bad->play(\@tags, speed => 2, to => 5000, map => \&marked);

ok(!$bad->{closed}, 'a third time it plays');
is(($t->worker_pids())[0], $pid, 'and nobody dies');
is(join(' ', sort keys %{live_stream($t, 'bad')->{track}}), 'a1 v1',
   'without a ladder');
is($t->log_count(qr/\[error\].* live\/bad: ladder "web" is not made for/), 1,
   'the log says so');

$bad->close();

my $again = live_publish($t, 'live/bad');
$again->play(\@tags, to => 1000, map => \&marked);
$again->close();
is($t->log_count(qr/\[error\].* live\/bad: ladder "web" is not made for/), 1,
   'once');

$good = live_publish($t, 'live/good');
$good->play(\@tags, speed => 2, to => 4000);
ok(live_stream($t, 'good')->{track}{v2}, 'others have theirs');
$good->close();

# the third time it ends, the other rung goes on

my $fails = live_publish($t, 'live/fails');
$fails->play([live_tags('plain')], speed => 1);

my $said = live_stream($t, 'fails')->{transcode};

is($t->log_count(qr/live\/fails: .* begins its "90p" anew at the next/), 3,
   'an encoder fails');
is($t->log_count(qr/\[error\].*live\/fails: .* goes on without "90p"/), 1,
   'and is over');
ok($said->{rungs}[1]{dead}, 'so it is said');
is($said->{rungs}[1]{restarts}, 3, 'after three restarts');
ok(!$said->{rungs}[0]{dead}, 'the other one is not');

my $index = m3u8_parse($t->http_get('/live/fails/index.m3u8')->{body});
is(join(' ', map { $_->{uri} } @{$index->{variants}}), 'v1.m3u8 v2.m3u8',
   'it is listed no more');

$fails->close();
ladder_done($t, 'fails', qw/ v1 v2 /);
ladder_aligned(ladder_table($t, 'fails', qw/ v1 v2 /), 'fails');

# where it began anew, what is there has the source's numbers and times

my $table = ladder_table($t, 'fails', qw/ v1 v3 /);
my @wrong;

for my $n (sort keys %{$table->{v3}}) {
    my ($of, $own) = ($table->{v1}{$n}, $table->{v3}{$n});

    push @wrong, $n if !$own->{gap} && $own->{time} != $of->{time};
}

is("@wrong", '', 'its segments begin where the others do');

$t->done();
