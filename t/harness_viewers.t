#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The harness's viewers: with files, and with servers that are not ours.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::FLV;
use Test::Media::RTMP qw/ amf /;
use Test::Media::Viewer;

my $t = Test::Media->new(modules => 0);

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /files/ { alias %%FIXTURES%%/; }
        location /bad/ { alias %%DIR%%/; }

        # what may be changed on its way has no length
        location /chunked/ { alias %%FIXTURES%%/; ssi on; ssi_types *; }
    }
}
EOC

$t->run();

my $file = fixture('av.flv');
my ($name) = $file =~ m|([^/]+)$|;
my $bytes = slurp($file);
my @all = flv_read($file);

# FLV

my $flv = Test::Media::FLV->new();
my @got = map { $flv->feed($_, 5) } $bytes =~ /(.{1,1000})/gs;

is_deeply([map { [@$_[0 .. 2]] } @got], \@all, 'tags of a file, in pieces');
is($flv->{error}, undef, 'no error');
is($flv->rest(), 4, 'the size of the last tag is left');
is("$got[0][3] $got[0][4]", '5 ' . length $all[0][2], 'arrival and length');

$flv = Test::Media::FLV->new(light => 1);
$flv->feed($_) for split //, substr $bytes, 0, 20000;
@got = @{$flv->{tags}};

is_deeply([map { [@$_[0, 1, 4]] } @got],
          [map { [@$_[0, 1], length $_->[2]] } @all[0 .. $#got]],
          'byte by byte, without most of them');
is(length $got[-1][2], 64, 'what is kept');

my %packets = map { $_->{codec_type} => $_->{nb_read_packets} }
    @{ffprobe_json($file, qw/ -count_packets -show_streams /)->{streams}};

is(scalar(grep { tag_is_frame($_) } @all), $packets{video}, 'frames');
is(scalar(grep { tag_is_key($_) } @all), 10, 'key frames');
is(scalar(grep { tag_is_header($_) } @all), 2, 'headers');
is(scalar(grep { $_->[0] == 8 && !tag_is_header($_) } @all),
   $packets{audio}, 'audio');

# where the second tag begins

my $second = 9 + 4 + 11 + length $all[0][2];

for my $case ([0, 'G', qr/^header 474c56/], [4, "\x02", qr/^header /],
              [$second + 3, "\0", qr/^the tag before was \d+, not \d+/],
              [$second + 4, "\x29", qr/^tag 41$/],
              [$second + 14, "\1", qr/^stream 1$/])
{
    my ($at, $byte, $error) = @$case;

    my $bad = $bytes;
    substr($bad, $at, 1) = $byte;

    $flv = Test::Media::FLV->new();
    $flv->feed($bad);

    like($flv->{error}, $error, "a wrong byte $at is seen");
    cmp_ok(scalar @{$flv->{tags}}, '<', 2, 'and nothing behind it');
}

my $written = $t->path('written.flv');
# (ffmpeg takes what is not at 0 for timed data)
flv_write($written, map {
    [$_->[0], $_->[0] == 18 ? 0 : $_->[1] + 0x1000000, $_->[2]]
} @all);

is(ffprobe_json($written)->{format}{start_time}, '16777.216000', 'stamps');
my @decoded = decode_clean($written);
is("@decoded[0, 2]", '1 250', 'what is written decodes') or diag($decoded[1]);

# FLV over HTTP

my @viewers = map { viewer_flv($t, "/$_/$name") } 'files', 'chunked';

viewers_have(sub { $_[0]->closed() }, 10, @viewers);

for my $v (@viewers) {
    is($v->status(), 200, 'status');
    is($v->{flv}{error}, undef, 'no error');
    is(scalar(() = $v->frames()), 250, 'frames');
    is(scalar(() = $v->keys()), 10, 'key frames');
    is(join(', ', viewer_faults($v)), '', 'no faults');

    $v->save($t->path('saved.flv'));
    ok(slurp($t->path('saved.flv')) eq $bytes, 'the bytes');
}

is(viewer_status('/files/none'), 404, 'what is not there');

spew($t->path('bad.flv'), substr($bytes, 0, 5000) . 'xx'
                          . substr $bytes, 5000);
my $bad = viewer_flv($t, '/bad/bad.flv');
viewers_have(sub { $_[0]->closed() }, 10, $bad);
like(join(', ', viewer_faults($bad)), qr/^no FLV: /, 'what is no FLV');

ok(!eval { viewers_have(sub { $_[0]->frames() == 9999 }, 0.1, @viewers) },
   'what does not come');
like($@, qr/^timed out.*\n2 viewers did not have it, one of them 250 frames/,
     'is said');

# RTMP, from ffmpeg

my $ffmpeg = $t->run_daemon('ffmpeg', 'ffmpeg', '-v', 'error', '-i', $file,
                            qw/ -c copy -f flv -listen 1 /,
                            'rtmp://127.0.0.1:' . $t->port('FFMPEG') . '/x/y');
listening('FFMPEG');

my $v = viewer_rtmp($t, 'x/y', port => $t->port('FFMPEG'));

is($v->{status}, 'NetStream.Play.Start', 'by RTMP');
viewers_have(sub { $_[0]->closed() }, 10, $v);

is_deeply(media($v->tags()), media(@all), 'what ffmpeg sends');
is(join(', ', viewer_faults($v)), '', 'no faults');
is($ffmpeg->wait(10), 0, 'ffmpeg was content');

$v->save($t->path('saved.flv'));
@decoded = decode_clean($t->path('saved.flv'));
is("@decoded[0, 2]", '1 250', 'and it decodes') or diag($decoded[1]);

# chunks that say less and less: 5.3.1.2

my $p = Test::Media::RTMP->new(tags => []);

$p->{in} = "\x06\0\0\x28\0\0\1\x09\1\0\0\0a" . "\xc6b"
    . "\x46\0\0\5\0\0\1\x09c" . "\xc6d" . "\x86\0\0\6e" . "\xc6f"
    . "\x86\xff\xff\xff\1\0\0\0g" . "\xc6\1\0\0\0h" . "\x86\0\0\1i";
$p->parse();

is(join(' ', map { "$_->[1]$_->[2]" } @{$p->{tags}}),
   '40a 80b 85c 90d 96e 102f 16777318g 33554534h 33554535i',
   'stamps of chunks');

# RTMP with small chunks, and stamps that are extended and begin anew

my @tags = map { [$_->[0], $_->[1] + 0xfffff000, $_->[2]] } @all;
my $served = media(map { [$_->[0], $_->[1] & 0xffffffff, $_->[2]] } @tags);

serve('small', 100);

@viewers = map { viewer_rtmp($t, "live/s$_", light => $_ == 2) } 0 .. 2;

is(join(' ', map { $_->{status} } @viewers),
   join(' ', ('NetStream.Play.Start') x 3), 'three of them');

$viewers[1]->pause();
viewers_have(sub { $_[0]->closed() }, 10, @viewers[0, 2]);
is($viewers[1]->closed(), undef, 'one that does not read');

$viewers[1]->resume();
viewers_have(sub { $_[0]->closed() }, 10, $viewers[1]);

is_deeply(media($_->tags()), $served, 'what was sent') for @viewers[0, 1];
is_deeply([map { $_->[4] } $viewers[2]->tags()],
          [map { $_->[4] } $viewers[1]->tags()], 'lengths');
like(join(', ', viewer_faults($viewers[0])),
     qr/^stamp \d of \d behind 429496\d+, stamp \d+ of \d behind 429496\d+$/,
     'stamps that go back are seen');

my ($pong) = grep { $_->{type} == 4 } @{$viewers[0]{rtmp}{messages}};
ok($pong, 'a ping came');

my $refused = viewer_rtmp($t, 'live/none');
is($refused->{status}, 'NetStream.Play.StreamNotFound', 'refused');

# rtmpdump, as another one sees it

my $dump = $t->rtmpdump('live/dump', $t->path('dump.flv'));
is($dump->wait(20), 0, 'rtmpdump') or diag($dump->log());
is(scalar(grep { tag_is_frame($_) } flv_read($t->path('dump.flv'))), 250,
   'its frames');

$t->done();


# audio and video

sub media {
    return [map { [@$_[0 .. 2]] } grep { $_->[0] != 18 } @_];
}


sub viewer_status {
    my ($path) = @_;

    my $v = viewer_flv($t, $path);
    viewers_have(sub { $_[0]->closed() }, 10, $v);

    return $v->status();
}


sub listening {
    my ($port) = @_;

    my $line = sprintf ':%04X 0{8}:0{4} 0A', $t->port($port);

    wait_until(sub { slurp('/proc/net/tcp') =~ $line }, 10, "port $port");
}


# an RTMP server that sends @tags to whoever plays

sub serve {
    my ($process, $chunk) = @_;

    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $t->port('RTMP'), Listen => 5,
        ReuseAddr => 1) or die "listen: $!\n";

    $t->background($process, sub {
        local $SIG{CHLD} = 'IGNORE';

        while (my $sock = $listen->accept()) {
            next if fork();

            $sock->blocking(0);
            answer(Test::Media::RTMP->new(sock => $sock, stream => 1,
                                          timeout => 30), $chunk);
            exit 0;
        }
    });

    close $listen;
}


sub answer {
    my ($p, $chunk) = @_;

    my $c1 = substr $p->need(1537, 'C0 and C1'), 1;

    $p->raw("\x03" . "\0" x 1536 . $c1);
    $p->need(1536, 'C2');
    $p->{ready} = 1;

    my $done = sub {
        my ($m, @values) = @_;
        $p->message(20, 0, amf('_result', $m->{transaction}, @values));
    };

    $done->($p->wait_command('connect'), undef,
            { code => 'NetConnection.Connect.Success', level => 'status' });
    $done->($p->wait_command('createStream'), undef, 1);

    my $m = $p->wait_command('play');
    my $code = $m->{args}[1] eq 'none' ? 'StreamNotFound' : 'Start';

    for my $said ('Reset', $code) {
        $p->message(20, 0, amf('onStatus', 0, undef, {
            code => "NetStream.Play.$said",
            level => $said eq 'StreamNotFound' ? 'error' : 'status',
        }), message_stream => 1, csid => 5);
    }

    return if $code ne 'Start';

    $p->message(4, 0, pack 'nN', 6, 77);
    $p->wait_message(sub { $_[0]{type} == 4
                           && $_[0]{bytes} eq pack 'nN', 7, 77 })
        or die "no pong\n";

    $p->message(1, 0, pack 'N', $chunk);
    $p->send_tags(\@tags);

    $p->message(4, 0, pack 'nN', 1, 1);
    $p->message(20, 0, amf('onStatus', 0, undef, {
        code => 'NetStream.Play.Stop', level => 'status' }),
        message_stream => 1, csid => 5);

    # rtmpdump does not expect that the other side closes
    $p->wait_closed() if $m->{args}[1] eq 'dump';
}
