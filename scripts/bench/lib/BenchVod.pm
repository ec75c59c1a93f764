package BenchVod;

# Copyright (C) ngx_stream_vod_module authors

# What the benchmarks of VOD share: films, a server for them, and the CPU time
# of a segment against that of nginx sending a file of the same bytes.
#
# Films are made of 48 s that are encoded once, which are 1440 frames, 2250 of
# audio, and 8 segments, so that they loop.  They are removed in the end.
#
#   BENCH_FILMS=DIR   make them there, instead of in TMPDIR: what reading costs
#                     depends on the file system, and static files of the same
#                     bytes are next to them

use strict;
use warnings;

use Exporter 'import';
use File::Path qw/ remove_tree /;
use File::Temp ();

use Bench;
use Test::Media;

our @EXPORT = qw/ films film vod vod_list vod_get vod_uri vod_static vod_wrk
                  against_static asked media_source $SEGMENT /;

our $SEGMENT = 6;

my $own = $$;
my $films;


# the directory of films and of static files

sub films {
    return $films if $films;

    my $in = $ENV{BENCH_FILMS};

    $films = File::Temp::tempdir('ngx-media-films-XXXXXX',
                                 defined $in ? (DIR => $in) : (TMPDIR => 1));
    chmod 0755, $films;

    return $films;
}


# 48 s: ffmpeg's own interleaving, key frames each 2 s, B-frames

sub media_source {
    my (%opt) = @_;

    my $kbit = $opt{kbit} || 3000;
    my $size = $opt{size} || '1280x720';
    my $audio = $opt{audio} || 128;

    return fixture('film.mp4',
        '-f', 'lavfi', '-i', "testsrc2=size=$size:rate=30",
        '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
        '-t', 48, '-vf', 'noise=alls=8:allf=t', '-c:v', 'libx264',
        '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', 2,
        '-threads', 1, '-b:v', "${kbit}k", '-maxrate', "${kbit}k",
        '-bufsize', int($kbit / 2) . 'k', '-g', 60, '-keyint_min', 60,
        '-sc_threshold', 0, '-c:a', 'aac', '-b:a', "${audio}k", '-ac', 2);
}


# a film of so many seconds: name.mp4 in films()

sub film {
    my ($name, $seconds, $source, @args) = @_;

    my $file = films() . "/$name.mp4";
    my ($status, $out) = sh('ffmpeg', '-nostdin', '-hide_banner',
        '-loglevel', 'error', '-y', '-stream_loop', int($seconds / 48),
        '-i', $source, '-t', $seconds, '-c', 'copy', @args, $file);

    die "ffmpeg cannot make $name: $out\n" if $status;

    return $file;
}


# one worker and films below /vod/, static files below /static/; text for
# "location /vod/", for "server" and for "listen"

sub vod {
    my (%opt) = @_;

    my ($location, $server, $listen, $affinity)
        = map { defined $opt{$_} ? $opt{$_} : '' }
          qw/ location server listen affinity /;
    my $films = films();

    $affinity = $affinity ? "worker_cpu_affinity $affinity;" : '';

    return server(<<"EOC", workers => 1);
worker_processes 1;
worker_rlimit_nofile 8192;
$affinity

http {
    sendfile on;
    keepalive_requests 1000000000;

    server {
        listen 127.0.0.1:%%PORT_HTTP%% $listen;
        $server

        location /vod/ {
            media_vod on;
            media_vod_segment ${SEGMENT}s;
            alias $films/;
            $location
        }

        location /static/ { alias $films/; }

        location /copied/static/ {
            alias $films/;
            sendfile off;
            output_buffers 1 24k;
        }

        location /status { media_status; }
    }
}
EOC
}


sub vod_get {
    my ($t, $path) = @_;

    my $r = $t->http_get($path, timeout => 120);

    die "$path: " . ($r->{error} || $r->{status}) . "\n"
        if $r->{error} || $r->{status} != 200;

    return $r->{body};
}


sub vod_list {
    my ($t, $name, $track) = @_;

    return m3u8_parse(vod_get($t, "/vod/$name.mp4/$track.m3u8"));
}


# the segment that begins there, seconds, as far as the list is regular

sub vod_uri {
    my ($t, $name, $track, $seconds) = @_;

    my $list = vod_list($t, $name, $track);
    my $n = int($seconds / $SEGMENT);
    my $segment = $list->{segments}[$n];

    die "no segment at $seconds s in $name.mp4/$track.m3u8\n" if !$segment;
    die "a segment of $segment->{duration} s in $name.mp4/$track.m3u8\n"
        if abs($segment->{duration} - $SEGMENT) > 0.1;

    return "/vod/$name.mp4/$segment->{uri}";
}


# a static file of the same bytes

my $statics = 0;


sub vod_static {
    my ($t, $uri) = @_;

    my $bytes = vod_get($t, $uri);
    my $name = 'same-' . ++$statics;

    spew(films() . "/$name", $bytes);

    return ("/static/$name", length $bytes);
}


# CPU time of a request, the client on the same core as the worker.  On one of
# its own, which is idle in between, the worker is charged for waking it up with
# each write: by 5 us in a virtual machine, which no client on a network costs,
# and none that is as busy as one of static files.

sub vod_wrk {
    my ($t, $path) = @_;

    return wrk($t, $path, cpu => 0);
}


# CPU time: what it is, its URI and its goal, if there is one, and so on.  First
# may come [name, prefix] of another static location, to compare with, too

sub against_static {
    my ($t, $n, @what) = @_;

    my @more = ref $what[0] ? @{shift @what} : ();

    while (@what) {
        my ($what, $uri, $goal) = splice @what, 0, 3;
        my ($static, $size) = vod_static($t, $uri);

        my @r = compare(rounds($n),
            'static file' => sub { vod_wrk($t, $static) },
            $what => sub { vod_wrk($t, $uri) },
            @more ? ($more[0] => sub { vod_wrk($t, "$more[1]$static") })
                  : ());

        remark("$what: $size bytes");
        say_list(@r);
        row("$what / static", sprintf('x %.3f', $r[1]{ratio}), $r[1]{ratio},
            $goal);

        next if !@more;

        row("$what / static, $more[0]",
            sprintf('x %.3f', $r[1]{ratio} / $r[2]{ratio}),
            $r[1]{ratio} / $r[2]{ratio});
    }
}


# what a viewer in mode "ask" saw: [path, status, bytes, sent, head, end] each,
# times in ms

sub asked {
    my ($file) = @_;

    my @rc;

    for my $line (split /\n/, slurp($file)) {
        my @values = split ' ', $line;

        next if @values != 6;

        die "status $values[1] of a request\n" if $values[1] != 200;

        $_ /= 1e6 for @values[3 .. 5];
        push @rc, \@values;
    }

    return @rc;
}


END {
    if ($$ == $own && $films) {
        local $?;
        remove_tree($films, { safe => 0 });
    }
}


1;
