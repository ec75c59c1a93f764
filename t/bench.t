#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The tools of the benchmarks: do they count what is there?

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../scripts/bench/lib";

use Bench;
use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; window 20s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/ { media_live live; }
        location /status { media_status; }
        location = /ok { return 204; }
        location /files/ { alias %%FIXTURES%%/; }

        # what may be changed on its way has no length
        location /chunked/ { alias %%FIXTURES%%/; ssi on; ssi_types *; }
    }
}
EOC

$t->run();

# the CPU time of threads, one of which has ended

my $source = $t->write_file('threads.c', <<'EOC');
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void *
burn(void *stay)
{
    struct timespec  ts;

    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    } while (ts.tv_nsec < 100000000);

    printf("burnt\n");
    fflush(stdout);

    if (stay) {
        pause();
    }

    return NULL;
}

int
main(void)
{
    pthread_t  one, two;

    pthread_create(&one, NULL, burn, NULL);
    pthread_create(&two, NULL, burn, &one);
    pthread_join(one, NULL);
    printf("joined\n");
    fflush(stdout);
    pause();

    return 0;
}
EOC

my ($status, $out) = sh($ENV{CC} || 'cc', '-pthread', '-o',
                        $t->path('threads'), $source);
is($status, 0, 'a program') or diag($out);

my $threads = $t->run_daemon('threads', $t->path('threads'));

wait_until(sub { $threads->log() =~ /burnt.*joined/s
                 && $threads->log() =~ /burnt.*burnt/s }, 10, 'both threads');

my $cpu = cpu_of($threads->pid());

cmp_ok($cpu, '>=', 0.2, 'time of both threads');
cmp_ok($cpu, '<', 0.4, 'and of little else');

$threads->stop();

is(cpu_of($threads->pid()), 0, 'a process that has gone has none');

# frames with a mark: all are there, they are numbered, and decode

my $media = fixture('bench.flv', ffmpeg_source(re => 0, rate => 30, gop => 30,
                                               size => '160x90'),
                    qw/ -t 2.2 -pix_fmt yuv420p -c:a aac -ar 48000 /);

publish($t, 'live/s', $media, qw/ -m -g 60 -d 3.5 /);

my $list = $t->wait_playlist('/live/s0/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 3 }, 20);

my $saved = $t->path('marked.mp4');
hls($list);

my @decoded = decode_clean($saved);
ok($decoded[0], 'frames with a mark are clean') or diag($decoded[1]);
is($decoded[2], 90, 'and all are there');

my @numbers = map { hex } slurp($saved) =~
    /\0\0\0\x2c\x06\x05\x28ngx-media-bench\.([0-9a-f]{8})[0-9a-f]{16}\x80/g;
is("@numbers", "@{[0 .. 89]}", 'their numbers');

# what a player counts: of a file over HTTP ...

my $av = fixture('av.flv');
my ($name) = $av =~ m|([^/]+)$|;

for my $path ('files', 'chunked') {
    my %seen = played('-p', $t->port('HTTP'), '-c', 3, '-w', '/ok', 'flv',
                      "/$path/$name");

    is_deeply([@seen{qw/ playing video min max keys headers data lost back /}],
              [3, 750, 250, 250, 30, 6, 3, 0, 0], "an FLV file, $path");
    is($seen{bytes}, 3 * media_bytes($av), 'its bytes');
}

is($t->http_head("/chunked/$name")->{headers}{'content-length'}, undef,
   'of no length');

# ... and by RTMP, from somebody else's server

my $server = $t->run_daemon('ffmpeg', 'ffmpeg', '-v', 'error', '-i', $av,
                            qw/ -c copy -f flv -listen 1 /,
                            'rtmp://127.0.0.1:' . $t->port('PLAY') . '/x/y');

wait_until(sub { slurp('/proc/net/tcp') =~ sprintf ':%04X 0{8}:0{4} 0A',
                                                   $t->port('PLAY') },
           10, 'a server');

my %seen = played('-p', $t->port('PLAY'), 'rtmp', 'x/y');

is_deeply([@seen{qw/ playing video keys headers lost back /}],
          [1, 250, 10, 2, 0, 0], 'by RTMP');
is($seen{bytes}, media_bytes($av), 'its bytes');

$t->done();


# the first three segments, which are 90 frames

sub hls {
    my ($list) = @_;

    my @segments = @{$list->{segments}}[0 .. 2];

    spew($saved, join '', map {
        $t->http_get("/live/s0/$_")->{body}
    } $segments[0]{map}, map { $_->{uri} } @segments);
}


# what a player says in the end

sub played {
    my (@args) = @_;

    my (undef, $out) = sh(tool('player'), @args);

    # the lines of times have the same words

    return join('', grep { !/_us / } split /^/m, $out) =~ /(\w+) (\d+)/g;
}


sub media_bytes {
    my ($file) = @_;

    return sum(map { length $_->[2] } grep { $_->[0] != 18 } flv_read($file));
}
