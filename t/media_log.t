#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The two lines that are written of each publisher, by a module that knows of
# streams what events say.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my $t = live_nginx();
my $conf = $t->read_file('nginx.conf');

my $video = qr/h264 320x180 25 fps avc1\.[0-9a-f]{6}/;
my $audio = qr/aac 48000 x2/;
my $sums = qr/(\d+) frames, \d+ kB, 0 late, 0 jumps/;


# a publisher's lines, when it has gone; its file has a key frame a second

sub lines {
    my ($name, $file, %opt) = @_;

    my @tags = live_tags($file);
    my $p = live_publish($t, "live/$name");

    live_play([$p, \@tags, speed => 4, %opt]);
    $p->close();
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end')
        if !$opt{none};

    my %sent;
    $sent{$_->{type}}++ for @{$p->{sent_frames}};

    return (\%sent, grep { / live\/\Q$name\E: / } split /^/, $t->log());
}


sub described {
    my ($name, $what, $file, %opt) = @_;

    my ($sent, @lines) = lines($name, $file, %opt);
    my $frames = $sent->{video} || $sent->{audio};

    is(scalar @lines, 2, "$name: two lines") or return;

    like($lines[0], qr/\[info\] .* live\/$name: rtmp 127\.0\.0\.1, $what$/,
         'the first');
    like($lines[1], qr/ live\/$name: ended after \d\.\d s, [^;]+; $sums$/,
         'the second');

    my ($said) = $lines[1] =~ /; (\d+) frames/;
    is($said, $frames, 'counts what was sent');
}


described('both', qr/$video, $audio, key frames 1\.0 s/, 'plain',
          to => 5000);
described('sound', $audio, 'audio', to => 5000);
described('picture', qr/$video, key frames 1\.0 s/, 'video', to => 5000);
described('short', qr/$video, $audio, one key frame in 0\.6 s/, 'plain',
          to => 600);

# one that comes back is counted anew

my @tags = live_tags('plain');
my $p = live_publish($t, 'live/both');

live_play([$p, \@tags, speed => 4, to => 3400]);
$p->close();

ok($t->wait_log(qr/live\/both: ended after [^;]+; 85 frames/),
   'a publisher that comes back');
is($t->log_count(qr/live\/both: rtmp [^,]+, $video, $audio, key frames 1/), 2,
   'has its own lines');

# nothing of use

$p = live_publish($t, 'live/none');
$p->close();
ok($t->wait_log(qr/ live\/none: rtmp 127\.0\.0\.1, no track$/),
   'one that sends nothing');

# an old publisher has its lines, whatever is configured now

$p = live_publish($t, 'live/old');
live_play([$p, \@tags, speed => 4, to => 2400]);

# off

$t->write_file('nginx.conf',
               $conf =~ s/^(media live \{)/$1 stream_log off;/mr);
$t->reload();

$p->close();
ok($t->wait_log(qr/ live\/old: ended after/), 'an old publisher has its lines');

my (undef, @lines) = lines('off', 'plain', to => 2400);

is(scalar @lines, 0, 'stream_log off');

$t->done();
