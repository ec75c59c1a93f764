package Bench;

# Copyright (C) ngx_stream_vod_module authors

# What the benchmarks share: servers and their CPU time, publishers, viewers,
# rounds, and rows of results.  The harness of the tests starts nginx.
#
# The CPU time of a server is that of its worker processes, user and system, of
# all their threads.  What the kernel does for a socket while a client runs is
# the client's, in the reference as in what is measured.
#
#   BENCH_SECONDS=N   of one measurement
#   BENCH_ROUNDS=N    of all measurements in turn
#   BENCH_RESULTS=F   rows are also appended to F, one JSON object a line
#   and the variables of the tests, TEST_NGINX_MODULE for instance

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw/ dirname basename /;
use File::Path qw/ make_path remove_tree /;
use File::Temp ();
use JSON::PP ();
use List::Util qw/ sum min max /;
use POSIX ();
use Time::HiRes qw/ time sleep clock_gettime /;

my $root;

BEGIN {
    $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');
    unshift @INC, "$root/t/lib";
}

use Test::Media;

our @EXPORT = qw/ server tmpfs tool media publish viewer ready cpu_of cpu wrk
                  seconds rounds setting compare row remark title median
                  quantile say_list rss sleep sum min max /;

$| = 1;

my $own = $$;
my @dirs;
my $section = basename($0);


sub seconds { return $ENV{BENCH_SECONDS} || $_[0] }
sub rounds { return $ENV{BENCH_ROUNDS} || $_[0] }
sub setting { return $ENV{"BENCH_$_[0]"} || $_[1] }


# a real nginx: Test::Media's, with text %%TMPFS%% filled in

sub server {
    my ($conf, %opt) = @_;

    my $t = Test::Media->new(%opt);
    my $dir = tmpfs();

    $conf =~ s/%%TMPFS%%/$dir/g;

    # what is said at info level about each connection is no part of it
    $conf = "error_log %%DIR%%/error.log warn;\n$conf";

    $t->{tmpfs} = $dir;
    $t->write_conf($conf);
    $t->run();

    return $t;
}


# a directory in memory that goes with this program

sub tmpfs {
    my $dir = File::Temp::tempdir('ngx-media-bench-XXXXXX',
                                  DIR => -d '/dev/shm' ? '/dev/shm' : '/tmp');
    chmod 0777, $dir;
    push @dirs, $dir;

    return $dir;
}


# a C program of tools/

sub tool {
    my ($name) = @_;

    my $source = "$root/scripts/bench/tools/$name.c";
    my $binary = "$root/build/bench/$name";

    my $newest = max(map { (stat $_)[9] } $source,
                     glob "$root/scripts/bench/tools/*.h");

    return $binary if -x $binary && (stat $binary)[9] > $newest;

    make_path(dirname($binary));

    my ($status, $out) = sh($ENV{CC} || 'cc', '-O2', '-o', "$binary.$$",
                            $source);
    die $out if $status;

    rename "$binary.$$", $binary or die "$binary: $!\n";

    return $binary;
}


# 16 s of moving noise and a tone: 480 frames and 750, so that it loops

sub media {
    my (%opt) = @_;

    my $kbit = $opt{kbit} || 2000;
    my $size = $opt{size} || '1280x720';
    my $gop = $opt{gop} || 60;

    return fixture("bench.flv",
        '-f', 'lavfi', '-i', "testsrc2=size=$size:rate=30",
        '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
        '-t', '16.2', '-vf', 'noise=alls=8:allf=t', '-c:v', 'libx264',
        '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p',
        '-threads', 1, '-b:v', "${kbit}k", '-maxrate', "${kbit}k",
        '-bufsize', int($kbit / 2) . 'k', '-g', $gop, '-keyint_min', $gop,
        '-sc_threshold', 0, '-c:a', 'aac', '-b:a', '128k', '-ac', 2);
}


sub publish {
    my ($t, $name, $file, @args) = @_;

    my $port = ref $args[0] ? ${shift @args} : $t->port('RTMP');

    return $t->run_daemon('publish-' . ++$t->{publishes}, tool('publish'),
                          '-p', $port, @args, $name, $file);
}


sub viewer {
    my ($t, $options, @args) = @_;

    return $t->run_daemon('viewer-' . ++$t->{viewers}, tool('viewer'),
                          '-p', $t->port('HTTP'), @$options, @args);
}


# waits for what a tool prints, returns the line

sub ready {
    my ($process, $seconds, $text) = @_;

    $text = 'ready' if !defined $text;

    return wait_until(sub {
        my ($line) = $process->log() =~ /^(\Q$text\E.*)\n/m;
        return $line if defined $line;
        die "a tool has ended: " . $process->log() if !$process->running();
        return undef;
    }, $seconds || 30, "$text from a tool");
}


# CPU seconds of processes so far, and of all children of a server's master.
#
# Each process has a CPU clock, clock_getcpuclockid(3), that counts nanoseconds
# of all its threads, also of those that have ended.  /proc/PID/schedstat is the
# main thread's, files of /proc/PID/task go with their threads, and
# /proc/PID/stat counts in ticks of 10 ms.

sub cpu_of {
    my (@pids) = @_;

    my $sum = 0;

    for my $pid (@pids) {
        my $clock = do { use integer; ~(0 + $pid) << 3 | 2 };
        my $seconds = clock_gettime($clock);

        $sum += $seconds if $seconds > 0;
    }

    return $sum;
}


sub cpu {
    my ($t) = @_;

    my %children = $t->children();

    return cpu_of(keys %children);
}


sub rss {
    my ($t) = @_;

    my %children = $t->children();
    my $sum = 0;

    # private memory: the zone's mappings are counted by the zone
    for my $pid (keys %children) {
        my $text = eval { slurp("/proc/$pid/status") } || '';
        $sum += $1 * 1024 if $text =~ /^RssAnon:\s+(\d+)/m;
    }

    return $sum;
}


# CPU seconds of the server for one request.  Where there are two cores, the
# client has the second one for itself, so that "worker_cpu_affinity 01" is the
# first one for a server with one worker: without it, figures of large bodies
# scatter by 30 %.

my @pin = -x '/usr/bin/taskset' && -d '/sys/devices/system/cpu/cpu1'
    ? qw/ taskset -c 1 / : ();

sub wrk {
    my ($t, $path, %opt) = @_;

    my $url = 'http://127.0.0.1:' . $t->port('HTTP') . $path;
    my @headers = map { ('-H', $_) } @{$opt{headers} || []};
    my $before = cpu($t);
    my @on = @pin;

    $on[2] = $opt{cpu} if @on && defined $opt{cpu};

    my ($status, $out) = sh(@on, 'wrk', '-t', 1, '-c', $opt{connections} || 8,
                            '-d', ($opt{seconds} || seconds(1)) . 's',
                            @headers, $url);

    my $spent = cpu($t) - $before;

    die "wrk: $out" if $status || $out =~ /Socket errors|Non-2xx/;

    my ($n) = $out =~ /(\d+) requests in/ or die "wrk: $out";

    die "wrk: no answers to $path: $out" if !$n;

    return $spent / $n;
}


sub quantile {
    my ($q, @values) = @_;

    @values = sort { $a <=> $b } @values;

    return 0 if !@values;
    return $values[min($#values, max(0, POSIX::ceil($q * @values) - 1))];
}


sub median {
    my @values = sort { $a <=> $b } @_;

    return 0 if !@values;
    return @values % 2 ? $values[$#values / 2]
                       : ($values[@values / 2 - 1] + $values[@values / 2]) / 2;
}


# Pairs of a name and code that returns a cost; all are run in turn, round by
# round.  Returns for each { value, ratio, low, high }: the medians of its cost
# and of its ratios to the first one in the same round.  A first round, which
# fills caches, is not counted, unless $Bench::warm_up is 0.

our $warm_up = 1;


sub compare {
    my ($rounds, @what) = @_;

    my (@names, @subs, @costs, @rc);

    while (@what) {
        push @names, shift @what;
        push @subs, shift @what;
    }

    for my $round (1 - $warm_up .. $rounds) {
        my @order = (0 .. $#subs);
        @order = reverse @order if $round % 2;

        for my $i (@order) {
            my $cost = $subs[$i]->();
            push @{$costs[$i]}, $cost if $round;
        }
    }

    for my $i (0 .. $#subs) {
        my @ratios = map { $costs[$i][$_] / ($costs[0][$_] || 1e-12) }
            0 .. $#{$costs[$i]};

        push @rc, { name => $names[$i], value => median(@{$costs[$i]}),
                    ratio => median(@ratios), low => min(@ratios),
                    high => max(@ratios) };
    }

    return @rc;
}


# output

my $said_machine;


sub machine {
    return if $said_machine++ || $ENV{BENCH_QUIET};

    my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)/m;
    my $cores = () = slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;
    my (undef, $nginx) = sh('nginx', '-v');
    my (undef, $commit) = sh('git', '-C', $root, 'rev-parse', '--short',
                             'HEAD');
    my (undef, $kernel) = sh('uname', '-sr');
    my ($load) = slurp('/proc/loadavg') =~ /^(\S+)/;

    $nginx =~ s|.*nginx/||s;
    chomp($nginx, $commit, $kernel);
    $model = 'an unknown CPU' if !defined $model;

    print "# $cores x $model, $kernel, nginx $nginx, module $commit, "
        . "load $load\n";
}


sub title {
    my ($text) = @_;

    machine();
    print "\n$section: $text\n";
}


sub remark { print "  $_[0]\n" }


# one result: what, value (text), and where there is a goal: the number, the
# goal and whether it must be below ('<=') or is only told

sub row {
    my ($what, $value, $number, $goal) = @_;

    my $verdict = !defined $goal ? '' : $number <= $goal ? 'ok' : 'MISSED';
    my $aim = defined $goal ? "goal <= $goal" : '';

    printf "  %-44s %-22s %-15s %s\n", $what, $value, $aim, $verdict;

    if ($ENV{BENCH_RESULTS}) {
        open my $fh, '>>', $ENV{BENCH_RESULTS} or die;
        print $fh JSON::PP->new->canonical->encode({
            section => $section, what => $what, value => $value,
            number => $number, goal => $goal, verdict => $verdict,
        }), "\n";
    }

    return $verdict ne 'MISSED';
}


sub say_list {
    my (@results) = @_;

    for my $r (@results) {
        remark(sprintf '%-38s %10.2f us   x %.3f  (%.3f .. %.3f)', $r->{name},
             $r->{value} * 1e6, $r->{ratio}, $r->{low}, $r->{high});
    }
}


END {
    if ($$ == $own) {
        local $?;
        remove_tree($_, { safe => 0 }) for @dirs;
    }
}


1;
