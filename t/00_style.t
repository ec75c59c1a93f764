#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What scripts/style.pl sees.

use strict;
use warnings;

use Test::More;
use FindBin;

my $out = `$FindBin::Bin/../scripts/style.pl`;

is($?, 0, 'style') or diag $out;

done_testing();
