#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# The addon file names every source file, header and module, and no others;
# basenames are unique, because nginx's object files collide otherwise.

use strict;
use warnings;

use Test::More;
use FindBin;
use File::Find;

my $root = "$FindBin::Bin/..";

my $out = `$root/scripts/sources 2>&1`;
is($?, 0, 'files') or diag $out;

my (%base, %modules);

find(sub {
    return if !/\.[ch]$/;

    push @{$base{$_}}, $File::Find::name;

    open my $fh, '<', $_ or die "$_: $!\n";

    while (my $line = <$fh>) {
        $modules{$1} = 1 if $line =~ /^ngx_module_t\s+(\w+) = \{/;
    }
}, "$root/ngx_stream_vod_module");

is(join(' ', map { "@{$base{$_}}" } grep { @{$base{$_}} > 1 } sort keys %base),
   '', 'unique basenames');

# run the file as nginx's configure does; auto/module would have put the filter
# last

my $filters = 'ngx_http_range_header_filter_module ngx_http_gzip_filter_module '
            . 'ngx_http_sub_filter_module ngx_http_media_gzip_filter_module';

for my $case (qw/ DYNAMIC-NO DYNAMIC-YES ADDON-NO ADDON-YES ADDON-DYNAMIC /) {
    my ($link, $stream) = split /-/, $case;

    my $said = `cd $root/t/lib && HTTP=YES STREAM=$stream \\
                ngx_module_link=$link ngx_addon_dir=$root \\
                HTTP_FILTER_MODULES="$filters" sh -c '. $root/config;
                echo "filters:\$HTTP_FILTER_MODULES"' 2>&1`;

    my %names = map { $_ => 1 } map { split ' ', $_ }
        $said =~ /^name:(.*)$/mg;

    is_deeply([sort keys %names], [sort keys %modules], "$case: modules");

    if ($link eq 'DYNAMIC') {
        like($said, qr/^name:ngx_stream_vod_module /m,
             "$case: the name of the .so");
        like($said, qr/^libs:.*--version-script=/m, "$case: exports");
        like($said, qr/^order:ngx_http_media_gzip_filter_module .*
                       \bngx_http_sub_filter_module\b/mx,
             "$case: behind filters that change bodies");

    } else {
        like($said, qr/^filters:ngx_http_range_header_filter_module
                       \ ngx_http_gzip_filter_module
                       \ ngx_http_media_gzip_filter_module
                       \ ngx_http_sub_filter_module\ ?$/mx,
             "$case: behind filters that change bodies");
    }

    like($said, $stream eq 'NO' ? qr/^incs:.* src\/stream/m
                                : qr/^incs:(?!.* src\/stream)/m,
         "$case: headers of stream");

    like($said, qr/^type:STREAM\nname:ngx_stream_vod_module$/m,
         "$case: one of the stream modules") if $case eq 'ADDON-YES';
}

done_testing();
