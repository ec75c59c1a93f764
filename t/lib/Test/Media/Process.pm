package Test::Media::Process;

# Copyright (C) ngx_stream_vod_module authors

# A child process with its output in a file.  It is the leader of a group, so
# that its own children go with it.

use strict;
use warnings;

use POSIX qw/ :sys_wait_h /;
use Time::HiRes qw/ time sleep /;

# deadlines in tests are those of a machine that has nothing else to do: what is
# waited for may take that many times as long; what must not come (within less
# than a second) is not waited for any longer

our $patience = $ENV{TEST_PATIENCE} || 4;


sub patient {
    my ($seconds) = @_;

    return $seconds < 1 ? $seconds : $seconds * $patience;
}


my $setpriv = (grep { -x $_ } '/usr/bin/setpriv', '/bin/setpriv')[0];


# what: [command], or code that runs in a fork

sub spawn {
    my ($class, $name, $log, $what) = @_;

    my $pid = fork();
    die "fork: $!\n" if !defined $pid;

    if (!$pid) {
        setpgrp(0, 0);

        $SIG{$_} = 'DEFAULT' for qw/ INT TERM HUP PIPE /;

        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $log or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;

        if (ref $what eq 'CODE') {
            $| = 1;
            my $ok = eval { $what->(); 1 };
            print STDERR $@ if !$ok;
            POSIX::_exit($ok ? 0 : 1);
        }

        # goes when this test is killed
        my @cmd = (defined $setpriv ? ($setpriv, '--pdeathsig', 'TERM') : (),
                   @$what);

        exec { $cmd[0] } @cmd or POSIX::_exit(127);
    }

    return bless { name => $name, pid => $pid, log => $log }, $class;
}


sub pid { return $_[0]{pid} }


sub reap {
    my ($self) = @_;

    return if defined $self->{status};

    my $rc = waitpid($self->{pid}, WNOHANG);
    $self->{status} = $? if $rc == $self->{pid};
    $self->{status} = -1 if $rc < 0;
}


sub running {
    my ($self) = @_;

    local $?;
    $self->reap();

    return !defined $self->{status};
}


# exit status ($?), or undef when the time is up

sub wait {
    my ($self, $seconds) = @_;

    my $end = time() + patient(defined $seconds ? $seconds : 60);

    while ($self->running()) {
        return undef if time() > $end;
        sleep 0.01;
    }

    return $self->{status};
}


sub kill {
    my ($self, $signal) = @_;

    CORE::kill $signal || 'KILL', $self->{pid} if $self->running();

    return $self;
}


sub stop {
    my ($self, $signal) = @_;

    return $self->{status} if !$self->running();

    CORE::kill 'CONT', $self->{pid};
    CORE::kill $signal || 'INT', $self->{pid};

    if (!defined $self->wait(5)) {
        CORE::kill 'KILL', -$self->{pid};
        $self->wait(5);
    }

    return $self->{status};
}


sub log {
    my ($self) = @_;

    open my $fh, '<', $self->{log} or return '';
    local $/;
    my $text = <$fh>;

    return defined $text ? $text : '';
}


1;
