#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What the first viewers of a stream get: playlists that hold a whole segment,
# as soon as may be, of all tracks that come; and whatever is waited for, what
# is there when that time is over.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my @plain = live_tags('plain');

my $t = live_nginx(app => 'segment 2s; part 200ms; window 30s; grace 5s;');

sub header {
    my ($type) = @_;

    return grep { $_->[0] == $type
                  && Test::Media::RTMP::is_header($_->[0], $_->[2]) } @plain;
}

# the track of this type comes later, its header with it

sub late {
    my ($type, $from) = @_;

    my $said;

    return sub {
        return [@_] if $_[0] != $type;
        return () if $_[1] < $from;
        return [@_] if $said++;
        return ([$type, $_[1], (header($type))[0][2]], [@_]);
    };
}

sub ask { return map { $t->start_get("/live/$_") } @_ }

sub asleep {
    my (@handles) = @_;

    Test::Media::HTTP::pump(0.1);
    return !grep { $_->done() } @handles;
}

sub list {
    my ($handle) = @_;

    my $r = $handle->result(10);

    return $r->{status} eq '200' ? m3u8_parse($r->{body}) : {};
}

# what was sent has to get there first

sub becomes {
    my ($path, $like, $name) = @_;

    my $text = '';

    eval {
        wait_until(sub {
            $text = $t->http_get("/live/$path")->{body} || '';
            $text =~ $like;
        }, 5);
    };

    like($text, $like, $name);
}

# there, so that they are waited for

sub known {
    my ($name, @tracks) = @_;

    wait_until(sub {
        my %has = map { ($_->{name} => 1) }
                  @{(live_stream($t, $name) || {})->{tracks} || []};

        return !grep { !$has{$_} } @tracks;
    }, 10, "tracks of $name");
}

sub lasts { return map { sprintf '%.1f', $_->{duration} } @{$_[0]{segments}} }


# a key frame after a second: the first segment ends there

my $p = live_publish($t, 'live/one');

$p->play(\@plain, to => 900);
known('one', qw/ v1 a1 /);

my @wait = ask('one/index.m3u8', 'one/v1.m3u8', 'one/a1.m3u8',
               'one/v1-a1.ts.m3u8', 'one/manifest.mpd');

ok(asleep(@wait), 'nothing is listed before a segment is whole');

$p->play(\@plain, from => 900, to => 1300);

my ($index, $v, $a, $ts) = map { list($_) } @wait[0 .. 3];

is(scalar @{$index->{variants}}, 1, 'then the multivariant playlist');
is(join(' ', lasts($v)), '1.0', 'video: one segment, a short one');
is(join(' ', lasts($a)), '1.0', 'audio: too');
is(join(' ', lasts($ts)), '1.0', 'MPEG-TS: too');
like($wait[4]->result(5)->{body} || '', qr/<S /, 'and the manifest');

$p->play(\@plain, from => 1300, to => 6500);

becomes('one/v1.m3u8', qr/EXTINF:1[.]0.*EXTINF:2[.]0.*EXTINF:2[.]0/s,
        'the others are longer');

$p->close();


# a browser's own player needs three of them; by the wall clock the second one
# has one second or two

my $self = { headers => { 'Sec-Fetch-Dest' => 'video' } };

$p = live_publish($t, 'live/browser');
$p->play(\@plain, to => 3900);

becomes('browser/v1.m3u8', qr/(?:EXTINF.*){2}/s, 'browser: two are listed');

@wait = map { $t->start_get("/live/browser/$_", %$self) }
        'v1.m3u8', 'a1.m3u8', 'v1-a1.ts.m3u8';

is($t->http_get('/live/browser/index.m3u8', %$self)->{status}, 200,
   'browser: the multivariant playlist is there');
ok(asleep(@wait), 'browser: its own player waits');

$p->play(\@plain, from => 3900, to => 5500);

is(scalar @{list($_)->{segments}}, 3, 'browser: for the third') for @wait;

$wait[0] = $t->start_get('/live/browser/v1.m3u8', %$self);
is(scalar @{list($wait[0])->{segments}}, 3, 'browser: then no more');

$p->close();


# or for as long as any request waits

$p = live_publish($t, 'live/left');
$p->play(\@plain, to => 1300);

becomes('left/v1.m3u8', qr/EXTINF/, 'left: one is listed');

$wait[0] = $t->start_get('/live/left/v1.m3u8', %$self);
ok(asleep($wait[0]), 'left: it waits');

$p->close();

is(scalar @{list($wait[0])->{segments}}, 2, 'left: until its publisher goes');


# none for ten seconds: it ends by force, also where "max" is longer

$p = live_publish($t, 'live/ten');
$p->play([live_tags('gop10')], to => 2900);
known('ten', qw/ v1 a1 /);

@wait = ask('ten/index.m3u8', 'ten/v1.m3u8', 'ten/a1.m3u8');
ok(asleep(@wait), 'ten: they wait');

$p->play([live_tags('gop10')], from => 2900, to => 3300);

($index, $v, $a) = map { list($_) } @wait;

is(scalar @{$index->{variants}}, 1, 'ten: the multivariant playlist');
like(join(' ', lasts($v)), qr/^(?:2.9|3.0)$/, 'ten: one segment');
is(scalar @{$a->{segments}}, 1, 'ten: audio');

# nobody can begin with its parts: none, and who comes later begins with the
# key frame that is as far back as HOLD-BACK

$p->play([live_tags('gop10')], from => 3300, to => 21000);

for my $track (qw/ v1 a1 /) {
    becomes("ten/$track.m3u8",
            qr/^(?!.*PART).*#EXT-X-START:TIME-OFFSET=(?:9[.]9|10[.]0)\d+,/s,
            "ten: $track: no parts, begins at the key frame");
}

$p->close();


# audio that comes when playlists are out

$p = live_publish($t, 'live/late');

my @bare = grep { $_->[0] != 18 } @plain;
my $late = late(8, 4200);

$p->play(\@bare, to => 4900, map => $late);

unlike($t->http_get('/live/late/index.m3u8')->{body}, qr/mp4a/,
       'late: not listed before it is there');

$p->play(\@bare, from => 4900, to => 5500, map => $late);

@wait = ask('late/a1.m3u8');
ok(asleep(@wait), 'late: its playlist waits');

$p->play(\@bare, from => 5500, to => 6300, map => $late);

$a = list($wait[0]);
is(join(' ', lasts($a)), '1.0', 'late: one segment, a short one');
becomes('late/index.m3u8', qr/mp4a/, 'late: listed');

$p->close();


# announced audio that never comes: silence from the begin on

$p = live_publish($t, 'live/never');
$p->play(\@plain, to => 5000, map => late(8, 99000));

($v, $a) = map { list($_) } ask('never/v1.m3u8', 'never/a1.m3u8');

cmp_ok(abs($v->{segments}[0]{pdt_msec} - $a->{segments}[0]{pdt_msec}), '<', 30,
       'never: silence begins with the picture');
is($a->{segments}[0]{msn}, $v->{segments}[0]{msn}, 'never: in its segment');

$p->close();


# two pictures a second last longer than a part: no playlist has parts; where
# that comes later, from then on

sub slow {
    my ($from) = @_;

    my $n;

    return sub {
        return [@_] if $_[0] != 9
            || Test::Media::RTMP::is_header($_[0], $_[2]);

        $n = ord($_[2]) >> 4 == 1 ? 0 : $n + 1;

        return $_[1] < $from || $n % 13 == 0 ? [@_] : ();
    };
}

$p = live_publish($t, 'live/slow');
$p->play(\@plain, to => 5000, map => slow(0));

becomes("slow/$_.m3u8", qr/^(?!.*PART).*CAN-BLOCK-RELOAD.*#EXTINF/s,
        "slow: $_: no parts, nor what says that there are")
    for qw/ v1 a1 v1.iframes /;

$p->close();

$p = live_publish($t, 'live/slower');
my $slower = slow(5300);

$p->play(\@plain, to => 5300, map => $slower);

becomes("slower/$_.m3u8", qr/PART-HOLD-BACK.*#EXT-X-PART:/s,
        "slower: $_: parts") for qw/ v1 a1 /;

$p->play(\@plain, from => 5300, to => 12000, map => $slower);

becomes("slower/$_.m3u8", qr/^(?!.*PART).*#EXTINF/s, "slower: $_: no longer")
    for qw/ v1 a1 /;

$p->close();


# an encoder whose key frames do not come: there is sound

$p = live_publish($t, 'live/keyless');
$p->play(\@plain, to => 9000, map => sub {
    return $_[0] == 9 && ord($_[2]) >> 4 == 1
           && !Test::Media::RTMP::is_header($_[0], $_[2]) ? () : [@_];
});

becomes('keyless/a1.m3u8', qr/(?:EXTINF.*){2}/s, 'keyless: audio goes on');

$p->close();


# announced video comes two seconds later; never; never, and audio stops

$p = live_publish($t, 'live/two');
my $q = live_publish($t, 'live/alone');
my $stop = live_publish($t, 'live/stop');
my $short = live_publish($t, 'live/short');

$stop->play(\@plain, to => 2500, map => late(9, 99000));
$short->play(\@plain, to => 1300, map => late(9, 99000));

live_play([$p, \@plain, to => 500, speed => 1, map => late(9, 2000)],
          [$q, \@plain, to => 500, speed => 1, map => late(9, 99000)]);

@wait = ask(map { "$_/index.m3u8" } qw/ two alone stop short /);
ok(asleep(@wait), 'video is waited for');

live_play([$p, \@plain, from => 500, to => 6300, speed => 1,
           map => late(9, 2000)],
          [$q, \@plain, from => 500, to => 6300, speed => 1,
           map => late(9, 99000)]);

my @got = map { $_->result(10)->{body} || '' } @wait;

like($got[0], qr/avc1/, 'it is there, and in the multivariant playlist');

($v, $a) = map { list($_) } ask('two/v1.m3u8', 'two/a1.m3u8');
is($v->{msn}, $a->{msn}, 'two: what was heard before is not listed');

my $mpd = $t->http_get('/live/two/manifest.mpd')->{body};
is(scalar(() = $mpd =~ /<Period /g), 1, 'two: one Period');
like($mpd, qr/<Period id="$v->{msn}"/, 'two: that begins with the picture');

for my $i (1 .. 3) {
    my $name = (qw/ two alone stop short /)[$i];

    like($got[$i], qr/mp4a/, "$name: audio");
    unlike($got[$i], qr/avc1/, "$name: no video");

    my $list = list(ask("$name/a1.m3u8"));
    cmp_ok(scalar @{$list->{segments} || []}, '>=', 1, "$name: can be played");
}

is($t->log_count(qr/announced and has not come/), 3, 'said once for each');
is($t->log_count(qr/media stands still.*: short/), 1, 'that it stands, too');

# what stood goes on

$short->play(\@plain, from => 1300, to => 4000, map => late(9, 99000));

my $list = $t->wait_playlist('/live/short/a1.m3u8',
                             sub { @{$_[0]{segments}} >= 2 }, 5);

is(scalar(grep { $_->{discontinuity} } @{$list->{segments}}), 1,
   'short: goes on after a discontinuity');

# one that is connected and has sent nothing for three target durations

wait_ok(sub { live_stream($t, 'stop')->{state} eq 'grace' }, 10,
        'stop: counts as gone');

my $gone = live_stream($t, 'stop')->{publisher};
ok($gone->{connected}, 'stop: is connected');
is($gone->{end}, 'media stands still', 'stop: why');

$stop->play(\@plain, from => 2500, to => 5000, map => late(9, 99000));

$list = $t->wait_playlist('/live/stop/a1.m3u8',
                          sub { @{$_[0]{segments}} >= 3 }, 5);

is(scalar(grep { $_->{discontinuity} } @{$list->{segments}}), 1,
   'stop: goes on after a discontinuity');
is(live_stream($t, 'stop')->{state}, 'live', 'stop: and lives');

$_->close() for $p, $q, $stop, $short;

$t->done();
