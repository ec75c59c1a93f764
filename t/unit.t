#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Builds and runs the C unit tests, t/unit/*.c, with ASan and UBSan.
#
#   prove t/unit.t                 all
#   prove t/unit.t :: amf flv      these
#   perl t/unit.t --run NAME ARGS  one, with arguments of its own

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ parallel /;
use Test::Media::Tools qw/ fixture slurp /;

my $root = $Test::Media::Build::root;

my @files = grep {
    open my $fh, '<', $_ or die "$_: $!\n";
    local $/;
    <$fh> =~ /^main\(/m;
} sort glob "$root/t/unit/*.c";

my @args;

if (@ARGV && $ARGV[0] eq '--run') {
    (undef, @args) = splice @ARGV;
    @ARGV = $args[0];
}

if (@ARGV) {
    my %only = map { $_ => 1 } @ARGV;
    @files = grep { m|([^/]+)\.c$| && $only{$1} } @files;
}

if (!@files) {
    print "1..0 # SKIP no unit tests\n";
    exit 0;
}

my @sanitize = ('-fsanitize=address,undefined',
                '-fno-sanitize-recover=undefined');

my $b = Test::Media::Build->new(
    name => 'unit',
    cc => $ENV{CC} || 'gcc',
    cflags => [@sanitize, qw/ -g -O1 -fno-omit-frame-pointer -Wall -Wextra
               -Werror -Wno-unused-parameter -Wpointer-arith
               -Wdeclaration-after-statement -Wvla -DNGX_MEDIA_UNIT=1 /],
    ldflags => [@sanitize]);

my %bin = $b->programs(@files);

$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
$ENV{ASAN_OPTIONS} ||= 'detect_leaks=1:strict_string_checks=1';

# a media file that a program reads, made by ffmpeg: NAME and arguments of it

my %fixture = map {
    slurp($_) =~ m|^/\* fixture: (\S+)\s(.*?) \*/$|ms
        ? ($_ => fixture($1, split ' ', $2)) : ();
} @files;

if (@args) {
    my $bin = $bin{$files[0]};
    die $b->log($files[0]) if !defined $bin;

    $ENV{UNIT_FIXTURE} = $fixture{$files[0]} // '';
    exec $bin, @args[1 .. $#args];
}

my $limit = $ENV{TEST_UNIT_TIMEOUT} || 120;

my @run = grep { defined $bin{$_} } @files;
my @status = parallel(Test::Media::Build::jobs(), map {
    my ($bin, $fixture) = ($bin{$_}, $fixture{$_});
    my $out = "$bin.$$.tap";

    sub {
        $ENV{UNIT_FIXTURE} = $fixture // '';
        open STDOUT, '>', $out or die "$out: $!\n";
        open STDERR, '>&', \*STDOUT;
        chdir "$root/t/unit";
        exec 'timeout', '-k', 5, $limit, $bin;
    };
} @run);

my %status;
@status{@run} = @status;

my ($n, $failed) = (0, 0);

for my $file (@files) {
    my ($name) = $file =~ m|([^/]+)\.c$|;
    my $ok = 0;

    $n++;

    if (!defined $bin{$file}) {
        print STDERR map { "# $_\n" } split /\n/, $b->log($file);
        print "not ok $n - $name is built\n";
        $failed++;
        next;
    }

    my $out = "$bin{$file}.$$.tap";
    open my $fh, '<', $out or die "$out: $!\n";
    unlink $out;
    my ($count, $bad, $plan) = (0, 0, -1);

    while (my $line = <$fh>) {
        $count++ if $line =~ /^(?:not )?ok\b/;
        $bad++ if $line =~ /^not ok\b/;
        $plan = $1 if $line =~ /^1\.\.(\d+)/;

        print "    $line";
        print STDERR "# $name: $line" if $line !~ /^(?:ok\b|1\.\.)/ && (
            $line =~ /^not ok|^#   |ERROR|runtime error|^\s+#\d+ /);
    }

    $ok = 1 if $status{$file} == 0 && !$bad && $plan == $count && $count;

    print STDERR "# $name: exit status ", $status{$file} >> 8, ", signal ",
        $status{$file} & 127, ", tests $count of $plan\n" if !$ok;

    print $ok ? '' : 'not ', "ok $n - $name\n";
    $failed++ if !$ok;
}

print "1..$n\n";

exit($failed ? 1 : 0);
