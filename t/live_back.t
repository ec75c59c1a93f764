#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Publishers that return with other tracks and parameters than before.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;

my $t = live_nginx();

# sound; none, which is silence for those who play it; at another rate; with
# another picture; as at first

my @files = qw/ plain video hertz other plain /;
my @sent;

for my $i (0 .. $#files) {
    my $p = live_publish($t, 'live/x');
    push @sent, $p;

    $p->play([live_tags($files[$i])], speed => 1, to => $i * 2000 + 2000,
             from => $i * 2000);
    $p->close();

    wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');
}

my $r = live_check($t, '/live/x', runs => scalar @files, name => 'x');
my $m = live_match($r, @sent);
my ($v, $a) = map { $_->{runs} } @{$r->{tracks}}{qw/ v1 a1 /};

is($m->{video}{missing}, 0, 'all frames');
cmp_ok($m->{audio}{missing}, '<=', @files, 'no more is lost');
cmp_ok($m->{av}, '<', 3, 'sound and picture');

# silence lags as far as sound is waited for

cmp_ok($v->[1]{end} - $a->[1]{end}, '<', 0.6, 'silence');
cmp_ok($m->{audio}{silent}, '>', 60, 'of silent frames');

my @init = map { $_->{segments}[0]{map} } @$a;

is($init[1], $init[0], 'the same sound');
isnt($init[2], $init[1], 'another rate');
is($init[4], $init[0], 'and back');

@init = map { $_->{segments}[0]{map} } @$v;
is($init[4], $init[0], 'the same picture as at first');
isnt($init[3], $init[0], 'another picture in between');

is(@{$r->{periods}}, @files, 'periods');
is($t->log_count(qr/audio has not come, silence stands in.*: x$/), 1,
   'said once');

$t->done();
