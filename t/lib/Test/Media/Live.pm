package Test::Media::Live;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Live - what becomes of a stream that was published

=head1 SYNOPSIS

    use Test::Media::Live;

    my $t = live_nginx(app => 'segment 1s;', workers => 2);

    my $p = live_publish($t, 'live/x');
    $p->play([live_tags('plain')], speed => 4, to => 6000);
    $p->close();

    my $r = live_check($t, '/live/x', runs => 1);
    my $m = live_match($r, $p);

    is($m->{video}{missing}, 0, 'all frames');

=head1 FUNCTIONS

=over

=item live_nginx(%opt)

A running nginx with the application C<live> (C<app>: its directives but the
zone, C<zone>: its size, C<rtmp>: more for the stream server), RTMP at
PORT_RTMP, HTTP at PORT_HTTP and the status at /status.  C<main>, C<http>: more
of the configuration; C<workers>; C<test_modules>; C<reload>: with TEST_RELOAD,
a reload in the middle of the first play(); C<debug>: with the lines that
live_replay() needs.  The window is a minute: all that a test publishes is
listed at its end.

=item live_fixture($name), live_tags($name)

A file of our own with noise for sound, so that no two frames have the same
bytes, and its FLV tags; see %fixtures.

=item live_publish($t, $path, %opt)

Publishes as Test::Media::RTMP does and remembers what was sent.

=item $p->play(\@tags, %opt)

Sends tags at their pace.  from, to: a range of the tags' own stamps; speed: so
much faster than they say; shift: added to the stamps; headers => 0: without
the headers; map: a sub that gets (type, stamp, bytes) and returns a list of
[type, stamp, bytes] that are sent in place of it.

=item live_play([$p, \@tags, %opt], ...)

Several at a time.

=item live_check($t, $path, %opt)

Reads all playlists and all that they name, walks the boxes, decodes, and
tests what holds for every stream.  Expected: runs (stretches without a
discontinuity), tracks 'v1 a1', forced (segments without a key frame), short
(parts may be short), undecoded (frames may be), gaps (GAP segments), late (a
track came later), more (tracks that are listed no more), skew (ms that the
tracks of a run may differ at their beginnings, 50), ended, name.

=item live_match($r, @publishers)

Finds each sample that came out among the frames that were sent.  Per type:
sent, out, missing, silent, and runs [ { from to n } ] of what was added to the
stamps, in ms; av: the largest deviation of a track from the video of its run.

=item live_replay($r, $name)

After live_check(), of a stream whose publisher has gone: derives each cut,
each part and each dropped frame from what the log says that came
(L<Test::Media::Replay>), and tests that it was decided so, published so and
counted so.

=item live_stream($t, $name)

The status of a stream.

=back

=cut

use strict;
use warnings;

use Digest::MD5 qw/ md5 /;
use Exporter 'import';
use List::Util qw/ max min sum /;
use Time::HiRes qw/ time sleep /;

use Test::Media;
use Test::Media::Formats;
use Test::Media::RTMP qw/ flv_read /;
use Test::Media::Replay;
use Test::Media::Tools;
use Test::More;

our @EXPORT = qw/ live_nginx live_fixture live_tags live_publish live_play
                  live_check live_match live_replay live_stream /;

our @ISA = ('Test::Media::RTMP');


# fixtures

sub source {
    my (%opt) = @_;

    my $seconds = $opt{seconds} || 12;
    my $hertz = $opt{hertz} || 48000;
    my $seed = $opt{seed} || 1;
    my (@in, @out);

    if (!$opt{audio_only}) {
        my $size = $opt{size} || '320x180';
        my $rate = $opt{rate} || 25;
        my $gop = $opt{gop} || 25;
        my $b = $opt{bframes} || 0;

        push @in, '-f', 'lavfi', '-i', "testsrc2=size=$size:rate=$rate";
        push @out, qw/ -c:v libx264 -preset ultrafast -pix_fmt yuv420p
                       -threads 1 -sc_threshold 0 /,
            '-b:v', $opt{bitrate} || '250k', @{$opt{codec} || []},
            '-g', $gop, '-keyint_min', $gop, '-bf', $b,
            $b ? () : (-tune => 'zerolatency');
    }

    if (!$opt{video_only}) {
        push @in, '-f', 'lavfi', '-i',
            "anoisesrc=amplitude=0.1:seed=$seed:sample_rate=$hertz";
        push @out, qw/ -c:a aac -b:a 64k -ac /, $opt{channels} || 2,
            '-ar', $hertz;
    }

    return (@in, @out, '-t', $seconds);
}

my @still = (-vf => "select='lt(t,3)+gte(t,7)'", -fps_mode => 'vfr');

my %fixtures = (
    plain => [source()],
    bframes => [source(bframes => 2)],
    # references among B-frames, open GOPs
    pyramid => [source(bframes => 3),
                qw/ -x264-params b-pyramid=normal:open-gop=1 /],
    other => [source(size => '256x144', rate => 30, gop => 30, seed => 2)],
    mono => [source(channels => 1, seed => 5)],
    hertz => [source(hertz => 44100, seed => 3)],
    gop10 => [source(gop => 250, seconds => 24, seed => 4)],
    one_key => [source(gop => 1000, seconds => 24, seed => 7)],
    # two of these make a segment of 1 s too long
    gop18 => [source(gop => 18, seed => 12)],
    # noise, as it were: 6 Mbit/s
    big => [source(size => '640x360', seed => 6, bitrate => '6000k',
                   codec => [qw/ -x264-params nal-hrd=cbr:force-cfr=1
                                 -maxrate 6000k -bufsize 3000k /])],
    fast => [source(rate => 50, gop => 50)],
    # no picture from 3 s to 7 s, what comes goes on from before
    still => [source(gop => 1000, seed => 8, codec => \@still)],
    # one key frame, then columns of each picture
    refresh => [source(gop => 25, seed => 11, codec => [
                    '-x264-params', 'intra-refresh=1:scenecut=0' ])],
    still_gop => [source(gop => 50, seed => 9, codec => \@still)],
    # one every 2.5 s, and the second one is a key frame again
    slides => [source(gop => 2, seed => 10, codec => [
                   -vf => "select='not(mod(n\\,62))'", -fps_mode => 'vfr' ])],
    ntsc => [source(rate => '30000/1001', gop => 30)],
    video => [source(video_only => 1)],
    audio => [source(audio_only => 1)],
);


sub live_fixture {
    my ($name) = @_;

    my $args = $fixtures{$name} or die "unknown fixture: $name\n";

    return fixture("live-$name.flv", @$args);
}


sub live_tags { return flv_read(live_fixture($_[0])) }


# nginx

sub live_nginx {
    my (%opt) = @_;

    my %conf = (main => '', app => '', http => '', rtmp => '',
                zone => '64m', %opt);

    my $t = Test::Media->new(map { $opt{$_} ? ($_ => $opt{$_}) : () }
                             qw/ workers test_modules /);

    $t->{reload_in_play} = $opt{reload};

    # lines of core/ alone: those of nginx are many more

    $t->{narrates} = $opt{debug} && $t->build_flags() =~ /--with-debug/;

    $conf{main} .= "error_log %%DIR%%/error.log debug_core;\n"
        if $t->{narrates} && !$ENV{TEST_DEBUG};

    $conf{app} .= ' segment 1s;' if $conf{app} !~ /\bsegment\s/;
    $conf{app} .= ' part 200ms;' if $conf{app} !~ /\bpart\s/;
    $conf{app} .= ' window 60s;' if $conf{app} !~ /\bwindow\s/;

    # longer than it takes to look at all streams of a test
    $conf{app} .= ' grace 5m;' if $conf{app} !~ /\bgrace\s/;

    $t->write_conf(<<"EOC");

$conf{main}

media live { zone $conf{zone}; $conf{app} }

stream {
    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        $conf{rtmp}
    }
}

http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/ { media_live live; }
        location /status { media_status; }
        $conf{http}
    }
}
EOC

    return $opt{stopped} ? $t : $t->run();
}


sub live_stream {
    my ($t, $name) = @_;

    my $status = $t->status();
    my ($app) = grep { $_->{name} eq 'live' } @{$status->{apps}};
    my ($stream) = grep { $_->{name} eq $name } @{$app->{streams}};

    if ($stream) {
        $stream->{track}{$_->{name}} = $_ for @{$stream->{tracks}};
        $stream->{worker} = $status->{pid};
        $stream->{zone} = $app->{zone};
    }

    return $stream;
}


# publishing

sub live_publish {
    my ($t, $path, %opt) = @_;

    my $p = $t->rtmp(%opt);
    bless $p, __PACKAGE__;

    $p->{sent_frames} = [];
    $p->{test} = $t;

    my $code = $p->open($path, %opt) || 'nothing';

    die "publish $path: $code\n"
        if $code ne 'NetStream.Publish.Start' && !$opt{refused};

    $p->{code} = $code;

    return $p;
}


# { type key stamp cts data } of a frame, with track in a message of several;
# undef for headers and metadata

sub frames_of {
    my ($type, $ts, $bytes) = @_;

    return frame_of(@_) if $type != 8 || $bytes !~ /^\x95(.)/s;
    return if (ord($1) & 15) != 1;

    # one track, or each with its size

    my ($many, @frames) = ord($1) >> 4;

    for (my $pos = 6; $pos < length $bytes; ) {
        my ($id, $high, $low) = unpack 'CCn', substr $bytes, $pos;
        my $size = $many ? $high << 16 | $low : length($bytes) - $pos - 1;

        push @frames, { type => 'audio', stamp => $ts, cts => 0, track => $id,
                        data => substr $bytes, $pos + ($many ? 4 : 1), $size };
        $pos += ($many ? 4 : 1) + $size;
    }

    return @frames;
}


sub frame_of {
    my ($type, $ts, $bytes) = @_;

    return undef if $type != 8 && $type != 9;
    return undef if length $bytes < 2;

    my ($first, $second) = unpack 'C2', $bytes;

    if ($type == 8) {
        return undef if $first >> 4 == 10 && $second == 0;
        my $head = $first >> 4 == 10 ? 2 : 1;
        return { type => 'audio', stamp => $ts, cts => 0,
                 data => substr($bytes, $head) };
    }

    my ($cts, $head) = (0, 5);

    if ($first & 0x80) {
        my $kind = $first & 15;
        return undef if $kind != 1 && $kind != 3 || length $bytes < 8;
        $cts = unpack 'N', "\0" . substr($bytes, 5, 3) if $kind == 1;
        $head = $kind == 1 ? 8 : 5;

    } else {
        return undef if $second != 1 || length $bytes < 5;
        $cts = unpack 'N', "\0" . substr($bytes, 2, 3);
    }

    $cts -= 1 << 24 if $cts & 0x800000;

    return { type => 'video', key => ($first >> 4 & 7) == 1, stamp => $ts,
             cts => $cts, data => substr($bytes, $head) };
}


sub note_frame {
    my ($self, $type, $ts, $bytes) = @_;

    for my $frame (grep { $_ } frames_of($type, $ts, $bytes)) {
        $frame->{md5} = md5(delete $frame->{data});
        $frame->{at} = time();

        push @{$self->{sent_frames}}, $frame;
    }
}


# what one publisher is to send: [seconds from the start, messages...]

sub schedule {
    my ($self, $tags, %opt) = @_;

    my $base = $opt{from};
    my ($at, @queue) = (0);

    for my $tag (@$tags) {
        my ($type, $ts, $bytes) = @$tag;
        my $header = Test::Media::RTMP::is_header($type, $bytes);

        next if $header && exists $opt{headers} && !$opt{headers};
        next if !$header && (defined $opt{from} && $ts < $opt{from}
                             || defined $opt{to} && $ts >= $opt{to});

        if (!$header) {
            $base = $ts if !defined $base;
            $at = ($ts - $base) / 1000 / ($opt{speed} || 1000000);
        }

        my @send = ([$type, $ts + ($header ? 0 : $opt{shift} || 0), $bytes]);
        @send = $opt{map}->(@{$send[0]}) if $opt{map};

        push @queue, [$at, @send];
    }

    return \@queue;
}


sub live_play {
    my (@all) = @_;

    my $start = time();
    my $sent = 0;
    my @senders = map {
        my ($p, $tags, %opt) = @$_;
        [$p, $p->schedule($tags, %opt)];
    } @all;

    my $test = @all ? $all[0][0]{test} : undef;
    my $total = List::Util::sum0(map { scalar @{$_->[1]} } @senders);

    while (@senders) {
        if ($test && $sent > $total / 2) {
            $test->maybe_reload() if delete $test->{reload_in_play};
            $test = undef;
        }

        @senders = grep { @{$_->[1]} && !$_->[0]{closed} } @senders;

        my ($next) = sort { $a->[1][0][0] <=> $b->[1][0][0] } @senders
            or last;
        my ($p, $queue) = @$next;
        my ($at, @send) = @{shift @$queue};
        my $left = $start + $at - time();

        $left > 0.0005 ? $p->poll($left) : $p->poll(0);

        for my $m (@send) {
            $p->message(@$m) or last;
            $p->note_frame(@$m);
            $sent++;
        }
    }

    return $sent;
}


sub play {
    my ($self, $tags, %opt) = @_;

    return live_play([$self, $tags, %opt]);
}


# reading

sub fetch {
    my ($r, $path) = @_;

    my $got = $r->{got}{$path};

    if (!defined $got) {
        my $a = $r->{t}->http_get($path);
        my $code = $a->{error} || $a->{status};

        die "$path: $code\n" if $code ne '200';

        $got = $r->{got}{$path} = $a->{body};
    }

    return $got;
}


sub rounded { return int($_[0] + 0.5) }


# what every media playlist must be

sub check_list {
    my ($r, $name, $list) = @_;

    my @bad;
    my $say = sub { push @bad, "$name: $_[0]" };
    my ($last, %map, $pdt);

    $say->('no TARGETDURATION') if !$list->{target};
    $say->('no DISCONTINUITY-SEQUENCE')
        if !$list->{tags}{'EXT-X-DISCONTINUITY-SEQUENCE'};
    $say->('no segments') if !@{$list->{segments}};

    my @all = @{$list->{segments}};
    push @all, { %{$list->{open}}, open => 1, uri => '(open)',
                 msn => $list->{next_msn} } if $list->{open};

    for my $s (@all) {
        my $n = $s->{msn};

        $say->("$s->{uri} has number $n")
            if !$s->{open} && $s->{uri} !~ m|(?:^\|/)$n\.m4s$|;
        $say->("$n lasts $s->{duration}")
            if !$s->{open} && rounded($s->{duration}) > $list->{target};

        my ($i, $sum) = (0, 0);

        for my $part (@{$s->{parts}}) {
            my $short = $part->{duration} < $list->{part_target} * 0.85;

            $say->("part $part->{uri} lasts $part->{duration}")
                if $part->{duration} > $list->{part_target};
            $say->("part $part->{uri} is short, $part->{duration}")
                if $short && !$r->{opt}{short} && !$part->{independent}
                   && ($i < $#{$s->{parts}});
            $say->("part $part->{uri} is not number $i")
                if $part->{uri} !~ m|\b$n\.$i\.m4s$|;

            $sum += $part->{duration};
            $i++;
        }

        $say->("$n: parts last $sum, EXTINF $s->{duration}")
            if $i && !$s->{open}
               && abs($sum - $s->{duration}) > 0.00002 * ($i + 1);

        $say->("$n: no date after a discontinuity")
            if ($s->{discontinuity} || !$last) && !defined $s->{pdt};
        $say->("$n: two discontinuities in a row")
            if ($s->{discontinuity} || 0) > 1;
        $say->("$n: another init without a discontinuity")
            if $last && !$s->{open} && $s->{map} ne $last->{map}
               && !$s->{discontinuity};

        if (defined $s->{pdt_msec}) {
            $say->("$n: date goes back")
                if defined $pdt && $s->{pdt_msec} <= $pdt;
            $say->("$n: date is off by " . ($s->{pdt_msec} - $pdt
                   - 1000 * $last->{duration}))
                if $last && !$s->{discontinuity} && !$r->{opt}{anchors}
                   && abs($s->{pdt_msec} - $pdt - 1000 * $last->{duration})
                      > 2;
            $pdt = $s->{pdt_msec};
        }

        $last = $s;
    }

    return @bad;
}


# the samples of a track's segments, in runs without a discontinuity

sub read_track {
    my ($r, $name, $list) = @_;

    my (@runs, @bad, @all);
    my $say = sub { push @bad, "$name: $_[0]" };
    my ($end, $from);

    for my $s (@{$list->{segments}}) {
        my $n = $s->{msn};

        if ($s->{gap}) {
            $r->{gaps}++;
            $end = undef;
            next;
        }

        my $path = Test::Media::resolve("$r->{path}/$name.m3u8", $s->{uri});
        my ($init, $bytes);

        my @samples = eval {
            $init = fetch($r, Test::Media::resolve($r->{path} . '/',
                                                   $s->{map}));
            $bytes = fetch($r, $path);
            mp4_samples($bytes, $init);
        };

        if (!@samples) {
            $say->("$n: no samples " . ($@ || ''));
            next;
        }

        my ($track) = values %{mp4_tracks(mp4_boxes($init))};
        my $scale = $track->{timescale};

        if (!@runs || $s->{discontinuity}) {
            push @runs, { name => $name, msn => $n, samples => [],
                          bytes => $init, scale => $scale, track => $track,
                          video => $track->{handler} eq 'vide',
                          start => $samples[0]{dts} / $scale };
            $say->(sprintf '%d: begins %.3f s before the end of the last',
                   $n, $from - $samples[0]{dts} / $scale)
                if defined $from && $samples[0]{dts} / $scale
                                    < $from - 0.00001;
            $end = undef;
        }

        my $run = $runs[-1];

        for my $x (@samples) {
            if (defined $end && $x->{dts} != $end) {
                $say->(sprintf '%d: hole of %.3f ms', $n,
                       ($x->{dts} - $end) * 1000 / $scale);
            }

            $say->("$n: a sample without duration") if !$x->{duration};

            $end = $x->{dts} + $x->{duration};
            $x->{msn} = $n;
        }

        my $sum = sum(map { $_->{duration} } @samples) / $scale;

        $say->(sprintf '%d: lasts %.5f, EXTINF %.5f', $n, $sum,
               $s->{duration}) if abs($sum - $s->{duration}) > 0.00002;

        $s->{forced} = $run->{video} && !$samples[0]{key};
        $s->{start} = $samples[0]{dts};
        $s->{end} = $end;
        $s->{scale} = $scale;
        $from = $end / $scale;

        push @{$run->{samples}}, @samples;
        $run->{bytes} .= $bytes;
        $run->{end} = $from;
        push @{$run->{segments}}, $s;
        push @all, @samples;
    }

    # parts are the bytes of their segments

    my @parts = grep { @{$_->{parts}} } @{$list->{segments}};

    for my $s (@parts > 2 ? @parts[0, -1] : @parts) {
        my $base = "$r->{path}/$name.m3u8";
        my $bytes = join '', map {
            fetch($r, Test::Media::resolve($base, $_->{uri}))
        } @{$s->{parts}};

        $say->("parts of $s->{msn} are other bytes")
            if $bytes ne fetch($r, Test::Media::resolve($base, $s->{uri}));
    }

    return (\@runs, \@all, @bad);
}


# inside one run: stamps

sub check_run {
    my ($run) = @_;

    my @bad;
    my @samples = @{$run->{samples}};
    my @d = sort { $a <=> $b } map { $_->{duration} } @samples;
    my $usual = $d[@d / 2];
    my %seen;

    $run->{usual} = $usual;
    $run->{longest} = $d[-1];

    push @bad, sprintf('%s: a sample of %.1f ms where %.1f are usual',
                       $run->{name}, $d[-1] * 1000 / $run->{scale},
                       $usual * 1000 / $run->{scale})
        if $d[-1] > 2.1 * $usual && @samples > 8;

    for my $x (@samples) {
        push @bad, "$run->{name}: two samples at $x->{pts}"
            if $seen{$x->{pts}}++;
    }

    my @pts = sort { $a <=> $b } map { $_->{pts} } @samples;
    my @step = map { $pts[$_] - $pts[$_ - 1] } 1 .. $#pts;

    $run->{gap} = @step ? max(@step) * 1000 / $run->{scale} : 0;

    return @bad;
}


sub decode_run {
    my ($r, $run) = @_;

    my $file = $r->{t}->path("run-" . ++$r->{files} . '.mp4');

    spew($file, $run->{bytes});

    my ($ok, $said, $frames) = decode_clean($file);
    my @bad;

    push @bad, "$run->{name} from $run->{msn}: $said" if !$ok;
    push @bad, "$run->{name} from $run->{msn}: $frames frames decoded of "
               . scalar @{$run->{samples}}
        if $run->{video} && $frames != @{$run->{samples}}
           && !$r->{opt}{undecoded};

    return @bad;
}


# elements of XML: { name attr{} nodes[] text }

sub xml_parse {
    my ($text) = @_;

    my $root = { name => '', nodes => [], attr => {} };
    my @stack = ($root);

    while ($text =~ /\G(?:<\?.*?\?>|<!--.*?-->|([^<]+)|<(\/?)([\w:]+)
                        ((?:\s+[\w:]+="[^"]*")*)\s*(\/?)>)/gcsx)
    {
        if (defined $1) {
            $stack[-1]{text} .= $1;
            next;
        }

        next if !defined $3;

        if ($2) {
            die "XML: </$3> after <$stack[-1]{name}>\n"
                if $stack[-1]{name} ne $3;
            pop @stack;
            next;
        }

        my $node = { name => $3, nodes => [] };
        my ($attr, $empty) = ($4, $5);

        $node->{attr}{$1} = $2 while $attr =~ /([\w:]+)="([^"]*)"/g;

        push @{$stack[-1]{nodes}}, $node;
        push @stack, $node if !$empty;
    }

    die "XML: cannot read on at " . (pos $text || 0) . "\n"
        if (pos $text || 0) != length $text || @stack != 1;

    return $root->{nodes}[0];
}


sub xml_find {
    my ($node, @path) = @_;

    my @found = ($node);

    for my $name (@path) {
        @found = map { grep { $_->{name} eq $name } @{$_->{nodes}} } @found;
    }

    return @found;
}


sub seconds_of {
    my ($text) = @_;

    return $text =~ /^PT(\d+(?:\.\d+)?)S$/ ? $1 : die "duration: $text\n";
}


# the MPD names what HLS names, at the same times

sub check_dash {
    my ($r) = @_;

    my @bad;
    my $say = sub { push @bad, "MPD: $_[0]" };
    my $text = fetch($r, "$r->{path}/manifest.mpd");
    my $mpd = xml_parse($text);
    my $file = $r->{t}->write_file('manifest.mpd', $text);
    my $xsd = "$Test::Media::root/t/schema/mpd.xsd";

    my ($status, $out) = sh('xmllint', '--noout', '--schema', $xsd, $file);
    $say->($out) if $status && $out !~ /^xmllint: /;

    my @periods = xml_find($mpd, 'Period');
    my ($before, %id, %covered);

    $r->{mpd} = $text;
    $r->{periods} = \@periods;
    $r->{type} = $mpd->{attr}{type};

    for my $period (@periods) {
        my $start = seconds_of($period->{attr}{start});

        $say->("Period $period->{attr}{id} twice")
            if $id{$period->{attr}{id}}++;
        $say->("Period $period->{attr}{id} starts at $start, not after "
               . $before) if defined $before && $start <= $before;
        $before = $start;

        for my $set (xml_find($period, 'AdaptationSet')) {
            for my $rep (xml_find($set, 'Representation')) {
                check_representation($r, $say, $period, $set, $rep,
                                     \%covered);
            }
        }
    }

    # segments of HLS that DASH has not

    for my $name (sort keys %{$r->{tracks}}) {
        for my $run (@{$r->{tracks}{$name}{runs}}) {
            for my $s (@{$run->{segments}}) {
                $say->("$name: $s->{msn} is not listed")
                    if !$covered{"$name $s->{start}"};
            }
        }
    }

    return @bad;
}


sub check_representation {
    my ($r, $say, $period, $set, $rep, $covered) = @_;

    my $name = $rep->{attr}{id};
    my ($template) = (xml_find($rep, 'SegmentTemplate'),
                      xml_find($set, 'SegmentTemplate'));
    my %a = %{$template->{attr}};
    my $scale = $a{timescale};
    my $where = "$period->{attr}{id} $name";
    my ($t, $end);
    my $number = $a{startNumber};
    my $first = 1;

    $r->{dash}{$name}++;

    my $init = fetch($r, "$r->{path}/$a{initialization}");
    my %segments = map { ($_->{start} => $_) }
        map { @{$_->{segments}} } @{$r->{tracks}{$name}{runs}};

    for my $s (xml_find($template, 'SegmentTimeline', 'S')) {
        my ($d, $repeat) = ($s->{attr}{d}, $s->{attr}{r} || 0);

        $t = $s->{attr}{t} if defined $s->{attr}{t};

        for (0 .. $repeat) {
            my $uri = $a{media};

            $say->("$where: hole before $t")
                if defined $end && $t != $end;

            $uri =~ s/\$Number\$/$number/;
            $uri =~ s/\$Time\$/$t/;

            my @samples = eval {
                mp4_samples(fetch($r, "$r->{path}/$uri"), $init);
            };

            if (!@samples) {
                $say->("$where: $uri: " . ($@ || 'empty'));
                $end = $t += $d;
                $number++ if defined $number;
                next;
            }

            my $sum = sum map { $_->{duration} } @samples;

            $say->("$where: $uri starts at $samples[0]{dts}, not $t")
                if $samples[0]{dts} != $t;
            $say->("$where: $uri lasts $sum, not $d") if $sum != $d;
            $say->("$where: $uri does not start with a key frame")
                if !$samples[0]{key};

            if ($first) {
                my $off = ($t - $a{presentationTimeOffset}) / $scale;
                $say->(sprintf '%s: first segment %.3f s after the period',
                       $where, $off)
                    if ($off < -0.001 || $off > 0.05)
                       && $period != $r->{periods}[0] && !$r->{opt}{late};
            }

            my $cover = $t;

            while ($segments{$cover} && $cover < $t + $d) {
                $covered->{"$name $cover"} = 1;
                $cover = $segments{$cover}{end};
            }

            $say->("$where: $uri ends inside a segment")
                if $cover != $t + $d;

            $first = 0;
            $end = $t += $d;
            $number++ if defined $number;
        }
    }
}


sub live_check {
    my ($t, $path, %opt) = @_;

    my $name = defined $opt{name} ? "$opt{name}: " : '';
    my $r = { t => $t, path => $path, opt => \%opt, got => {}, gaps => 0 };

    my $index = $r->{index} = m3u8_parse(fetch($r, "$path/index.m3u8"));

    my %lists = map { $_ => 1 }
        map({ $_->{uri} } @{$index->{variants}}),
        map({ $_->{URI} } @{$index->{media}});

    $lists{"$_.m3u8"} = 1 for split / /, $opt{more} || '';

    my @names = sort map { s/\.m3u8$//r } keys %lists;

    is(join(' ', @names), $opt{tracks} || 'a1 v1', "${name}tracks");

    my (@lists, @media, @decoded, %cut);

    # one snapshot, as near as can be: small things first

    fetch($r, "$path/$_.m3u8") for @names;

    for my $track (@names) {
        my $list = m3u8_parse(fetch($r, "$path/$track.m3u8"));
        my ($runs, $samples, @bad) = read_track($r, $track, $list);

        $r->{tracks}{$track} = { list => $list, runs => $runs,
                                 samples => $samples };

        push @lists, check_list($r, $track, $list);
        push @media, @bad, map { check_run($_) } @$runs;
        push @decoded, map { decode_run($r, $_) } @$runs;

        for my $s (@{$list->{segments}}) {
            my $d = $s->{discontinuity} || 0;
            my $other = $cut{$s->{msn}};

            push @lists, "$track: $s->{msn} is a discontinuity here only"
                if defined $other && $other != $d
                   && $s->{msn} != $list->{msn};
            $cut{$s->{msn}} = $d;
        }

        my @forced = grep { $_->{forced} } @{$list->{segments}};

        push @lists, "$track: INDEPENDENT-SEGMENTS, but " . @forced
                     . ' have no key frame' if @forced
                                               && $list->{independent};
        push @lists, "$track: " . @forced . ' segments without a key frame'
            if @forced && !$opt{forced};

        $r->{forced}{$track} = scalar @forced;
    }

    my %msn = map { ($r->{tracks}{$_}{list}{msn} => 1) } @names;
    my %dsn = map { ($r->{tracks}{$_}{list}{dsn} => 1) } @names;

    if (!$opt{more} && !$opt{late}) {
        push @lists, 'MEDIA-SEQUENCE differs' if keys %msn > 1;
        push @lists, 'DISCONTINUITY-SEQUENCE differs' if keys %dsn > 1;
    }

    is(join("\n", @lists), '', "${name}playlists");
    is(join("\n", @media), '', "${name}boxes and times");
    is(join("\n", @decoded), '', "${name}decodes");
    is(join("\n", check_dash($r)), '', "${name}MPD");

    if (defined $opt{runs}) {
        my %runs = map { ($_ => scalar @{$r->{tracks}{$_}{runs}}) } @names;

        is(join(' ', map { "$_ $runs{$_}" } @names),
           join(' ', map { "$_ $opt{runs}" } @names), "${name}runs");
    }

    # tracks begin and end together in each run

    my @skew;

    if (@names == 2 && !$opt{more} && !$opt{late}) {
        my ($x, $y) = map { $r->{tracks}{$_}{runs} } @names;

        for my $i (0 .. min($#$x, $#$y)) {
            my $off = abs($x->[$i]{start} - $y->[$i]{start}) * 1000;
            push @skew, sprintf 'run %d: %.1f ms', $i, $off
                if $off > ($opt{skew} || 50);
        }
    }

    is(join("\n", @skew), '', "${name}tracks begin together");

    my @ended = grep { $r->{tracks}{$_}{list}{endlist} } @names;
    is(scalar @ended, $opt{ended} ? scalar @names : 0, "${name}ENDLIST")
        if !$opt{more};

    is($r->{gaps}, $opt{gaps} || 0, "${name}GAP");

    return $r;
}


sub live_match {
    my ($r, @publishers) = @_;

    my %m = (av => 0);
    my (%sent, @runs);

    for my $p (@publishers) {
        for my $f (@{$p->{sent_frames}}) {
            push @{$sent{$f->{type}}{$f->{md5}}}, $f;
            $m{$f->{type}}{sent}++;
        }
    }

    for my $type (qw/ video audio /) {
        my $m = $m{$type} ||= { sent => 0 };
        my @tracks = grep {
            $r->{tracks}{$_}{runs}[0]
            && $r->{tracks}{$_}{runs}[0]{video} == ($type eq 'video')
        } sort keys %{$r->{tracks}};

        $m->{out} = $m->{silent} = 0;

        for my $run (map { @{$r->{tracks}{$_}{runs}} } @tracks) {
            my %off = (n => 0, msn => $run->{msn}, type => $type);

            for my $x (@{$run->{samples}}) {
                my $queue = $sent{$type}{md5($x->{data})};
                my $f = $queue && @$queue ? shift @$queue : undef;

                if (!$f) {
                    $m->{silent}++;
                    next;
                }

                my $off = $x->{pts} * 1000 / $run->{scale} - $f->{stamp}
                          - $f->{cts};

                $off{from} = $off if !defined $off{from}
                                     || $off < $off{from};
                $off{to} = $off if !defined $off{to} || $off > $off{to};
                $off{n}++;

                $f->{out} = $x;
                $m->{out}++;
            }

            push @{$m->{runs}}, \%off;
            push @runs, \%off if $off{n};
        }

        $m->{missing} = $m->{sent} - $m->{out};
    }

    # offsets of what belongs together: runs with the same first number

    for my $v (grep { $_->{type} eq 'video' } @runs) {
        my $middle = ($v->{from} + $v->{to}) / 2;

        for my $x (grep { $_->{msn} == $v->{msn} } @runs) {
            $m{av} = max($m{av}, abs($x->{from} - $middle),
                         abs($x->{to} - $middle));
        }
    }

    return \%m;
}


# decided = derived = published = counted

sub live_replay {
    my ($r, $name) = @_;

    my $t = $r->{t};
    my $replay = Test::Media::Replay->new($t->log(), "live/$name");
    my $why = !$t->{narrates} ? 'needs an nginx built --with-debug'
                              : $replay->skipped();

    is($replay->wrong(), '', "$name: decided by the rules");
    is($replay->skipped(), '', "$name: all of it") if $t->{narrates};

    SKIP: {
        skip("$name: $why", 2) if $why;

        my (%published, @counts);

        for my $track (sort keys %{$r->{tracks}}) {
            for my $s (@{$r->{tracks}{$track}{list}{segments}}) {
                my $path = "$r->{path}/$track.m3u8";
                my ($init, $bytes) = map {
                    fetch($r, Test::Media::resolve($path, $_))
                } @$s{qw/ map uri /};

                $published{$track}{$s->{msn}}
                    = Test::Media::Replay::published($bytes, $init);
            }
        }

        is($replay->differs(\%published), '', "$name: published as derived");

        my $derived = $replay->counts();
        my $status = live_stream($t, $name)->{track};

        for my $track (sort keys %$derived) {
            push @counts, map {
                "$track $_: $status->{$track}{$_}, derived "
                . $derived->{$track}{$_}
            } grep { $derived->{$track}{$_} != $status->{$track}{$_} }
                sort keys %{$derived->{$track}};
        }

        is(join("\n", @counts), '', "$name: counted as derived");
        note("$name: ", $replay->summary());
    }

    return $replay;
}


1;
