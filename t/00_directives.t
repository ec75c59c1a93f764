#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Every directive of the source has a heading in docs/directives.md, and every
# heading there that looks like a directive is one.  Headings are
#
#     ### media_rtmp

use strict;
use warnings;

use Test::More;
use FindBin;

my $root = "$FindBin::Bin/..";
my (%source, %docs);

for my $file (sort glob "$root/ngx_stream_vod_module/*/*.c") {
    open my $fh, '<', $file or die "$file: $!\n";
    local $/;
    my $text = <$fh>;

    # tables of commands: an entry is { ngx_string("name"), NGX_..., ...
    while ($text =~ /^static ngx_command_t\s+\w+\[\] = \{(.*?)^\};/msg) {
        $source{$_} = $file =~ s|^.*/||r
            for $1 =~ /^\s*\{\s*ngx_string\("(\w+)"\),/mg;
    }
}

if (open my $fh, '<', "$root/docs/directives.md") {
    while (my $line = <$fh>) {
        $docs{$1} = $. if $line =~ /^#{3,4}\s+`?([a-z][a-z0-9_]*)`?\s*$/;
    }
}

is(join(' ', map { "$_ ($source{$_})" } grep { !$docs{$_} }
        sort keys %source), '', 'all directives are documented');

is(join(' ', map { "$_ (line $docs{$_})" } grep { !$source{$_} }
        sort keys %docs), '', 'all documented directives exist');

done_testing();
