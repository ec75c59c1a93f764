#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Every header compiles alone.

use strict;
use warnings;

use Test::More;
use FindBin;
use File::Temp qw/ tempdir /;
use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ parallel /;

my $root = "$FindBin::Bin/..";
my @headers = map { s|^.*/ngx_stream_vod_module/||r }
    sort glob "$root/ngx_stream_vod_module/*/*.h";

my $tmp = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @flags = split ' ', `$root/scripts/build --cflags`;

my @status = parallel(Test::Media::Build::jobs(), map {
    my $header = $_;
    my $base = "$tmp/" . ($header =~ s|/|_|gr);

    sub {
        open my $fh, '>', "$base.c" or die "$base.c: $!\n";
        print $fh "#include \"$header\"\n";
        close $fh;

        open STDERR, '>', "$base.log";

        return system('gcc', '-fsyntax-only', '-W', '-Wall', '-Werror',
                      '-Wno-unused-parameter', @flags, "$base.c") ? 1 : 0;
    };
} @headers);

for my $i (0 .. $#headers) {
    next if $status[$i] == 0;

    my $base = "$tmp/" . ($headers[$i] =~ s|/|_|gr);
    open my $fh, '<', "$base.log" or next;
    diag <$fh>;
}

is(join(' ', map { $headers[$_] } grep { $status[$_] } 0 .. $#headers), '',
   scalar(@headers) . ' headers compile alone');

done_testing();
