#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Strands in a running nginx: what their threads may run on and how urgent
# they are; that nginx stops, reloads and leaves under load; and that a thread
# which never comes back keeps its worker no longer than its publishers do.
# The strands are those of t/modules/ngx_media_test_strand_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(test_modules => 1, workers => 2);

my $hang = $t->path('hang');


# 200 strands whose steps take 50 ms: a worker that did all that is ready before
# it exits would need 5 seconds, and nginx kills it after 1.5

sub conf {
    my ($more) = @_;

    return "thread_pool encode threads=2;\n"
           . "worker_cpu_affinity auto;\n"
           . "test_strands threads=encode 200 50 $more;\n"
           . "http { server { listen 127.0.0.1:%%PORT_http%%; } }\n";
}


sub field {
    my ($file, $name) = @_;

    open my $fh, '<', $file or return '';
    local $/;

    return <$fh> =~ /^$name:\s*(\S+)/m ? $1 : '';
}


# of each thread but the first: the CPUs and the nice value

sub threads {
    my ($pid) = @_;

    return map {
        open my $fh, '<', "/proc/$pid/task/$_/stat" or die "$_: $!\n";
        my @stat = split ' ', <$fh> =~ s/.*\) //r;

        [field("/proc/$pid/task/$_/status", 'Cpus_allowed_list'), $stat[16]];

    } grep { $_ != $pid } map { m|(\d+)$| } glob "/proc/$pid/task/*";
}


$t->write_conf(conf(''))->run();

my $master = $t->master_pid();
my $cpus = field("/proc/$master/status", 'Cpus_allowed_list');
my ($pid) = $t->worker_pids();

wait_until(sub {
    my @threads = threads($pid);
    return @threads >= 2 && !grep { $_->[1] < 10 } @threads;
}, 10, 'threads that have begun');

is(join(' ', map { $_->[0] } threads($pid)), "$cpus $cpus",
   'threads run on all CPUs of the master');
like(field("/proc/$pid/status", 'Cpus_allowed_list'), qr/^\d+$/,
     'and its event loop on one');

$t->reload();

wait_until(sub { !$t->old_workers() }, 30, 'old workers to leave');
is($t->log_count(qr/test strands: \d+ steps, told 200 of 200/), 2,
   'all strands of workers that left were told');

# a stop under load: who is killed leaves an alert

$t->signal('TERM');
wait_until(sub { !$t->running() }, 10, 'the end');

is($t->log_count(qr/test strands: \d+ steps, told 200 of 200/), 4,
   'and of those that were stopped');
is($t->log_count(qr/exited on signal/), 0, 'none was killed');

# one that hangs

$t->stop();
$t->write_file('hang', '');
chmod 0777, $t->dir();
$t->write_conf(conf("hang=$hang"))->run();
$t->allow_alerts(qr/a thread hangs in a codec since \d+ ms, this worker leaves/,
                 qr/this worker exits, 1 of its threads hang/);

ok($t->wait_log(qr/this worker exits, 1 of its threads hang/),
   'a worker that lost a thread leaves without it');

is($t->log_count(qr/a thread hangs in a codec/), 1, 'which is said once');

wait_until(sub { $t->worker_pids() == 2 }, 10, 'another worker');

is($t->log_count(qr/came back/), 0, 'and nobody waits for it');

$t->done(zone => 0);
