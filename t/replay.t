#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The debug log tells of a stream all that its cuts, parts and dropped frames
# were made of: scripts/replay makes them anew, and sees where a rule is broken.
# live_gop, live_jump and live_lost do so with theirs.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Replay;

my $t = live_nginx(stopped => 1, debug => 1, app => 'segment 1s max=4s;');

plan(skip_all => 'needs an nginx built --with-debug') if !$t->{narrates};

$t->run();

# what is asked of live_check(): [fixture, options]

my %streams = (
    bframes => ['bframes'],
    ntsc => ['ntsc'],
    hertz => ['hertz', short => 1],
    sound => ['audio', tracks => 'a1'],
    long => ['gop10', forced => 1, short => 1],
    nearly => ['gop18'],
    quiet => ['plain'],
    mute => ['plain', short => 1],
    falls => ['plain', short => 1, undecoded => 1],
    comes => ['plain', runs => 2],
);

my %p = map { $_ => live_publish($t, "live/$_") } sort keys %streams;

# no sound for three seconds, or none at all; fewer pictures, but for key frames

my %map = (
    quiet => sub {
        return $_[0] == 8 && $_[1] > 2000 && $_[1] < 5000 ? () : [@_];
    },
    mute => sub { return $_[0] == 8 ? () : [@_] },
    falls => sub {
        return $_[0] == 9 && $_[1] > 1000 && $_[1] % 120 >= 40
               && ord($_[2]) >> 4 != 1 ? () : [@_];
    },
);

live_play(map {
    [$p{$_}, [live_tags($streams{$_}[0])], speed => 3,
     to => $_ eq 'comes' ? 3000 : 7000, $map{$_} ? (map => $map{$_}) : ()]
} sort keys %streams);

$_->close() for values %p;

wait_until(sub { live_stream($t, $_)->{state} eq 'grace' }, 5, 'end')
    for sort keys %streams;

my $again = live_publish($t, 'live/comes');

$again->play([live_tags('gop18')], speed => 3, to => 4000);
$again->close();

wait_until(sub { live_stream($t, 'comes')->{state} eq 'grace' }, 5, 'end');

for my $name (sort keys %streams) {
    my (undef, %opt) = @{$streams{$name}};
    my $r = live_check($t, "/live/$name", name => $name, %opt);
    my $replay = live_replay($r, $name);

    next if $replay->skipped();

    cmp_ok(scalar $replay->list(), '>=', 25, "$name: parts");
}

cmp_ok(live_stream($t, 'quiet')->{track}{a1}{silent_frames}, '>', 100,
       'sound was fed');

# the script, with what it reads by itself

my $log = $t->path('error.log');
my $url = 'http://127.0.0.1:' . $t->port('HTTP') . '/live';
my ($status, $out) = sh("$FindBin::Bin/../scripts/replay", '--url', $url,
                        $log, 'live/bframes', 'live/comes');

is($status, 0, 'the script') or diag($out);
like($out,
     qr|^live/comes: \d+ frames, \d+ cuts, 0 forced, \d+ parts, \d+ dropped$|m,
     'what it says');

# a log in which something else was decided, or something did not come

sub of {
    my ($log, $name) = @_;

    return Test::Media::Replay->new($log, 'live/' . ($name || 'nearly'))
        ->wrong();
}

my $text = $t->log();

is(of($text), '', 'the log as it is');

for my $case (
    ['a cut', qr/(media cut \d+, track:0 time:\d+)0 /, 1],
    ['a part', qr/(media part \d+\.1 of track 1, )early/, 'late'],
    ['a part of another length', qr/(media part \d+\.2 of .*)frames:/, '9'],
    ['a dropped frame', qr/(media frame of track 1 is dropped: )key/, 'late'],
    ['a stamp', qr/(media frame comes, track:0 stamp:12)/, '9'],
    ['a key frame', qr/(media frame comes, track:0 .* key:1 repeat:1 )/, 'x'],
    ['when it came', qr/(media frame comes, track:0 .*arrival:\d)/, '9'])
{
    my ($what, $pattern, $by) = @$case;
    my ($c) = $text =~ /(\*\d+) media writer of "live\/nearly"/;
    my $changed = $text =~ s/^(.* \Q$c\E )$pattern.*?$/$1$2$by/mr;

    isnt($changed, $text, "$what is changed");
    isnt(of($changed), '', "$what that is not by the rules is found");
}

# rules that are others than those of the module

sub broken {
    my ($what, $name, $sub, $rule) = @_;

    no strict 'refs';
    no warnings 'redefine';

    my $full = "Test::Media::Replay::$sub";
    my $old = \&$full;

    local *$full = $rule->($old);

    isnt(of($text, $name), '', "another rule: $what");
}

broken('a frame more in a part', 'ntsc', 'fits', sub {
    my ($old) = @_;
    return sub { $old->($_[0], $_[1], $_[2] / 2) };
});
broken('none is as near to the wished length', 'nearly', 'due_key', sub {
    my ($old) = @_;
    return sub { $_[2] < $_[0]{segment} ? 0 : $old->(@_) };
});
broken('no playlist waits', 'long', 'segmenter', sub {
    my ($old) = @_;
    return sub { $old->(@_); $_[0]{w}{segmenter}{awaited} = 0 };
});
broken('silence', 'quiet', 'Time::silence', sub { sub { return } });
broken('the lag of sound', 'quiet', 'Time::audio_silent', sub { sub { 0 } });
broken('smoothing', 'ntsc', 'Time::place', sub { sub { $_[1] + $_[2] } });
broken('whom a cut reaches', 'bframes', 'reached', sub { sub { 1 } });

$t->done();
