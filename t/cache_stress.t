#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Many processes over one cache, killed at any moment, see t/stress/cache.c.
#
#   prove t/cache_stress.t                          6 seconds
#   prove t/cache_stress.t :: seconds=300 kill=5    as the program's options say
#   TEST_STRESS_SANITIZE=1 prove t/cache_stress.t   with ASan and UBSan

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Build;

my $root = $Test::Media::Build::root;
my @files = map { "$root/t/stress/$_.c" } qw/ cache cache_step /;

my @sanitize = $ENV{TEST_STRESS_SANITIZE}
    ? ('-fsanitize=address,undefined', '-fno-sanitize-recover=undefined')
    : ();

my $b = Test::Media::Build->new(
    name => 'cache_stress',
    cc => $ENV{CC} || 'gcc',
    cflags => [@sanitize, qw/ -g -O2 -Wall -Wextra -Werror
               -Wno-unused-parameter -Wpointer-arith
               -Wdeclaration-after-statement -Wvla /],
    ldflags => [@sanitize]);

my %bin = $b->programs(@files);

# what is killed leaks
$ENV{ASAN_OPTIONS} ||= 'detect_leaks=0';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

my ($n, $failed) = (0, 0);

for my $file (@files) {
    my ($name) = $file =~ m|([^/]+)\.c$|;
    my ($count, $bad, $plan) = (0, 0, -1);

    $n++;

    if (!defined $bin{$file}) {
        print STDERR map { "# $_\n" } split /\n/, $b->log($file);
        print "not ok $n - $name is built\n";
        $failed++;
        next;
    }

    open my $fh, '-|', 'nice', '-n', 5, $bin{$file}, @ARGV
        or die "$bin{$file}: $!\n";

    while (my $line = <$fh>) {
        $count++ if $line =~ /^(?:not )?ok\b/;
        $bad++ if $line =~ /^not ok\b/;
        $plan = $1 if $line =~ /^1\.\.(\d+)/;

        print "    $line";
        print STDERR "# $name: $line"
            if $line !~ /^ok/
            && $line =~ /^not ok|^#   |level|wrong|stuck|signal|ERROR/;
    }

    my $ok = close($fh) && !$bad && $plan == $count;

    print $ok ? '' : 'not ', "ok $n - $name\n";
    $failed++ if !$ok;
}

print "1..$n\n";

exit($failed ? 1 : 0);
