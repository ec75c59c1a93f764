#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What the readers of files say of a file is what ffprobe says: its tracks,
# how many samples they have, when they begin and end, and in what language.
#
#   TEST_MEDIA="a.mp4 b.mp4"   these files too; without it those of
#                              Test::Media::Samples and of the folder
#                              shared/media beside the project, if it is there

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";

use Test::Media::Build qw/ tool /;
use Test::Media::Samples;

my $dir = tempdir('media-file-XXXXXX', TMPDIR => 1, CLEANUP => 1);

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version >/dev/null 2>&1');

my $bin = tool('file');

my %type = (video => 'video', audio => 'audio', subtitle => 'text');
my %lang = (ger => 'de', deu => 'de', fre => 'fr', fra => 'fr', eng => 'en',
            spa => 'es', und => '');

write_file("$dir/s.srt", "1\n00:00:01,000 --> 00:00:02,000\nOne\n\n"
                         . "2\n00:00:03,000 --> 00:00:04,000\nTwo\n");

my $source = '-f lavfi -i testsrc2=s=64x64:r=25 -f lavfi -i sine=440:r=44100'
             . " -i $dir/s.srt -map 0 -map 1 -map 1 -map 2 -map 2 -t 6"
             . ' -pix_fmt yuv420p -c:v libx264 -preset ultrafast -bf 2 -g 25'
             . ' -c:a aac -b:a 64k -c:s mov_text'
             . ' -metadata:s:a:0 language=ger -metadata:s:a:1 language=fre'
             . " -metadata:s:a:1 handler_name='The other'"
             . ' -metadata:s:s:0 language=eng -metadata:s:s:1 language=spa'
             . ' -disposition:s:1 forced';

my %made = (
    multi => $source,
    faststart => "-i $dir/multi.mp4 -map 0 -c copy -movflags faststart",
    frag => "-i $dir/multi.mp4 -map 0:v -map 0:a -c copy"
            . ' -movflags frag_keyframe+empty_moov+default_base_moof',
    frag_old => "-i $dir/multi.mp4 -map 0:v -map 0:a -c copy"
                . ' -movflags frag_keyframe',
    fine => "-i $dir/multi.mp4 -map 0:v -map 0:a -c copy"
            . ' -movflags frag_every_frame+empty_moov+default_base_moof',
);

for my $name (qw/ multi faststart frag frag_old fine /) {
    is(system("nice ffmpeg -nostdin -v error -y $made{$name} $dir/$name.mp4"),
       0, "$name: made");
    subtest $name => sub { compare("$dir/$name.mp4", $name) };
}

my %seen;
my @files = $ENV{TEST_MEDIA} ? split ' ', $ENV{TEST_MEDIA}
    : grep { !$seen{$_}++ } media_samples(qr/\.(?:mp4|mov|avif)$/),
                            grep { m{/(?:mp4|broken)/} } shared_media();

for my $file (@files) {
    my ($name) = $file =~ m|([^/]+)$|;
    subtest $name => sub { compare($file, $name) };
}

subtest 'labels and flags' => sub {
    my ($file, @tracks) = index_of("$dir/multi.mp4");

    is($tracks[1]{label}, '', 'the name of a program is no label');
    is($tracks[2]{label}, 'The other', 'another one is');
    like($tracks[1]{flags}, qr/default/, 'the first audio track is default');
    unlike($tracks[2]{flags}, qr/default/, 'the other is not');
    unlike($tracks[3]{flags}, qr/forced/, 'subtitles');
    like($tracks[4]{flags}, qr/forced/, 'forced subtitles');
};

subtest 'a sidecar' => sub {
    rename "$dir/s.srt", "$dir/s.de-at.forced.srt";

    my ($file, @tracks) = index_of("$dir/s.de-at.forced.srt");

    is($file->{status}, 200, 'status');
    is(scalar @tracks, 1, 'one track');
    is($tracks[0]{type}, 'text', 'of text');
    is($tracks[0]{lang}, 'de-AT', 'in its language');
    like($tracks[0]{flags}, qr/forced/, 'forced');
};

subtest 'a file that grows' => sub {
    my ($whole, @all) = index_of("$dir/frag.mp4");
    my $bytes = read_file("$dir/frag.mp4");
    my ($tag, $offset, $samples) = ('', 0, 0);

    for my $part (0.35, 0.6, 0.61, 0.8, 0.99) {
        my $n = int(length($bytes) * $part);
        write_file("$dir/grow.mp4", substr $bytes, 0, $n);

        my ($file, @tracks) = index_of("$dir/grow.mp4");

        is($file->{status}, 200, "$part: status");
        is($file->{fragmented}, 1, "$part: it may grow");
        is($file->{tag}, $tag || $file->{tag}, "$part: its name stays");
        cmp_ok($file->{offset}, '<=', $n, "$part: what is indexed");
        cmp_ok($file->{offset}, '>=', $offset, "$part: grows");
        cmp_ok($tracks[0]{samples}, '>=', $samples, "$part: samples");
        cmp_ok($tracks[0]{samples}, '<=', $all[0]{samples}, "$part: no more");
        is($tracks[0]{samples} % 25, 0, "$part: whole fragments");

        ($tag, $offset, $samples) = ($file->{tag}, $file->{offset},
                                     $tracks[0]{samples});
    }

    cmp_ok($samples, '>', 0, 'some');
    is($whole->{fragmented}, 0, 'one with mfra does not grow');
};

done_testing();


sub compare {
    my ($path, $name) = @_;

    my ($file, @tracks) = index_of($path);
    my @streams = grep { defined } streams($path);

    if ($file->{status} != 200) {
        is($file->{status}, 415, 'not ours');
        ok($file->{error} ne '', "why: $file->{error}");
        is(scalar @tracks, 0, 'no tracks');
        return;
    }

    note($file->{error}) if $file->{error} ne '';

    for my $stream (@streams) {
        next if !$type{$stream->{codec_type}};
        next if ($stream->{nb_read_packets} || 'N/A') eq 'N/A';
        next if ($stream->{codec_name} || 'unknown') eq 'unknown';

        my $codec = "$stream->{codec_type} $stream->{codec_name}";
        my $track = shift @tracks;

        # ffprobe has an idea of a track whose timescale is wrong

        if (!$track && $file->{error} ne '') {
            like($file->{error}, qr/timescale is (?:wrong|zero)/,
                 "$codec: left out");
            next;
        }

        is($track->{type}, $type{$stream->{codec_type}}, "$codec: type");

        # samples that end before the edit begins are no packets to ffprobe,
        # nor are those after it

        cmp_ok($track->{samples}, '>=', $stream->{nb_read_packets},
               "$codec: samples");
        cmp_ok($track->{end} - $track->{first}, '<=',
               $stream->{nb_read_packets}, "$codec: presented");
        is($track->{timescale}, (split m|/|, $stream->{time_base})[1],
           "$codec: timescale");
        like($track->{codec}, qr/ $stream->{width}x$stream->{height}\b/,
             "$codec: size") if $stream->{codec_type} eq 'video';

        my $lang = $stream->{'tag:language'} || '';

        # QuickTime's English is that of nobody who chose it

        is($track->{lang}, $lang{$lang} // '', "$codec: language")
            if $track->{lang} ne '' || $lang ne 'eng';
    }

    is(scalar @tracks, 0, 'no other tracks');
}


sub index_of {
    my ($path) = @_;
    my ($file, @tracks);

    my @said = `$bin $path 2>&1`;
    is($?, 0, 'index') or diag(@said);

    for (@said) {
        my ($kind, @fields) = split /\|/, s/\n//r, -1;
        my %fields = map { split /=/, $_, 2 } grep { /=/ } @fields;

        $file = \%fields if $kind eq 'file';
        push @tracks, \%fields if $kind eq 'track';
    }

    return ($file || { status => 0, error => '' }, @tracks);
}


sub streams {
    my ($path) = @_;

    return map {
        my %s = /([\w:]+)=([^|\n]*)/g;
        \%s;
    } grep { /^stream/ } `ffprobe -v quiet -count_packets -show_entries \\
        stream=codec_type,codec_name,nb_read_packets,width,height,time_base:\\
stream_tags=language -of compact $path`;
}


sub read_file {
    open my $fh, '<:raw', $_[0] or die "$_[0]: $!\n";
    local $/;
    return <$fh>;
}


# the same file, if there is one

sub write_file {
    open my $fh, '>:raw', $_[0] or die "$_[0]: $!\n";
    print $fh $_[1];
    close $fh or die "$_[0]: $!\n";
}
