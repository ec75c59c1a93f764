#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What HLS playlists say of a stream while it runs, breaks and ends, and
# whether what they name is what they say.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 12s; grace 4s; }
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


# lines that were published once never change: uri => [what, when]

my %seen;


sub remember {
    my ($list) = @_;

    my @changed;

    for my $s (@{$list->{segments}}) {
        my $now = join ' ', $s->{duration}, $s->{pdt}, $s->{map},
                            $s->{discontinuity} ? 'D' : '';
        my $was = $seen{$s->{uri}} ||= $now;

        push @changed, "$s->{uri}: $was, then $now" if $was ne $now;

        for my $p (@{$s->{parts}}) {
            my $now = join ' ', $p->{duration}, $p->{independent} ? 'I' : '';
            my $was = $seen{$p->{uri}} ||= $now;

            push @changed, "$p->{uri}: $was, then $now" if $was ne $now;
        }
    }

    return @changed;
}


# what holds in each playlist

sub check {
    my ($list, $td) = @_;

    my @bad;

    push @bad, "target $list->{target}" if $list->{target} != $td;

    my $end = 0;
    $end += $_->{duration} for @{$list->{segments}};
    $end += $_->{duration} for @{$list->{parts}};

    my ($at, $prev) = (0, undef);

    for my $s (@{$list->{segments}}) {
        push @bad, "$s->{uri}: EXTINF $s->{duration}"
            if $s->{duration} > $td + 0.5;
        push @bad, "$s->{uri}: number $s->{msn}"
            if $s->{uri} !~ m|/\Q$s->{msn}\E\.m4s$|;
        push @bad, "$s->{uri}: no date" if !defined $s->{pdt_msec};

        if ($prev && !$s->{discontinuity}) {
            my $step = $s->{pdt_msec} - $prev->{pdt_msec}
                       - $prev->{duration} * 1000;
            push @bad, "$s->{uri}: date is off by $step ms" if abs $step > 2;
        }

        if (@{$s->{parts}}) {
            my $sum = 0;
            $sum += $_->{duration} for @{$s->{parts}};

            push @bad, "$s->{uri}: parts of $sum s"
                if abs($sum - $s->{duration}) > 0.001;
            push @bad, "$s->{uri}: parts " . ($end - $at) . ' s from the end'
                if $end - $at - $s->{duration} > 3 * $td;
        }

        my @p = @{$s->{parts}};
        pop @p;

        for my $p (@p) {
            push @bad, "$p->{uri}: $p->{duration}"
                if $p->{duration} > $list->{part_target}
                   || $p->{duration} < 0.85 * $list->{part_target}
                      && !$p->{independent};
        }

        $at += $s->{duration};
        $prev = $s;
    }

    return @bad;
}


# audio and video

my $pub = $t->ffmpeg_publish('live/s', rate => 30, gop => 30);
my (@bad, @changed, $list);

my $master = m3u8_parse(do {
    wait_until(sub {
        my $r = $t->http_get('/live/s/index.m3u8');
        $r->{status} == 200 && $r->{body};
    }, 15, 'the multivariant playlist');
});

my ($variant) = @{$master->{variants}};
my ($audio) = @{$master->{media}};

is(scalar @{$master->{variants}}, 1, 'one variant');
is($variant->{uri}, 'v1.m3u8', 'its playlist');
like($variant->{attr}{CODECS}, qr/^avc1\.42[0-9a-f]{4},mp4a\.40\.2$/,
     'CODECS of all');
is($variant->{attr}{RESOLUTION}, '320x180', 'RESOLUTION');
is($variant->{attr}{'FRAME-RATE'}, '30.000', 'FRAME-RATE');
is($variant->{attr}{AUDIO}, $audio->{'GROUP-ID'}, 'its audio group');
is($audio->{URI}, 'a1.m3u8', 'the audio');
is($audio->{CHANNELS}, 2, 'CHANNELS');
is($audio->{DEFAULT}, 'YES', 'is the default');
ok($master->{independent}, 'independent segments');
cmp_ok($variant->{attr}{BANDWIDTH}, '>', 200000, 'BANDWIDTH');
cmp_ok($variant->{attr}{BANDWIDTH}, '<', 900000, 'not that of a key frame');

for (1 .. 60) {
    $list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
    push @bad, check($list, 2);
    push @changed, remember($list);
    select undef, undef, undef, 0.1;
}

is(join("\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]), '', 'playlists are right');
is(join("\n", @changed), '', 'and only grow');

is($list->{part_target}, '0.2134', 'PART-TARGET');
is($list->{control}{'HOLD-BACK'} + 0, 6, 'HOLD-BACK');
cmp_ok($list->{control}{'PART-HOLD-BACK'}, '>=', 3 * 0.2134,
       'PART-HOLD-BACK');

my $a = m3u8_parse($t->http_get('/live/s/a1.m3u8')->{body});

is_deeply($a->{control}, $list->{control}, 'the same control in both');
is($a->{target}, $list->{target}, 'and target');
is($a->{dsn}, $list->{dsn}, 'and discontinuity sequence');
is(join(', ', check($a, 2)), '', 'audio is right');


# what they name decodes: init segment and segments, or parts

sub decode {
    my ($name, $frames, %opt) = @_;

    for my $parts (0, 1) {
        my $file = $t->path("saved-$parts.mp4");
        $t->hls_save("/live/s/$name.m3u8", $file, parts => $parts, %opt);

        my ($ok, $said, $n) = decode_clean($file);

        ok($ok, "$name decodes" . ($parts ? ' by parts' : ''))
            or diag($said);
        cmp_ok($n, '==', $frames, 'all frames') if $frames;
    }
}

my $from = $list->{segments}[-4]{msn};

decode('v1', 90, from => $from, to => $from + 2);
decode('a1', 0, from => $from, to => $from + 2);


# media time: no hole and no overlap from one segment to the next

my ($msn) = $from;
my $init = $t->http_get("/live/s/$list->{segments}[-1]{map}")->{body};
my $next;

for my $n ($from .. $from + 2) {
    my $bytes = $t->http_get("/live/s/v1/$n.m4s")->{body};
    my @samples = mp4_samples($bytes, $init);

    is($samples[0]{dts}, $next, "segment $n goes on") if defined $next;
    ok($samples[0]{key}, 'starts with a key frame');

    $next = $samples[-1]{dts} + $samples[-1]{duration};
}


# I-frames

my $iframes = m3u8_parse($t->http_get('/live/s/v1.iframes.m3u8')->{body});
is($iframes->{tags}{'EXT-X-I-FRAMES-ONLY'}, 1, 'I-frames only');

my ($key) = grep { $_->{msn} == $from } @{$iframes->{segments}};
my ($len, $offset) = $key->{range} =~ /^(\d+)@(\d+)$/;
my $r = $t->http_get("/live/s/$key->{uri}",
                     range => $offset . '-' . ($offset + $len - 1));

is($r->{status}, 206, 'an I-frame by its range');
spew($t->path('key.mp4'), $init . $r->{body});

my ($status, $out) = sh('ffprobe', '-v', 'quiet', '-count_frames',
                        '-read_intervals', '%+#1', '-show_entries',
                        'frame=pict_type', '-of', 'csv=p=0',
                        $t->path('key.mp4'));
like($out, qr/^I/, 'is one');


# the publisher returns within grace: a discontinuity, the numbers go on

$list = m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body});
my $dsn = $list->{dsn};
my $last = $list->{next_msn};

$pub->kill('KILL');
select undef, undef, undef, 1;

$pub = $t->ffmpeg_publish('live/s', rate => 30, gop => 30);

$list = $t->wait_playlist('/live/s/v1.m3u8', sub {
    push @changed, remember($_[0]);
    grep { $_->{discontinuity} } @{$_[0]{segments}}
}, 15);

my ($break) = grep { $_->{discontinuity} } @{$list->{segments}};

cmp_ok($break->{msn}, '>=', $last, 'a discontinuity');
is($list->{dsn}, $dsn, 'none was removed yet');
is($break->{map}, $list->{segments}[0]{map}, 'the same parameters');

my ($before) = grep { $_->{msn} == $break->{msn} - 1 } @{$list->{segments}};

cmp_ok($break->{pdt_msec} - $before->{pdt_msec}, '>',
       $before->{duration} * 1000 + 500, 'the hole shows in the dates');

$a = $t->wait_playlist('/live/s/a1.m3u8', sub {
    grep { $_->{discontinuity} } @{$_[0]{segments}}
}, 5);

is((grep { $_->{discontinuity} } @{$a->{segments}})[0]{msn}, $break->{msn},
   'at the same number in all tracks');

is((grep { $_->{discontinuity} }
    @{m3u8_parse($t->http_get('/live/s/v1.m3u8')->{body})->{segments}})[0]
    {msn}, $break->{msn}, 'and it stays there');

is(join("\n", @changed), '', 'nothing changed behind it');

# when it has left the playlist it is counted

$list = $t->wait_playlist('/live/s/v1.m3u8', sub {
    !grep { $_->{discontinuity} } @{$_[0]{segments}}
}, 30);

is($list->{dsn}, $dsn + 1, 'removed discontinuities are counted');
is(m3u8_parse($t->http_get('/live/s/a1.m3u8')->{body})->{dsn}, $dsn + 1,
   'in all tracks');


# the end

$pub->stop();
$list = $t->wait_playlist('/live/s/v1.m3u8', sub { $_[0]{endlist} }, 15);

ok(!@{$list->{hints}} && !@{$list->{reports}}, 'no hints, no reports');
is(scalar(grep { @{$_->{parts}} } @{$list->{segments}}), 0, 'no parts');

$master = m3u8_parse($t->http_get('/live/s/index.m3u8')->{body});
is(scalar @{$master->{variants}}, 1, 'the variant is still there');

decode('v1', 0);
decode('a1', 0);


# one track only

for my $only (qw/ audio video /) {
    my $pub = $t->ffmpeg_publish("live/$only",
                                 $only eq 'audio' ? 'video' : 'audio', 0);
    my $track = substr($only, 0, 1) . 1;

    my $list = $t->wait_playlist("/live/$only/$track.m3u8", sub {
        @{$_[0]{segments}} >= 3
    }, 20);

    is(join(', ', check($list, 2)), '', "$only only");

    my $master = m3u8_parse($t->http_get("/live/$only/index.m3u8")->{body});

    is(scalar @{$master->{media}}, 0, 'no group');
    is($master->{variants}[0]{uri}, "$track.m3u8", 'its playlist');
    ok(!exists $master->{variants}[0]{attr}{AUDIO}, 'no AUDIO');
    is(exists $master->{variants}[0]{attr}{RESOLUTION}, $only eq 'video',
       'RESOLUTION');
    is($t->http_get("/live/$only/manifest.mpd")->{status}, 200, 'an MPD');

    $pub->stop();
}

$t->done();
