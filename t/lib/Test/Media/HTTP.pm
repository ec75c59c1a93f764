package Test::Media::HTTP;

# Copyright (C) ngx_stream_vod_module authors

# A small HTTP/1.1 client over raw sockets, any number of requests at once in
# one process.  Used through Test::Media; its manual is there.

use strict;
use warnings;

use Errno qw/ EAGAIN EINTR /;
use IO::Socket::INET;
use Socket qw/ SOL_SOCKET SO_RCVBUF IPPROTO_TCP TCP_NODELAY /;
use Time::HiRes qw/ time /;

my %active;


# a connected TCP socket

sub dial {
    my (%opt) = @_;

    my $host = $opt{host} || '127.0.0.1';

    # SO_RCVBUF has to be set before the handshake to bound the window
    socket(my $raw, Socket::PF_INET(), Socket::SOCK_STREAM(), 0)
        or die "socket: $!\n";
    setsockopt($raw, SOL_SOCKET, SO_RCVBUF, pack('i', $opt{rcvbuf}))
        if $opt{rcvbuf};
    setsockopt($raw, IPPROTO_TCP, TCP_NODELAY, pack('i', 1));
    bind($raw, Socket::sockaddr_in(0, Socket::inet_aton($opt{from})))
        or die "bind to $opt{from}: $!\n" if $opt{from};
    connect($raw, Socket::sockaddr_in($opt{port},
                                      Socket::inet_aton($host)))
        or die "connect to $host:$opt{port}: $!\n";

    my $sock = bless $raw, 'IO::Socket::INET';
    $sock->autoflush(1);
    $sock->blocking(0);

    return $sock;
}


# sends a request, reads nothing yet

sub start {
    my ($class, %opt) = @_;

    my $self = bless {
        method => 'GET', path => '/', timeout => 30, %opt,
        in => '', body => '', state => 'head', events => [],
        times => { start => time() },
    }, $class;

    $self->{sock} = $opt{conn}
        || eval { dial(map { $_ => $opt{$_} } grep { defined $opt{$_} }
                       qw/ host port rcvbuf /) };

    if (!$self->{sock}) {
        $self->{error} = $@ || 'no connection';
        $self->{state} = 'done';
        return $self;
    }

    my %headers = (Host => 'localhost', %{$opt{headers} || {}});
    $headers{Connection} = $opt{keepalive} ? 'keep-alive' : 'close'
        if !exists $headers{Connection};
    $headers{Range} = "bytes=$opt{range}" if defined $opt{range};
    $headers{'Content-Length'} = length $opt{data} if defined $opt{data};

    $self->{out} = defined $opt{raw} ? $opt{raw}
        : join("\r\n", "$self->{method} $self->{path} HTTP/1.1",
               map({ "$_: $headers{$_}" } sort grep { defined $headers{$_} }
                   keys %headers), '', defined $opt{data} ? $opt{data} : '');

    $active{$self} = $self;
    $self->step();

    return $self;
}


sub fail {
    my ($self, $error) = @_;

    $self->{error} = $error;
    $self->finish();
}


sub finish {
    my ($self) = @_;

    $self->{state} = 'done';
    $self->{times}{end} = time();
    delete $active{$self};

    my $alive = $self->{keepalive} && !$self->{error} && !$self->{closed}
        && lc($self->{headers}{connection} || '') ne 'close';

    if (!$alive) {
        delete($self->{sock})->close() if $self->{sock};
    }
}


# gives up: the server sees a closed connection

sub cancel {
    my ($self) = @_;

    return if $self->{state} eq 'done';
    $self->{keepalive} = 0;
    $self->fail('canceled');
}


# stops reading, or goes on: a viewer that does not read

sub pause { $_[0]{paused} = 1 }
sub resume { $_[0]{paused} = 0 }


sub step {
    my ($self) = @_;

    my $sock = $self->{sock};

    while (length $self->{out}) {
        my $n = syswrite($sock, $self->{out});

        if (!defined $n) {
            last if $! == EAGAIN || $! == EINTR;
            return $self->fail("write: $!");
        }

        substr($self->{out}, 0, $n) = '';
    }

    return if $self->{paused};

    while ($self->{state} ne 'done') {
        my $n = sysread($sock, $self->{in}, 262144, length $self->{in});

        if (!defined $n) {
            return if $! == EAGAIN || $! == EINTR;
            return $self->fail("read: $!");
        }

        if ($n == 0) {
            $self->{closed} = 1;
        }

        $self->parse();

        if ($n == 0 && $self->{state} ne 'done') {
            return $self->finish() if $self->{state} eq 'close';
            return $self->fail("connection closed in state $self->{state}");
        }
    }
}


sub took {
    my ($self, $n) = @_;

    return if !$n;

    $self->{times}{first} ||= time();

    # bytes that somebody else takes are kept by him
    return $self->{sink}->($self, substr($self->{in}, 0, $n, ''), time())
        if $self->{sink};

    $self->{body} .= substr($self->{in}, 0, $n, '');
    push @{$self->{events}}, [time(), length $self->{body}];
}


sub parse {
    my ($self) = @_;

    for ( ;; ) {
        my $state = $self->{state};

        if ($state eq 'head') {
            my $end = index($self->{in}, "\r\n\r\n");
            return if $end < 0;

            my $head = substr($self->{in}, 0, $end + 4, '');
            $self->{times}{head} = time();
            $self->{head} = $head;

            my ($line, @lines) = split /\r\n/, $head;

            return $self->fail("bad status line: $line")
                if $line !~ m|^HTTP/1\.[01] (\d{3})|;

            $self->{status} = $1;

            my %headers;

            for (@lines) {
                my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/
                    or return $self->fail("bad header line: $_");
                $name = lc $name;
                $headers{$name} = exists $headers{$name}
                    ? "$headers{$name}, $value" : $value;
            }

            $self->{headers} = \%headers;

            if ($self->{status} =~ /^1/) {
                next;

            } elsif ($self->{method} eq 'HEAD'
                     || $self->{status} =~ /^(?:204|304)$/)
            {
                return $self->finish();

            } elsif (lc($headers{'transfer-encoding'} || '') eq 'chunked') {
                $self->{state} = 'chunk';

            } elsif (defined $headers{'content-length'}) {
                $self->{left} = $headers{'content-length'};
                $self->{state} = 'length';

            } else {
                $self->{state} = 'close';
            }

        } elsif ($state eq 'length' || $state eq 'data') {
            my $n = length $self->{in};
            $n = $self->{left} if $n > $self->{left};

            $self->took($n);
            $self->{left} -= $n;

            return if $self->{left} > 0;
            return $self->finish() if $state eq 'length';

            $self->{state} = 'crlf';

        } elsif ($state eq 'crlf') {
            return if length $self->{in} < 2;
            return $self->fail('no CRLF after a chunk')
                if substr($self->{in}, 0, 2, '') ne "\r\n";
            $self->{state} = 'chunk';

        } elsif ($state eq 'chunk') {
            return if $self->{in} !~ s/^([0-9a-fA-F]+)[^\r\n]*\r\n//;
            $self->{left} = hex $1;
            $self->{state} = $self->{left} ? 'data' : 'trailer';

        } elsif ($state eq 'trailer') {
            return if $self->{in} !~ s/^(?:[^\r\n]+\r\n)*\r\n//;
            return $self->finish();

        } elsif ($state eq 'close') {
            $self->took(length $self->{in});
            return;

        } else {
            return;
        }
    }
}


# lets all requests in flight go on for at most that long; returns as soon as
# anything happened

sub pump {
    my ($timeout) = @_;

    my ($r, $w) = ('', '');
    my %by;

    for my $h (values %active) {
        my $fd = fileno $h->{sock};
        $by{$fd} = $h;
        vec($r, $fd, 1) = 1 if !$h->{paused};
        vec($w, $fd, 1) = 1 if length $h->{out};
    }

    if (!%by) {
        select(undef, undef, undef, $timeout) if $timeout;
        return 0;
    }

    my $n = select($r, $w, undef, $timeout);
    return 0 if !$n || $n < 0;

    for my $fd (keys %by) {
        $by{$fd}->step() if vec($r, $fd, 1) || vec($w, $fd, 1);
    }

    return $n;
}


sub cancel_all { $_->cancel() for values %active }


# a connection of another protocol that goes on with the others: it has a sock,
# step(), which reads what has come, and cancel()

sub attend { $active{$_[0]} = $_[0] }
sub leave { delete $active{$_[0]} }


sub done {
    my ($self) = @_;

    pump(0) if $self->{state} ne 'done';

    return $self->{state} eq 'done';
}


# waits for the end

sub result {
    my ($self, $timeout) = @_;

    my $end = time() + Test::Media::Process::patient(
        $timeout || $self->{timeout});

    while ($self->{state} ne 'done') {
        my $left = $end - time();

        if ($left <= 0) {
            $self->{keepalive} = 0;
            $self->fail('timed out');
            last;
        }

        pump($left < 1 ? $left : 1);
    }

    return {
        status => $self->{status} || 0,
        headers => $self->{headers} || {},
        head => $self->{head},
        body => $self->{body},
        error => $self->{error},
        times => $self->{times},
        events => $self->{events},
        conn => $self->{sock},
        took => ($self->{times}{end} || time()) - $self->{times}{start},
    };
}


1;
