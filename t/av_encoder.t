#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Encoders that do something else than they are asked to are refused, with a
# word why, and the next one that is listed is taken.

use strict;
use warnings;

use Test::More;
use File::Temp qw/ tempdir /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Build;

my $root = $Test::Media::Build::root;
my $tool = "$root/t/tools/encoder.c";

my $b = Test::Media::Build->new(name => 'tools-fast', cc => $ENV{CC} || 'gcc',
                                cflags => ['-O1', '-DNGX_MEDIA_UNIT=1']);
my %built = $b->programs($tool);

BAIL_OUT($b->log($tool)) if !defined $built{$tool};

plan skip_all => 'built without libav' if `$built{$tool}` =~ /^no libav/;
plan skip_all => 'libavcodec has no x264' if run({}, 'x264') ne 'libx264';

my $dir = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $shim = "$dir/fake.so";

system('gcc', '-shared', '-fPIC', '-O1', '-Wall', '-o', $shim,
       "$root/t/tools/fake_encoder.c", '-ldl') == 0
    or BAIL_OUT('t/tools/fake_encoder.c is not built');

# each of these alone, in front of one that is as it should be

my %why = (
    fine => undef,
    inband => undef,
    coarse => undef,
    delay => qr/^holds back \d+ pictures and more$/,
    keys => qr/^picture 4 is a key frame that was not asked for$/,
    scene => qr/^picture 3 is a key frame that was not asked for$/,
    deaf => qr/^picture 6 is not the key frame that was asked for$/,
    bare => qr/^no parameter sets, neither/,
    early => qr/^frame has the time of no picture$/,
    lost => qr/^frame has the time of no picture$|^11 of 12 pictures/,
    enomem => qr/^is not opened: no memory, or no session is left$/,
    broken => qr/^picture is not encoded: /,
);

for my $how (sort keys %why) {
    for my $name ('h264_nvenc', defined $why{$how} ? () : 'h264_qsv') {
        my @out = split /\n/, run({ $name => $how }, $name, 'x264');

        if (!defined $why{$how}) {
            is("@out", $name, "$name, $how: is taken");
            next;
        }

        is(pop @out, 'libx264', "$name, $how: the next one is taken");

        my ($said) = "@out" =~ /^$name: encoder "$name": (.*)$/;
        like($said, $why{$how}, "$name, $how: says why");
    }
}

# all that can be asked for is what these do, too

for my $codec (['h264', 'libx264'], ['hevc', 'libx265'],
               ['av1', 'libsvtav1'])
{
    my ($name, $encoder) = @$codec;

    SKIP: {
        skip "no $encoder", 4
            if ask($name, '', $encoder) !~ /^$encoder$/m;

        for my $how ('-f', '-b2', '-f -b2', '-c30') {
            is(ask($name, $how, $encoder), $encoder, "$encoder, $how");
        }
    }
}

# all that is listed, and nothing else

my @out = split /\n/, run({ h264_nvenc => 'enomem', h264_qsv => 'delay' },
                          qw/ nvenc qsv /);

is(pop @out, 'none', 'what is not listed is not taken');
is(scalar @out, 2, 'each says why');

# two words of a list for one thing, of different codecs

is(run({}, 'h264_x264', 'hevc_nvenc', 'x264'),
   "h264_x264: unknown\nhevc_nvenc: unknown\nlibx264", 'names');

done_testing();


sub run {
    my ($fakes, @names) = @_;

    local $ENV{FAKE_ENCODER} = join ',', map { "$_=$fakes->{$_}" }
        sort keys %$fakes;
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD},
        %$fakes ? $shim : ();

    return ask('h264', '', @names);
}


sub ask {
    my ($codec, $how, @names) = @_;

    my $out = `$built{$tool} $how $codec @names`;
    chomp $out;

    return $out;
}
