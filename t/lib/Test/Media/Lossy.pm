package Test::Media::Lossy;

# Copyright (C) ngx_stream_vod_module authors

# Streams of numbered packets that srt-live-transmit sends over a bad network,
# t/tools/srt_relay.c, to a listener: our receiver alone, t/tools/srt_sink.c,
# or srt-live-transmit again.
#
#   my $lossy = Test::Media::Lossy->new(dir => $dir);
#
#   my $run = $lossy->start('name', receiver => 'ours',   # or 'libsrt'
#                           latency => 400,               # ms
#                           packets => 3000, rate => 475, # a second
#                           network => 'loss=5 delay=100', early => 0);
#   my $got = $run->finish();
#
# What is got: packets, late (those missing between the first and the last),
# tail (missing behind it), order (how many are not behind the one before),
# relay and sink, what these print.

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw/ time sleep /;

use Test::Media::Build;
use Test::Media::Process;
use Test::Media::Tools qw/ slurp /;

my $root = $Test::Media::Build::root;
my $size = 1316;


sub new {
    my ($class, %o) = @_;

    my @tools = map { "$root/t/tools/srt_$_.c" } qw/ relay sink /;
    my @sanitize = $o{sanitize} ? ('-fsanitize=address,undefined',
                                   '-fno-sanitize-recover=undefined') : ();

    my $b = Test::Media::Build->new(
        name => $o{sanitize} ? 'tools' : 'tools-fast',
        cc => $ENV{CC} || 'gcc',
        cflags => [@sanitize, qw/ -g -O2 -Wall -Wno-unused-parameter /],
        ldflags => [@sanitize]);

    my $bin = {$b->programs(@tools)};

    for my $tool (@tools) {
        die "$tool is not built: " . $b->log($tool) . "\n"
            if !defined $bin->{$tool};
    }

    return bless { dir => $o{dir}, relay => $bin->{$tools[0]},
                   sink => $bin->{$tools[1]} }, $class;
}


# a UDP port of 127.0.0.1 that nobody has

sub udp_port {
    my $socket = IO::Socket::INET->new(Proto => 'udp',
                                       LocalAddr => '127.0.0.1')
        or die "no socket: $!\n";

    return $socket->sockport();
}


sub caller_of { return "srt://127.0.0.1:$_[0]?latency=$_[1]" }


# writes packets in time to srt-live-transmit; each has its number, seven times

sub send_packets {
    my ($port, $o) = @_;

    my $pid = open my $pipe, '|-', 'srt-live-transmit', '-q', "-chunk:$size",
        'file://con', caller_of($port, $o->{latency})
            . ($o->{caller} ? "&$o->{caller}" : '');
    die "srt-live-transmit: $!\n" if !$pid;

    local $SIG{TERM} = sub { kill 'KILL', $pid; exit 1 };

    my $start = time();

    for my $n (0 .. $o->{packets} - 1) {
        my $wait = $start + $n / $o->{rate} - time();
        sleep $wait if $wait > 0;

        # a packet that nobody looks at: PID 0x1fff
        syswrite $pipe, ("\x47\x1f\xff\x10" . pack('N', $n) . "\xff" x 180) x 7
            or die "srt-live-transmit: $!\n";
    }

    # until the last ones have arrived, or never will
    sleep 2 * $o->{latency} / 1000 + 1;

    # it would wait for more where its input has ended
    kill 'INT', $pid;
    close $pipe;
}


sub start {
    my ($self, $name, %o) = @_;

    my ($listen, $to) = (udp_port(), udp_port());
    my $file = "$self->{dir}/$name.out";
    my $seconds = int($o{packets} / $o{rate} + 6 * $o{latency} / 1000 + 60);

    my $run = bless { latency => $o{latency}, packets => $o{packets},
                      name => $name, file => $file,
                      ends => $o{receiver} eq 'ours' },
        'Test::Media::Lossy::Run';

    my @receiver = $o{receiver} eq 'ours'
        ? ($self->{sink}, $to, $file, $o{latency}, $o{early} ? 'early' : ())
        : ('sh', '-c', 'exec srt-live-transmit -q -t:"$1"'
           . ' "srt://127.0.0.1:$2?mode=listener&latency=$3" file://con'
           . ' > "$4"', 'sh', $seconds, $to, $o{latency}, $file);

    $run->{receiver} = Test::Media::Process->spawn(
        'receiver', "$file.receiver", \@receiver);
    $run->{relay} = Test::Media::Process->spawn(
        'relay', "$file.relay",
        [$self->{relay}, $listen, $to, "seconds=$seconds",
         split ' ', $o{network} || '']);

    # who listens cannot say so; who calls is patient for 3 s
    my $end = time() + 10;

    while ($run->{relay}->log() !~ /listening/ && time() < $end) {
        sleep 0.01;
    }

    $run->{sender} = Test::Media::Process->spawn(
        'sender', "$file.sender", sub { send_packets($listen, \%o) });

    return $run;
}


package Test::Media::Lossy::Run;

use Time::HiRes qw/ time sleep /;


# the sender has ended, and so has the receiver, or it wrote what it has

sub finish {
    my ($self) = @_;

    $self->{sender}->wait(120);

    # libsrt's would wait for another caller; the sender gave it the time to
    # hand on what it holds
    $self->{receiver}->wait(10) if $self->{ends};
    $self->{receiver}->stop('INT');
    $self->{relay}->stop('TERM');

    my $got = counted($self->{file});

    $got->{relay} = {$self->{relay}->log() =~ /(\w+)=(\S+)/g};
    $got->{sink} = {$self->{receiver}->log() =~ /(\w+)=(\S+)/g};
    $got->{log} = join '', map { $self->{$_}->log() }
        qw/ sender relay receiver /;
    $got->{tail} = $self->{packets} - 1 - $got->{last};

    unlink $self->{file};

    return $got;
}


sub counted {
    my ($file) = @_;

    my $bytes = Test::Media::Tools::slurp($file);
    my ($first, $last, $packets, $order, %seen) = (undef, -1, 0, 0);

    for (my $i = 0; $i + $size <= length $bytes; $i += $size) {
        my $n = unpack 'N', substr $bytes, $i + 4, 4;

        $first = $n if !defined $first;
        $order++ if $n <= $last;
        $packets++ if !$seen{$n}++;
        $last = $n if $n > $last;
    }

    return { packets => $packets, first => $first, last => $last,
             order => $order, late => $packets ? $last - $first + 1 - $packets
                                               : 0 };
}


1;
