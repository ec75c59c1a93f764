#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Each layer includes itself and those below it, as docs/architecture.md says;
# formats/ and time/ are pure.

use strict;
use warnings;

use Test::More;
use FindBin;
use File::Temp qw/ tempdir /;
use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ parallel /;

my $root = "$FindBin::Bin/../ngx_stream_vod_module";

my %below = (
    formats => [],
    time => [qw/ formats /],
    memory => [],
    core => [qw/ memory time formats /],
    av => [qw/ formats /],
    files => [qw/ av formats /],
    packager => [qw/ core memory formats /],
    transcode => [qw/ av core memory formats /],
    vod => [qw/ files transcode av core memory formats /],
    access => [qw/ core memory formats /],
    report => [qw/ core memory formats /],
    ingest => [qw/ packager access core memory formats /],
    stream => [qw/ ingest access transcode core memory formats /],
    http => [qw/ packager vod files ingest access transcode core memory
                 formats /],
);

my %system = (
    formats => [qw/ ngx_config.h ngx_core.h /],
    http => [qw/ ngx_config.h ngx_core.h ngx_event.h ngx_http.h /],
    stream => [qw/ ngx_config.h ngx_core.h ngx_event.h ngx_stream.h /],
);

my %pure = map { $_ => 1 } qw/ formats time /;

# what of nginx's names these may call: macros without state
my %macro = map { $_ => 1 } qw/
    ngx_memcpy ngx_cpymem ngx_copy ngx_memmove ngx_movemem ngx_memset
    ngx_memzero ngx_memcmp ngx_strlen ngx_strcmp ngx_strncmp ngx_string
    ngx_null_string ngx_str_set ngx_str_null ngx_tolower ngx_toupper ngx_min
    ngx_max ngx_abs ngx_align ngx_value ngx_inline
/;

my @wrong;

for my $file (sort glob "$root/*/*.[ch]") {
    my ($layer, $name) = $file =~ m|([^/]+)/([^/]+)$|;

    if (!$below{$layer}) {
        push @wrong, "$layer is no layer";
        next;
    }

    open my $fh, '<', $file or die "$file: $!\n";
    local $/;
    my $text = <$fh>;

    while ($text =~ /^#\s*include\s+(["<])([^">]+)[">]/mg) {
        my ($kind, $path) = ($1, $2);

        if ($kind eq '"') {
            my ($to) = $path =~ m|^([^/]+)/[^/]+$|;

            push @wrong, "$layer/$name includes \"$path\""
                if !defined $to
                   || !grep { $_ eq $to } $layer, @{$below{$layer}};

        } elsif ($pure{$layer}) {
            push @wrong, "$layer/$name includes <$path>"
                if $name ne 'ngx_media_fmt.h'
                   || !grep { $_ eq $path } @{$system{formats}};

        } elsif ($path =~ /^ngx_(?:http|stream|mail)/) {
            push @wrong, "$layer/$name includes <$path>"
                if !grep { $_ eq $path } @{$system{$layer} || []};

        } elsif ($path =~ /^lib(?:av|sw)/) {
            push @wrong, "$layer/$name includes <$path>"
                if $layer ne 'av' && $layer ne 'files';
        }
    }

    next if !$pure{$layer};

    my $code = $text =~ s{/\*.*?\*/|"(?:[^"\\]|\\.)*"}{}gsr;
    my %own = map { $_ => 1 } $code =~ /^#define\s+(\w+)\(/mg;

    while ($code =~ /\b(ngx_(?!media_)\w+|malloc|calloc|realloc|free|time
                       |clock_gettime|gettimeofday|printf|fprintf|open|read
                       |write|rand|random|getenv)\s*\(/xg)
    {
        my $call = $1;
        next if $macro{$call} || $own{$call} || $call =~ /_t$/;
        push @wrong, "$layer/$name calls $call()"
            if substr($code, 0, $-[0]) !~ /(?:\.|->)$/;
    }
}

is(join("\n", @wrong), '', 'layers');

# who names a codec: its own file, and those of what is no codec of ours or of
# other people's names; all others ask its entry

my %names = map { $_ => 1 } qw|
    formats/ngx_media_codec.h formats/ngx_media_mp4_entry.c
    av/ngx_media_av.c av/ngx_media_av_encoder.c
    files/ngx_media_vod_index_mp4_track.c
    vod/ngx_media_vod_text.c
|;

my (@named, %codecs, %libav);

for my $file (sort glob "$root/*/*.[ch]") {
    my ($name) = $file =~ m|([^/]+/[^/]+)$|;

    open my $fh, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$fh> };
    my $own = $text =~ /^const ngx_media_codec_t  /m;

    $text =~ s{/\*.*?\*/}{}gs;

    # those that are in a format, whose files are read

    while ($text =~ /^const\ ngx_media_codec_t\ \ \w+\ =\ \{\s*(\w+),\s*(\w+),
                     \s*ngx_string\("\w+"\),\s*(\w+)/mgx) {
        $codecs{$1} = $2 if $3 ne '0';
    }

    while ($text =~ /\b(NGX_MEDIA_CODEC_(?!STRING_MAX)\w+)/g) {
        push @named, "$name names $1" if !$own && !$names{$name};
        $libav{$1} = 1 if $name eq 'av/ngx_media_av.c';
    }
}

is(join("\n", @named), '', 'codecs are named in their entries only');
is(join(' ', grep { !$libav{$_} && $codecs{$_} ne 'NGX_MEDIA_TEXT' }
             sort keys %codecs), '', 'libav has a name for each');
cmp_ok(scalar(keys %codecs), '>=', 12, 'all were seen');

# what the compiler sees of them: nothing but libc's memory and string
# functions is missing, and nothing can be written

my @sources = map { sort glob "$root/$_/*.c" } sort keys %pure;
my $tmp = tempdir('ngx-media-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @flags = split ' ', `$root/../scripts/build --cflags`;

my @status = parallel(Test::Media::Build::jobs(), map {
    my $source = $_;
    my ($name) = $source =~ m|([^/]+)\.c$|;

    sub {
        return system('gcc', '-O1', '-w', '-fno-pie', '-fno-stack-protector',
                      @flags, '-c', '-o', "$tmp/$name.o", $source) ? 1 : 0;
    };
} @sources);

is(scalar(grep { $_ } @status), 0, 'pure layers are compiled');

my (%defined, %missing, @mutable);

for my $object (sort glob "$tmp/*.o") {
    my ($name) = $object =~ m|([^/]+)\.o$|;

    for my $line (split /\n/, `nm $object`) {
        my ($type, $symbol) = $line =~ /(\w) (\S+)$/ or next;

        $missing{$symbol} = $name if $type eq 'U';
        $defined{$symbol} = 1 if $type =~ /[TRDBC]/;
        push @mutable, "$name.c: $symbol" if $type =~ /[dDbBC]/;
    }
}

my @missing = map { "$missing{$_}.c: $_" } grep {
    !$defined{$_} && !/^(?:mem(?:cpy|move|set|cmp|chr)|str(?:len|n?cmp))$/
} sort keys %missing;

is(join("\n", @missing), '', 'pure layers call nobody else');
is(join("\n", @mutable), '', 'pure layers have no state');

done_testing();
