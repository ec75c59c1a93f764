#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What scripts/style.pl sees; and no test that cannot fail.

use strict;
use warnings;

use Test::More;
use FindBin;

my $out = `$FindBin::Bin/../scripts/style.pl`;

is($?, 0, 'style') or diag $out;

my @pass;

for my $file (glob "$FindBin::Bin/*.t") {
    open my $fh, '<', $file or die "$file: $!\n";

    while (<$fh>) {
        push @pass, $file =~ s|.*/||r . ":$." if /^\s*(?:pass\(|ok\(1\b)/;
    }
}

is("@pass", '', 'no pass(): wait_ok() waits and tests');

done_testing();
