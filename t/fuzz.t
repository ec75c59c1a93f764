#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Builds the fuzz targets, t/fuzz/*.c, feeds each its corpus once, and then
# fuzzes for a moment.  A crash belongs into t/fuzz/corpus/NAME/ as a file.
#
#   prove t/fuzz.t                    all
#   prove t/fuzz.t :: amf             these
#   t/fuzz.t --run amf 60 [options]   fuzz for 60 seconds, see scripts/fuzz

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Path qw/ make_path remove_tree /;
use File::Temp qw/ tempdir /;

use Test::Media::Build qw/ parallel /;

my $root = $Test::Media::Build::root;
my %files = map { m|([^/]+)\.c$| ? ($1 => $_) : () } glob "$root/t/fuzz/*.c";

my ($run, $seconds, @options);

if (@ARGV && $ARGV[0] eq '--run') {
    (undef, $run, $seconds, @options) = @ARGV;
    die "no fuzz target \"$run\", there are: @{[sort keys %files]}\n"
        if !$files{$run};
    @ARGV = ($run);
}

my @names = grep {
    my $name = $_;
    !@ARGV || grep { $_ eq $name } @ARGV;
} sort keys %files;

if (!@names) {
    print "1..0 # SKIP no fuzz targets\n";
    exit 0;
}

my @sanitize = ('-fsanitize=address,undefined',
                '-fno-sanitize-recover=undefined');

my $b = Test::Media::Build->new(
    name => 'fuzz', cc => 'clang',
    cflags => [@sanitize, '-fsanitize=fuzzer-no-link',
               qw/ -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror
               -Wno-unused-parameter -DNGX_MEDIA_FUZZ=1 /],
    ldflags => [@sanitize, '-fsanitize=fuzzer']);

my %bin = $b->programs(map { $files{$_} } @names);

$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
$ENV{ASAN_OPTIONS} ||= 'detect_leaks=1:allocator_may_return_null=1';

if (defined $run) {
    my $bin = $bin{$files{$run}};
    die $b->log($files{$run}) if !defined $bin;

    make_path("$root/build/fuzz/corpus/$run", "$root/build/fuzz/found");

    exec $bin, "-max_total_time=$seconds", '-print_final_stats=1',
        "-artifact_prefix=$root/build/fuzz/found/$run-", @options,
        "$root/build/fuzz/corpus/$run", corpus_dirs($run);
}

sub corpus_dirs { return grep { -d $_ } "$root/t/fuzz/corpus/$_[0]" }

my $tmp = tempdir('ngx-media-fuzz-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $parent = $$;

my @found = grep { defined $bin{$files{$_}} } @names;

my @status = parallel(Test::Media::Build::jobs(), map {
    my $name = $_;

    sub {
        my $bin = $bin{$files{$name}};

        open STDOUT, '>', "$tmp/$name.log" or die "$tmp/$name.log: $!\n";
        open STDERR, '>&', \*STDOUT;

        my @corpus = map { glob "$_/*" } corpus_dirs($name);

        print "replay of ", scalar @corpus, " files\n";

        return 1 if @corpus && system($bin, '-timeout=10',
            "-artifact_prefix=$tmp/$name-", @corpus);

        mkdir "$tmp/$name";

        return system($bin, '-runs=20000', '-max_total_time=3', '-timeout=10',
                      '-rss_limit_mb=1024', "-artifact_prefix=$tmp/$name-",
                      "$tmp/$name", corpus_dirs($name)) ? 2 : 0;
    };
} @found);

my %status;
@status{@found} = @status;

my ($n, $failed) = (0, 0);

for my $name (@names) {
    $n++;

    if (!defined $bin{$files{$name}}) {
        print STDERR map { "# $_\n" } split /\n/, $b->log($files{$name});
        print "not ok $n - $name is built\n";
        $failed++;
        next;
    }

    my $ok = $status{$name} == 0;
    $failed++ if !$ok;

    print $ok ? '' : 'not ', "ok $n - $name\n";

    next if $ok;

    open my $fh, '<', "$tmp/$name.log" or next;
    my @log = grep { !/^#\d+\s/ } <$fh>;
    splice @log, 0, @log - 50 if @log > 50;
    print STDERR map { "# $_" } @log;

    for my $file (glob "$tmp/$name-*") {
        make_path("$root/build/fuzz/found");
        system('cp', $file, "$root/build/fuzz/found/");
        print STDERR "# input kept in build/fuzz/found/\n";
    }
}

print "1..$n\n";

exit($failed ? 1 : 0);
