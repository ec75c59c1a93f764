#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Encoders that are odd: content never ends a connection.  What cannot be read
# is left out, counted by kind and said once, and what is unambiguous is put
# right: the frames that come out are those that were meant, byte by byte.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @tags = live_tags('plain');

# what is checked last was published long ago, on a machine with much to do

my $t = live_nginx(app => 'grace 5m;');

# pieces of H.264 and AAC

my ($avcc) = map { substr $_->[2], 5 }
             grep { $_->[0] == 9 && substr($_->[2], 1, 1) eq "\0" } @tags;
my $nsps = unpack 'n', substr $avcc, 6, 2;
my $sps = substr $avcc, 8, $nsps;
my $pps = substr $avcc, 11 + $nsps, unpack('n', substr $avcc, 9 + $nsps, 2);

sub nals {
    my ($bytes) = @_;
    return unpack '(N/a)*', substr $bytes, 5;
}

sub with_codes {
    my ($head, @nals) = @_;
    return $head . join '', map { ($_ ? "\0\0\1" : "\0\0\0\1") . $nals[$_] }
                            0 .. $#nals;
}

sub with_lengths { return shift() . pack '(N/a)*', @_ }

sub adts {
    my ($raw) = @_;
    my $n = length($raw) + 7;

    # AAC-LC, 48 kHz, stereo
    return pack('C7', 0xff, 0xf1, 0x4c, 0x80 | $n >> 11, $n >> 3 & 255,
                ($n & 7) << 5 | 0x1f, 0xfc) . $raw;
}

sub is_config { return substr($_[1], 1, 1) eq "\0" && $_[0] != 18 }

# name => [what is sent for a tag, options]; n: of the type's frames

my %n;

my %cases = (
    empty_unit => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 9 || is_config($type, $b);
        substr($b, 5, 0) = "\0\0\0\0" if $n{empty_unit}++ % 10 == 3;
        return [$type, $ts, $b];
    }, { units => 10 }],

    units_alone => [sub {
        my ($type, $ts, $b) = @_;
        my @all = [$type, $ts, $b];
        push @all, [9, $ts, "\x27\1\0\0\0" . "\0" x 8], [9, $ts, "\x27\1\0\0\0"]
            if $type == 9 && !is_config($type, $b)
               && $n{units_alone}++ % 30 == 7;
        return @all;
    }, { units => 4, empty => 4 }],

    padded => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 9 || is_config($type, $b);
        my @nals = nals($b);
        $nals[-1] .= "\0\0\0";
        return [$type, $ts, with_lengths(substr($b, 0, 5), @nals) . "\0\0"];
    }, { units => 100 }],

    short => [sub {
        my ($type, $ts, $b) = @_;
        my @all = [$type, $ts, $b];
        return @all if is_config($type, $b) || $n{short}++ % 40 != 20;
        return @all, [9, $ts, "\x27\1\0"], [9, $ts, "\x17"], [9, $ts, ''],
               [8, $ts, "\xaf"], [8, $ts, "\xaf\1"], [8, $ts, ''],
               [9, $ts, "\x27\1\0\0\0\0\0\xff\xff\x41\x9a"],
               [22, $ts, "\x09\0\0\xff"], [18, $ts, "\2"], [18, $ts, ''],
               [16, $ts, "\0"], [19, $ts, 'x'], [15, $ts, ''];
    }, { messages => 20, frames => 7, empty => 20, data => 1 }],

    no_config => [sub {
        my ($type, $ts, $b) = @_;
        my @all = [$type, $ts, $b];
        return if $type == 9 && is_config($type, $b);
        return @all if $type != 9 || ord($b) >> 4 != 1;
        return [$type, $ts, with_lengths(substr($b, 0, 5), $sps, $pps,
                                         grep { (ord($_) & 31) < 7 } nals($b))];
    }, {}, 'is made of parameter sets in the stream, track:video 0'],

    broken_config => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type == 18 || !is_config($type, $b);
        my $head = substr $b, 0, $type == 9 ? 5 : 2;
        return [$type, $ts, $b],
               [$type, $ts, $head . substr $b, length $head,
                            $type == 9 ? 9 : 1], [$type, $ts, $head],
               [$type, $ts, $head . "\0" x 20];
    }, { configurations => 3, empty => 2 }, 'the one before it stays'],

    annexb => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 9;
        my $head = substr $b, 0, 5;
        return [$type, $ts, with_codes($head, $sps, $pps)]
            if is_config($type, $b);
        return [$type, $ts, with_codes($head, nals($b))];
    }, {}, 'start codes instead of lengths, they are converted'],

    annexb_only => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 9;
        return if is_config($type, $b);
        return [$type, $ts,
                with_codes(substr($b, 0, 5), ord($b) >> 4 == 1
                                             ? ($sps, $pps) : (),
                           grep { (ord($_) & 31) < 7 } nals($b))];
    }, {}, 'is made of parameter sets in the stream, track:video 0'],

    adts => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 8 || is_config($type, $b);
        return [$type, $ts, substr($b, 0, 2) . adts(substr $b, 2)];
    }, {}, 'have ADTS headers, they are taken off, track:audio 0'],

    adts_only => [sub {
        my ($type, $ts, $b) = @_;
        return [$type, $ts, $b] if $type != 8;
        return if is_config($type, $b);
        # two frames in one message
        push @{$n{held}}, [$ts, adts(substr $b, 2)];
        return if @{$n{held}} < 2;
        my @two = @{delete $n{held}};
        return [$type, $two[0][0], substr($b, 0, 2) . $two[0][1] . $two[1][1]];
    }, {}, 'have ADTS headers, they are taken off, track:audio 0'],
);

# all of them at a time: what was meant is remembered, not what was sent.  At
# their pace, as stamps that run ahead of what arrives by 3 s are a jump

my %p = map { $_ => live_publish($t, "live/$_") } sort keys %cases;

live_play(map { [$p{$_}, \@tags, speed => 1, to => 4000,
                 map => $cases{$_}[0]] } sort keys %p);

for my $name (sort keys %cases) {
    ok($p{$name}->poll(0.02), "$name: the connection goes on")
        or diag $t->log();
    $p{$name}->close();
}

for my $name (sort keys %cases) {
    my ($map, $counts, $line) = @{$cases{$name}};
    my $p = $p{$name};

    wait_until(sub { live_stream($t, $name)->{state} ne 'live' }, 30, 'end');

    my $s = live_stream($t, $name);
    my $total = 0;

    for my $kind (sort keys %$counts) {
        cmp_ok($s->{ignored}{$kind}, '>=', $counts->{$kind},
               "$name: ignored $kind");
        is($t->log_count(qr/media ignored: .*stream: $name$/m)
           > scalar(keys %$counts) * 2, '', "$name: said once");
    }

    is($s->{ignored}{total}, 0, "$name: nothing is ignored") if !%$counts;
    ok($t->log() =~ /\Q$line\E.*stream: $name$/m, "$name: said") if $line;

    $p->{sent_frames} = [];
    $p->note_frame(@$_) for grep { $_->[1] < 4000 } @tags;

    my %sets = map { $_ => 1 } qw/ no_config annexb_only /;
    my $r = live_check($t, "/live/$name", runs => 1, name => $name);
    my $m = live_match($r, $p);

    # parameter sets stay in the key frames where they came with them

    is($m->{video}{missing}, $sets{$name} ? 4 : 0, "$name: the pictures");
    is(scalar @{$r->{tracks}{v1}{samples}}, 100, "$name: as many");
    cmp_ok($m->{audio}{missing}, '<=', 1, "$name: the sound");
    cmp_ok($m->{av}, '<', 3, "$name: sound and picture");
}

like($t->log(), qr/media\ ignored:\ a\ message\ that\ cannot\ be\ read,
                   \ track:video\ 0\ codec:""\ len:3\ bytes:270100:
                   .*stream:\ short$/mx, 'the line has its first bytes');

# what nothing can be made of: said, counted, and after 10 s the end

my $useless = live_publish($t, 'live/useless');
my $keyless = live_publish($t, 'live/keyless');
my $mixed = live_publish($t, 'live/mixed');
my ($key) = grep { $_->[0] == 9 && is_config(@$_[0, 2]) } @tags;
my ($inter) = grep { $_->[0] == 9 && ord($_->[2]) >> 4 == 2 } @tags;
my ($aac) = grep { $_->[0] == 8 && !is_config(@$_[0, 2]) } @tags;
my $nothing = qr/nothing is made of it: there is no key frame.*keyless$/m;
my $began = time();
my ($ts, $n) = (0, 0);

$keyless->message(@$key);
$mixed->message(@$key);

# 10 s in which it comes, without a pause of 2 s: more on a slow machine, and
# what is said is said when a message comes

while (time() - $began < 60) {
    last if $useless->{closed} && $t->log_count($nothing);

    if (!$useless->{closed}) {
        $useless->message(8, $ts, "\x82" . 'x' x 160);
        $useless->message(8, $ts, $aac->[2]);
    }

    $keyless->message(9, $ts, $inter->[2]);
    $mixed->message(8, $ts, $aac->[2]);
    $mixed->message(9, $ts, $inter->[2]);
    $_->poll(0.05) for $useless, $keyless, $mixed;
    $ts += 150;
    $n++;
}

cmp_ok(time() - $began, '>=', 9, 'it is given time');
ok($useless->{closed}, 'media of no use alone: the end');
ok($useless->wait_command('onStatus', 1), 'it is told');
ok($t->wait_log(qr/publish ended: nothing of use came for 10 s.*useless$/m, 5),
   'so is the log');
ok($t->log() =~ /media\ ignored:\ a\ codec\ or\ profile
                 \ that\ is\ not\ supported,
                 \ track:audio\ 0\ codec:"G\.711\ mu-law"\ len:161
                 .*use\ H\.264.*useless$/mx, 'by its name');
ok($t->log() =~ /media\ ignored:\ frames\ without\ a\ decoder\ configuration,
                 \ track:audio\ 0\ codec:"aac"
                 .*AudioSpecificConfig.*mixed$/mx, 'what is missing');
ok($mixed->poll(0.05), 'not if something is of use');
is(wait_until(sub {
    my $count = live_stream($t, 'mixed')->{ignored}{unconfigured};
    return $count >= $n && $count;
}, 10, 'counted'), $n, 'each is counted');
ok($keyless->poll(0.05), 'nor if it waits for a key frame');
ok($t->wait_log($nothing, 5), 'but that is said');
is($t->log_count(qr/nothing is made of it.*keyless$/m), 1, 'once');
is($t->log_count(qr/media ignored: .*stream: useless$/m), 2,
   'each kind once for a track');

$_->close() for $keyless, $mixed;
$t->done();
