package Test::Media::Stress;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Stress - builds and runs programs of t/stress

=head1 SYNOPSIS

    stress_run('zone', 'zone_step');        # with the options in @ARGV, exits

    stress_run({ sanitize => ['-fsanitize=thread'] }, 'strand');

TEST_STRESS_SANITIZE=1 builds with ASan and UBSan those that say nothing of it.

=cut

use strict;
use warnings;

use Exporter 'import';

use Test::Media::Build;

our @EXPORT = qw/ stress_run /;


sub stress_run {
    my $how = ref $_[0] ? shift : {};
    my @names = @_;

    my @sanitize = $how->{sanitize} ? @{$how->{sanitize}}
        : $ENV{TEST_STRESS_SANITIZE}
        ? ('-fsanitize=address,undefined', '-fno-sanitize-recover=undefined')
        : ();

    my $b = Test::Media::Build->new(
        name => "stress_$names[0]",
        cc => $ENV{CC} || 'gcc',
        cflags => [@sanitize, qw/ -g -O2 -Wall -Wextra -Werror
                   -Wno-unused-parameter -Wpointer-arith
                   -Wdeclaration-after-statement -Wvla /],
        ldflags => [@sanitize]);

    my %file = map { $_ => "$Test::Media::Build::root/t/stress/$_.c" } @names;
    my %bin = $b->programs(map { $file{$_} } @names);

    # what is killed leaks
    $ENV{ASAN_OPTIONS} ||= 'detect_leaks=0';
    $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

    my ($n, $failed) = (0, 0);

    for my $name (@names) {
        my $bin = $bin{$file{$name}};

        print STDERR map { "# $_\n" } split /\n/, $b->log($file{$name})
            if !defined $bin;

        my $ok = defined $bin && run($name, $bin);

        $n++;
        $failed++ if !$ok;
        print $ok ? '' : 'not ', "ok $n - $name\n";
    }

    print "1..$n\n";

    exit($failed ? 1 : 0);
}


sub run {
    my ($name, $bin) = @_;

    my ($count, $bad, $plan) = (0, 0, -1);

    open my $fh, '-|', 'nice', '-n', 5, $bin, @ARGV or die "$bin: $!\n";

    while (my $line = <$fh>) {
        $count++ if $line =~ /^(?:not )?ok\b/;
        $bad++ if $line =~ /^not ok\b/;
        $plan = $1 if $line =~ /^1\.\.(\d+)/;

        print "    $line";
        print STDERR "# $name: $line"
            if $line !~ /^ok/
            && $line =~ /^not ok|^#   |level|wrong|stuck|signal|ERROR|WARNING/;
    }

    return close($fh) && !$bad && $plan == $count;
}


1;
