package Test::Media;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media - a real nginx in a temporary directory, clients, publishers

=head1 SYNOPSIS

    use FindBin;
    use lib "$FindBin::Bin/lib";
    use Test::Media;                    # strict, warnings, Test::More, these

    my $t = Test::Media->new();

    $t->write_conf(<<'EOC');
    media live { zone 64m; segment 1s; part 200ms; }
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

    my $pub = $t->ffmpeg_publish('live/test');
    my $list = $t->wait_playlist('/live/test/v1.m3u8',
                                 sub { @{$_[0]{segments}} >= 2 }, 15);
    is($t->http_get('/live/test/v1/' . $name)->{status}, 200, 'segment');
    $t->maybe_reload();
    $pub->stop();

    $t->done();                         # the free checks, done_testing

=head1 CONFIGURATION

C<write_conf($text)> fills in C<%%PORT_x%%> (a TCP port of its own for each
x), C<%%UDP_x%%>, C<%%DIR%%>, C<%%ROOT%%> (the repository), C<%%FIXTURES%%>,
C<%%WORKERS%%> (2, or C<workers> of new(), or TEST_WORKERS) and C<%%MODULES%%>
(load_module lines, as far as the nginx needs them).  Put in front where the
text has none of its own: modules, daemon off, master_process on,
worker_processes, pid, error_log %%DIR%%/error.log info, user, and an events
block; C<http {> gets temporary paths and access_log off.

new(): C<< workers => N >>, C<< modules => 0 >> (plain nginx),
C<< stream => 0 >> (do not load nginx's stream module),
C<< user => 'nobody' >>, C<< test_modules => 1 >> (the .so has those of
t/modules, too; skips the test where there is another nginx).

Environment: TEST_NGINX_BINARY (another nginx; one with the module linked in
needs no load_module), TEST_NGINX_MODULE (the .so), TEST_NGINX_MODULES (where
ngx_stream_module.so is), TEST_WORKERS, TEST_RELOAD=1, TEST_DEBUG=1 (error_log
debug), TEST_LEAVE=1 (keep the directory), TEST_LEAKS=1 (leak check in ASan
builds), TEST_PATIENCE=N (4: seconds to wait, here and below, are those of a
machine with nothing else to do, and are multiplied by N), TEST_VERBOSE=1.

=head1 METHODS

=over

=item Ports and files

port('RTMP'), udp('SRT'), dir, path($name) = dir/name, write_file($name,
$bytes), read_file($name).

=item nginx

run(); stop() (QUIT, then harder); reload() waits until as many new workers
are there as configured, dies if the configuration is refused; maybe_reload()
does so with TEST_RELOAD only; conf_test($text) returns (ok, output) of nginx
-t; running(); master_pid(); worker_pids() those that accept; old_workers()
those shutting down; kill_worker($pid, $signal = 'KILL') and forgives the
alert; allow_alerts(qr/../) for other alerts a test provokes; signal($name);
worker_of($socket) the worker that holds the other end; workers_on($port) pids
with accepted connections on it; on_worker($pid, sub) the others stand still
(SIGSTOP) while sub connects: keep it short.

=item Log

log() text of error.log, log_count(qr/../), wait_log(qr/../, $seconds).

=item HTTP

http_get($path, %opt) or http(%opt, path => ...): returns { status, headers
(lower case), body, error, took, times { start head first end }, events [[time,
bytes of body so far]], conn }.  Options: method, headers {}, range => '0-99',
data, host, port (of PORT_HTTP), timeout (30), keepalive => 1 (then conn of the
result is the open socket, to be given as conn => $socket), worker => $pid,
rcvbuf => bytes, raw => 'whole request'.  http_head($path, %opt).

start_get($path, %opt) sends the request and returns a handle: ->done (never
waits), ->result($timeout), ->cancel, ->pause, ->resume.  All handles go on
whenever any of them, or pump($seconds), is waited for.  Option sink => sub {
my ($handle, $bytes, $time) = @_ } takes the body as it comes.

status($path) decoded JSON of the media_status location; of that streams($app)
{ name => stream }, stream($app, $name), and frames($app, $name, $type) of the
first track of the type (video), 0 where there is none.
wait_playlist($path, sub { ok for $_[0]? }, $seconds) polls until the parsed
playlist pleases, returns it; hls_save($path, $file, %opt) writes the init
segment and all segments (parts too, with parts => 1) a media playlist names
and returns the parsed playlist: opt from/to are media sequence numbers.

=item Publishers and other processes

ffmpeg_publish('app/name', %opt): port (of PORT_RTMP), url (instead of
rtmp://127.0.0.1:port/app/name), file => $media (copied, -stream_loop loop =>
N), size '320x180', rate 25, gop (frames, 25), bframes 0, bitrate '300k',
video => 0, audio => 0, duration, re => 0, output => [more ffmpeg options],
worker => $pid.  Returns a process.

run_daemon($name, @cmd): output goes to dir/NAME.log.  background($name, sub)
the same for code, in a fork.  A process: ->pid, ->running, ->wait($seconds)
exit status or undef, ->stop (INT, then KILL), ->kill('KILL'), ->log.

rtmp(%opt): a connected Test::Media::RTMP, see there; port, worker => $pid,
from => an address of this machine.
Viewers are in Test::Media::Viewer.  rtmpdump('app/name', $file, @options): a
process that records FLV.

=item End

done(%opt): stops publishers, checks that the log has no [emerg], [alert] or
[crit], that no sanitizer reported, that pins and waiters of all zones are at
zero and, where no stream is left, extents, too; then stops nginx and calls
done_testing.  C<< zone => 0 >>: no check of zones.

=back

=head1 FUNCTIONS

wait_until(sub, $seconds, $what): polls, returns what sub returned, dies with
$what when time is up.  wait_ok(sub, $seconds, $name) is the same as a test:
it fails then, and the rest goes on.  now() seconds.  slurp($file), spew($file,
$bytes).  sh(@cmd) = (exit status, output).

fixture($name): path of a media file made by ffmpeg and kept in
build/fixtures; names are in Test::Media::Tools.  fixture($name, @ffmpeg_args)
makes another one; NAME's extension is the format.  ffprobe_json($url, @args);
decode_clean($url, @args) = (ok, messages, frames): a full decode.
flv_read($file): see Test::Media::RTMP.

m3u8_parse($text): { version target part_target msn dsn next_msn endlist
independent type control{} segments[ { uri duration msn pdt pdt_msec map
discontinuity gap parts[ { uri duration independent gap } ] } ] parts[] (of
the segment in progress) hints[] reports[] media[] variants[ { uri attr{} } ]
skipped tags{ name => count } }.

mp4_boxes($bytes): [ { type offset size data boxes[] } ], dies where a box does
not fit.  mp4_find($boxes, 'moov/trak/tkhd'), mp4_find_all.  mp4_tracks($boxes):
{ id => { timescale handler codec entry width height } }.  mp4_samples($bytes,
$init): ( { track dts pts cto duration size flags key offset data } ).

=cut

use strict;
use warnings;

use Cwd ();
use Digest::MD5 ();
use Fcntl qw/ :flock /;
use File::Basename qw/ dirname basename /;
use File::Path qw/ make_path remove_tree /;
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes qw/ time /;

use Test::Media::Formats;
use Test::Media::HTTP;
use Test::Media::Process;
use Test::Media::RTMP qw/ flv_read /;
use Test::Media::Tools;

our $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');

our @EXPORT = (qw/ wait_until wait_ok now slurp spew sh flv_read /,
               @Test::Media::Formats::EXPORT, @Test::Media::Tools::EXPORT);

my @all;
my $owner = $$;


sub import {
    my ($class) = @_;

    my $caller = caller;

    strict->import();
    warnings->import();

    eval "package $caller; Test::More->import(); 1" or die $@;

    no strict 'refs';
    *{"${caller}::$_"} = \&{"${class}::$_"} for @EXPORT;

    Test::More::plan(skip_all => 'this test is for Linux')
        if $^O ne 'linux';
}


# functions

sub now { return time() }


sub wait_until {
    my ($sub, $seconds, $what) = @_;

    $seconds = Test::Media::Process::patient($seconds);

    my $end = time() + $seconds;
    my $pause = 0.005;

    for ( ;; ) {
        my $rc = $sub->();
        return $rc if $rc;

        die "timed out after $seconds s waiting for "
            . ($what || 'a condition') . "\n" if time() > $end;

        # requests in flight go on meanwhile
        Test::Media::HTTP::pump($pause);
        $pause *= 1.5 if $pause < 0.1;
    }
}


sub wait_ok {
    my ($sub, $seconds, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $rc = eval { wait_until($sub, $seconds, $name) };

    Test::More::ok($rc, $name) or Test::More::diag($@);

    return $rc;
}


# the object

sub new {
    my ($class, %opt) = @_;

    my $dir = File::Temp::tempdir('ngx-media-test-XXXXXXXX', TMPDIR => 1);
    chmod 0755, $dir;

    my $self = bless {
        %opt, dir => $dir, ports => {}, allowed => [], daemons => [],
        binary => $ENV{TEST_NGINX_BINARY} || 'nginx',
        workers => $ENV{TEST_WORKERS} || $opt{workers} || 2,
    }, $class;

    $self->{binary} = Cwd::abs_path($self->{binary})
        if $self->{binary} =~ m|/|;

    mkdir "$dir/logs";
    mkdir "$dir/sanitizer";
    chmod 01777, "$dir/sanitizer";

    push @all, $self;

    $self->test_modules() if $self->{test_modules};

    return $self;
}


# an .so with the modules of t/modules, for the nginx that is installed

sub test_modules {
    my ($self) = @_;

    Test::More::plan(skip_all => 'the modules of tests are in their own .so')
        if $self->module_linked() || $ENV{TEST_NGINX_MODULE};

    my ($status, $out) = sh("$root/scripts/build", '--test');
    die "scripts/build --test: $out\n" if $status;

    $self->{so} = "$root/build/test/ngx_stream_vod_module.so";
}


sub dir { return $_[0]{dir} }
sub path { return "$_[0]{dir}/$_[1]" }
sub root { return $root }
sub workers { return $_[0]{workers} }


sub write_file {
    my ($self, $name, $bytes) = @_;

    make_path(dirname($self->path($name)));
    spew($self->path($name), $bytes);

    return $self->path($name);
}


sub read_file { return slurp($_[0]->path($_[1])) }


# ports: below the ephemeral range, locked by files against other tests

sub port { return $_[0]->lock_port('tcp', $_[1]) }
sub udp { return $_[0]->lock_port('udp', $_[1]) }


sub lock_port {
    my ($self, $proto, $name) = @_;

    my $key = "$proto $name";

    return $self->{ports}{$key}[0] if $self->{ports}{$key};

    my $dir = '/tmp/ngx-media-test-ports';
    mkdir $dir;
    chmod 01777, $dir;

    for my $try (1 .. 500) {
        my $port = 20000 + int(rand(10000));

        my $file = "$dir/$port.$>";
        open my $fh, '>>', $file or next;
        flock $fh, LOCK_EX | LOCK_NB or next;

        my $sock = IO::Socket::INET->new(
            Proto => $proto, LocalAddr => '127.0.0.1', LocalPort => $port,
            $proto eq 'tcp' ? (Listen => 1, ReuseAddr => 1) : ()) or next;
        close $sock;

        $self->{ports}{$key} = [$port, $fh];

        return $port;
    }

    die "no free $proto port\n";
}


# configuration

sub build_flags {
    my ($self) = @_;

    $self->{flags} ||= do {
        my ($status, $out) = sh($self->{binary}, '-V');
        die "cannot run $self->{binary}: $out\n" if $status;
        $out;
    };

    return $self->{flags};
}


sub stream_is_dynamic { return $_[0]->build_flags() =~ /--with-stream=dyn/ }


sub has_stream {
    my ($self) = @_;

    return $self->build_flags() =~ /--with-stream(?:\s|=|$)/m;
}


sub module_linked {
    my ($self) = @_;

    my $so = "--add-module=$root";

    return $self->build_flags() =~ /\Q$so\E(?:\s|$)/m
        || $self->build_flags() =~ /--add-module=\S*stream[-_]vod/;
}


sub modules {
    my ($self) = @_;

    return '' if exists $self->{modules} && !$self->{modules};

    my $lines = '';

    if ($self->stream_is_dynamic()
        && !(exists $self->{stream} && !$self->{stream}))
    {
        my ($path) = $self->build_flags() =~ /--modules-path=(\S+)/;
        $path = $ENV{TEST_NGINX_MODULES} || $path || '';
        $path = dirname($self->{binary})
            if -f dirname($self->{binary}) . '/ngx_stream_module.so';
        $lines .= "load_module $path/ngx_stream_module.so;\n";
    }

    if (!$self->module_linked()) {
        my $so = $self->{so} || $ENV{TEST_NGINX_MODULE}
            || "$root/build/ngx_stream_vod_module.so";
        $so = Cwd::abs_path($so) || $so;
        die "no $so: run scripts/build\n" if !-f $so;
        $lines .= "load_module $so;\n";
    }

    return $lines;
}


# workers run as nobody where they can see the repository

sub user {
    my ($self) = @_;

    return '' if $> != 0;
    return "user $self->{user};\n" if $self->{user};

    my $dir = $root;

    while ($dir ne '/') {
        return "user root;\n" if !((stat $dir)[2] & 1);
        $dir = dirname($dir);
    }

    return "user nobody nogroup;\n";
}


sub expand {
    my ($self, $text) = @_;

    my $has = sub { return $text =~ /^\s*$_[0]\s/m };
    my $level = $ENV{TEST_DEBUG} ? 'debug' : 'info';

    my $front = '';
    $front .= "daemon off;\n" if !$has->('daemon');
    $front .= "master_process on;\n" if !$has->('master_process');
    $front .= "worker_processes %%WORKERS%%;\n"
        if !$has->('worker_processes');
    $front .= "pid %%DIR%%/nginx.pid;\n" if !$has->('pid');
    $front .= "error_log %%DIR%%/error.log $level;\n"
        if $text !~ /^error_log\s/m && !$has->('error_log');
    $front .= $self->user() if !$has->('user');
    $front .= "%%MODULES%%" if $text !~ /%%MODULES%%/;

    my $temp = join '', map { "    ${_}_temp_path %%DIR%%/tmp_$_;\n" }
        grep { $text !~ /${_}_temp_path/ }
        qw/ client_body proxy fastcgi uwsgi scgi /;
    $temp .= "    access_log off;\n" if $text !~ /^\s*access_log\s/m;

    $text =~ s/((?:^|[;}\s])http\s*\{)/$1\n$temp/m;

    # modules have to be loaded before any block
    $text = $front . $text;
    $text .= "events { worker_connections 4096; }\n" if !$has->('events');

    $text =~ s/%%MODULES%%/$self->modules()/ge;
    $text =~ s/%%WORKERS%%/$self->{workers}/g;
    $text =~ s/%%DIR%%/$self->{dir}/g;
    $text =~ s/%%ROOT%%/$root/g;
    $text =~ s|%%FIXTURES%%|$root/build/fixtures|g;
    $text =~ s/%%PORT_(\w+?)%%/$self->port($1)/ge;
    $text =~ s/%%UDP_(\w+?)%%/$self->udp($1)/ge;

    die "unknown placeholder $1\n" if $text =~ /(%%\w+%%)/;

    return $text;
}


sub write_conf {
    my ($self, $text) = @_;

    $self->{conf} = $self->expand($text);
    spew($self->path('nginx.conf'), $self->{conf});

    return $self;
}


sub conf_test {
    my ($self, $text) = @_;

    my $file = $self->path('nginx.conf');

    if (defined $text) {
        $file = $self->path('test.conf');
        my $conf = $self->expand($text);
        $conf =~ s|(pid \Q$self->{dir}\E/)nginx.pid|$1test.pid|;
        $conf =~ s|(error_log \Q$self->{dir}\E/)error.log|$1test.log|;
        spew($file, $conf);
    }

    local %ENV = (%ENV, $self->environment());

    my ($status, $out) = sh($self->{binary}, '-p', $self->{dir}, '-e',
                            $self->path('test.log'), '-t', '-c', $file);

    return ($status == 0, $out);
}


# nginx

sub environment {
    my ($self) = @_;

    my $log = $self->path('sanitizer/report');
    my $leaks = $ENV{TEST_LEAKS} ? 1 : 0;

    return (ASAN_OPTIONS => "log_path=$log:detect_leaks=$leaks:"
                            . 'detect_odr_violation=0',
            UBSAN_OPTIONS => "log_path=$log:print_stacktrace=1");
}


sub run {
    my ($self) = @_;

    die "no configuration\n" if !defined $self->{conf};
    die "nginx runs already\n" if $self->running();

    local %ENV = (%ENV, $self->environment());

    unlink $self->path('nginx.pid');

    $self->{nginx} = Test::Media::Process->spawn(
        'nginx', $self->path('nginx.log'),
        [$self->{binary}, '-p', $self->{dir}, '-e',
         $self->path('error.log'), '-c', $self->path('nginx.conf')]);

    my ($expected) = $self->{conf} =~ /^\s*worker_processes\s+(\d+)/m;
    $self->{expected} = $expected || 1;

    eval {
        wait_until(sub {
            die "nginx did not start\n" if !$self->{nginx}->running();
            return -s $self->path('nginx.pid')
                && $self->worker_pids() >= $self->{expected};
        }, 20, 'nginx to start');
    };

    if ($@) {
        my $error = $@;
        Test::More::diag($self->{nginx}->log());
        Test::More::diag($self->log()) if -f $self->path('error.log');
        die $error;
    }

    return $self;
}


sub running { return $_[0]{nginx} && $_[0]{nginx}->running() }
sub master_pid { return $_[0]{nginx}->pid() }


sub signal {
    my ($self, $name) = @_;

    kill $name, $self->master_pid();
}


# { pid => title } of the master's children

sub children {
    my ($self) = @_;

    my $master = $self->master_pid();
    my %children;

    for my $task (glob "/proc/$master/task/*/children") {
        open my $fh, '<', $task or next;

        for my $pid (split ' ', join '', <$fh>) {
            open my $cmd, '<', "/proc/$pid/cmdline" or next;
            my $title = join '', <$cmd>;
            $title =~ s/\0+/ /g;
            $children{$pid} = $title;
        }
    }

    return %children;
}


sub worker_pids {
    my ($self) = @_;

    my %children = $self->children();

    my @pids = sort { $a <=> $b } grep {
        $children{$_} =~ /worker process\s*$/
    } keys %children;

    return @pids;
}


sub old_workers {
    my ($self) = @_;

    my %children = $self->children();

    my @pids = sort { $a <=> $b } grep {
        $children{$_} =~ /worker process is shutting down/
    } keys %children;

    return @pids;
}


sub reload {
    my ($self) = @_;

    my %old = map { $_ => 1 } $self->worker_pids();
    my $from = -s $self->path('error.log') || 0;

    if (defined $self->{conf}) {
        my ($expected) = $self->{conf} =~ /^\s*worker_processes\s+(\d+)/m;
        $self->{expected} = $expected || 1;
    }

    $self->signal('HUP');

    wait_until(sub {
        my $said = substr($self->log(), $from);
        die "reload failed: $1\n" if $said =~ /(\[emerg\].*)/;

        my @now = $self->worker_pids();
        return @now >= $self->{expected} && !grep { $old{$_} } @now;
    }, 20, 'new workers');

    return $self;
}


sub maybe_reload {
    my ($self) = @_;

    return 0 if !$ENV{TEST_RELOAD};

    $self->reload();

    return 1;
}


sub stop {
    my ($self) = @_;

    return if !$self->{nginx};

    if ($self->running()) {
        # a worker that stands still cannot go
        kill 'CONT', $self->worker_pids(), $self->old_workers();
        $self->signal('QUIT');
        eval { wait_until(sub { !$self->running() }, 10, 'the end'); 1 }
            or do {
                $self->signal('TERM');
                $self->{nginx}->stop();
            };
    }

    delete $self->{nginx};
}


sub kill_worker {
    my ($self, $pid, $signal) = @_;

    $signal ||= 'KILL';

    my $n = { KILL => 9, SEGV => 11, ABRT => 6, TERM => 15 }->{$signal};

    $self->allow_alerts(qr/worker process $pid exited on signal $n\b/)
        if $n;

    kill $signal, $pid;

    wait_until(sub { !-d "/proc/$pid" }, 10, "worker $pid to die");
    wait_until(sub {
        $self->worker_pids() >= $self->{expected}
    }, 10, 'a new worker') if $self->running();
}


sub allow_alerts {
    my ($self, @patterns) = @_;

    push @{$self->{allowed}}, @patterns;
}


# connections, as the kernel lists them: [local port, remote port, inode]

sub connections {
    my @list;

    open my $fh, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";
    <$fh>;

    while (my $line = <$fh>) {
        my ($local, $remote, $state, $inode)
            = (split ' ', $line)[1, 2, 3, 9];
        next if $state ne '01';

        push @list, [map({ hex((split /:/)[1]) } $local, $remote), $inode];
    }

    return @list;
}


sub process_state {
    my ($pid) = @_;

    my $stat = eval { slurp("/proc/$pid/stat") } || '';

    return $stat =~ /\) (\S)/ ? $1 : 'Z';
}


sub sockets_of {
    my ($pid) = @_;
    my %inodes;

    for my $fd (glob "/proc/$pid/fd/*") {
        my $link = readlink $fd;
        $inodes{$1} = 1 if defined $link && $link =~ /^socket:\[(\d+)\]/;
    }

    return \%inodes;
}


sub worker_of {
    my ($self, $sock) = @_;

    my ($port, $peer) = ($sock->sockport(), $sock->peerport());
    my ($found) = grep { $_->[0] == $peer && $_->[1] == $port } connections();

    return undef if !$found || !$found->[2];

    for my $pid ($self->worker_pids(), $self->old_workers()) {
        return $pid if sockets_of($pid)->{$found->[2]};
    }

    return undef;
}


sub workers_on {
    my ($self, $port) = @_;

    my @inodes = map { $_->[2] } grep { $_->[0] == $port } connections();

    return grep {
        my $sockets = sockets_of($_);
        grep { $sockets->{$_} } @inodes;
    } $self->worker_pids(), $self->old_workers();
}


sub on_worker {
    my ($self, $pid, $sub) = @_;

    my @others = grep { $_ != $pid } $self->worker_pids();
    my @rc;

    die "no worker $pid\n" if !grep { $_ == $pid } $self->worker_pids();
    die "a reuseport socket is bound to a worker by the kernel\n"
        if $self->{conf} =~ /\breuseport\b/;

    kill 'STOP', @others;

    # a wake-up may still go to one that has not stopped yet, and be lost
    my $ok = eval {
        wait_until(sub {
            !grep { process_state($_) =~ /[^TtZ]/ } @others;
        }, 5, 'workers to stand still');

        @rc = $sub->();
        1;
    };

    my $error = $@;

    kill 'CONT', @others;

    die $error if !$ok;

    return wantarray ? @rc : $rc[0];
}


# a TCP connection, accepted by the worker where one is asked for

sub dial {
    my ($self, %opt) = @_;

    return Test::Media::HTTP::dial(%opt) if !$opt{worker};

    return $self->on_worker($opt{worker}, sub {
        my $sock = Test::Media::HTTP::dial(%opt);
        wait_until(sub {
            ($self->worker_of($sock) || 0) == $opt{worker}
        }, 5, "worker $opt{worker} to accept");
        return $sock;
    });
}


# log

sub log {
    my ($self) = @_;

    return -f $self->path('error.log') ? $self->read_file('error.log') : '';
}


sub log_count {
    my ($self, $pattern) = @_;

    my @found = grep { $_ =~ $pattern } split /\n/, $self->log();

    return scalar @found;
}


sub wait_log {
    my ($self, $pattern, $seconds) = @_;

    return wait_until(sub { $self->log_count($pattern) }, $seconds || 10,
                      "\"$pattern\" in the log");
}


# HTTP

sub pump { return Test::Media::HTTP::pump($_[1]) }


sub start_http {
    my ($self, %opt) = @_;

    $opt{port} = $self->port('HTTP') if !defined $opt{port};

    $opt{conn} = $self->dial(map { $_ => $opt{$_} } grep { $opt{$_} }
                             qw/ host port worker rcvbuf /)
        if $opt{worker} && !$opt{conn};

    return Test::Media::HTTP->start(%opt);
}


sub start_get {
    my ($self, $path, %opt) = @_;
    return $self->start_http(%opt, path => $path);
}


sub http {
    my ($self, %opt) = @_;
    return $self->start_http(%opt)->result();
}


sub http_get {
    my ($self, $path, %opt) = @_;
    return $self->http(%opt, path => $path);
}


sub http_head {
    my ($self, $path, %opt) = @_;
    return $self->http(%opt, path => $path, method => 'HEAD');
}


# where the configuration has its media_status: (port, path)

sub status_at {
    my ($self) = @_;

    my ($port, $path);

    for my $line (split /[;{}]/, $self->{conf} || '') {
        $port = $1 if $line =~ /^\s*listen\s+(?:\S+:)?(\d+)(?:\s(?!.*ssl)|$)/;
        $path = $1 if $line =~ m!^\s*location\s+(?:=\s*|\^~\s*)?(/\S*)!;
        return ($port, $path) if $line =~ /^\s*media_status\b/;
    }

    return;
}


sub status {
    my ($self, $path) = @_;

    my ($port, $at) = $self->status_at();

    $path = $at if !defined $path;
    die "the configuration has no media_status\n" if !defined $path;

    my $r = $self->http_get($path, $port ? (port => $port) : ());
    die "status: " . ($r->{error} || $r->{status}) . "\n"
        if $r->{error} || $r->{status} != 200;

    return JSON::PP->new->utf8->decode($r->{body});
}


sub streams {
    my ($self, $app) = @_;

    my ($of) = grep { $_->{name} eq $app } @{$self->status()->{apps}};

    return { map { $_->{name} => $_ } @{$of->{streams}} };
}


sub stream { return $_[0]->streams($_[1])->{$_[2]} }


sub frames {
    my ($self, $app, $name, $type) = @_;

    my $stream = $self->stream($app, $name) || {};
    my ($track) = grep { $_->{type} eq ($type || 'video') }
                  @{$stream->{tracks} || []};

    return $track ? $track->{frames} : 0;
}


sub wait_playlist {
    my ($self, $path, $sub, $seconds, %opt) = @_;

    my $last = 'nothing';

    my $list = eval {
        wait_until(sub {
            my $r = $self->http_get($path, %opt);
            $last = $r->{error} || "$r->{status}\n$r->{body}";
            return undef if $r->{error} || $r->{status} != 200;
            my $list = m3u8_parse($r->{body});
            $list->{text} = $r->{body};
            return !$sub || $sub->($list) ? $list : undef;
        }, $seconds || 15, "playlist $path");
    };

    die "$@last answer: $last\n" if !$list;

    return $list;
}


sub resolve {
    my ($base, $uri) = @_;

    return $uri if $uri =~ m|^/|;
    $uri =~ s|^https?://[^/]+|| and return $uri;
    $base =~ s|\?.*||;
    $base =~ s|[^/]*$||;

    my $path = "$base$uri";
    1 while $path =~ s|[^/]+/\.\./||;

    return $path;
}


sub hls_save {
    my ($self, $path, $file, %opt) = @_;

    my $list = $opt{list};

    if (!$list) {
        my $r = $self->http_get($path);
        die "$path: " . ($r->{error} || $r->{status}) . "\n"
            if $r->{status} != 200;
        $list = m3u8_parse($r->{body});
    }

    my ($bytes, $map) = ('', '');

    my $get = sub {
        my $r = $self->http_get(resolve($path, $_[0]));
        die "$_[0]: " . ($r->{error} || $r->{status}) . "\n"
            if $r->{error} || $r->{status} != 200;
        $bytes .= $r->{body};
    };

    my $take = sub {
        my ($item) = @_;

        if (defined $item->{map} && $item->{map} ne $map) {
            $map = $item->{map};
            $get->($map);
        }

        $get->($item->{uri});
    };

    for my $s (@{$list->{segments}}) {
        next if defined $opt{from} && $s->{msn} < $opt{from};
        next if defined $opt{to} && $s->{msn} > $opt{to};

        if ($opt{parts} && @{$s->{parts}}) {
            $take->($_) for @{$s->{parts}};

        } else {
            $take->($s);
        }
    }

    if ($opt{parts} && !defined $opt{to}) {
        $take->($_) for @{$list->{parts}};
    }

    spew($file, $bytes);
    $list->{bytes} = $bytes;

    return $list;
}


# publishers and other processes

sub run_daemon {
    my ($self, $name, @cmd) = @_;

    my $process = Test::Media::Process->spawn(
        $name, $self->path("$name.log"), \@cmd);

    push @{$self->{daemons}}, $process;

    return $process;
}


sub background {
    my ($self, $name, $sub) = @_;

    my $process = Test::Media::Process->spawn(
        $name, $self->path("$name.log"), $sub);

    push @{$self->{daemons}}, $process;

    return $process;
}


sub ffmpeg_publish {
    my ($self, $name, %opt) = @_;

    my $port = $opt{port} || $self->port('RTMP');
    my $url = $opt{url} || "rtmp://127.0.0.1:$port/$name";

    my @cmd = ('ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'warning',
               ffmpeg_source(%opt), @{$opt{output} || []},
               defined $opt{duration} ? ('-t', $opt{duration}) : (),
               '-flvflags', 'no_duration_filesize', '-f', 'flv', $url);

    my $log = "publish-" . ++$self->{publishers};

    return $self->run_daemon($log, @cmd) if !$opt{worker};

    my %before = map { $_->[2] => 1 } connections();

    return $self->on_worker($opt{worker}, sub {
        my $process = $self->run_daemon($log, @cmd);

        wait_until(sub {
            die "ffmpeg: " . $process->log() if !$process->running();
            my $sockets = sockets_of($opt{worker});
            return grep {
                $_->[0] == $port && !$before{$_->[2]} && $sockets->{$_->[2]}
            } connections();
        }, 10, 'ffmpeg to connect');

        return $process;
    });
}


sub rtmp {
    my ($self, %opt) = @_;

    $opt{port} = $self->port('RTMP') if !defined $opt{port};

    my $sock = $self->dial(map { $_ => $opt{$_} } grep { $opt{$_} }
                           qw/ host from port worker /);

    return Test::Media::RTMP->new(%opt, sock => $sock);
}


# records what it plays; the exit status is 0 at a stream's end

sub rtmpdump {
    my ($self, $name, $file, @options) = @_;

    my $port = $self->port('RTMP');

    return $self->run_daemon('rtmpdump-' . ++$self->{dumps}, 'rtmpdump',
                             '-r', "rtmp://127.0.0.1:$port/$name", '--live',
                             '--quiet', '--flv', $file, @options);
}


# the end

sub done {
    my ($self, %opt) = @_;

    Test::Media::HTTP::cancel_all();
    $_->stop() for reverse @{$self->{daemons}};

    if ($self->running()) {
        $self->check_zones() if !(exists $opt{zone} && !$opt{zone});
        Test::More::is(scalar $self->worker_pids(), $self->{expected},
                       'all workers are there')
            if !$opt{stopped};
    }

    $self->stop();

    my @bad = grep {
        my $line = $_;
        $line =~ /\[(?:emerg|alert|crit)\]/
        && !grep { $line =~ $_ } @{$self->{allowed}};
    } split /\n/, $self->log();

    Test::More::is(join("\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]), '',
                   'no emerg, alert or crit in the log');

    my $reports = join '', map { slurp($_) }
        glob $self->path('sanitizer/*');
    $reports .= join '', grep {
        /runtime error:|ERROR: \w+Sanitizer/
    } split /^/, $self->{nginx_said} || '';

    Test::More::is($reports, '', 'no sanitizer report');

    Test::More::done_testing() if !$opt{more};
}


sub zones {
    my ($self) = @_;

    my $status = $self->status();
    my $apps = ref $status eq 'HASH' ? $status->{apps} : undef;

    my @apps = ref $apps eq 'ARRAY' ? @$apps
        : ref $apps eq 'HASH'
            ? map({ +{ name => $_, %{$apps->{$_}} } } sort keys %$apps)
        : ();

    return map {
        my $zone = $_->{zone};
        my $streams = $_->{streams};
        my $n = ref $streams eq 'ARRAY' ? @$streams
            : ref $streams eq 'HASH' ? keys %$streams : undef;

        ref $zone eq 'HASH'
            ? { app => $_->{name}, streams => $n, %$zone } : ();
    } @apps;
}


# requests are over: nobody may wait or hold a pin any more

sub check_zones {
    my ($self) = @_;

    return if !$self->status_at();

    my $left;

    eval {
        wait_until(sub {
            my @left;

            for my $zone ($self->zones()) {
                for my $name (qw/ pins waiters /) {
                    push @left, "$zone->{app}: $zone->{$name} $name"
                        if $zone->{$name};
                }

                push @left, "$zone->{app}: $zone->{extents} extents"
                    if $zone->{extents} && defined $zone->{streams}
                       && $zone->{streams} == 0;
            }

            $left = join ', ', @left;
            return $left eq '';
        }, 5, 'counters of zones');
    };

    $left = $@ if $@ && !$left;

    Test::More::is($left || '', '', 'counters of zones are at zero');
}


sub cleanup {
    my ($self) = @_;

    $_->stop() for reverse @{$self->{daemons}};
    $self->stop();

    my $failed = !Test::More->builder->is_passing() || $?;

    if ($failed && -s $self->path('error.log')) {
        my $dir = "$root/build/t-logs";
        my $name = basename($0);

        make_path($dir);
        sh('cp', $self->path('error.log'), "$dir/$name.error.log");

        my @lines = grep { /\[(?:warn|error|crit|alert|emerg)\]/ }
            split /\n/, $self->log();
        splice @lines, 0, @lines - 20 if @lines > 20;
        Test::More::diag(map { "$_\n" } "build/t-logs/$name.error.log:",
                         @lines);
    }

    if ($ENV{TEST_LEAVE}) {
        Test::More::diag("left: $self->{dir}");
        return;
    }

    remove_tree($self->{dir}, { safe => 0 });
}


$SIG{$_} = sub { exit 130 } for qw/ INT TERM HUP /;
$SIG{PIPE} = 'IGNORE';


END {
    if ($$ == $owner) {
        my $status = $?;

        for my $t (reverse @all) {
            eval { $t->cleanup() };
            print STDERR "# $@" if $@;
        }

        $? = $status;
    }
}


1;
