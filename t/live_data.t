#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Timed data: text that a publisher sends beside its frames is in each track of
# video once, at its time, also where the publisher is replaced, its worker is
# killed, or nginx reloaded.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::RTMP qw/ amf /;

my $scheme = 'https://aomedia.org/emsg/ID3';

my @plain = live_tags('plain');
my @audio = live_tags('audio');

my $t = live_nginx(workers => 2, app => 'grace 3s;');


# a data message

sub text {
    my ($ts, $n) = @_;

    return [18, $ts, amf('onTextData', { text => "number $n" })];
}


# sends one after the first frame of this type in each second

my ($n, $second, %stamp);

sub texts {
    my ($type) = @_;

    $second = -1;

    return sub {
        my @m = @_;
        my $at = int($m[1] / 1000);

        return \@m if $m[0] != $type || $at == $second
                      || Test::Media::RTMP::is_header(@m[0, 2]);

        $second = $at;
        $stamp{$n} = $m[1];

        return (\@m, text($m[1], $n++));
    };
}


# what is in the tag: its text

sub said {
    my ($tag) = @_;

    my ($id3, $version, $flags, @size) = unpack 'a3 n C C4', $tag;
    my ($frame, $name, $value) = unpack 'a4 x6 x Z* a*', substr $tag, 10;

    return 'no tag' if $id3 ne 'ID3' || $version != 0x0400 || $flags
                       || ($size[2] << 7 | $size[3]) != length($tag) - 10
                       || $frame ne 'TXXX' || $name ne 'onTextData';

    return JSON::PP->new->decode($value)->{text};
}


# all events of a track: of its segments, and of the open one's parts

sub events {
    my ($name, $track) = @_;

    my $list = m3u8_parse($t->http_get("/live/$name/$track.m3u8")->{body});
    my @uris = map { $_->{uri} } @{$list->{segments}};

    push @uris, map { $_->{uri} } @{$list->{open}{parts}} if $list->{open};

    return map { mp4_events($_->{body}) }
           grep { $_->{status} == 200 }
           map { $t->http_get("/live/$name/$_") } @uris;
}


sub number_of { return map { said($_->{data}) =~ s/number //r } @_ }


# each once, one kind of box, in the chunk of its time

sub check_events {
    my ($name, $n, @events) = @_;

    is(join(' ', sort { $a <=> $b } number_of(@events)),
       join(' ', 0 .. $n - 1), "$name: each once");

    my %ids = map { ($_->{id} => 1) } @events;
    is(scalar keys %ids, $n, "$name: each has an id of its own");

    is(scalar grep({ $_->{scheme} ne $scheme || $_->{value} ne ''
                     || $_->{duration} != 0xffffffff } @events), 0,
       "$name: as ID3");

    # or in the next ones: parts are out as their last frame comes

    is(scalar grep({ $_->{time} < $_->{from} - $_->{scale} * 0.4267
                     || $_->{time} >= $_->{to} } @events), 0,
       "$name: in the chunk of its time");
}


# how far the first of the run is from the frame that it came with, in ms

sub far {
    my ($events, $type, @sent) = @_;

    my %out = map { ($_->{stamp} => $_->{out}{pts}) }
              grep { $_->{out} && $_->{type} eq $type } @sent;
    my $most = 0;

    for my $e (@$events) {
        my ($n) = number_of($e);
        my $pts = $out{$stamp{$n}};

        next if !defined $pts;

        my $off = abs($e->{time} - $pts) * 1000 / $e->{scale};
        $most = $off if $off > $most;
    }

    return $most;
}


# a publisher

$n = 0;

my $p = live_publish($t, 'live/x');
$p->play(\@plain, speed => 4, to => 6000, map => texts(9));

wait_until(sub { live_stream($t, 'x')->{data} == 6 }, 5, 'all of it');

my $r = live_check($t, '/live/x', runs => 1, name => 'x');
live_match($r, $p);

my @events = events('x', 'v1');
check_events('x', 6, @events);
cmp_ok(far(\@events, 'video', @{$p->{sent_frames}}), '<', 2,
       'x: with its frame');
is(scalar events('x', 'a1'), 0, 'x: not in audio');

like($t->http_get('/live/x/manifest.mpd')->{body},
     qr/contentType="video"[^>]*>\s*(?:<Supp[^>]*>\s*)*
        <InbandEventStream\ schemeIdUri="$scheme"\/>/x,
     'x: its MPD says so');
is(() = $t->http_get('/live/x/manifest.mpd')->{body} =~ /InbandEvent/g, 1,
   'x: of video');

my $ts = m3u8_parse($t->http_get('/live/x/v1-a1.ts.m3u8')->{body});
my $body = $t->http_get("/live/x/$ts->{segments}[2]{uri}")->{body};

is(substr($body, 0, 1) . substr($body, 188, 1), 'GG', 'x: in MPEG-TS');
unlike($body, qr/number/, 'x: none is');

my $s = live_stream($t, 'x');
is("$s->{data} $s->{data_late} $s->{data_dropped}", '6 0 0', 'x: counted');
is($s->{ignored}{data}, 0, 'x: nothing is ignored');

# another one takes over on another worker, and a reload goes by

my ($one, $two) = $t->worker_pids();
my ($other) = grep { $_ != $s->{publisher}{pid} } $one, $two;

$p->message(@{text(6100, $n++)});
wait_until(sub { live_stream($t, 'x')->{data} == 7 }, 5, 'one more');
$p->close();

my $q = live_publish($t, 'live/x', worker => $other);
$q->play(\@plain, speed => 4, from => 6000, to => 8000, map => texts(9));
$t->reload();
$q->play(\@plain, speed => 4, from => 8000, to => 10000, headers => 0,
         map => texts(9));

wait_until(sub { live_stream($t, 'x')->{data} == $n }, 5, 'all of it');

check_events('taken over', $n, events('x', 'v1'));
$q->close();

my $mpd = $t->http_get('/live/x/manifest.mpd')->{body};
my @periods = $mpd =~ /<Period/g;
my @inband = $mpd =~ /<InbandEventStream/g;

is(scalar @periods, 2, 'taken over: another Period');
is(scalar @inband, 2, 'taken over: each says so');


# killed, with one that is in no part yet

$n = 0;

my ($victim) = $t->worker_pids();
$p = live_publish($t, 'live/k', worker => $victim);
$p->play(\@plain, speed => 4, to => 3520, map => texts(9));
$p->message(@{text(3520, $n++)});

wait_until(sub { (live_stream($t, 'k')->{data} || 0) == $n }, 5, 'it has it');

my $before = events('k', 'v1');
cmp_ok($before, '<', $n, 'the last one waits');

$t->kill_worker($victim);
ok($p->wait_closed(5), 'the publisher is cut off');
$t->wait_log(qr/"k" lost its publisher: process $victim died/, 5);

my ($next) = grep { $_ != $victim } $t->worker_pids();
$q = live_publish($t, 'live/k', worker => $next);
$q->play(\@plain, speed => 4, from => 4000, to => 7000, map => texts(9));

wait_until(sub { live_stream($t, 'k')->{data} == $n }, 5, 'all of it');
wait_until(sub { events('k', 'v1') >= $n }, 5, 'in parts');

check_events('killed', $n, events('k', 'v1'));
$q->close();


# two pictures: each has all, with the same ids and times

$n = 0;
$p = live_publish($t, 'live/two');
my $texts = texts(9);

$p->play(\@plain, speed => 4, to => 5000, map => sub {
    my ($type, $ts, $bytes) = @_;
    my ($first, @more) = $texts->(@_);

    return ($first, @more) if $type != 9;

    my $header = Test::Media::RTMP::is_header($type, $bytes);
    my $key = ord($bytes) >> 4 == 1;

    return ($first, [9, $ts, ($key ? "\x96" : "\xa6")
                             . ($header ? "\0" : "\3") . "avc1\1"
                             . substr $bytes, 5], @more);
});

wait_until(sub { (live_stream($t, 'two')->{data} || 0) == $n }, 5, 'all of it');
$p->close();

my @one = events('two', 'v1');
my @two = events('two', 'v2');

check_events('first of two', $n, @one);
check_events('second of two', $n, @two);
is(join(' ', map { "$_->{id}:$_->{time}" } @two),
   join(' ', map { "$_->{id}:$_->{time}" } @one), 'both: the same');
is(scalar events('two', 'a1'), 0, 'both: not in audio');


# without video it is with audio

$n = 0;
$p = live_publish($t, 'live/a');
$p->message(@{text(0, $n++)});
$p->play(\@audio, speed => 4, to => 4000, map => texts(8));
wait_until(sub { (live_stream($t, 'a')->{data} || 0) == $n }, 5, 'all of it');

cmp_ok($n, '>', 1, 'audio: some');
check_events('audio', $n, events('a', 'a1'));
like($t->http_get('/live/a/manifest.mpd')->{body},
     qr/contentType="audio"[^>]*>\s*<InbandEventStream/,
     'audio: its MPD says so');
$p->close();


# another's: subtitles that FFmpeg makes data messages of, at 1 s and 2.25 s

$t->write_file('a.srt', join '', map { "$_\n" }
               1, '00:00:01,000 --> 00:00:01,500', 'one "quoted" line', '',
               2, '00:00:02,250 --> 00:00:03,000', 'another', '');

my $ffmpeg = $t->run_daemon('ffmpeg', qw/ ffmpeg -nostdin -v warning -i /,
                            live_fixture('plain'), '-i', $t->path('a.srt'),
                            qw/ -map 0:v -map 0:a -map 1:s -c copy -c:s text
                                -t 5 -f flv /,
                            'rtmp://127.0.0.1:' . $t->port('RTMP')
                            . '/live/f');

is($ffmpeg->wait(20), 0, 'FFmpeg') or diag($ffmpeg->log());

@events = events('f', 'v1');
is(join(' | ', map { $_->{data} =~ /"text":"(.*)"/ ? $1 : '?' } @events),
   'one \\"quoted\\" line | another', 'FFmpeg: its lines');

my ($frame) = mp4_samples($t->http_get('/live/f/' . m3u8_parse(
    $t->http_get('/live/f/v1.m3u8')->{body})->{segments}[0]{uri})->{body});

is(join(' ', map { sprintf '%.0f', ($_->{time} - $frame->{pts}) / 360 }
                 @events), '979 2229', 'FFmpeg: their times');


# what is late, of another base, for the server, unreadable, or too much

$p = live_publish($t, 'live/o');
$p->play(\@plain, speed => 4, to => 4000);

$p->message(@{text(1000, 0)});
$p->message(@{text(90000000, 1)});
$p->message(18, 4000, amf('@clearDataFrame', 'onTextData'));
$p->message(18, 4000, amf('onTextData', { text => 'x' x 3000 }));
$p->message(18, 4000, amf('onTextData') . "\x11\x09\x01\x01\x01");

wait_until(sub { live_stream($t, 'o')->{ignored}{data} == 3 }, 5, 'ignored');

$s = live_stream($t, 'o');
is("$s->{data} $s->{data_dropped}", '2 0', 'odd: what is of use');
cmp_ok($s->{data_late}, '>=', 1, 'odd: is late');

$p->play(\@plain, speed => 4, from => 4000, to => 6000, headers => 0);
@events = events('o', 'v1');
check_events('odd', 2, @events);

$p->message(@{text(6000, 2 + $_)}) for 0 .. 199;
wait_until(sub { my $s = live_stream($t, 'o');
                 $s->{data} + $s->{data_dropped} == 202 }, 5, 'a flood');

$p->play(\@plain, speed => 4, from => 6000, to => 8000, headers => 0);
$s = live_stream($t, 'o');
is($s->{data}, 65, 'flood: what there was room for');
check_events('flood', 65, events('o', 'v1'));
is($t->log_count(qr/timed data comes faster than parts go out/), 1,
   'flood: said once');

$p->close();

wait_until(sub { (live_stream($t, 'o') || {})->{state} ne 'live' }, 5,
           'the end');

$t->done();
