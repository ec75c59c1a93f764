#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Indexes of MP4 files hold what ffprobe says of every packet: where, how
# large, when, key frame or not; what is presented is what ffprobe says is; and
# they are small, also of a film of 12 hours.
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

use Test::Media::Boxes;
use Test::Media::Build qw/ tool /;
use Test::Media::Samples;
use Test::Media::Tools;

my $dir = tempdir('media-index-XXXXXX', TMPDIR => 1, CLEANUP => 1);

die "no ffmpeg: run scripts/deps test\n"
    if system('ffmpeg -version >/dev/null 2>&1');

my $bin = tool('index');

# files that are not to be read, and why

my $stsc = mp4_at(slurp(media_sample('bad_chunk.mp4')),
                  'moov/trak/mdia/minf/stbl/stsc') + 16;

# the second one of its boxes
my $damaged = slurp(media_sample('damaged.mp4'));
my $mdhd = rindex($damaged, 'mdhd') + 4;

my %refused = (
    'bad_chunk.mp4' => 'moov/trak[1]/mdia/minf/stbl/stsc: does not begin with'
                       . " the first chunk, offset:$stsc",
    'picture.avif' =>
        'no moov in it, offset:' . -s media_sample('picture.avif'),
    'bad_free.mp4' => 'free: has a wrong size, offset:32',
    'damaged.mp4' =>
        "moov/trak[2]/mdia/mdhd: timescale is wrong, offset:$mdhd",
    'chunk_out_of_range.mp4' =>
        'moov/trak[1]/mdia/minf/stbl/stsc:'
        . ' does not begin with the first chunk, offset:8517',
    'clusterfuzz-testcase-minimized-avif-4914209301856256.avif' =>
        'no moov in it, offset:342',
    'sample_malformed_free_box.mp4' => 'free: has a wrong size, offset:32',
    'test_case_1185230.mp4' =>
        'moov/trak[2]/mdia/mdhd: timescale is wrong, offset:1035',
);

# whose edit list ffprobe sees in another way: it begins before the first key
# frame, or shows the file's samples in another order

my %edited = map { $_ => 1 } qw/ sample_edit_list_no_sync_frame_before_edit /;

my $source = '-f lavfi -i testsrc2=s=64x64:r=25 -f lavfi -i sine=440:r=44100'
             . ' -t 6 -pix_fmt yuv420p -c:v libx264 -preset ultrafast'
             . ' -c:a aac -b:a 64k';

my @made = (
    ['b-frames', 'mp4', '-g 25 -bf 3'],
    ['b-frames, moov first', 'mp4', '-g 25 -bf 3 -movflags faststart'],
    ['negative offsets', 'mp4',
     '-g 25 -bf 3 -movflags negative_cts_offsets'],
    ['open gop', 'mp4', '-x264-params keyint=25:open-gop=1:bframes=2'],
    ['quicktime', 'mov', '-g 25 -bf 2'],
    ['variable rate', 'mp4',
     "-vf select='not(mod(n\\,3))+gt(random(1)\\,0.5)' -fps_mode vfr -bf 2"],
    ['audio later', 'mp4', '-g 25 -af adelay=700 -af asetpts=PTS+0.7/TB'],
    ['fragments', 'mp4', '-g 25 -bf 2'
     . ' -movflags frag_keyframe+empty_moov+default_base_moof'],
    ['fragments, the old way', 'mp4', '-g 25 -bf 2 -movflags frag_keyframe'],
    ['fragments, separate moof', 'mp4',
     '-g 25 -movflags frag_keyframe+separate_moof+omit_tfhd_offset'],
    ['dash', 'mp4', '-g 50 -bf 2 -movflags dash+frag_keyframe+global_sidx'],
    ['smooth streaming', 'ismv', '-g 25 -bf 0'],
    ['audio and moov in two', 'mp4', '-vn'],
    ['one key frame', 'mp4', '-g 1000 -sc_threshold 0 -an'],
);

for my $test (@made) {
    my ($name, $format, $options) = @$test;
    my $file = "$dir/made.$format";

    is(system("nice ffmpeg -nostdin -v error -y $source $options $file"), 0,
       "$name: made")
        or next;

    subtest $name => sub { compare($file, $name) };
}

# in encrypted samples ffprobe sees key frames where there are none
my $kinds = qr/(?<!\bencrypted)\.(?:mp4|mov|avif)$/;
my %seen;
my @files = $ENV{TEST_MEDIA} ? split ' ', $ENV{TEST_MEDIA}
    : grep { !$seen{$_}++ } media_samples($kinds),
                            grep { m{/(?:mp4|broken)/} } shared_media();

for my $file (@files) {
    my ($name) = $file =~ m|([^/]+)$|;

    if ($refused{$name}) {
        my @said = `$bin $file 2>&1`;
        is("@said", "error $refused{$name}\n", "$name: refused");
        next;
    }

    subtest $name => sub { compare($file, $name) };
}

subtest 'a file that is cut' => sub { cut() };
subtest '12 hours' => sub { film() };

done_testing();


sub compare {
    my ($file, $name) = @_;

    my ($tracks, $ours) = index_of($file, 'raw') or return;
    my $theirs = packets($file, '-ignore_editlist 1');

    cmp_ok(scalar keys %$theirs, '>', 0, 'tracks')
        if $name !~ /^(?:invalid_userdata|no_media)\./;

    for my $n (sort { $a <=> $b } keys %$theirs) {
        my $shift = $theirs->{$n}[0]{dts} - $ours->{$n}[0]{dts};

        # ffprobe moves all decode times if an offset is negative
        $_->{dts} -= $shift for @{$theirs->{$n}};

        same($ours->{$n}, $theirs->{$n}, "track $n");

        my @samples = @{$ours->{$n}};
        my $each = $tracks->{$n}{bytes} / (@samples || 1);
        my $chunks = grep { $samples[$_]{pos} != $samples[$_ - 1]{pos}
                                                 + $samples[$_ - 1]{size} }
                          1 .. $#samples;

        note(sprintf('track %d: %d samples in %d runs, %.2f bytes each', $n,
                     scalar @samples, $chunks + 1, $each));

        # frame by frame costs an offset for each
        cmp_ok($each, '<=', $chunks * 8 < @samples ? 3 : 4,
               "track $n: bytes per sample") if @samples > 500;
    }

    return if $name =~ /^(\w+)\.mp4$/ && $edited{$1};

    ($tracks, $ours) = index_of($file, '');
    $theirs = packets($file, '');

    for my $n (sort { $a <=> $b } keys %$theirs) {
        my ($first) = @{$ours->{$n} || []} or next;
        my @theirs = @{$theirs->{$n}};

        # video: what is not shown is decoded all the same, from the key frame
        # on; audio: a frame that begins before the edit is not presented

        my $i = 0;
        $i++ while $i < @theirs && $theirs[$i]{pos} != $first->{pos};
        my @before = splice @theirs, 0, $i;

        cmp_ok(scalar(grep { $_->{flags} !~ /D/ } @before), '<=',
               $tracks->{$n}{handler} eq 'soun' ? 1 : 0,
               "track $n: nothing is left out");

        my $last = $ours->{$n}[-1];
        pop @theirs while @theirs && $theirs[-1]{flags} =~ /D/
                          && $theirs[-1]{pos} != $last->{pos};

        is(scalar @{$ours->{$n}}, scalar @theirs, "track $n: presented");

        # ffprobe moves the begin of an edit to the next frame
        my $frame = $theirs[0]{duration} || 0;
        my %by;
        $by{$ours->{$n}[$_]{pts} - $theirs[$_]{pts}}++
            for 0 .. ($#theirs < $#{$ours->{$n}} ? $#theirs
                                                 : $#{$ours->{$n}});

        is(join(' ', grep { abs($_) > $frame } keys %by), '',
           "track $n: in step");
        cmp_ok(scalar keys %by, '<=', 1, "track $n: all of it");
    }

    plans($file);
}


sub same {
    my ($ours, $theirs, $name) = @_;

    is(scalar @$ours, scalar @$theirs, "$name: samples");

    for my $i (0 .. $#$theirs) {
        my ($p, $q) = map { my $x = $_->[$i] || {};
                            join ' ', map { $x->{$_} // '-' }
                                      qw/ pts dts size pos key / }
                      $ours, $theirs;

        next if $p eq $q;

        is($p, $q, "$name: sample $i");
        return;
    }
}


# segments follow one another, in all tracks as many, none is cut between keys

sub plans {
    my ($file) = @_;
    my (%segments, %tracks);

    for (`$bin $file plan 2000 2>&1`) {
        push @{$segments{$1}}, { time => $2, duration => $3, sample => $4,
                                 samples => $5 }
            if /^segment[ ](\d+)[ ]\d+[ ]time[ ](\S+)[ ]duration[ ](\d+)[ ]
                sample[ ](\d+)[ ]samples[ ](\d+)/x;
        $tracks{$1} = { first => $2, end => $3 }
            if /^track (\d+) .* first (\d+) end (\d+)/;
    }

    my %n = map { scalar @$_ => 1 } values %segments;
    is(scalar keys %n, 1, 'plan: as many segments in all tracks');

    for my $n (sort keys %segments) {
        my $at = $tracks{$n}{first};
        my ($time, $wrong);

        for my $s (@{$segments{$n}}) {
            $wrong = "sample $s->{sample}, not $at" if $s->{sample} != $at;
            next if !$s->{samples};

            $wrong = "time $s->{time}, not $time"
                if defined $time && $s->{time} != $time;
            $time = $s->{time} + $s->{duration};
            $at += $s->{samples};
        }

        is($wrong, undef, "plan $n: no gap");
        is($at, $tracks{$n}{end}, "plan $n: all samples");
    }
}


sub index_of {
    my ($file, $mode) = @_;
    my (%tracks, %samples);

    my @said = `$bin $file $mode 2>&1`;
    is($?, 0, "index $mode") or do { diag(@said > 20 ? @said[0 .. 19]
                                                     : @said); return };

    for (@said) {
        if (/^sample (\d+) (\S+) (\S+) (\d+) (\d+) (\S)/) {
            push @{$samples{$1}}, { pts => $2, dts => $3, size => $4,
                                    pos => $5, key => $6 };

        } elsif (/^track (\d+) (.*)/) {
            my ($n, $text) = ($1, $2);
            $tracks{$n} = { $text =~ /(\w+) (\S+)/g };
            $samples{$n} = [];
        }
    }

    return (\%tracks, \%samples);
}


sub packets {
    my ($file, $option) = @_;
    my %packets;

    for (`ffprobe -v quiet $option -show_entries \\
          packet=stream_index,pts,dts,duration,size,pos,flags -of compact \\
          $file`)
    {
        my %p = /(\w+)=([^|\s]*)/g;
        next if !defined $p{pos};

        # what is not known of an absent presentation time
        $p{pts} = $p{dts} if $p{pts} eq 'N/A';
        $p{key} = substr $p{flags}, 0, 1;
        $p{duration} = 0 if ($p{duration} || '') !~ /^\d+$/;

        push @{$packets{$p{stream_index}}}, \%p;
    }

    return \%packets;
}


# a file that grows: what is complete is there, the rest is not

sub cut {
    my $file = "$dir/whole.mp4";

    is(system("nice ffmpeg -nostdin -v error -y $source -g 25 -movflags"
              . " frag_keyframe+empty_moov+default_base_moof $file"), 0,
       'made');

    my (undef, $whole) = index_of($file, 'raw');
    my $size = -s $file;

    for my $part (0.3, 0.5, 0.77, 0.99) {
        my $short = "$dir/short.mp4";
        system('cp', $file, $short);
        truncate $short, int($size * $part);

        my (undef, $samples) = index_of($short, 'raw');

        for my $n (sort keys %$samples) {
            my @ours = @{$samples->{$n}};

            cmp_ok(scalar @ours, '<', scalar @{$whole->{$n}},
                   "$part, track $n: fewer");
            cmp_ok(scalar @ours, '>', 0, "$part, track $n: some");
            same(\@ours, [@{$whole->{$n}}[0 .. $#ours]],
                 "$part, track $n");
        }
    }
}


# 25 frames/s with b-frames at 3 Mbit/s, a key frame every 2 s, and stereo AAC
# at 128 kbit/s, a chunk of each every half second; the data are a hole

sub film {
    my $hours = 12;
    my $seconds = $hours * 3600;
    my (@video, @audio, @chunks, @offsets, %sum);

    srand 1;

    for my $i (0 .. 25 * $seconds - 1) {
        my $k = $i % 50;
        push @video, int($k == 0 ? 50000 + rand 40000
                         : $k % 3 == 1 ? 14000 + rand 14000
                         : 6000 + rand 8000);
    }

    push @audio, 280 + int(rand 130) for 1 .. int($seconds * 48000 / 1024);

    my ($v, $a, $pos) = (0, 0, 48);

    for my $i (1 .. 2 * $seconds) {

        for my $track (['v', \@video, \$v, int($i * 12.5)],
                       ['a', \@audio, \$a, int($i * 24000 / 1024)])
        {
            my ($t, $sizes, $from, $to) = @$track;
            $to = @$sizes if $to > @$sizes || $i == 2 * $seconds;

            push @{$offsets[$t eq 'a']}, $pos;
            push @{$chunks[$t eq 'a']}, $to - $$from;

            for (; $$from < $to; $$from++) {
                $pos += $sizes->[$$from];
                $sum{$t} += $sizes->[$$from];
            }
        }
    }

    my $file = "$dir/film.mp4";

    open my $fh, '>', $file or die "$file: $!\n";
    binmode $fh;
    print $fh pack('Na4a4Na4a4', 32, 'ftyp', 'isom', 0, 'isom', 'mp42'),
              pack('x8'), pack('Na4Q>', 1, 'mdat', $pos - 32);
    seek $fh, $pos, 0;

    my $moov = box('moov', full('mvhd', pack('x8Nx4x80', 1000)),
                   trak(1, 'vide', 12800, \@video, $chunks[0], $offsets[0]),
                   trak(2, 'soun', 48000, \@audio, $chunks[1], $offsets[1]));
    print $fh $moov;
    close $fh or die "$file: $!\n";

    note(sprintf 'moov: %.1f MB, file: %.1f GB', length($moov) / 1e6,
         $pos / 1e9);

    my @times = times;
    my @said = `$bin $file plan 6000 2>&1`;
    is($?, 0, 'index') or diag(@said);
    my @after = times;

    note(sprintf 'index and plan under sanitizers: %.1f s of CPU',
         $after[2] + $after[3] - $times[2] - $times[3]);

    my @tracks = map { { /(\w+) (\S+)/g } } grep { /^track/ } @said;
    my @plans = map { { /(\w+) (\d+)/g } } grep { /^plan/ } @said;

    for my $n (0, 1) {
        my $sizes = $n ? \@audio : \@video;

        is($tracks[$n]{samples}, scalar @$sizes, "track $n: samples");
        is($plans[$n]{bytes}, $sum{$n ? 'a' : 'v'} - ($n ? $audio[0] : 0),
           "track $n: bytes");
        is($plans[$n]{segments}, $seconds / 6, "track $n: segments");

        my $each = $tracks[$n]{bytes} / @$sizes;

        note(sprintf 'track %d: %d samples, %.2f bytes each, %d runs of '
             . 'segments', $n, scalar @$sizes, $each, $plans[$n]{runs});
        cmp_ok($each, '<=', 3, "track $n: bytes per sample");
    }

    is($tracks[0]{keys}, $seconds / 2, 'key frames');
    is($plans[0]{runs}, 1, 'equal segments are one run');
}


sub box {
    my ($type, @content) = @_;
    my $body = join '', @content;
    return pack('Na4', 8 + length $body, $type) . $body;
}


sub full {
    my ($type, @content) = @_;
    return box($type, pack("N", 0), @content);
}


sub trak {
    my ($id, $handler, $scale, $sizes, $chunks, $offsets) = @_;
    my $video = $handler eq 'vide';
    my $n = @$sizes;

    my (@stsc, $last);

    for my $i (0 .. $#$chunks) {
        push @stsc, $i + 1, $chunks->[$i], 1
            if !defined $last || $chunks->[$i] != $last;
        $last = $chunks->[$i];
    }

    # I P B B P B B: decode order, 25 frames/s
    my @ctts = $video ? map { (1, $_ % 50 == 0 ? 512 : $_ % 3 == 1 ? 2048
                                  : $_ % 3 == 2 ? 512 : 0) } 0 .. $n - 1 : ();
    my @stss = $video ? grep { $_ % 50 == 1 } 1 .. $n : ();

    return box('trak',
        full('tkhd', pack('x8Nx4x4x52x8', $id)),
        box('edts', full('elst', pack('NNNN', 1, 0, $video ? 512 : 1024,
                                      0x10000))),
        box('mdia',
            full('mdhd', pack('x8NNnn', $scale, 0, 0x55c4, 0)),
            full('hdlr', pack('x4a4x12', $handler)),
            box('minf', box('stbl',
                full('stsd', pack('N', 1),
                     $video ? box('avc1', pack('x6nx16nnx50', 1, 1280, 720))
                            : box('mp4a', pack('x6nx8nnx4N', 1, 2, 16,
                                               48000 << 16))),
                full('stts', pack('NNN', 1, $n, $video ? 512 : 1024)),
                @ctts ? full('ctts', pack('NN*', @ctts / 2, @ctts)) : (),
                @stss ? full('stss', pack('NN*', scalar @stss, @stss)) : (),
                full('stsc', pack('NN*', @stsc / 3, @stsc)),
                full('stsz', pack('NNN*', 0, $n, @$sizes)),
                full('co64', pack('NQ>*', scalar @$offsets, @$offsets))))));
}
