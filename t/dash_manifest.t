#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# MPDs of a stream that runs, breaks and ends: valid, what they name is there,
# Periods and what is in them do not change; key frames that are too far apart.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 16s; grace 4s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();



# an MPD as periods of sets of representations of segments

sub mpd_read {
    my ($name) = @_;

    my $r = $t->http_get("/live/$name/manifest.mpd");
    return undef if $r->{status} != 200;

    my %mpd = (text => $r->{body}, periods => []);
    my ($period, $set, $rep, $time);

    for my $tag ($r->{body} =~ /<([^>]+)>/g) {
        my %a = $tag =~ /([\w:]+)="([^"]*)"/g;

        if ($tag =~ /^MPD/) {
            $mpd{attr} = \%a;

        } elsif ($tag =~ /^Period/) {
            push @{$mpd{periods}}, $period = { %a, sets => [] };

        } elsif ($tag =~ /^AdaptationSet/) {
            push @{$period->{sets}}, $set = { %a, reps => [] };

        } elsif ($tag =~ /^Representation/) {
            push @{$set->{reps}}, $rep = { %a, segments => [] };

        } elsif ($tag =~ /^SegmentTemplate/) {
            $rep->{template} = \%a;

        } elsif ($tag =~ /^S /) {
            $time = $a{t} if defined $a{t};

            for (0 .. $a{r} || 0) {
                push @{$rep->{segments}}, [$time, $a{d}];
                $time += $a{d};
            }
        }
    }

    return \%mpd;
}


sub wait_mpd {
    my ($name, $sub, $seconds) = @_;

    my $mpd;

    wait_until(sub { $mpd = mpd_read($name); $mpd && $sub->($mpd) },
               $seconds || 20, "the MPD of $name");

    return $mpd;
}


# every segment of the representation: its URL

sub urls {
    my ($rep) = @_;

    my $n = $rep->{template}{startNumber};

    return map {
        my $url = $rep->{template}{media};
        my $time = $_->[0];

        $url =~ s/\$Time\$/$time/;
        $url =~ s/\$Number\$/$n++/e;
        $url
    } @{$rep->{segments}};
}


sub valid {
    my ($mpd, $what) = @_;

    my $file = $t->path('test.mpd');
    spew($file, $mpd->{text});

    my ($status, $out) = sh('xmllint', '--noout', '--schema',
                            "$FindBin::Bin/schema/mpd.xsd", $file);
    ok(!$status, "$what is valid") or diag($out);
}


# what is told of a Period stays as it was

my %seen;


sub changes {
    my ($mpd) = @_;

    my @changed;

    for my $p (@{$mpd->{periods}}) {
        my @said = ("start $p->{start}");

        for my $set (@{$p->{sets}}) {
            for my $rep (@{$set->{reps}}) {
                push @said, "set $set->{id}", map {
                    "$rep->{id} $_ " . ($rep->{$_} || '')
                } qw/ bandwidth codecs width frameRate audioSamplingRate /;

                push @said, map {
                    "$rep->{id} $_ $rep->{template}{$_}"
                } qw/ timescale presentationTimeOffset initialization media /;
            }
        }

        my $now = join "\n", @said;
        my $was = $seen{$p->{id}} ||= $now;

        push @changed, "Period $p->{id}: $was\nthen\n$now" if $was ne $now;
    }

    return @changed;
}


my $began = now();
my $pub = $t->ffmpeg_publish('live/s');

my $mpd = wait_mpd('s', sub {
    @{$_[0]{periods}[0]{sets}[0]{reps}[0]{segments}} >= 3
});

valid($mpd, 'an MPD');

is($mpd->{attr}{type}, 'dynamic', 'type');
is($mpd->{attr}{availabilityStartTime}, '1970-01-01T00:00:00Z', 'AST');
is($mpd->{attr}{timeShiftBufferDepth}, 'PT16S', 'depth');
is(scalar @{$mpd->{periods}}, 1, 'one Period');

my $period = $mpd->{periods}[0];
my ($video, $audio) = map { $_->{reps}[0] } @{$period->{sets}};

is($video->{id}, 'v1', 'video');
is($audio->{id}, 'a1', 'audio');
is($video->{template}{startNumber}, $period->{id},
   'the id is the number of the first segment');
like($mpd->{text}, qr/AudioChannelConfiguration/, 'channels');
like($mpd->{text}, qr/utc:http-iso:2014" value="time.txt"/, 'a clock');

# presentation time is wall clock time

my ($start) = $period->{start} =~ /^PT([\d.]+)S$/;
cmp_ok($start, '>', $began - 5, 'start is the wall clock');
cmp_ok($start, '<', now(), 'which has passed');

is($video->{template}{presentationTimeOffset}, $video->{segments}[0][0] - 360,
   'the Period starts 1 ms before the first segment');
cmp_ok(abs($audio->{template}{presentationTimeOffset} / 48000
           - $video->{template}{presentationTimeOffset} / 360000),
       '<', 0.0001, 'in all tracks');

# the same segments as in HLS, all there

my $list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
my %hls = map { $_->{uri} => 1 } @{$list->{segments}};

cmp_ok(scalar urls($video), '>=', 3, 'segments in DASH');
is(join(' ', grep { !$hls{$_} } urls($video)), '', 'names of HLS');

for my $rep ($video, $audio) {
    my @urls = urls($rep);
    my $init = $t->http_get("/live/s/$rep->{template}{initialization}");

    is($init->{status}, 200, 'init segment');

    for my $i (0 .. $#urls) {
        my $r = $t->http_get("/live/s/$urls[$i]");
        my @samples = mp4_samples($r->{body}, $init->{body});
        my $d = 0;
        $d += $_->{duration} for @samples;

        is("$samples[0]{dts} $d", "@{$rep->{segments}[$i]}",
           "$urls[$i] is what S says");
    }
}


# it grows, and only grows

my (@changed, @back);
my ($last, $text) = ('', '');

for (1 .. 60) {
    $mpd = mpd_read('s');
    push @changed, changes($mpd);

    my $time = $mpd->{attr}{publishTime};
    push @back, "$last $time" if $mpd->{text} ne $text && $time le $last;

    ($last, $text) = ($time, $mpd->{text});
    select undef, undef, undef, 0.1;
}

is(join("\n", @changed), '', 'Periods do not change');
is(join("\n", @back), '', 'publishTime grows with each change');


# the publisher returns: a new Period, that continues the sets

$pub->kill('KILL');
select undef, undef, undef, 1;
$pub = $t->ffmpeg_publish('live/s');

$mpd = wait_mpd('s', sub { @{$_[0]{periods}} == 2 });
valid($mpd, 'an MPD of two Periods');

my ($one, $two) = @{$mpd->{periods}};

is($two->{sets}[$_]{id}, $one->{sets}[$_]{id}, 'the same sets') for 0 .. 1;
is($two->{sets}[0]{reps}[0]{id}, 'v1', 'the same representation');
is($two->{id}, $two->{sets}[0]{reps}[0]{template}{startNumber}, 'its id');
like($mpd->{text}, qr/period-connectivity:2015" value="$one->{id}"/,
     'connectivity');

my ($s1) = $one->{start} =~ /^PT([\d.]+)S$/;
my ($s2) = $two->{start} =~ /^PT([\d.]+)S$/;
my $v = $one->{sets}[0]{reps}[0];
my $end = $s1 + ($v->{segments}[-1][0] + $v->{segments}[-1][1]
                 - $v->{template}{presentationTimeOffset}) / 360000;

cmp_ok($s2 - $end, '>', 0.5, 'the hole is there');
is(join("\n", changes($mpd)), '', 'the first Period is as it was');

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
my ($break) = grep { $_->{discontinuity} } @{$list->{segments}};
is($two->{id}, $break->{msn}, 'at the discontinuity of HLS');


# the window leaves the first Period

$mpd = wait_mpd('s', sub {
    push @changed, changes($_[0]);
    @{$_[0]{periods}} == 1
}, 40);

is($mpd->{periods}[0]{id}, $two->{id}, 'the first Period is gone');
is(join("\n", @changed), '', 'and nothing has changed meanwhile');


# the end

$pub->stop();

$mpd = wait_mpd('s', sub { $_[0]{attr}{type} eq 'static' });
valid($mpd, 'a final MPD');

ok(!exists $mpd->{attr}{minimumUpdatePeriod}, 'no update');
($start) = $mpd->{periods}[-1]{start} =~ /^PT([\d.]+)S$/;
my ($duration) = $mpd->{periods}[-1]{duration} =~ /^PT([\d.]+)S$/;
my ($whole) = $mpd->{attr}{mediaPresentationDuration} =~ /^PT([\d.]+)S$/;
cmp_ok(abs($start + $duration - $whole), '<', 0.002, 'durations');


# key frames 4 s apart, segments of 1 s: HLS lists them as they are, DASH
# runs from key frame to key frame

%seen = ();
$pub = $t->ffmpeg_publish('live/long', gop => 100);

$mpd = wait_mpd('long', sub {
    push @changed, changes($_[0]);
    @{$_[0]{periods}[0]{sets}[0]{reps}[0]{segments}} >= 2
}, 30);

valid($mpd, 'an MPD of runs');

$video = $mpd->{periods}[0]{sets}[0]{reps}[0];
like($video->{template}{media}, qr/^v1\/t\$Time\$\.m4s$/, 'by time');

$list = m3u8_parse($t->http_get('/live/long/v1.m3u8')->{body});
ok(!$list->{independent}, 'HLS does not say independent');

my $init = $t->http_get("/live/long/$video->{template}{initialization}");
my @urls = urls($video);

for my $i (0 .. 1) {
    my $r = $t->http_get("/live/long/$urls[$i]");

    is($r->{status}, 200, $urls[$i]);
    is($r->{headers}{'content-length'}, length $r->{body}, 'its length');

    my @samples = mp4_samples($r->{body}, $init->{body});
    my $d = 0;
    $d += $_->{duration} for @samples;

    is("$samples[0]{dts} $d", "@{$video->{segments}[$i]}", 'is what S says');
    ok($samples[0]{key}, 'starts with a key frame');
    is(scalar @samples, 100, 'all of its frames');

    my $part = $t->http_get("/live/long/$urls[$i]", range => '1000-1999');
    is($part->{body}, substr($r->{body}, 1000, 1000), 'a range of it');
}

$audio = $mpd->{periods}[0]{sets}[1]{reps}[0];
is($t->http_get('/live/long/' . (urls($audio))[0])->{status}, 200, 'audio');

my $time = $video->{segments}[0][0];

is($t->http_get('/live/long/v1/t' . ($time + 1) . '.m4s')->{status}, 404,
   'no run starts there');
is($t->http_get('/live/long/v1/t1.m4s')->{status}, 410, 'long ago');

my $future = $video->{segments}[-1][0] + 360000 * 4;
my $status = $t->http_get("/live/long/v1/t$future.m4s")->{status};

ok($status == 404 || $status == 200, 'one in progress, or to come')
    or diag($status);
is($t->http_get('/live/long/v1/t' . ($future + 360000 * 60) . '.m4s')
   ->{status}, 404, 'one far ahead');

for (1 .. 60) {
    push @changed, changes(mpd_read('long'));
    select undef, undef, undef, 0.2;
}

is(join("\n", @changed), '', 'Periods of runs do not change');

$pub->stop();
$mpd = wait_mpd('long', sub { $_[0]{attr}{type} eq 'static' });
is($t->http_get("/live/long/$_")->{status}, 200, "$_ at the end")
    for (urls($mpd->{periods}[0]{sets}[0]{reps}[0]))[-1];


# long groups of pictures only after a while: a new Period

%seen = ();
$pub = $t->ffmpeg_publish('live/turn', output => [
    '-force_key_frames', '0,1,2,3,4,5,9,13,17,21,25,29,33'
], gop => 1000);

$mpd = wait_mpd('turn', sub {
    push @changed, changes($_[0]);
    @{$_[0]{periods}} == 2
}, 40);

valid($mpd, 'an MPD that turns to runs');

($one, $two) = @{$mpd->{periods}};

like($one->{sets}[0]{reps}[0]{template}{media}, qr/Number/, 'numbers first');
like($two->{sets}[0]{reps}[0]{template}{media}, qr/Time/, 'times then');

$v = $one->{sets}[0]{reps}[0];
is($v->{segments}[-1][0] + $v->{segments}[-1][1],
   $two->{sets}[0]{reps}[0]{segments}[0][0], 'without a hole');
is(scalar @{$v->{segments}},
   $two->{id} - $v->{template}{startNumber}, 'and nothing twice');
is(join("\n", @changed), '', 'Periods did not change');

$t->done();
