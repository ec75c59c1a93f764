#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What arrives is what was sent, however it was cut into chunks.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new(workers => 1);

plan(skip_all => 'needs an nginx built --with-debug')
    if $t->build_flags() !~ /--with-debug/;

$t->write_conf(<<'EOC');
error_log %%DIR%%/error.log debug;

media live { zone 64m; }

stream {
    server {
        listen 127.0.0.1:%%PORT_RTMP%%;
        media_rtmp;
        media_rtmp_window 20000;
    }
}
EOC

$t->run();

my @all = flv_read(fixture('av.flv'));
my @tags = grep { $_->[0] != 18 } @all;
my @some = @tags[0 .. 39];

*amf = \&Test::Media::RTMP::amf;
*is_header = \&Test::Media::RTMP::is_header;

my $name = 0;

sub publisher {
    my (%opt) = @_;

    my $p = $t->rtmp(%opt);
    $p->{name} = 'test' . ++$name;

    my $code = $p->open("live/$p->{name}");
    die "not published: $code\n" if $code ne 'NetStream.Publish.Start';

    return $p;
}

# packets of a stream as the server saw them

sub packets {
    my ($stream) = @_;

    my $log = $t->log();

    my ($number, $ids) = (0, 0);

    for my $line (split /\n/, $log) {
        next if $line !~ /\*(\d+) rtmp publish started.*, stream: (.*)$/;

        $ids = 0 if $1 != $number;
        $ids++;
        $number = $1;

        last if $2 eq $stream;
    }

    return grep { /\*$number rtmp packet stream:$ids / } split /\n/, $log;
}

# "type time len"

sub seen {
    my ($stream) = @_;

    return map {
        /type:(\d+) .* time:(\d+) .* len:(\d+)/ ? "$1 $2 $3" : "?";
    } packets($stream);
}

sub expected {
    my ($offset, @list) = @_;

    return map {
        my ($type, $ts, $bytes) = @$_;
        my $head = $type == 9 ? 5 : 2;
        join ' ', $type == 9 ? 0 : 1, ($ts + $offset) & 0xffffffff,
            length($bytes) - $head;
    } @list;
}

# all of it has been read when its last message was answered

sub settle {
    my ($p) = @_;

    $p->message(4, 0, pack('nN', 6, 77));

    return $p->wait_message(sub {
        $_[0]{type} == 4 && $_[0]{bytes} eq pack('nN', 7, 77)
    }, 10);
}

sub arrives {
    my ($p, $offset, $what, @list) = @_;

    ok(settle($p), "$what: connection is there")
        or diag $p->{closed};
    is_deeply([seen($p->{name})], [expected($offset, @list)], $what);
}

my $p;

# sizes of chunks

for my $size (1, 2, 127, 128, 4096, 65536, 0xffffff, 0x7fffffff) {
    my @list = $size < 10 ? @some[0 .. 7] : @some;
    $p = publisher(chunk_size => $size);
    $p->send_tags(\@list);
    arrives($p, 0, "chunks of $size", @list);
    $p->close();
}

# of the TCP stream

$p = publisher(step => 1);
$p->send_tags([@some[0 .. 5]]);
arrives($p, 0, 'byte by byte', @some[0 .. 5]);
$p->close();

# time stamps: extended from 0xffffff on, and they wrap

for my $offset (0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0xffffff00,
                0xffffffff)
{
    for my $repeat (1, 0) {
        $p = publisher();
        $p->send_tags(\@some, offset => $offset, type3_extended => $repeat);
        arrives($p, $offset, sprintf('time stamps + 0x%x, %s', $offset,
                                     $repeat ? 'repeated' : 'not repeated'),
                @some);
        $p->close();
    }
}

# numbers of chunk streams

for my $csid (3, 63, 64, 319, 320, 1000, 65599) {
    $p = publisher(csid => undef);
    $p->{csid} = $csid;
    $p->send_tags([@some[0 .. 9]]);
    delete $p->{csid};
    arrives($p, 0, "chunk stream $csid", @some[0 .. 9]);
    $p->close();
}

# compressed headers: types 1 and 2, and 3 for a new message

my @audio = grep { $_->[0] == 8 && !is_header(@$_[0, 2]) } @tags;
my $bytes = $audio[0][2];
my $n = length $bytes;

$p = publisher();
my $header = (grep { $_->[0] == 8 && is_header(@$_[0, 2]) } @tags)[0];
$p->audio(0, $header->[2]);
$p->raw("\x09" . substr(pack('N', 1000), 1) . substr(pack('N', $n), 1)
        . "\x08" . pack('V', $p->{stream}) . $bytes
        . "\x49" . substr(pack('N', 23), 1) . substr(pack('N', $n), 1)
        . "\x08" . $bytes
        . "\x89" . substr(pack('N', 24), 1) . $bytes
        . "\xc9" . $bytes
        . "\xc9" . $bytes);
settle($p);
is(join(',', map { (split)[1] } seen($p->{name})),
   '0,1000,1023,1047,1071,1095', 'compressed headers');
$p->close();

# messages that alternate, chunk by chunk, and one that is given up

my ($key) = grep { $_->[0] == 9 && !is_header(@$_[0, 2])
                   && length $_->[2] > 1000 } @tags;
my ($config) = grep { $_->[0] == 9 && is_header(@$_[0, 2]) } @tags;

$p = publisher(chunk_size => 200);
$p->video(0, $config->[2]);
$p->audio(0, $header->[2]);

my $video = $p->chunks(9, 40, $key->[2], csid => 6);
my $audio = $p->chunks(8, 41, $bytes, csid => 4);
my $first = 12 + 200;

$p->raw(substr($video, 0, $first) . $audio . substr($video, $first));
arrives($p, 0, 'one in another', $config, $header, [8, 41, $bytes],
        [9, 40, $key->[2]]);
$p->close();

$p = publisher(chunk_size => 200);
$p->video(0, $config->[2]);
$video = $p->chunks(9, 40, $key->[2], csid => 6);
$p->raw(substr($video, 0, $first));
$p->message(2, 0, pack('N', 6));
$p->message(2, 0, pack('N', 6));
$p->message(2, 0, pack('N', 60000));
$p->video(80, $key->[2]);
arrives($p, 0, 'abort', $config, [9, 80, $key->[2]]);
$p->close();

# chunk size changed in the middle of a message

$p = publisher(chunk_size => 200);
$p->video(0, $config->[2]);
$p->raw(substr($p->chunks(9, 40, $key->[2], csid => 6), 0, $first)
        . $p->chunks(1, 0, pack('N', 100000), csid => 2)
        . "\xc6" . substr($key->[2], 200));
arrives($p, 0, 'another chunk size', $config, [9, 40, $key->[2]]);
$p->close();

# aggregate messages: time stamps start at that of the message

sub aggregate {
    return join '', map {
        my ($type, $ts, $body) = @$_;
        my $tag = chr($type) . substr(pack('N', length $body), 1)
            . substr(pack('N', $ts), 1) . chr($ts >> 24) . "\0\0\0" . $body;
        $tag . pack 'N', length $tag;
    } @_;
}

$p = publisher();
$p->message(22, 5000, aggregate(map { [$_->[0], $_->[1] + 700, $_->[2]] }
                                @some), stream => $p->{stream});
arrives($p, 5000, 'aggregate', @some);
$p->close();

# Enhanced RTMP: the same frames

sub enhanced {
    my ($body, $modex) = @_;

    my ($frame, $kind) = unpack 'CC', $body;
    my $cts = substr $body, 2, 3;
    my $type = $kind == 0 ? 0 : $cts eq "\0\0\0" ? 3 : 1;
    my $first = 0x80 | ($frame >> 4) << 4;

    return ($modex ? chr($first | 7) . "\x02" . substr(pack('N', $modex), 1)
                     . chr(0x00 | $type)
                   : chr($first | $type))
        . 'avc1' . ($type == 1 ? $cts : '') . substr($body, 5);
}

my @video = grep { $_->[0] == 9 } @some;

for my $nano (0, 999999) {
    $p = publisher();
    $p->video($_->[1], enhanced($_->[2], $nano)) for @video;
    arrives($p, 0, "enhanced, $nano ns", @video);
    is(scalar(grep { /nano:$nano / } packets($p->{name})), scalar @video,
       'offsets');
    $p->close();
}

# two tracks in one message

$p = publisher();

for my $tag (@video) {
    my $body = enhanced($tag->[2]);
    my $data = substr $body, 5;
    $p->video($tag->[1], chr((ord($body) & 0xf0) | 6)
              . chr(0x10 | (ord($body) & 0x0f)) . 'avc1'
              . join '', map { chr($_) . substr(pack('N', length $data), 1)
                               . $data } 0, 1);
}

settle($p);
is(scalar seen($p->{name}), 2 * @video, 'multitrack');
is(scalar(grep { /track:1 / } packets($p->{name})), scalar @video,
   'second track');
$p->close();

# several streams on a connection

$p = publisher();
my ($one, $two) = ($p->{name}, 'test' . ++$name);
my $id = $p->{stream};
is($p->create_stream(), $id + 1, 'second stream');
is($p->publish($two), 'NetStream.Publish.Start', 'publish');

for my $tag (@some[0 .. 19]) {
    $p->message(@$tag, stream => $id);
    $p->message($tag->[0], $tag->[1] + 100, $tag->[2], stream => $id + 1);
}

$p->command('deleteStream', undef, $id);
$p->wait_command('onStatus', 5);

for my $tag (@some[20 .. 39]) {
    $p->message(@$tag, stream => $id);
    $p->message($tag->[0], $tag->[1] + 100, $tag->[2], stream => $id + 1);
}

settle($p);
is_deeply([seen($one)], [expected(0, @some[0 .. 19])], 'first stream');
is_deeply([seen($two)], [expected(100, @some)], 'second stream goes on');
$p->close();

# what is of no concern

$p = publisher();
$p->message(3, 0, pack('N', 1000000));
$p->message(4, 0, pack('nNN', 3, 1, 500));
$p->message(4, 0, pack('nN', 31, 1));
$p->message(6, 0, pack('NC', 1000, 2));
$p->message(16, 0, "\0abc", csid => 10);
$p->message(19, 0, "abc", csid => 10);
$p->message(99, 0, 'x' x 3000, csid => 10);
$p->data(0, amf('onTextData', { text => 'hello' }));
$p->data(0, amf('@setDataFrame', 'onMetaData', { width => 'wide' }));
$p->audio(0, '');
$p->video(0, '');
$p->message(9, 0, $config->[2], stream => 7);
$p->message(9, 0, $config->[2], stream => 0);
$p->send_tags(\@some);
settle($p);
is_deeply([grep { !/ 0 0$/ } seen($p->{name})], [expected(0, @some)],
          'messages without a meaning here');
$p->close();

# acknowledgements: each window, of all bytes

$p = publisher();
$p->message(5, 0, pack('N', 10000));
$p->send_tags([@tags[0 .. 200]]);
settle($p);

my @acks = map { unpack 'N', $_->{bytes} }
    grep { $_->{type} == 3 } @{$p->{messages}};

cmp_ok(scalar @acks, '>=', 1, 'acknowledgements');
cmp_ok($p->{sent} - $acks[-1], '<', 10000 + 65536, 'of nearly all');
is(join(' ', sort { $a <=> $b } @acks), "@acks", 'ever growing');
$p->close();

# one that waits for them: no more than a window ahead

$p = publisher();
$p->message(5, 0, pack('N', 5000));
my ($acked, $stalled) = (0, 0);

for my $tag (@tags[0 .. 100]) {
    $p->message(@$tag);

    while ($p->{sent} - $acked > 5000) {
        my $m = $p->wait_message(sub { $_[0]{type} == 3 }, 5);
        $stalled++ if !$m;
        last if !$m;
        $acked = unpack 'N', $m->{bytes};
    }
}

is($stalled, 0, 'an encoder that waits for acknowledgements');
$p->close();

$t->done();
