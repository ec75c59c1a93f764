#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# MPEG-TS in datagrams: who sends some publishes, over reloads, and until
# another one does.

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;

use Test::Media;
use Test::Media::Live;
use Test::Media::TSLive;

my @names = qw/ plain moved noise /;
my $t = ts_nginx(names => \@names, debug => 1,
                 moved => 'media_ts_timeout 10s;');

# what is no MPEG-TS makes nobody a publisher, nor ends one

my $noise = IO::Socket::INET->new(Proto => 'udp', PeerAddr => '127.0.0.1',
                                  PeerPort => $t->udp('noise'));

$noise->send($_) for '', 'GET / HTTP/1.0', "\x80\0" x 100, "\x47" . 'x' x 400,
                     "\x80\x21\0\1" . "\0" x 8;

# one goes on while nginx is reloaded; the other stops, and comes back from
# another port

my $half = 3 * 90000;

my %p = map { $_ => ts_publisher($_, ts_frames('bframes', to => 6)) }
        qw/ plain moved /;

$_->mux() for values %p;

my %late = map {
    my $p = $p{$_};
    my ($n) = grep { $p->{queue}[$_][0] >= 3.12 } 0 .. $#{$p->{queue}};
    ($_ => [splice @{$p->{queue}}, $n])
} keys %p;

ts_play($t, 1.5, values %p);

my $key = live_stream($t, 'plain')->{publisher}{pid};
ok($key, 'there is a publisher');

$t->reload();

$p{$_}{queue} = $late{$_} for keys %p;
my $other = { %{$p{moved}}, socket => undef };

# nobody is in the way of the other sender when the first was silent for 1 s

sleep 2;
ts_play($t, 1.5, $p{plain}, $other);

is($t->log_count(qr/live\/moved: ended.*for too long/), 0,
   'moved: nobody waited until it ended');
is(live_stream($t, 'plain')->{publisher}{pid}, $key, 'plain: its worker stays');

for my $name (qw/ plain moved /) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 10, 'end');

    my $runs = $name eq 'plain' ? 1 : 2;
    my $r = live_check($t, "/live/$name", runs => $runs, name => $name,
                       $name eq 'moved' ? (short => 1, late => 1) : ());
    my $m = live_match($r, $p{$name});

    if ($name eq 'plain') {
        is($m->{video}{missing}, 0, "$name: all frames");
        is($m->{audio}{missing}, 0, "$name: all sound");
        cmp_ok($m->{av}, '<', 5, "$name: sound and picture");

    } else {
        cmp_ok($m->{video}{missing}, '<', $m->{video}{sent} / 2,
               "$name: frames of both");
    }
}

is(live_stream($t, 'noise'), undef, 'noise: no stream');

# what nginx -t says

my $conf = sub { return <<"EOC" };
media live { zone 16m; segment 1s; }
stream { server { $_[0] } }
http { }
EOC

my @wrong = (
    ['listen 127.0.0.1:9001; media_ts live name=a;', 'needs the "udp"'],
    ['listen 127.0.0.1:900 udp; media_ts live name=a;', 'a port from 1024 on'],
    ['listen 127.0.0.1:9001 udp; media_ts dead name=a;',
     'unknown application in "media_ts dead"'],
    ['listen 127.0.0.1:9001 udp; media_ts live name;',
     'it must be "name=NAME"'],
    ['listen 127.0.0.1:9001 udp; media_ts live name=;', 'cannot be the name'],
    ['listen 127.0.0.1:9001 udp; media_ts live name=a; return x;',
     'incompatible with another handler'],
    ['listen 127.0.0.1:9001 udp; media_ts live name=a; media_rtmp;',
     'incompatible with another handler'],
    ['listen 127.0.0.1:9001 udp; media_ts live name=a; media_ts_program 0;',
     'invalid program "0"'],
    ['listen 127.0.0.1:9001 udp; media_ts live name=a; media_ts_timeout 1ms;',
     'from 100ms to 1h'],
);

for (@wrong) {
    my ($text, $says) = @$_;
    my ($ok, $output) = $t->conf_test($conf->($text));

    ok(!$ok && $output =~ /\Q$says\E/, "-t: $text") or diag($output);
}

$t->done();
