package Test::Media::RTMP;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::RTMP - an RTMP publisher that does as it is told, or a viewer

=head1 SYNOPSIS

    my $p = $t->rtmp();                         # TCP connection only
    is($p->open('live/test'), 'NetStream.Publish.Start', 'published');

    my @tags = flv_read(fixture('av.flv'));     # [type, timestamp, bytes]
    $p->send_tags(\@tags);                      # as fast as possible
    $p->send_tags(\@tags, speed => 1);          # in real time
    $p->send_tags(\@tags, offset => 10_000);    # time stamps + 10 s
    $p->send_tags(\@tags, map => sub {          # any change: ([..], ..) or ()
        my ($type, $ts, $bytes) = @_;
        return [$type, $ts * 1.0003, $bytes];
    });
    $p->close();

open() is handshake, connect, createStream, publish; each step may be taken
alone:

    $p->handshake(digest => 1);     # {server_digest}: 1 if S1 and S2 are right
    my $reply = $p->connect('live', flashVer => 'FMLE/3.0');
    my $id = $p->create_stream();
    my $code = $p->publish('name', 'live');

connect() returns { name, transaction, args }, and publish() the code of the
answer, both undef when none comes.

    $p->video($ts, $bytes); $p->audio($ts, $bytes); $p->data($ts, $bytes);
    $p->command('FCPublish', undef, 'name');    # transaction number is ours
    $p->message($type, $ts, $bytes, %opt);
    $p->raw($bytes);                            # anything at all

Options of message(), and with them of new(), video(), audio(), send_tags():
stream (message stream id), csid, chunk_size (of this side, 4096: announced in
connect()), step => N and pause => S (write N bytes at a time, S seconds
apart), type3_extended => 0 (no extended time stamp in type 3 chunks).
chunks($type, $ts, $bytes, %opt) returns the bytes instead.

Options of send_tags(): speed, offset, map, from and to (of the tags' own time
stamps, ms), skip_headers => 1 (no metadata, no sequence headers).  Returns the
number of messages sent, and stops when the server closes: {closed} is set.

    my $m = $p->wait_message(sub { $_[0]{type} == 3 }, 5);
    my $c = $p->wait_command('onStatus', 5);    # { name transaction args }
    $p->poll($seconds);      # reads; answers pings, sends acknowledgements
    $p->wait_closed(10);     # true when the server has closed
    $p->reset();             # RST instead of FIN

    my $reply = $p->open_app('live');           # handshake to createStream
    my $code = $p->play('name');
    $p->{tags};              # [type, time stamp, bytes, arrival, length]

From play() on messages of audio, video and data are put there; the connection
then goes on by itself with the requests of Test::Media::HTTP.  pause(),
resume(), cancel().  L<Test::Media::Viewer> is made of this.

amf(@values): numbers, strings, undef, {} objects, [] arrays, \'5' a string
that looks like a number, JSON::PP::true and false, amf_ecma({}).
amf_read($bytes).  flv_read($file).

=cut

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256 /;
use Errno qw/ EAGAIN EINTR /;
use Exporter 'import';
use Socket qw/ SOL_SOCKET SO_LINGER /;
use Time::HiRes qw/ time sleep /;

use Test::Media::HTTP;

our @EXPORT_OK = qw/ amf amf_ecma amf_read flv_read /;

my $fp_key = 'Genuine Adobe Flash Player 001';
my $fms_key = 'Genuine Adobe Flash Media Server 001';
my $key_tail = pack 'H*', 'f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab'
                          . '93b8e636cfeb31ae';


# AMF0

sub amf_ecma { return bless { %{$_[0]} }, 'Test::Media::RTMP::Ecma' }


sub amf_value {
    my ($v) = @_;

    return "\x05" if !defined $v;

    my $ref = ref $v;

    if ($ref eq 'JSON::PP::Boolean') {
        return "\x01" . ($v ? "\x01" : "\x00");

    } elsif ($ref eq 'HASH' || $ref eq 'Test::Media::RTMP::Ecma') {
        return ($ref eq 'HASH' ? "\x03" : "\x08" . pack('N', scalar keys %$v))
            . join('', map { pack('n/a*', $_) . amf_value($v->{$_}) }
                   sort keys %$v) . "\0\0\x09";

    } elsif ($ref eq 'ARRAY') {
        return "\x0a" . pack('N', scalar @$v) . amf(@$v);

    } elsif ($ref eq 'SCALAR') {
        return amf_string($$v);

    } elsif ($v =~ /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/) {
        return "\x00" . pack('d>', $v);
    }

    return amf_string($v);
}


sub amf_string {
    my ($v) = @_;

    return length $v < 65536 ? "\x02" . pack('n/a*', $v)
                             : "\x0c" . pack('N/a*', $v);
}


sub amf { return join '', map { amf_value($_) } @_ }


sub amf_take {
    my ($in) = @_;

    my $get = sub {
        my ($n) = @_;
        die "AMF: truncated\n" if length $$in < $n;
        return substr $$in, 0, $n, '';
    };

    my $type = ord $get->(1);

    return unpack 'd>', $get->(8) if $type == 0;
    return ord $get->(1) if $type == 1;
    return $get->(unpack 'n', $get->(2)) if $type == 2;
    return undef if $type == 5 || $type == 6;
    return $get->(unpack 'N', $get->(4)) if $type == 12;

    if ($type == 3 || $type == 8) {
        my %object;

        $get->(4) if $type == 8;

        for ( ;; ) {
            my $name = $get->(unpack 'n', $get->(2));

            if ($name eq '' && length $$in && ord $$in == 9) {
                $get->(1);
                return \%object;
            }

            $object{$name} = amf_take($in);
        }
    }

    if ($type == 10) {
        my $n = unpack 'N', $get->(4);
        return [map { amf_take($in) } 1 .. $n];
    }

    if ($type == 11) {
        return unpack 'd>', $get->(10);
    }

    die "AMF: unknown type $type\n";
}


sub amf_read {
    my ($bytes) = @_;
    my @values;

    push @values, amf_take(\$bytes) while length $bytes;

    return @values;
}


# tags of an FLV file: [type, timestamp, bytes]

sub flv_read {
    my ($file) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    my $in = <$fh>;

    die "$file is no FLV file\n" if substr($in, 0, 3) ne 'FLV';

    my $pos = unpack('N', substr($in, 5, 4)) + 4;
    my @tags;

    while ($pos + 11 <= length $in) {
        my ($type, $hi, $lo, $ts_hi, $ts_lo, $ext)
            = unpack 'C C n C n C', substr($in, $pos, 8);
        my $size = $hi << 16 | $lo;

        last if $pos + 11 + $size > length $in;

        push @tags, [$type & 31, $ext << 24 | $ts_hi << 16 | $ts_lo,
                     substr($in, $pos + 11, $size)];
        $pos += 11 + $size + 4;
    }

    return @tags;
}


# the connection

sub new {
    my ($class, %opt) = @_;

    return bless {
        timeout => 10, chunk_size => 4096, stream => 1, %opt,
        out_chunk => 128, in_chunk => 128, transaction => 0, in => '',
        messages => [], partial => {}, received => 0, acked => 0,
        sent => 0,
    }, $class;
}


sub sock { return $_[0]{sock} }


# reads what has come; true when something has

sub fill {
    my ($self, $timeout) = @_;

    return 0 if $self->{closed};

    my $r = '';
    vec($r, fileno $self->{sock}, 1) = 1;

    return 0 if !select($r, undef, undef, $timeout);

    my $n = sysread $self->{sock}, $self->{in}, 65536, length $self->{in};

    if (!defined $n) {
        return 0 if $! == EAGAIN || $! == EINTR;
        $self->{closed} = "$!";
        return 0;
    }

    if ($n == 0) {
        $self->{closed} = 'end of file';
        return 0;
    }

    $self->{received} += $n;

    return 1;
}


sub raw {
    my ($self, $bytes, %opt) = @_;

    %opt = (%$self, %opt);

    my $end = time() + $opt{timeout};
    my $step = $opt{step} || length $bytes;
    my $pos = 0;

    while ($pos < length $bytes) {
        return 0 if $self->{closed};

        my $left = length($bytes) - $pos;
        my $n = syswrite $self->{sock}, $bytes, $step < $left ? $step : $left,
                         $pos;

        if (defined $n) {
            $pos += $n;
            $self->{sent} += $n;
            sleep $opt{pause} if $opt{pause};
            next;
        }

        if ($! != EAGAIN && $! != EINTR) {
            $self->{closed} = "$!";
            return 0;
        }

        die "RTMP: the server does not read\n" if time() > $end;

        my ($r, $w) = ('', '');
        vec($r, fileno $self->{sock}, 1) = 1;
        vec($w, fileno $self->{sock}, 1) = 1;
        select($r, $w, undef, 0.5);

        $self->poll(0) if $self->{ready} && vec($r, fileno $self->{sock}, 1);
    }

    return 1;
}


sub need {
    my ($self, $n, $what) = @_;

    my $end = time() + $self->{timeout};

    while (length $self->{in} < $n) {
        $self->fill(0.2);
        die "RTMP: closed in $what: $self->{closed}\n"
            if $self->{closed} && length $self->{in} < $n;
        die "RTMP: no $what\n" if time() > $end;
    }

    return substr $self->{in}, 0, $n, '';
}


sub digest_at {
    my ($bytes, $scheme) = @_;

    my $base = $scheme ? 772 : 8;
    my $sum = 0;
    $sum += $_ for unpack 'C4', substr($bytes, $base, 4);

    return $sum % 728 + $base + 4;
}


sub digest_of {
    my ($bytes, $at, $key) = @_;

    return hmac_sha256(substr($bytes, 0, $at) . substr($bytes, $at + 32),
                       $key);
}


sub handshake {
    my ($self, %opt) = @_;

    my $random = join '', map { chr int rand 256 } 1 .. 1528;
    my $c1 = pack('N', $opt{time} || 0)
        . ($opt{digest} ? "\x80\0\x07\x02" : "\0\0\0\0") . $random;
    my $mine;

    if ($opt{digest}) {
        my $at = digest_at($c1, $opt{scheme});
        $mine = digest_of($c1, $at, $fp_key);
        substr($c1, $at, 32) = $mine;
    }

    $self->raw(chr($opt{version} || 3) . $c1, %opt);

    my $s0 = ord $self->need(1, 'S0');
    my $s1 = $self->need(1536, 'S1');
    my $c2 = $s1;

    if ($opt{digest}) {
        for my $scheme (0, 1) {
            my $at = digest_at($s1, $scheme);
            my $digest = substr $s1, $at, 32;

            next if digest_of($s1, $at, $fms_key) ne $digest;

            $self->{server_digest} = 1;

            # C2: any bytes, signed with a key from S1's digest
            $c2 = join '', map { chr int rand 256 } 1 .. 1504;
            $c2 .= hmac_sha256($c2, hmac_sha256($digest,
                                                $fp_key . $key_tail));
        }
    }

    $self->raw($c2, %opt);

    my $s2 = $self->need(1536, 'S2');

    if ($self->{server_digest}) {
        my $key = hmac_sha256($mine, $fms_key . $key_tail);
        $self->{server_digest} = 0
            if hmac_sha256(substr($s2, 0, 1504), $key) ne substr($s2, 1504);
    }

    $self->{echo} = $s2 eq $c1;
    $self->{ready} = 1;

    return $s0;
}


# one message as chunks

sub chunks {
    my ($self, $type, $ts, $bytes, %opt) = @_;

    %opt = (%$self, %opt);

    my $csid = $opt{csid}
        || { 8 => 4, 9 => 6, 15 => 5, 18 => 5, 20 => 3, 17 => 3 }->{$type}
        || 2;
    my $stream = $type == 8 || $type == 9 || $type == 18 || $type == 22
        ? $opt{stream} : $opt{message_stream} || 0;

    my $basic = sub {
        my ($fmt) = @_;
        return chr($fmt << 6 | $csid) if $csid < 64;
        return chr($fmt << 6) . chr($csid - 64) if $csid < 320;
        return chr($fmt << 6 | 1) . pack('v', $csid - 64);
    };

    $ts = int($ts) & 0xffffffff;

    my $ext = $ts >= 0xffffff ? pack('N', $ts) : '';
    my $len = defined $opt{length} ? $opt{length} : length $bytes;

    my $out = $basic->(0) . substr(pack('N', $ext ne '' ? 0xffffff : $ts), 1)
        . substr(pack('N', $len), 1) . chr($type) . pack('V', $stream) . $ext;

    my $more = exists $opt{type3_extended} && !$opt{type3_extended}
        ? '' : $ext;
    my $size = $self->{out_chunk};

    for (my $pos = 0; $pos == 0 || $pos < length $bytes; $pos += $size) {
        $out .= $basic->(3) . $more if $pos;
        $out .= substr $bytes, $pos, $size;
    }

    return $out;
}


sub message {
    my ($self, $type, $ts, $bytes, %opt) = @_;

    my $rc = $self->raw($self->chunks($type, $ts, $bytes, %opt), %opt);

    if ($type == 1) {
        $self->{out_chunk} = unpack('N', $bytes) & 0x7fffffff;
    }

    return $rc;
}


sub audio { my $self = shift; return $self->message(8, @_) }
sub video { my $self = shift; return $self->message(9, @_) }
sub data { my $self = shift; return $self->message(18, @_) }


sub command {
    my ($self, $name, @args) = @_;

    my $id = ++$self->{transaction};

    $self->message(20, 0, amf($name, $id, @args));

    return $id;
}


# a command on the media stream, as publish is

sub stream_command {
    my ($self, $name, @args) = @_;

    my $id = ++$self->{transaction};

    $self->message(20, 0, amf($name, $id, @args), csid => 8,
                   message_stream => $self->{stream});

    return $id;
}


# takes whole messages from the input

sub parse {
    my ($self) = @_;

    for ( ;; ) {
        my $in = \$self->{in};
        my $pos = 1;

        return if length $$in < 1;

        my $first = ord $$in;
        my ($fmt, $csid) = ($first >> 6, $first & 63);

        if ($csid < 2) {
            my $n = $csid + 1;
            return if length $$in < 1 + $n;
            $csid = 64 + ($n == 1 ? ord substr($$in, 1, 1)
                                  : unpack 'v', substr($$in, 1, 2));
            $pos += $n;
        }

        my $head = (11, 7, 3, 0)[$fmt];
        return if length $$in < $pos + $head;

        my $m = $self->{partial}{$csid} ||= {
            ts => 0, len => 0, type => 0, stream => 0, bytes => '',
        };

        my %m = %$m;
        my $field = $m{ext} ? 0xffffff : 0;

        if ($fmt < 3) {
            $field = unpack 'N', "\0" . substr($$in, $pos, 3);
            $m{ext} = $field == 0xffffff;
        }

        if ($fmt < 2) {
            $m{len} = unpack 'N', "\0" . substr($$in, $pos + 3, 3);
            $m{type} = ord substr($$in, $pos + 6, 1);
        }

        $m{stream} = unpack 'V', substr($$in, $pos + 7, 4) if $fmt == 0;
        $pos += $head;

        if ($m{ext}) {
            return if length $$in < $pos + 4;
            $field = unpack 'N', substr($$in, $pos, 4);
            $pos += 4;
        }

        # 5.3.1.2.4: type 3 repeats the delta, that of type 0 is its time stamp

        if ($m{bytes} eq '') {
            $m{delta} = $field if $fmt < 3 || $m{ext};
            $m{ts} = $fmt == 0 ? $field
                : ($m{ts} + ($m{delta} || 0)) & 0xffffffff;
        }

        my $n = $m{len} - length $m{bytes};
        $n = $self->{in_chunk} if $n > $self->{in_chunk};
        return if length $$in < $pos + $n;

        $m{bytes} .= substr $$in, $pos, $n;
        substr($$in, 0, $pos + $n) = '';
        $self->{partial}{$csid} = \%m;

        next if length $m{bytes} < $m{len};

        my $message = { map { $_ => $m{$_} } qw/ ts type stream bytes / };
        $m{bytes} = '';

        $self->take($message);
    }
}


sub take {
    my ($self, $m) = @_;

    if ($m->{type} == 1) {
        $self->{in_chunk} = unpack('N', $m->{bytes}) & 0x7fffffff;

    } elsif ($m->{type} == 5) {
        $self->{window} = unpack 'N', $m->{bytes};

    } elsif ($m->{type} == 4 && unpack('n', $m->{bytes}) == 6) {
        # a ping is answered
        $self->message(4, 0, pack('n', 7) . substr($m->{bytes}, 2))
            if !$self->{no_pong};

    } elsif ($self->{tags}
             && ($m->{type} == 8 || $m->{type} == 9 || $m->{type} == 18))
    {
        my $size = length $m->{bytes};

        substr($m->{bytes}, 64) = ''
            if $self->{light} && $m->{type} != 18 && $size > 64;

        push @{$self->{tags}}, [@$m{qw/ type ts bytes /}, time(), $size];
        return $self->acknowledge();

    } elsif ($m->{type} == 20) {
        my ($name, $transaction, @args) = eval { amf_read($m->{bytes}) };
        $m->{error} = $@ if $@;
        @$m{qw/ name transaction args /} = ($name, $transaction, \@args);
    }

    push @{$self->{messages}}, $m;

    $self->acknowledge();
}


sub acknowledge {
    my ($self) = @_;

    if ($self->{window}
        && $self->{received} - $self->{acked} >= $self->{window} / 2)
    {
        $self->{acked} = $self->{received};
        $self->message(3, 0, pack('N', $self->{received} & 0xffffffff));
    }
}


sub poll {
    my ($self, $seconds) = @_;

    my $end = time() + ($seconds || 0);

    do {
        my $left = $end - time();
        while ($self->fill($left > 0 ? $left : 0)) {
            $self->parse();
            $left = 0;
        }
    } while (!$self->{closed} && time() < $end);

    return !$self->{closed};
}


sub wait_message {
    my ($self, $sub, $seconds) = @_;

    my $end = time() + Test::Media::Process::patient(
        defined $seconds ? $seconds : $self->{timeout});

    for ( ;; ) {
        $self->parse();

        for my $i (0 .. $#{$self->{messages}}) {
            my $m = $self->{messages}[$i];
            return splice(@{$self->{messages}}, $i, 1) if $sub->($m);
        }

        return undef if $self->{closed} || time() > $end;
        $self->fill(0.1);
    }
}


sub wait_command {
    my ($self, $name, $seconds) = @_;

    return $self->wait_message(sub {
        my ($m) = @_;
        return $m->{type} == 20 && defined $m->{name}
            && (ref $name ? $m->{name} =~ $name : $m->{name} eq $name);
    }, $seconds);
}


sub reply {
    my ($self, $id) = @_;

    return $self->wait_message(sub {
        my ($m) = @_;
        return $m->{type} == 20 && ($m->{name} || '') =~ /^_(?:result|error)$/
            && ($m->{transaction} || 0) == $id;
    });
}


sub wait_closed {
    my ($self, $seconds) = @_;

    my $end = time() + Test::Media::Process::patient(
        defined $seconds ? $seconds : 10);

    $self->poll(0.05) while !$self->{closed} && time() < $end;

    return $self->{closed};
}


sub connect {
    my ($self, $app, %props) = @_;

    $self->message(1, 0, pack('N', $self->{chunk_size}))
        if $self->{chunk_size} != 128;

    my $id = $self->command('connect', {
        app => \$app, type => 'nonprivate', flashVer => 'FMLE/3.0',
        tcUrl => "rtmp://localhost/$app", %props,
    });

    return $self->reply($id);
}


sub create_stream {
    my ($self) = @_;

    my $reply = $self->reply($self->command('createStream', undef));

    return undef if !$reply || $reply->{name} ne '_result';

    $self->{stream} = $reply->{args}[1];

    return $self->{stream};
}


sub publish {
    my ($self, $name, $type) = @_;

    $self->stream_command('publish', undef, \$name,
                          defined $type ? $type : 'live');

    my $m = $self->wait_command('onStatus');
    return undef if !$m;

    $self->{status} = $m->{args}[1];

    return $m->{args}[1]{code};
}


sub open {
    my ($self, $path, %opt) = @_;

    my ($app, $name) = $path =~ m|^([^/]*)/(.*)$|;

    $self->handshake(%opt);

    my $reply = $self->connect($app);
    return undef if !$reply;
    return $reply->{args}[1]{code} if $reply->{name} ne '_result';

    $self->command('releaseStream', undef, \$name);
    $self->command('FCPublish', undef, \$name);

    return undef if !defined $self->create_stream();
    return $self->publish($name);
}


# everything before publish or play

sub open_app {
    my ($self, $app, %opt) = @_;

    $self->handshake(%opt);

    my $reply = $self->connect($app);

    $self->create_stream() if $reply && $reply->{name} eq '_result';

    return $reply;
}


# media is taken from here on, also by whoever waits for something else

sub play {
    my ($self, $name, $start) = @_;

    $self->{tags} = [];

    $self->stream_command('play', undef, \$name,
                          defined $start ? $start : -2000);

    my $m;

    do {
        $m = $self->wait_command('onStatus');
    } while ($m && ($m->{args}[1]{code} || '') eq 'NetStream.Play.Reset');

    Test::Media::HTTP::attend($self) if !$self->{closed};

    return undef if !$m;

    $self->{status} = $m->{args}[1];

    return $self->{status}{code};
}


sub step {
    my ($self) = @_;

    for (1 .. 16) {
        last if $self->{paused} || !$self->fill(0);
        $self->parse();
    }

    Test::Media::HTTP::leave($self) if $self->{closed};
}


sub pause { $_[0]{paused} = 1 }
sub resume { $_[0]{paused} = 0 }
sub cancel { $_[0]->close() }


sub is_header {
    my ($type, $bytes) = @_;

    return 1 if $type == 18;
    return 0 if length $bytes < 2;

    my ($first, $second) = unpack 'C2', $bytes;

    return $first >> 4 == 10 && $second == 0 if $type == 8;
    return ($first & 0x80) ? ($first & 15) == 0
                           : ($first & 15) == 7 && $second == 0;
}


sub send_tags {
    my ($self, $tags, %opt) = @_;

    my $start = time();
    my $sent = 0;
    my $base;

    for my $tag (@$tags) {
        my ($type, $ts, $bytes) = @$tag;
        my $header = is_header($type, $bytes);

        next if $opt{skip_headers} && $header;
        next if !$header && (defined $opt{from} && $ts < $opt{from}
                             || defined $opt{to} && $ts >= $opt{to});

        if ($opt{speed} && !$header) {
            $base = $ts if !defined $base;
            my $left = $start + ($ts - $base) / 1000 / $opt{speed} - time();
            $self->poll($left) if $left > 0;

        } else {
            $self->poll(0);
        }

        last if $self->{closed};

        my @send = ([$type, $ts + ($opt{offset} || 0), $bytes]);
        @send = $opt{map}->(@{$send[0]}) if $opt{map};

        for my $m (@send) {
            $self->message($m->[0], $m->[1], $m->[2], %opt) or last;
            $sent++;
        }
    }

    return $sent;
}


sub finish {
    my ($self, $name) = @_;

    $self->command('FCUnpublish', undef, \$name) if defined $name;
    $self->command('deleteStream', undef, $self->{stream});
}


sub close {
    my ($self) = @_;

    Test::Media::HTTP::leave($self) if $self->{tags};

    CORE::close($self->{sock}) if $self->{sock};
    $self->{closed} ||= 'by us';
}


sub reset {
    my ($self) = @_;

    setsockopt $self->{sock}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    $self->close();
}


1;
