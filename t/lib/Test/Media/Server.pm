package Test::Media::Server;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Server - an HTTP server that does what a test says

=head1 SYNOPSIS

    my $t = Test::Media->new();
    my $s = Test::Media::Server->new($t, 'HOOK');      # on port('HOOK')

    $s->on('/publish', { status => 403, body => 'no' });
    $s->on('/publish', { delay => 0.5 }, { status => 500 });

    $t->write_conf('.. on publish http://127.0.0.1:%%PORT_HOOK%%/publish; ..');

    wait_ok(sub { $s->count('/publish') == 2 }, 5, 'asked');
    is(($s->requests('/publish'))[0]{body}, 'app=live', 'what it was asked');
    is($s->connections(), 1, 'over one connection');

It is one process of its own, for any number of connections; it goes with the
test.  It speaks HTTP/1.1 without TLS; C<tls()> makes certificates and the text
of an nginx server that passes requests on to it.

=head1 METHODS

=over

=item on($path, {..}, ..)

what requests for that path are answered from now on, in turn; the last one is
for all that follow.  Where nothing is said for a path, that of C<*> holds, and
without that 404.  Of an answer:

    status  200                 headers { 'X-A' => 'b', .. }
    body    ''                  type    its Content-Type, none
    size    N: a body of N bytes
    delay   seconds before it
    hang    1: there is none, and the connection stays
    close   1: the connection is closed without one; 'reused': if it is not
            the connection's first request
    cut     N: only the first N bytes of it are sent, and then the connection is
            closed, or stays with hang
    drip    seconds after each byte
    chunked N: in chunks of N bytes
    until   1: it ends with the connection, without a length
    raw     these bytes instead of all that
    after   'close': the connection is closed behind it, which it does not say;
            'say': it says so

=item mode($mode)

of connections that come from now on: 'deaf', nothing is read of them; 'close',
they are closed at once; '', the usual.

=item requests($path), count($path)

what was asked, in its order, all without a path: { n, connection, method, uri,
path, args, headers (lower case), body, time }.

=item connections(), open()

how many there were, and how many there are.

=item forget()

of requests and connections so far.

=item stop(), start()

nothing listens, connections are closed; and again, on the same port.

=item tls($name, %opt)

the text of a server of nginx's http {} that listens on port($name) with a
certificate for C<opt{names}> (['DNS:localhost', 'IP:127.0.0.1']), made by the
authority whose certificate is C<ca()>, and passes requests on.  C<expired>: it
is no more; C<self>: made by itself, it is C<NAME.pem>.

=item ca()

path of the authority's certificate, made if it is not there.

=back

=cut

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw/ time sleep /;

use Test::Media::Tools;

my $json = JSON::PP->new()->latin1()->canonical();


sub new {
    my ($class, $t, $name) = @_;

    my $self = bless {
        t => $t, name => $name, port => $t->port($name), on => {}, mode => '',
        serial => 0, script => $t->path("server-$name.json"),
        log => $t->path("server-$name.requests"),
    }, $class;

    Test::Media::spew($self->{log}, '');

    $self->say();
    $self->forget();
    $self->start();

    return $self;
}


sub port { return $_[0]{port} }
sub url { return "http://127.0.0.1:$_[0]{port}" . ($_[1] || '') }


sub start {
    my ($self) = @_;

    my $listen;

    # connections that were closed may still hold the port for a moment

    Test::Media::wait_until(sub {
        $listen = IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $self->{port},
            Listen => 4096, ReuseAddr => 1, Proto => 'tcp', Blocking => 0);
    }, 5, "a port for the server $self->{name}");

    $self->{process} = $self->{t}->background("server-$self->{name}", sub {
        serve($self, $listen);
    });

    close $listen;
}


sub stop {
    my ($self) = @_;

    $self->{process}->kill('KILL');
    $self->{process}->wait(5);
}


sub on {
    my ($self, $path, @answers) = @_;

    $self->{on}{$path} = { serial => ++$self->{serial}, answers => \@answers };
    $self->say();
}


sub mode {
    my ($self, $mode) = @_;

    $self->{mode} = $mode;
    $self->say();
}


# the server reads it before each request

sub say {
    my ($self) = @_;

    Test::Media::spew("$self->{script}.new",
         $json->encode({ on => $self->{on}, mode => $self->{mode} }));
    rename "$self->{script}.new", $self->{script} or die "rename: $!\n";
}


sub lines {
    my ($self) = @_;

    my $text = substr Test::Media::slurp($self->{log}), $self->{from};

    return map { $json->decode($_) } $text =~ /^(.*)\n/mg;
}


sub requests {
    my ($self, $path) = @_;

    return grep { $_->{method} && (!defined $path || $_->{path} eq $path) }
        $self->lines();
}


sub count {
    my ($self, $path) = @_;

    return scalar(my @requests = $self->requests($path));
}


sub connections {
    my ($self) = @_;

    return scalar(grep { $_->{accepted} } $self->lines());
}


sub open {
    my ($self) = @_;

    my $open = 0;
    $open += $_->{accepted} ? 1 : $_->{closed} ? -1 : 0 for $self->lines();

    return $open;
}


sub forget { $_[0]{from} = -s $_[0]{log} || 0 }


sub record {
    my ($self, $what) = @_;

    CORE::open(my $fh, '>>', $self->{log}) or die "$self->{log}: $!\n";
    syswrite $fh, $json->encode($what) . "\n";
}


# the process

sub serve {
    my ($self, $listen) = @_;

    my $parent = getppid();
    my $select = IO::Select->new($listen);
    my (%all, %turn);
    my ($connections, $n) = (0, 0);

    $SIG{PIPE} = 'IGNORE';

    my $drop = sub {
        my ($c) = @_;

        $select->remove($c->{sock});
        delete $all{fileno $c->{sock}};
        close $c->{sock};
        $self->record({ closed => $c->{n} });
    };

    while (getppid() == $parent) {
        my $read = sub {
            return $json->decode(Test::Media::slurp($self->{script}));
        };

        my $now = time();
        my ($next) = sort { $a <=> $b } map { @{$_->{todo}} ? $_->{todo}[0][0]
                                                            : () } values %all;
        my $wait = defined $next ? $next - $now : 1;

        for my $sock ($select->can_read($wait < 0 ? 0 : $wait)) {

            if ($sock == $listen) {
                while (my $new = $listen->accept()) {
                    my $c = { sock => $new, in => '', n => ++$connections,
                              requests => 0, todo => [] };

                    $new->blocking(0);
                    $self->record({ accepted => $c->{n} });

                    my $mode = $read->()->{mode};

                    $all{fileno $new} = $c;
                    $select->add($new) if $mode ne 'deaf';
                    $drop->($c) if $mode eq 'close';
                }

                next;
            }

            my $c = $all{fileno $sock};

            my $got = sysread $sock, $c->{in}, 65536, length $c->{in};

            if (!$got) {
                $drop->($c) if defined $got || !$!{EAGAIN};
                next;
            }

            while (my $request = request($c)) {
                $request->{n} = ++$n;
                $request->{connection} = $c->{n};
                $request->{time} = time();
                $self->record($request);

                my $on = $read->()->{on};
                my $key = $on->{$request->{path}} ? $request->{path} : '*';
                my $entry = $on->{$key}
                    || { serial => 0, answers => [{ status => 404 }] };
                my $i = $turn{"$key $entry->{serial}"}++;
                my @answers = @{$entry->{answers}};

                push @{$c->{todo}}, plan($c, $i > $#answers ? $answers[-1]
                                                            : $answers[$i]);
            }
        }

        # what it is time for; pieces are [when, bytes], undef: close

        for my $c (values %all) {
            while (@{$c->{todo}} && $c->{todo}[0][0] <= time()) {
                my (undef, $bytes) = @{shift @{$c->{todo}}};

                if (!defined $bytes) {
                    $drop->($c);
                    last;
                }

                $c->{sock}->blocking(1);
                syswrite $c->{sock}, $bytes;
                $c->{sock}->blocking(0);
            }
        }
    }
}


# the next one that is complete

sub request {
    my ($c) = @_;

    $c->{in} =~ /\A(\S+) (\S+) HTTP\/1\.\d\r\n(.*?)\r\n\r\n/s or return;

    my ($method, $uri, $lines, $head) = ($1, $2, $3, $+[0]);
    my %headers = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1 => $2) : () }
        split /\r\n/, $lines;
    my $len = $headers{'content-length'} || 0;

    return if length $c->{in} < $head + $len;

    my $body = substr $c->{in}, $head, $len;
    substr($c->{in}, 0, $head + $len) = '';
    $c->{requests}++;

    my ($path, $args) = split /\?/, $uri, 2;

    return { method => $method, uri => $uri, path => $path,
             args => defined $args ? $args : '', headers => \%headers,
             body => $body };
}


sub plan {
    my ($c, $how) = @_;

    my $when = time() + ($how->{delay} || 0);

    return [$when, undef]
        if $how->{close} && ($how->{close} ne 'reused' || $c->{requests} > 1);

    my $bytes = defined $how->{raw} ? $how->{raw} : answer($how);
    my $last = $how->{until} || $how->{after} || defined $how->{cut};

    return () if $how->{hang} && !defined $how->{cut};

    $bytes = substr $bytes, 0, $how->{cut} if defined $how->{cut};

    my @pieces = $how->{drip}
        ? (map { [$when + $_ * $how->{drip}, substr $bytes, $_, 1] }
           0 .. length($bytes) - 1)
        : [$when, $bytes];

    push @pieces, [$pieces[-1][0], undef] if $last && !$how->{hang};

    return @pieces;
}


sub answer {
    my ($how) = @_;

    my $body = defined $how->{size} ? 'x' x $how->{size}
                                    : defined $how->{body} ? $how->{body} : '';
    my $status = $how->{status} || 200;
    my %headers = %{$how->{headers} || {}};

    $headers{'Content-Type'} = $how->{type} if $how->{type};
    $headers{Connection} = 'close' if ($how->{after} || '') eq 'say';

    if ($how->{chunked}) {
        $headers{'Transfer-Encoding'} = 'chunked';
        $body = join '', (map { sprintf "%x\r\n%s\r\n", length $_, $_ }
                          unpack "(a$how->{chunked})*", $body), "0\r\n\r\n";

    } elsif (!$how->{until} && $status != 204 && $status != 304) {
        $headers{'Content-Length'} = length $body;
    }

    return join "\r\n", "HTTP/1.1 $status Said",
        (map { "$_: $headers{$_}" } sort keys %headers), '', $body;
}


# TLS, which is nginx's

sub openssl {
    my ($status, $out) = Test::Media::sh('openssl', @_);

    die "openssl $_[0]: $out\n" if $status;
}


sub ca {
    my ($self) = @_;

    my $t = $self->{t};
    my $file = $t->path('ca.pem');

    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 2,
            '-keyout', $t->path('ca.key'), '-out', $file, '-subj',
            '/CN=Authority of a test') if !-e $file;

    return $file;
}


sub tls {
    my ($self, $name, %opt) = @_;

    my $t = $self->{t};
    my $base = $t->path($name);
    my $names = join ',', @{$opt{names} || ['DNS:localhost', 'IP:127.0.0.1']};

    if ($opt{self}) {
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 2,
                '-keyout', "$base.key", '-out', "$base.pem", '-subj',
                '/CN=Test', '-addext', "subjectAltName=$names");

    } else {
        $t->write_file("$name.ext", "subjectAltName=$names\n");

        openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout',
                "$base.key", '-out', "$base.csr", '-subj', '/CN=Test');
        openssl('x509', '-req', '-in', "$base.csr", '-CA', $self->ca(),
                '-CAkey', $t->path('ca.key'), '-CAcreateserial', '-days',
                $opt{expired} ? -1 : 2, '-extfile', "$base.ext", '-out',
                "$base.pem");
    }

    return <<EOC;
    server {
        listen 127.0.0.1:%%PORT_$name%% ssl;
        ssl_certificate $base.pem;
        ssl_certificate_key $base.key;
        location / {
            proxy_pass http://127.0.0.1:$self->{port};
            proxy_http_version 1.1;
            proxy_set_header Host \$http_host;
        }
    }
EOC
}


1;
