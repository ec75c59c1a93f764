#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The tools of the benchmarks: do they count what is there?

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../scripts/bench/lib";

use Bench;
use Test::Media;

my $t = Test::Media->new(modules => 0);

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

$t->done();
