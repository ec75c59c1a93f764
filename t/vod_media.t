#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Unusual files through HLS, DASH and MPEG-TS: each sample is the one
# that ffprobe finds in the file, at the same time up to one constant that all
# tracks of a file share; all of it decodes, and the pictures are those of the
# file.  What cannot be served is refused, and the log says why, once.
#
#   TEST_MEDIA="a.mp4 b.mp4"   these files instead; without it those of
#                              Test::Media::Samples and all in the folder
#                              shared/media beside the project, if it is there

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw/ md5_hex /;
use File::Basename qw/ basename /;

use Test::Media;
use Test::Media::Boxes;
use Test::Media::Samples;
use Test::Media::Vod;

# what is refused, and what the log says

my $stsc = mp4_at(slurp(media_sample('bad_chunk.mp4')),
                  'moov/trak/mdia/minf/stbl/stsc') + 16;
my $end = -s media_sample('picture.avif');

my %refused = (
    'bad_chunk.mp4' =>
        qr/moov.*stsc: does not begin with the first chunk, offset:$stsc,/,
    'picture.avif' => qr/no moov in it, offset:$end,/,
    'bad_free.mp4' => qr/free: has a wrong size, offset:32,/,
    'encrypted.mp4' => qr/moov.*codec "encv" is encrypted/,
    'no_media.mp4' => qr/moov.*ends after the file/,
    'latm.ts' => qr/unsupported aac_latm/,
    'mpeg2.ts' => qr/unsupported mpeg2video/,

    'chunk_out_of_range.mp4' =>
        qr/moov.*stsc: does not begin with the first chunk, offset:8517/,
    'clusterfuzz-testcase-minimized-avif-4914209301856256.avif' =>
        qr/no moov in it, offset:342/,
    'sample_malformed_free_box.mp4' =>
        qr/free: has a wrong size, offset:32/,
    'short-cenc.mp4' => qr/moov.*codec "encv" is encrypted/,
    'invalid_userdata.mp4' => qr/moov.*ends after the file/,
    'sample_latm.ts' => qr/unsupported aac_latm/,
    'sample_scte35.ts' => qr/unsupported mpeg2video/,
    'bbb_2500ms.ts' => qr/unsupported mpeg2video/,
    'stpp.mp4' => qr/codec "stpp" is not supported/,
    'teletext.ts' => qr/unsupported dvb_teletext/,
);

# what is not served of a file, numbers of its streams, and why

my %left_out = (
    # no description, the box is called "free"
    'no_stsd.mp4' => [1],
    'sample_missing_stsd.mp4' => [1],
);

# what ffprobe does not understand, or not as everybody else does (half a frame
# for one, six frames that are one sample for six): it is only looked whether
# all decodes

my %only_decoded = map { $_ => 1 } qw/
    ac3.ts
    enhanced-av1-opus.flv enhanced-mptestsrc.flv
    sample_ac3.ts sample_eac3.ts
/;

# a damaged SEI message: packets of MPEG-TS whose times ffprobe does not say

my %untimed = ('cea708_608.mp4' => 2);

# three samples that are damaged: it is only looked whether they are served

my %damaged = ('damaged.mp4' => 1, 'test_case_1185230.mp4' => 1);

my @files = defined $ENV{TEST_MEDIA} ? split ' ', $ENV{TEST_MEDIA} : do {
    my $kinds = qr/\.(?:mp4|mov|mkv|webm|flv|ts|avif)$/;
    my %seen;

    grep { /$kinds/ && !$seen{$_}++ } media_samples($kinds), shared_media();
};

# made here

my @more = $ENV{TEST_MEDIA} ? () : made();

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location / {
            root %%DIR%%/media;
            media_vod on;
            media_vod_temp_path %%DIR%%/converted;
        }
    }
}
EOC

mkdir $t->path('media');

# not of just now: a file of fragments that is young may still grow

for my $file (@files, @more) {
    my $copy = $t->path('media/' . basename($file));

    spew($copy, slurp($file));
    utime 1.6e9, 1.6e9, $copy;
}

$t->run();

for my $file (@files, @more) {
    my $name = basename($file);

    subtest $name => sub {
        if ($refused{$name}) {
            refused($name, $refused{$name});
            return;
        }

        eval {
            $damaged{$name} || $only_decoded{$name} ? served($file, $name)
                                                    : check($file, $name);
            1;
        } or fail("$name: $@");
    };
}

$t->done();


sub made {
    my @x264 = qw/ -preset ultrafast -sc_threshold 0 /;
    my $vfr = "select='not(mod(n\\,3))+gt(random(1)\\,0.5)'";

    my %made = (
        'one_key.mp4' => [gop => 1000, seconds => 13],
        'variable.mp4' => [seconds => 10, bframes => 2,
                           more => ['-vf', $vfr, qw/ -fps_mode vfr /]],
        'sound_longer.mp4' => [seconds => 15,
                               more => [qw/ -vf trim=end=7 /]],
        'video_longer.mp4' => [seconds => 15,
                               more => [qw/ -af atrim=end=7 /]],
        'sound_later.mp4' => [seconds => 14, bframes => 3,
            more => [qw/ -af atrim=start=2.345 /]],
        'open_gop.mp4' => [seconds => 13, bframes => 2,
            more => ['-x264-params', 'keyint=25:open-gop=1:bframes=2']],
        'negative.mp4' => [seconds => 13, bframes => 2,
                           more => [qw/ -movflags negative_cts_offsets /]],
        'first.mp4' => [seconds => 13, bframes => 2, sample_rate => 44100,
                        rate => '30000/1001', gop => 60,
                        more => [qw/ -movflags faststart /]],
        'quick.mov' => [seconds => 13, bframes => 2],
        'pieces.mp4' => [seconds => 13, bframes => 2, more =>
            [qw/ -movflags frag_keyframe+empty_moov+default_base_moof /]],
        'pieces_old.mp4' => [seconds => 13, bframes => 2, gop => 50,
                             more => [qw/ -movflags frag_keyframe /]],
        'dash.mp4' => [seconds => 13, bframes => 2, gop => 50,
                       more => [qw/ -movflags dash+global_sidx /]],
        'two_tones.mp4' => [seconds => 13, more => [qw/ -map 0:v -map 1:a
            -map 1:a -metadata:s:a:0 language=ger
            -metadata:s:a:1 language=fre /]],
        'key.mkv' => [seconds => 13, bframes => 2, rate => '24000/1001',
                      gop => 48],
        'stream.ts' => [seconds => 13, bframes => 2, gop => 50],
        'mp3.flv' => [seconds => 13, acodec => 'libmp3lame',
                      sample_rate => 44100],
    );

    return map {
        my $file = vod_made($_, @{$made{$_}});
        $made{basename($file)} = 1;
        $file;
    } sort keys %made;
}


sub refused {
    my ($name, $why) = @_;

    my $before = $t->log_count(qr/\[error\]/);
    my $r = $t->http_get("/$name/index.m3u8");

    is($r->{status}, 415, 'status');

    my @said = grep { /\[error\]/ } split /\n/, $t->log();
    is(scalar @said, $before + 1, 'one line in the log');
    like($said[-1] || '', qr/media vod: "[^"]*\Q$name\E": .*$why/, 'why');

    is($t->http_get("/$name/manifest.mpd")->{status}, 415, 'DASH');
    is($t->http_get("/$name/v1/00000000-0.m4s")->{status}, 415, 'segment');
}


# all that playlists name is there

sub served {
    my ($source, $name) = @_;

    my $multi = m3u8_parse(vod_fetch($t, "/$name/index.m3u8"));
    my %uris = map { $_ => 1 } map({ $_->{uri} } @{$multi->{variants}}),
        map({ $_->{URI} } grep { $_->{TYPE} eq 'AUDIO' } @{$multi->{media}});

    for my $uri (sort keys %uris) {
        my $list = vod_hls($t, "/$name/$uri");

        cmp_ok(scalar @{$list->{samples}}, '>', 0, "$uri: samples");
        playlist($uri, $list);

        next if $damaged{$name};

        my $file = $t->path('only.mp4');
        spew($file, $list->{bytes});

        my ($ok, $said, $frames) = decode_clean($file);
        ok($ok || $uri =~ /^a/ && !(decode_clean($source))[0],
           "$uri: decodes") or diag($said);
        is($frames, scalar @{$list->{samples}}, "$uri: pictures")
            if $uri =~ /^v/;
    }
}


sub check {
    my ($file, $name) = @_;

    my @streams = @{vod_source($file)};

    # a transport stream is not served from itself
    my $converted = $name =~ /\.ts$/;

    my %left_out = map { $_ => 1 } @{$left_out{$name} || []};
    my (@video, @audio);

    for my $stream (@streams) {
        next if $left_out{$stream->{index}};
        push @video, $stream if $stream->{codec_type} eq 'video';
        push @audio, $stream if $stream->{codec_type} eq 'audio';
    }

    my $multi = m3u8_parse(vod_fetch($t, "/$name/index.m3u8"));
    my $mpd = vod_mpd(vod_fetch($t, "/$name/manifest.mpd"));

    my %names;
    $names{$_->{uri}}++ for @{$multi->{variants}};
    $names{$_->{URI}}++ for grep { $_->{TYPE} eq 'AUDIO' && $_->{URI} }
                            @{$multi->{media}};

    my @named = sort map { /^(\w+)\.m3u8$/ } keys %names;
    is("@named", join(' ', sort(map({ 'v' . $_ } 1 .. @video),
                                map({ 'a' . $_ } 1 .. @audio))), 'tracks');

    my (%lists, %constants);

    for my $track (map({ ["v$_", $video[$_ - 1]] } 1 .. @video),
                   map({ ["a$_", $audio[$_ - 1]] } 1 .. @audio))
    {
        my ($id, $stream) = @$track;

        my $list = vod_hls($t, "/$name/$id.m3u8");
        $lists{$id} = $list;

        playlist($id, $list);
        dash($id, $list, $mpd->{$id});
        samples($id, $list, $stream, \%constants, $converted);
        decodes($id, $list, $stream, $file, $name);
    }

    my @constants = map { @{$constants{$_}} } sort keys %constants;
    my ($min, $max) = (sort { $a <=> $b } @constants)[0, -1];

    # a tick of the coarsest, or the milliseconds of the container
    my $tick = 0;

    for my $stream (@video, @audio) {
        $tick = $stream->{unit} if $stream->{unit} > $tick;
    }

    cmp_ok($max - $min, '<=', $tick + 0.0006, 'all tracks are in step')
        if @constants;
    note(sprintf 'shifted by %.6f .. %.6f s', $min, $max) if @constants;

    for my $id (grep { /^v/ } sort keys %lists) {
        keys_only($name, $id, $lists{$id}, $mpd->{"k$id" =~ s/v//r});
    }

    transport($file, $name, \%lists);
}


# a media playlist says what its segments are

sub playlist {
    my ($id, $list) = @_;

    my ($target, $time, @bad) = (0);

    is($list->{type}, 'VOD', "$id: type");
    ok($list->{endlist}, "$id: ENDLIST");

    for my $s (@{$list->{segments}}) {
        my ($sum, $scale) = (0, $s->{samples}[0]{timescale});
        $sum += $_->{duration} for @{$s->{samples}};

        push @bad, "$s->{uri}: EXTINF $s->{duration}, not " . $sum / $scale
            if abs($sum / $scale - $s->{duration}) > 0.00001;
        push @bad, "$s->{uri}: no key frame"
            if $id =~ /^v/ && !$s->{samples}[0]{key};
        push @bad, "$s->{uri}: begins at $s->{samples}[0]{dts}, not $time"
            if defined $time && $s->{samples}[0]{dts} != $time;

        $time = $s->{samples}[0]{dts} + $sum;
        $target = $s->{duration} if $s->{duration} > $target;
    }

    is(join("\n", @bad), '', "$id: segments");
    cmp_ok($list->{target}, '>=', int($target + 0.5), "$id: target");
    cmp_ok(scalar(grep { $_->{dts} < 0 || $_->{pts} < 0 }
                  @{$list->{samples}}), '==', 0, "$id: no time is negative");
    cmp_ok(scalar(grep { $_->{cto} < 0 } @{$list->{samples}}), '==', 0,
           "$id: no offset is");
}


# the manifest lists the same segments, and when they are

sub dash {
    my ($id, $list, $rep) = @_;

    ok($rep, "$id: DASH") or return;

    my @hls = map { join ' ', $_->{uri}, $_->{samples}[0]{dts},
                    eval { my $sum = 0; $sum += $_->{duration}
                               for @{$_->{samples}}; $sum } }
              @{$list->{segments}};
    my @dash = map { "$_->{uri} $_->{time} $_->{duration}" }
               @{$rep->{segments}};

    is_deeply(\@dash, \@hls, "$id: DASH has the same segments");
    is($rep->{init}, $list->{segments}[0]{map}, "$id: and init segment");
    is($rep->{timescale}, $list->{timescale}, "$id: and timescale");
}


# samples are those of the source, in a row; what is left out is not presented

sub samples {
    my ($id, $list, $stream, $constants, $converted) = @_;

    my @ours = without_silence($id, $list, $stream, $converted);
    my @theirs = @{$stream->{packets}};

    # where ours begin: it may be silence that is everywhere the same

    if (!$converted) {
        my $i = begin(\@ours, \@theirs);
        my @before = splice @theirs, 0, $i;
        my @after = splice @theirs, scalar @ours if @theirs > @ours;

        note(sprintf '%s: %d samples, %d before, %d after', $id,
             scalar @ours, scalar @before, scalar @after);

        presented($id, $stream, \@before, \@after) if @before || @after;
    }

    is(scalar @ours, scalar @theirs, "$id: samples") or return;

    my ($wrong, $key, %by) = (0, 0);

    for my $i (0 .. $#ours) {
        $wrong++ if !$converted && $ours[$i]{md5} ne $theirs[$i]{md5};
        $key++ if $id =~ /^v/ && !$ours[$i]{key} != ($theirs[$i]{flags}
                                                     !~ /K/);

        my $off = $ours[$i]{pts} / $ours[$i]{timescale} - $theirs[$i]{time};
        $by{sprintf '%.9f', $off}++;
    }

    my @off = sort { $a <=> $b } keys %by;

    is($wrong, 0, "$id: bytes");
    is($key, 0, "$id: key frames");

    # exact in the timescale of the file; other containers round times, and
    # what makes them steady moves none by more than 1.5 ms
    my $slack = $stream->{exact} ? 1e-6 : 0.0031;

    cmp_ok($off[-1] - $off[0], '<=', $slack, "$id: times");
    $constants->{$id} = $stream->{exact} ? [$off[0]]
                                         : [($off[0] + $off[-1]) / 2];

    # ffprobe finds the same in what is served

    @ours = @{$list->{samples}};

    my $file = $t->path("$id.mp4");
    spew($file, $list->{bytes});

    my ($again) = @{vod_probe($file)};
    my @again = @{$again->{packets} || []};
    my $late = grep { $again[$_]{dts} < $again[$_ - 1]{dts} } 1 .. $#again;

    is($again->{codec_name}, $stream->{codec_name}, "$id: ffprobe, codec");
    is(scalar @again, scalar @ours, "$id: ffprobe, packets");
    is($late, 0, "$id: ffprobe, decode times");
    is(scalar(grep { $again[$_]{pts} != $ours[$_]{pts} } 0 .. $#again), 0,
       "$id: ffprobe, times");
    is(scalar(grep { ($again[$_]{md5} || '') ne $ours[$_]{md5} } 0 .. $#again),
       0, "$id: ffprobe, bytes");
}


# sound that is shorter than the picture has silence around it; the frames of a
# converted file are not those that ffprobe sees, but for MP3

sub without_silence {
    my ($id, $list, $stream, $converted) = @_;

    my @ours = @{$list->{samples}};
    return @ours if $id !~ /^a/;

    my %real = map { ($_->{md5} // '') => 1 } @{$stream->{packets}};
    my %aac = map { md5_hex(pack 'H*', $_) => 1 }
              qw/ 00c800802380 210049900219002380 /;
    my %silent;

    my $other = $converted && $stream->{codec_name} ne 'mp3';
    my $is = sub { $other ? $aac{$_[0]{md5}} : !$real{$_[0]{md5}} };

    $silent{(shift @ours)->{md5}} = 1 while @ours && $is->($ours[0]);
    $silent{(pop @ours)->{md5}} = 1 while @ours && $is->($ours[-1]);

    cmp_ok(scalar keys %silent, '<=', 1, "$id: silence is one frame");

    return @ours;
}


sub begin {
    my ($ours, $theirs) = @_;

    my @md5 = map { $_->{md5} // '' } @$theirs;

    for my $i (0 .. @$theirs - @$ours) {
        return $i if !grep { $md5[$i + $_] ne $ours->[$_]{md5} } 0 .. $#$ours;
    }

    return 0;
}


# before and after: what the edit list leaves out, and sound before zero; video
# begins with a key frame, which may be later than the edit

sub presented {
    my ($id, $stream, $before, $after) = @_;

    my $edit = $stream->{edit};
    my $key = grep { $_->{flags} =~ /K/ } @$before;

    if ($id =~ /^v/ && !$key) {
        note("$id: what is before has no key frame");

    } else {
        is(scalar(grep { $_->{time} >= 0 } @$before), 0,
           "$id: what is before is not presented");
    }

    return if !@$after;

    my $end = $edit ? $edit->{length} / $edit->{movie} : 0;

    ok($end, "$id: there is an edit") or return;
    is(scalar(grep { $_->{time} < $end - 0.001 } @$after), 0,
       "$id: what is after is not presented");
}


# what is served decodes without a word; video has the pictures of the source

sub decodes {
    my ($id, $list, $stream, $file, $name) = @_;

    my $served = $t->path("$id.mp4");

    if ($id =~ /^a/) {
        my ($ok, $said) = decode_clean($served);

        # what the source's decoder does not like, neither
        ok($ok || !(decode_clean($file))[0], "$id: decodes") or diag($said);
        return;
    }

    my ($got, $said) = vod_pictures($served);
    my ($source, $complaint) = vod_pictures($file,
        $stream->{exact} ? ('-ignore_editlist', 1) : ());

    is($said, $complaint, "$id: decodes as the source does");

    # those of the source that are served

    my @ours = map { $_->{md5} } @$got;
    my @theirs = map { $_->{md5} } @$source;

    if (@{$stream->{packets}} != @{$list->{samples}}) {
        my $i = 0;
        $i++ while $i < @theirs && $theirs[$i] ne ($ours[0] // '');
        splice @theirs, 0, $i;
        splice @theirs, scalar @ours if @theirs > @ours;
    }

    # pictures before the first key frame need what is not there
    my ($first, @more) = @{$list->{samples}};
    my $leading = grep { $_->{pts} < $first->{pts} } @more;

    cmp_ok(scalar @ours, '>=', @{$list->{samples}} - $leading,
           "$id: pictures") if @$source == @{$stream->{packets}};
    is(join(' ', @ours), join(' ', @theirs), "$id: the same pictures");

    $list->{pictures} = \@ours;
}


# I-frame playlists, DASH trick mode: the key frame that a segment begins with

sub keys_only {
    my ($name, $id, $list, $rep) = @_;

    my $keys = vod_hls($t, "/$name/$id.iframes.m3u8");
    my @first = map { $_->{samples}[0] } @{$list->{segments}};
    my @got = @{$keys->{samples}};

    is(join(' ', map { "$_->{md5} $_->{pts}" } @got),
       join(' ', map { "$_->{md5} $_->{pts}" } @first), "$id: key frames");

    return if !$rep;

    is(join(' ', map { $_->{uri} } @{$rep->{segments}}),
       join(' ', map { $_->{uri} } @{$keys->{segments}}),
       "$id: DASH trick mode");
}


# the same samples as in fMP4, at the same times

sub transport {
    my ($source, $name, $lists) = @_;

    my $r = $t->http_get("/$name/ts.m3u8");

    if ($r->{status} == 404) {
        ok(!grep({ codec($lists->{$_}) =~ /^(?:avc1|avc3|hvc1|hev1|mp4a|ac-3
                                           |ec-3|\.mp3)$/x } keys %$lists),
           'none of it may be in a transport stream');
        return;
    }

    is($r->{status}, 200, 'ts.m3u8') or return;

    # frames of sound that are not one behind the other
    my $steady = $name =~ /\.(?:mkv|webm|flv|ts)$/ ? 0.0031 : 0;

    for my $variant (@{m3u8_parse($r->{body})->{variants}}) {
        my $uri = $variant->{uri};
        my @ids = $uri =~ /^(\w+?)(?:-(\w+))?\.ts\.m3u8$/;
        @ids = grep { defined } @ids;

        my $list = vod_ts($t, "/$name/$uri");
        my $file = $t->path('all.ts');
        spew($file, $list->{bytes});

        my @streams = @{vod_probe($file)};
        is(scalar @streams, scalar @ids, "$uri: streams") or next;

        my @shifts;

        for my $i (0 .. $#ids) {
            my @ours = @{$lists->{$ids[$i]}{samples}};
            my @theirs = @{$streams[$i]{packets}};

            is(scalar @theirs, scalar @ours, "$uri: $ids[$i]: packets")
                or next;

            my @timed = grep { $theirs[$_]{pts} ne 'N/A' } 0 .. $#theirs;
            is(@theirs - @timed, $untimed{$name} || 0,
               "$uri: $ids[$i]: packets without a time");

            my @off = sort { $a <=> $b } map {
                $theirs[$_]{pts} / 90000
                - $ours[$_]{pts} / $ours[$_]{timescale}
            } @timed;

            # a parser counts frames behind the first of a PES packet on
            cmp_ok($off[-1] - $off[0], '<=',
                   ($ids[$i] =~ /^v/ ? 1.01 : 6) / 90000 + $steady,
                   "$uri: $ids[$i]: times");
            push @shifts, $off[0], $off[-1];

            my $late = grep { $theirs[$timed[$_]]{dts}
                              < $theirs[$timed[$_ - 1]]{dts} } 1 .. $#timed;
            is($late, 0, "$uri: $ids[$i]: decode times");
        }

        @shifts = sort { $a <=> $b } @shifts;
        cmp_ok(abs($shifts[0] - 10), '<', 0.1, "$uri: 10 s later") if @shifts;
        cmp_ok($shifts[-1] - $shifts[0], '<=', 6 / 90000 + $steady,
               "$uri: in step")
            if @shifts;

        if ($ids[0] =~ /^v/) {
            # large ones once are enough
            next if !$lists->{$ids[0]}{pictures} || -s $source > 2000000;

            my ($got) = vod_pictures($file);
            is(join(' ', map { $_->{md5} } @$got),
               join(' ', @{$lists->{$ids[0]}{pictures}}),
               "$uri: the same pictures");

            my $keys = vod_ts($t, "/$name/$ids[0].ts.iframes.m3u8");
            is(scalar @{$keys->{segments}},
               scalar @{$lists->{$ids[0]}{segments}}, "$uri: key frames");
            next;
        }

        my ($ok, $said) = decode_clean($file);
        ok($ok || !(decode_clean($source))[0], "$uri: decodes")
            or diag($said);
    }
}


sub codec {
    my ($list) = @_;

    return (values %{mp4_tracks(mp4_boxes($list->{init}))})[0]{codec};
}
