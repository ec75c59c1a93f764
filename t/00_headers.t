#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Every header compiles alone; and so does, without debugging, what has debug
# lines, with nothing left over of them.

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

my @debug = map { s|^.*/ngx_stream_vod_module/||r } grep {
    open my $fh, '<', $_ or die "$_: $!\n";
    grep { /ngx_log_debug\d|NGX_DEBUG|_trace\(/ } <$fh>;
} sort glob "$root/ngx_stream_vod_module/*/*.c";

is(broken(@headers), '', scalar(@headers) . ' headers compile alone');
is(broken(@debug), '', scalar(@debug) . ' files compile without debugging');

done_testing();


sub broken {
    my (@files) = @_;

    my @status = parallel(Test::Media::Build::jobs(), map {
        my $file = $_;
        my $base = "$tmp/" . ($file =~ s|/|_|gr);

        sub {
            open my $fh, '>', "$base.c" or die "$base.c: $!\n";
            print $fh "#include \"$file\"\n";
            close $fh;

            open STDERR, '>', "$base.log";

            return system('gcc', '-fsyntax-only', '-W', '-Wall', '-Werror',
                          '-Wno-unused-parameter',
                          $file =~ /c$/ ? '-DNGX_DEBUG=0' : (), @flags,
                          "$base.c") ? 1 : 0;
        };
    } @files);

    for my $i (grep { $status[$_] } 0 .. $#files) {
        open my $fh, '<', "$tmp/" . ($files[$i] =~ s|/|_|gr) . '.log' or next;
        diag <$fh>;
    }

    return join ' ', map { $files[$_] } grep { $status[$_] } 0 .. $#files;
}
