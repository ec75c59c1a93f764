#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What other people's parsers make of our playlists and manifests: the texts
# of t/unit/ngx_media_m3u8.c, ngx_media_mpd.c and ngx_media_pack_file.c, read by
# m3u8-parser, hls-parser in its strict mode, mpd-parser and xmllint.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Temp qw/ tempdir /;
use JSON::PP ();
use Test::More;

use Test::Media::Build;

my $root = $Test::Media::Build::root;
my $dir = tempdir(CLEANUP => 1);

# the samples

my %source = (m3u8 => "$root/t/unit/ngx_media_m3u8.c",
              mpd => "$root/t/unit/ngx_media_mpd.c",
              file => "$root/t/unit/ngx_media_pack_file.c");

my $b = Test::Media::Build->new(name => 'manifest', cc => $ENV{CC} || 'gcc',
                                cflags => [qw/ -O1 -DNGX_MEDIA_UNIT=1 /]);

my %bin = $b->programs(values %source);

for my $file (grep { !defined $bin{$_} } values %source) {
    diag($b->log($file));
    BAIL_OUT("$file does not build");
}

my %file;

for my $type (sort keys %source) {
    my $bin = $bin{$source{$type}};

    # those of files have both, and say which by themselves

    for my $name (split ' ', `$bin --list`) {
        my $file = $type eq 'file' ? $name : "$name.$type";

        $file{$file} = "$dir/$file";
        is(system("$bin $name > $dir/$file"), 0, $file);
    }
}

# XML

my @mpd = grep { /\.mpd$/ } sort keys %file;

cmp_ok(scalar @mpd, '>=', 3, 'manifests');

for my $name (@mpd) {
    lint($name, 'well-formed');

    # numbers of 64 bits are what no MPD may have
    next if $name eq 'max.mpd';

    lint($name, 'valid', '--schema', "$root/t/schema/mpd.xsd");
}

# parsers

BAIL_OUT('no node, or no packages in t/node_modules: run scripts/deps test')
    if !program('node') || !-d "$root/t/node_modules";

my %name = reverse %file;
my $json = do {
    open my $fh, '-|', 'node', "$root/t/manifest.mjs", sort values %file
        or die "node: $!\n";
    local $/;
    <$fh>;
};

my $all = eval { JSON::PP::decode_json($json) };
BAIL_OUT("manifest.mjs said: $json") if !$all;

my %read = map { $name{$_} => $all->{$_} } keys %$all;

for my $name (sort keys %read) {
    for my $parser (sort keys %{$read{$name}}) {

        # hls-parser asks for version 8 with GAP (as old drafts did), for
        # CAN-BLOCK-RELOAD with any SERVER-CONTROL, and for 85 % of
        # PART-TARGET in independent parts too
        next if $parser eq 'hls-parser'
                && $name =~ /^(?:gap|iframes|plain|rounding|whole)\./;

        my $got = $read{$name}{$parser};
        my @said = grep { !/RENDITION-REPORT .* LAST-PART/ }
                        @{$got->{warnings} || []};

        is($got->{error}, undef, "$name: $parser reads it");
        is_deeply(\@said, [], "$name: $parser has nothing to say");
    }
}

# each file was read by each parser of its kind

for my $name (sort keys %file) {
    is(join(' ', sort keys %{$read{$name} || {}}),
       $name =~ /mpd$/ ? 'mpd-parser' : 'hls-parser m3u8-parser',
       "$name: parsers");
}

m3u8_checks('m3u8-parser');
hls_checks('hls-parser');
mpd_checks('mpd-parser');

done_testing();


sub m3u8_checks {
    my ($parser) = @_;

    my $live = $read{'live.m3u8'}{$parser};
    my $delta = $read{'delta.m3u8'}{$parser};
    my @n = 1767225600 .. 1767225604;

    is_deeply([map { $_->{uri} } @{$live->{segments}}],
              [map { "v1/$_.m4s" } @n[0 .. 3]], 'segments');
    is_deeply($live->{segments}[3]{parts},
              [map { "v1/$n[3].$_.m4s" } 0 .. 9], 'parts of a segment');
    is_deeply($live->{open},
              { parts => [map { "v1/$n[4].$_.m4s" } 0, 1],
                hints => ["v1/$n[4].2.m4s"] }, 'parts in progress, and hint');
    is_deeply($live->{reports},
              [['a1.m3u8', $n[4], 1], ['t1.m3u8', $n[3], undef]], 'reports');
    is_deeply($live->{control},
              { canBlockReload => JSON::PP::true, canSkipUntil => 18,
                holdBack => 9, partHoldBack => 0.68 }, 'control');
    is("$live->{version} $live->{target} $live->{partTarget}",
       '6 3 0.2134', 'version and targets');
    is("$live->{sequence} $live->{discontinuitySequence}", "$n[0] 1234",
       'sequence numbers');

    # a client joins the update with what it has

    is("$delta->{version} $delta->{skipped} $delta->{sequence}",
       "9 2 $n[0]", 'delta update');
    is_deeply($delta->{segments}, [@{$live->{segments}}[2, 3]],
              'delta update: the same segments');
    is_deeply($delta->{open}, $live->{open},
              'delta update: the same parts in progress');

    my $change = $read{'change.m3u8'}{$parser};

    is_deeply([map { $_->{map} =~ /init-(..)/ } @{$change->{segments}}],
              [qw/ 01 01 fe 01 /], 'init segments');
    is_deeply([map { $_->{timeline} } @{$change->{segments}}],
              [1, 1, 2, 2], 'discontinuities');

    my $end = $read{'end.m3u8'}{$parser};

    ok($end->{end}, 'ended');
    is_deeply([$end->{open}, $end->{reports}], [undef, []],
              'ended: nothing to come');

    my $multi = $read{'multi-ladder.m3u8'}{$parser};

    is_deeply([map { $_->{uri} } @{$multi->{variants}}],
              [qw/ v1.m3u8 v2.m3u8 v1.m3u8 /], 'variants');
    is($multi->{variants}[0]{attributes}{'FRAME-RATE'}, 29.97, 'frame rate');
    is_deeply([sort keys %{$multi->{audio}{'aac-2'}}],
              [qw/ Deutsch English /], 'renditions');

    my $hostile = $read{'multi-hostile.m3u8'}{$parser};

    is_deeply([sort keys %{$hostile->{audio}{g}}],
              ['a2', 'ab#EXT-X-ENDLIST,X=1'], 'quotes hold');
}


sub hls_checks {
    my ($parser) = @_;

    # two parsers, one understanding

    for my $name (qw/ live delta change cut first end vod /) {
        my $hls = $read{"$name.m3u8"}{$parser};
        my $m3u8 = $read{"$name.m3u8"}{'m3u8-parser'} or next;

        # this one counts the open segment
        my @closed = grep { $_->{uri} ne '' } @{$hls->{segments}};

        is_deeply([map { [@$_{qw/ uri duration map /}] } @closed],
                  [map { [@$_{qw/ uri duration map /}] }
                   @{$m3u8->{segments}}], "$name: parsers agree");
    }

    my $live = $read{"live.m3u8"}{$parser};

    is_deeply([map { $_->[2] ? 1 : 0 } @{$live->{segments}[3]{parts}}],
              [1, 0, 0, 0, 0, 1, 0, 0, 0, 0], 'independent parts');
    is_deeply([map { $_->[3] ? 1 : 0 } @{$live->{segments}[4]{parts}}],
              [0, 0, 1], 'hinted part');
    is($live->{segments}[2]{date}, '2026-01-01T00:00:04.000Z', 'date');

    is($read{'delta.m3u8'}{$parser}{segments}[0]{number}, 1767225602,
       'delta update: number of the first');

    my $multi = $read{'multi-ladder.m3u8'}{$parser};

    is_deeply($multi->{variants}[0],
              { uri => 'v1.m3u8', bandwidth => 5300000, average => 4100000,
                codecs => 'avc1.640028,mp4a.40.2', rate => 29.97,
                range => 'SDR', size => '1920x1080',
                audio => [['aac-2', 'English', 'en', '2', 'a1.m3u8',
                           JSON::PP::true],
                          ['aac-2', 'Deutsch', 'de', '2', 'a2.m3u8',
                           undef]] }, 'variant');
}


sub mpd_checks {
    my ($parser) = @_;

    my $live = $read{'live.mpd'}{$parser};
    my ($video) = @{$live->{video}};
    my $audio = $live->{audio}{'Deutsch & <mehr>'};

    is_deeply([map { $_->[0] } @{$video->{segments}}],
              [map { "v1/$_.m4s" } 1767225600 .. 1767225602],
              'MPD: the names of the playlists');
    is($video->{map}, 'v1/init-0123456789abcdef.mp4', 'MPD: init');
    is_deeply([map { $_->[1] } @{$video->{segments}}], [2, 2, 2],
              'MPD: durations');
    is($video->{attributes}{'FRAME-RATE'}, 25, 'MPD: frame rate');

    ok($audio, 'MPD: label') or return;
    is($audio->{language}, 'de', 'MPD: language');
    is_deeply([map { sprintf '%s %.3f', @$_[0, 1] }
               @{$audio->{playlists}[0]{segments}}],
              ['a1/1767225600.m4s 1.984', 'a1/1767225601.m4s 2.005',
               'a1/1767225602.m4s 2.005'], 'MPD: folded and not');

    is_deeply($live->{timing},
              { schemeIdUri => 'urn:mpeg:dash:utc:http-iso:2014',
                method => 'GET', value => '/live/time?a=1&b="2"' },
              'MPD: clock');
    is("$live->{update} $live->{delay}", '2000 6', 'MPD: times');

    my $periods = $read{'periods.mpd'}{$parser};

    is_deeply([map { $_->{start} } @{$periods->{periods}}],
              [1767225600, 1767225606.48], 'MPD: periods');

    is_deeply([map { $_->[0] } @{$periods->{video}[0]{segments}}],
              [(map { "v1/$_.m4s" } 1767225600 .. 1767225602),
               (map { "v1/t$_.m4s" } 636201218160000, 636201221760000,
                636201225720000, 636201229320000)],
              'MPD: periods joined, by number and by time');

    my $static = $read{'static.mpd'}{$parser};

    is($static->{duration}, 5.001, 'MPD: duration');
    ok($static->{end}, 'MPD: static');
}


sub lint {
    my ($name, $what, @args) = @_;

    open my $fh, '-|', "xmllint --noout @args $file{$name} 2>&1"
        or die "xmllint: $!\n";
    my $said = join '', <$fh>;
    close $fh;

    is($?, 0, "$name: $what") or diag($said);
}


sub program {
    my ($name) = @_;

    return scalar grep { -x "$_/$name" } split /:/, $ENV{PATH};
}
