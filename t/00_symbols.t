#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The .so loads without nginx's stream module: it names none of its symbols.
# And it exports what nginx looks for, nothing else.

use strict;
use warnings;

use Test::More;
use FindBin;

my $so = $ENV{TEST_NGINX_MODULE}
    || "$FindBin::Bin/../build/ngx_stream_vod_module.so";

ok(-f $so, 'the module is built') or BAIL_OUT("no $so: run scripts/build");

my @undefined = map { (split ' ')[-1] } split /\n/, `nm -D -u $so`;
my @exported = map { (split ' ')[-1] } split /\n/, `nm -D --defined-only $so`;

my @ours = grep {
    /^ngx_(?:media|http_media|stream_media|stream_vod)_/
} @undefined;

my %ours = map { $_ => 1 } @ours;

is(join(' ', grep { /^ngx_(?:stream|mail)_/ && !$ours{$_} } @undefined), '',
   'no symbols of nginx\'s stream module');

is(join(' ', @ours), '', 'nothing of our own is missing');

is(join(' ', sort grep { !/^GLIBC|@/ } @exported),
   'ngx_module_names ngx_module_order ngx_modules', 'exports');

done_testing();
