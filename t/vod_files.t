#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Files as phones, cameras and broken programs write them: what of such a file
# is served, what is not, and that whatever is listed is there.

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename qw/ basename /;

use Test::Media;
use Test::Media::Vod;

my $cases = "$FindBin::Bin/../../shared/cases/vod/files";
my $media = "$FindBin::Bin/../../shared/media";

my @x264 = qw/ -c:v libx264 -preset ultrafast -pix_fmt yuv420p -threads 1
               -g 25 /;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    media_vod_segment 2s;

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
$t->run();

subtest 'a second video that is no rendition' => \&second_video;
subtest 'parameter sets in key frames alone' => \&sets_in_frames;
subtest 'size and shape of the container' => \&shape;
subtest 'what is behind the frames' => \&trailing;
subtest 'AC-3 at half its rate' => \&half_rate;
subtest 'what is listed is served' => \&listed;
subtest 'layers in MPEG-TS' => \&layers;
subtest 'fragments that were put together' => \&fragments;

$t->done();


# a file of this name; not of just now, it may grow

sub put {
    my ($name, $bytes) = @_;

    my $path = $t->path("media/$name");

    spew($path, $bytes);
    utime 1.6e9, 1.6e9, $path;

    return $path;
}


# a file of somebody else; undef: it is not here

sub other {
    my ($name, $dir) = @_;

    my ($file) = glob(($dir || $cases) . "/$name");

    return undef if !defined $file || !-f $file;

    put(basename($name), slurp($file));

    return basename($name);
}


# names of video in the master playlist

sub variants {
    my ($name, $list) = @_;

    my $multi = m3u8_parse(vod_fetch($t, "/$name/" . ($list // 'index')
                                         . '.m3u8'));

    return map { $_->{uri} } @{$multi->{variants}};
}


sub said {
    my ($name) = @_;

    return grep { /\Q$name\E/ && !/\[debug\]/ } split /\n/, $t->log();
}


# a motion photo: the film, and one larger picture

sub second_video {
    put('photo.mp4', slurp(fixture('photo.mp4', qw/ -f lavfi -i
        testsrc2=s=160x90:r=25:d=4 -f lavfi -i testsrc2=s=320x180:r=25:d=0.04
        -map 0 -map 1 /, @x264)));

    is(join(' ', variants('photo.mp4')), 'v1.m3u8', 'one variant');
    is(join(' ', sort keys %{vod_mpd(vod_fetch($t,
                                               '/photo.mp4/manifest.mpd'))}),
       'i1 k1 v1', 'DASH: the same');
    is($t->http_get('/photo.mp4/v2.m3u8')->{status}, 404, 'no other');

    my @said = grep { /left out/ } said('photo.mp4');

    is(scalar @said, 1, 'one line');
    like($said[0], qr/\Qvideo 2 of file 1 is left out, it is no rendition of \E
                      \Qthe first: another time, 1 pictures\E/x, 'which, why');

    # two real renditions
    put('ladder.mp4', slurp(fixture('ladder.mp4', qw/ -f lavfi -i
        testsrc2=s=160x90:r=25:d=4 -f lavfi -i testsrc2=s=320x180:r=25:d=4.2
        -map 0 -map 1 /, @x264)));

    is(join(' ', variants('ladder.mp4')), 'v1.m3u8 v2.m3u8', 'a ladder');

    for my $name (grep { defined } other('twov.mp4')) {
        is(join(' ', variants($name)), 'v1.m3u8', $name);
    }

    for my $name (grep { defined } other('nasa_13013.mp4')) {
        is(join(' ', variants($name)), 'v1.m3u8 v2.m3u8', $name);
    }
}


# all that the playlists of a file name, by format: the bytes of one track

sub served {
    my ($name, $uri) = @_;

    return vod_hls($t, "/$name/$uri.m3u8")->{bytes};
}


sub pictures {
    my ($name, $bytes) = @_;

    my ($pictures, $said) = vod_pictures(put($name, $bytes));

    return join("\n", map { $_->{md5} } @$pictures) . $said;
}


# avc3, hev1 and av1C without what key frames repeat

sub sets_in_frames {
    my %files = (
        avc => fixture('avc_sets.mp4', qw/ -f lavfi -i
            testsrc2=s=160x90:r=25:d=3 /, @x264,
            qw/ -x264-params repeat-headers=1 /),
        hevc => fixture('hevc_sets.mp4', qw/ -f lavfi -i
            testsrc2=s=160x90:r=25:d=3 -c:v libx265 -preset ultrafast
            -pix_fmt yuv420p -tag:v hev1 -x265-params
            repeat-headers=1:keyint=25:log-level=none:pools=1 /),
        av1 => fixture('av1_sets.mp4', qw/ -f lavfi -i
            testsrc2=s=160x90:r=25:d=1 -pix_fmt yuv420p -g 25
            -c:v libaom-av1 -cpu-used 8 -b:v 100k /),
    );

    my %edits = (
        avc => [
            avcC => sub { vod_box('avcC', substr($_[0], 0, 5), "\xe0\0") },
            avc1 => sub { vod_box('avc3', $_[0]) },
        ],
        # nothing is said of the profile, either
        hevc => [
            hvcC => sub { vod_box('hvcC', "\1", "\0" x 15,
                                  "\xfd\xf8\xf8\0\0", substr($_[0], 21, 1),
                                  "\0") },
        ],
        av1 => [av1C => sub { vod_box('av1C', substr($_[0], 0, 4)) }],
    );

    for my $codec (sort keys %files) {
        my $bytes = slurp($files{$codec});
        my $edited = vod_edit($bytes, @{$edits{$codec}});

        isnt($edited, $bytes, "$codec: the file is another");

        put("$codec.mp4", $bytes);
        put("$codec-sets.mp4", $edited);

        my $whole = vod_fetch($t, "/$codec.mp4/index.m3u8");
        my $r = $t->http_get("/$codec-sets.mp4/index.m3u8");

        is($r->{status}, 200, "$codec: served") or next;
        is($r->{body}, $whole, "$codec: the same is said of it");
        is(pictures("out.mp4", served("$codec-sets.mp4", 'v1')),
           pictures("in.mp4", $bytes), "$codec: pictures");
        is(scalar(grep { /\[(?:warn|error)\]/ } said("$codec-sets.mp4")), 0,
           "$codec: nothing to say");

        # in fragments, where moov comes first
        next if $codec ne 'avc';

        my $pieces = fixture('avc_sets_pieces.mp4', qw/ -f lavfi -i
            testsrc2=s=160x90:r=25:d=3 /, @x264, qw/ -x264-params
            repeat-headers=1 -movflags
            empty_moov+frag_keyframe+default_base_moof /);

        put('pieces.mp4', vod_edit(slurp($pieces), @{$edits{avc}}));
        is(pictures('out.mp4', served('pieces.mp4', 'v1')),
           pictures('in.mp4', slurp($pieces)), "$codec: in fragments");
    }

    # nowhere
    put('never.mp4', vod_edit(slurp(fixture('avc_never.mp4', qw/ -f lavfi -i
        testsrc2=s=160x90:r=25:d=1 /, @x264)), @{$edits{avc}}));

    is($t->http_get('/never.mp4/index.m3u8')->{status}, 415, 'none at all');
    like(join("\n", said('never.mp4')),
         qr/\Qno parameter sets, neither in its \E
                                      \Qdescription nor in key frames\E/x,
         'the log says so');

    # the same in FLV and Matroska
    put('sets.flv', flv_partial(slurp(fixture('flv_sets.flv', qw/ -f lavfi -i
        testsrc2=s=160x90:r=25:d=3 /, @x264,
        qw/ -x264-params repeat-headers=1 /))));
    is(pictures('out.mp4', served('sets.flv', 'v1')),
       pictures('in.mp4', slurp($files{avc})), 'FLV: pictures');

    my ($status) = sh('ffmpeg', '-nostdin', '-v', 'error', '-y', '-i',
                      $t->path('media/av1-sets.mp4'), '-c', 'copy',
                      $t->path('media/sets.mkv'));

    is(pictures('out.mp4', served('sets.mkv', 'v1')),
       pictures('in.mp4', slurp($files{av1})), 'Matroska: pictures');

    for my $name (grep { defined } other('hdr10-av1.mp4')) {
        like(vod_fetch($t, "/$name/index.m3u8"),
             qr/CODECS="av01\.[^"]*\.10/, $name);
        is(pictures('out.mp4', served($name, 'v1')),
           pictures('in.mp4', slurp("$cases/$name")), "$name: pictures");
    }
}


# the configuration of a file without its parameter sets

sub flv_partial {
    my ($flv) = @_;
    my ($pos, $out) = (13, substr $flv, 0, 13);

    while ($pos < length $flv) {
        my ($type, $size) = unpack 'Ca3', substr($flv, $pos, 4);
        $size = unpack 'N', "\0$size";

        my $head = substr $flv, $pos + 4, 7;
        my $body = substr $flv, $pos + 11, $size;

        $body = substr($body, 0, 10) . "\xe0\0"
            if $type == 9 && substr($body, 0, 2) =~ /^\x17\0/;

        $out .= pack('Ca3', $type, substr(pack('N', length $body), 1)) . $head
                . $body . pack('N', 11 + length $body);
        $pos += $size + 15;
    }

    return $out;
}


# what a player is told of a picture: the master playlist, the manifest, and
# ffprobe of the init segment

sub told {
    my ($name) = @_;

    my ($resolution) = vod_fetch($t, "/$name/index.m3u8")
                       =~ /STREAM-INF:.*\bRESOLUTION=(\w+)/;
    my ($rep) = vod_fetch($t, "/$name/manifest.mpd")
                =~ /(<Representation id="v1".*?>)/;
    my %attr = $rep =~ /(\w+)="([^"]*)"/g;

    my $bytes = served($name, 'v1');
    put('told.mp4', $bytes);

    my ($s) = @{ffprobe_json($t->path('media/told.mp4'))->{streams}};
    my ($track) = values %{mp4_tracks(mp4_boxes($bytes))};

    return join ' ', $resolution, "$attr{width}x$attr{height}",
        $attr{sar} // '-', "$s->{width}x$s->{height}",
        $s->{sample_aspect_ratio} // '-',
        int($track->{width}) . "x$track->{height}";
}


sub shape {
    my $said = slurp(fixture('vui_sar.mp4', qw| -f lavfi -i
        testsrc2=s=176x144:r=25:d=1 -vf setsar=27/64 |, @x264));

    put('vui.mp4', $said);
    put('pasp.mp4', vod_edit($said, pasp => sub {
        vod_box('pasp', pack 'NN', 1, 1) }));

    is(told('vui.mp4'), '176x144 176x144 27:64 176x144 27:64 74x144',
       'the stream alone, or both');
    is(told('pasp.mp4'), '176x144 176x144 1:1 176x144 1:1 176x144',
       'the container wins');

    my $crop = sub {
        my ($width) = @_;

        return vod_edit($said, pasp => sub { vod_box('pasp', pack 'NN', 1, 1) },
            avc1 => sub { vod_box('avc1', substr($_[0], 0, 24),
                                  pack('n', $width), substr($_[0], 26)) },
            tkhd => sub { vod_box('tkhd', substr($_[0], 0, -8),
                                  pack 'NN', $width << 16, 144 << 16) });
    };

    put('crop.mp4', $crop->(170));
    like(told('crop.mp4'), qr/^170x144 170x144 1:1 \d+x144 1:1 170x144$/,
         'cropped by the container');

    put('other.mp4', $crop->(150));
    is(told('other.mp4'), '176x144 176x144 1:1 176x144 1:1 176x144',
       'another size');

    my $mkv = fixture('vui_sar.mkv', qw| -f lavfi -i
        testsrc2=s=176x144:r=25:d=1 -vf setsar=27/64 |, @x264,
        qw/ -aspect 176:144 /);
    put('pasp.mkv', slurp($mkv));
    is(told('pasp.mkv'), '176x144 176x144 1:1 176x144 1:1 176x144',
       'Matroska');

    for my $name (grep { defined } other('sample_sef_slow_motion.mp4')) {
        is(told($name), '320x240 320x240 1:1 320x240 1:1 320x240', $name);
    }
}


# all that playlists and manifests of a file list is there: "HLS TS DASH" with
# "-" for those that are not, and what is not there

sub everything {
    my ($name) = @_;
    my (@formats, %uris, @missing);

    for my $list ('index.m3u8', 'ts.m3u8') {
        my $r = $t->http_get("/$name/$list");

        push @formats, $r->{status} == 200 ? $list =~ /^ts/ ? 'TS' : 'HLS'
                                           : '-';
        next if $r->{status} != 200;

        my $multi = m3u8_parse($r->{body});

        for my $uri (map({ $_->{uri} } @{$multi->{variants}}),
                     map({ $_->{URI} // () } @{$multi->{media}}),
                     $r->{body} =~ /I-FRAME-STREAM-INF:.*URI="([^"]+)"/g)
        {
            $r = $t->http_get("/$name/$uri");
            push @missing, "$uri $r->{status}" if $r->{status} != 200;

            my $media = m3u8_parse($r->{body} // '');

            $uris{$_}++ for map { ($_->{uri}, $_->{map} // ()) }
                            grep { !$_->{gap} } @{$media->{segments}};
        }
    }

    my $r = $t->http_get("/$name/manifest.mpd");
    push @formats, $r->{status} == 200 ? 'DASH' : '-';

    for my $rep (values %{$r->{status} == 200 ? vod_mpd($r->{body}) : {}}) {
        $uris{$_}++ for $rep->{init} // (), map { $_->{uri} }
                        @{$rep->{segments}};
    }

    for my $uri (sort keys %uris) {
        $r = $t->http_get("/$name/$uri");
        push @missing, "$uri $r->{status}"
            if $r->{status} != 200 || $r->{body} eq '';
    }

    return "@formats: " . join ', ', @missing;
}


# a tone, and behind it what is no media: a tag, zeros, part of a frame

sub trailing {
    my %codecs = (mp3 => 'libmp3lame', ac3 => 'ac3', eac3 => 'eac3',
                  aac => 'aac', flac => 'flac');

    for my $codec (sort keys %codecs) {
        my $file = fixture("tail.$codec", qw/ -f lavfi -i
            sine=440:d=3:sample_rate=44100 -b:a 96k /, '-c:a',
            $codecs{$codec}, qw/ -map_metadata -1 -write_id3v2 0 /);
        my $bytes = slurp($file);

        put("whole.$codec", $bytes);

        my @whole = map { $_->{md5} } @{vod_hls($t,
                                    "/whole.$codec/a1.m3u8")->{samples}};

        my %tails = (
            tag => 'APETAGEX' . pack('VVVx12', 2000, 66000, 1) . "t\0" x 33000,
            zeros => "\0" x 70000,
            cut => substr($bytes, 0, 50),
        );

        # FLAC does not say how long a frame is
        next if $codec eq 'flac';

        for my $tail (sort keys %tails) {
            my $name = "$tail.$codec";

            put($name, $bytes . $tails{$tail});

            my $list = eval { vod_hls($t, "/$name/a1.m3u8") };
            my @samples = map { $_->{md5} } @{$list->{samples} // []};

            is_deeply(\@samples, \@whole, "$name: the same frames");
            is(everything($name), 'HLS TS DASH: ', "$name: all is served");
        }
    }

    # a transport stream that ends in a frame
    my $ts = slurp(fixture('cut.ts', qw/ -f lavfi -i
        sine=440:d=3:sample_rate=48000 -f lavfi -i sine=880:d=3 -map 0 -map 1
        -c:a:0 aac -c:a:1 ac3 -b:a 192k /));

    put('cut.ts', substr $ts, 0, 188 * int(length($ts) / 188 * 0.9));
    is(everything('cut.ts'), 'HLS TS DASH: ', 'cut.ts: all is served');

    for my $name (grep { defined }
                  other('bear-cbr-no-seek-table-trailing-garbage.mp3'))
    {
        is(everything($name), 'HLS TS DASH: ', $name);

        my $list = vod_hls($t, "/$name/a1.m3u8");
        my @large = grep { $_->{size} > 2000 } @{$list->{samples}};
        is(scalar @large, 0, 'no sample is garbage');
    }
}


# all codecs in all that they may be in

sub listed {
    my @av = qw/ -f lavfi -i testsrc2=s=160x90:r=25:d=3 -f lavfi -i
                 sine=440:d=3:sample_rate=48000 -b:a 64k -pix_fmt yuv420p
                 -threads 1 -g 25 /;
    my @sound = (qw/ -f lavfi -i sine=440:d=3:sample_rate=48000 -b:a 64k/);

    my %files = (
        'avc_aac.mp4' => ['HLS TS DASH', @av, @x264, qw/ -c:a aac /],
        'avc_opus.mp4' => ['HLS TS DASH', @av, @x264, qw/ -c:a libopus /],
        'avc_mp3.mkv' => ['HLS TS DASH', @av, @x264, qw/ -c:a libmp3lame /],
        'vp9_opus.webm' => ['HLS - DASH', @av, qw/ -c:v libvpx-vp9 -deadline
                            realtime -cpu-used 8 -c:a libopus /],
        'vp9_aac.mp4' => ['HLS TS DASH', @av, qw/ -c:v libvpx-vp9 -deadline
                          realtime -cpu-used 8 -c:a aac /],
        'vp8_opus.webm' => ['HLS - DASH', @av, qw/ -c:v libvpx -deadline
                            realtime -cpu-used 8 -c:a libopus /],
        'aac.m4a' => ['HLS TS DASH', @sound, qw/ -c:a aac /],
        'surround.mp4' => ['HLS TS DASH', @sound,
            qw/ -af aformat=channel_layouts=7.1 -c:a aac /],
        'wide.mp4' => ['HLS TS DASH', @sound,
            qw/ -af aformat=channel_layouts=octagonal -c:a aac /],
        'flac.mp4' => ['HLS - DASH', @sound, qw/ -c:a flac -strict -2 /],
        'eac3.mp4' => ['HLS TS DASH', @sound, qw/ -c:a eac3 /],
    );

    for my $name (sort keys %files) {
        my ($formats, @args) = @{$files{$name}};

        put($name, slurp(fixture($name =~ s/(?=\.)/_listed/r, @args)));
        is(everything($name), "$formats: ", $name);
    }

    # object types that ADTS has no bits for: USAC, ER AAC LC; 16 channels
    my $aac = slurp(fixture('listed_asc.mp4', @av, @x264, qw/ -c:a aac /));
    my %configs = (usac => 'f946400000', er => '8b90000000',
                   layout => '118056e500');

    for my $kind (sort keys %configs) {
        my $edited = vod_edit($aac, esds => sub {
            vod_box('esds', $_[0] =~ s/\x05((?:\x80){0,3})\x05.{5}/
                                       "\x05$1\x05" . pack 'H*',
                                       $configs{$kind}/esr) });

        isnt($edited, $aac, "$kind: the file is another");
        put("$kind.mp4", $edited);

        my $served = everything("$kind.mp4");

        like($served, qr/^HLS TS DASH: $/, "$kind: all that is listed");
        unlike(vod_fetch($t, "/$kind.mp4/ts.m3u8"), qr/mp4a/,
               "$kind: no sound in TS");
        is($t->http_get("/$kind.mp4/$_.ts.m3u8")->{status}, 404, "$kind: $_")
            for qw/ a1 v1-a1 /;
    }

    # a frame that is longer than ADTS can say
    my $audio = 0;

    put('long.mp4', vod_edit($aac,
        hdlr => sub { $audio = substr($_[0], 8, 4) eq 'soun';
                      vod_box('hdlr', $_[0]) },
        stsz => sub { vod_box('stsz', $audio ? substr($_[0], 0, 12)
                              . pack('N', 8190) . substr($_[0], 16)
                              : $_[0]) }));

    is(everything('long.mp4'), 'HLS TS DASH: ', 'a frame too long for ADTS');
    unlike(vod_fetch($t, '/long.mp4/ts.m3u8'), qr/mp4a/, 'no sound in TS');
    is(scalar(grep { /a1 is not served in MPEG-TS, it has frames of up to/ }
              said('long.mp4')), 1, 'the log says so, once');

    for my $name (grep { defined } other('sine-3s-xhe-aac-44khz-mono.mp4')) {
        is(everything($name), 'HLS - DASH: ', $name);
    }
}


# bsid 9: each frame lasts twice as long

sub half_rate {
    my $ac3 = slurp(fixture('half.ac3', qw/ -f lavfi -i
        sine=440:d=3:sample_rate=44100 -b:a 96k /));

    put('full.ac3', $ac3);
    put('half.ac3',
        $ac3 =~ s/(\x0b\x77.{3})(.)/$1 . chr(ord($2) & 7 | 72)/gser);

    my ($full, $half) = map { vod_hls($t, "/$_.ac3/a1.m3u8") } qw/ full half /;

    is($full->{timescale}, 44100, 'the rate');
    is($half->{timescale}, 22050, 'half of it');
    is(scalar @{$half->{samples}}, scalar @{$full->{samples}}, 'frames');

    put('half.mp4', $half->{bytes});
    my ($s) = @{ffprobe_json($t->path('media/half.mp4'))->{streams}};
    is($s->{sample_rate}, 22050, 'as ffprobe has it');

    for my $name (grep { defined } other('count-english.ac3')) {
        my $seconds = 0;
        $seconds += $_->{duration}
            for @{vod_hls($t, "/$name/a1.m3u8")->{segments}};

        cmp_ok(abs($seconds - 22.3), '<', 0.1, $name);
    }
}


# spatial video: the second view is for those that know of it

sub layers {
    my $bytes = slurp(fixture('layers.mp4', qw/ -f lavfi -i
        testsrc2=s=160x90:r=25:d=2 -c:v libx265 -preset ultrafast
        -pix_fmt yuv420p -tag:v hvc1 -x265-params
        keyint=25:bframes=0:log-level=none:pools=1:slices=1:aud=0 /));

    # each NAL unit twice, the second time as one of layer 1

    my (@sizes, $mdat);
    my ($box) = grep { $_->{type} eq 'mdat' } @{mp4_boxes($bytes)};
    my $stsz = mp4_find(mp4_boxes($bytes), 'moov/trak/mdia/minf/stbl/stsz');
    my @old = unpack 'x12N*', $stsz->{data};
    my $pos = 0;

    for my $size (@old) {
        my $sample = substr $box->{data}, $pos, $size;
        my $twice = '';

        $pos += $size;

        while (length $sample) {
            my ($nal) = unpack 'N/a', $sample;

            $sample = substr $sample, 4 + length $nal;
            $twice .= pack('N/a', $nal)
                      . pack('N/a', substr($nal, 0, 1) . "\x09"
                                    . substr($nal, 2));
        }

        push @sizes, length $twice;
        $mdat .= $twice;
    }

    my ($start) = unpack 'x8N', mp4_find(mp4_boxes($bytes),
        'moov/trak/mdia/minf/stbl/stco')->{data};
    my $edited = substr($bytes, 0, $box->{offset}) . vod_box('mdat', $mdat)
                 . substr($bytes, $box->{offset} + $box->{size});

    # all of it is one chunk

    $edited = vod_edit($edited,
        stsz => sub { vod_box('stsz', pack 'N*', 0, 0, scalar @sizes,
                              @sizes) },
        stsc => sub { vod_box('stsc', pack 'N*', 0, 1, 1, scalar @sizes, 1) },
        stco => sub { vod_box('stco', pack 'N*', 0, 1, $start) });

    put('flat.mp4', $bytes);
    put('layers.mp4', $edited);

    is(pictures('out.ts', vod_ts($t, '/layers.mp4/v1.ts.m3u8')->{bytes}),
       pictures('in.ts', vod_ts($t, '/flat.mp4/v1.ts.m3u8')->{bytes}),
       'one layer');

    for my $name (grep { defined } other('stereo_spatial.mp4')) {
        is(pictures('out.ts', vod_ts($t, "/$name/v1.ts.m3u8")->{bytes}),
           pictures('in.mp4', slurp("$cases/$name")), $name);
    }
}


# files of fragments: another moov, fragments that are encrypted, no media, and
# times that count from 1970

sub fragments {
    my $bytes = slurp(fixture('fragments.mp4', ffmpeg_source(re => 0,
        size => '160x90', bframes => 2), qw/ -t 8 -threads 1 -movflags
        frag_keyframe+empty_moov+default_base_moof /));

    my @boxes = @{mp4_boxes($bytes)};
    my $cut = sub { substr $bytes, $_[0]{offset}, $_[0]{size} };
    my ($ftyp) = map { $cut->($_) } grep { $_->{type} eq 'ftyp' } @boxes;
    my ($moov) = map { $cut->($_) } grep { $_->{type} eq 'moov' } @boxes;
    my @pieces = map { $cut->($boxes[$_]) . $cut->($boxes[$_ + 1]) }
                 grep { $boxes[$_]{type} eq 'moof' } 0 .. $#boxes;

    cmp_ok(scalar @pieces, '>', 4, 'fragments');

    my $count = sub {
        my ($name, @parts) = @_;

        put($name, join '', @parts);
        my $list = eval { vod_hls($t, "/$name/v1.m3u8") };

        return scalar @{$list->{samples} // []};
    };

    my $two = $count->('two.mp4', $ftyp, $moov, @pieces[0 .. 1]);
    my $all = $count->('all.mp4', $ftyp, $moov, @pieces);

    cmp_ok($two, '<', $all, 'samples');

    # the same moov again, and another

    is($count->('same.mp4', $ftyp, $moov, @pieces[0 .. 1], $ftyp, $moov,
                @pieces[2 .. $#pieces]), $all, 'the same moov');

    my $other = $moov =~ s/avc1/encv/r;

    is($count->('another.mp4', $ftyp, $moov, @pieces[0 .. 1], $ftyp, $other,
                @pieces[2 .. $#pieces]), $two, 'another moov');
    is(everything('another.mp4'), 'HLS TS DASH: ', 'all is served');
    is(scalar(grep { /moov: another one, offset:\d+; what follows/ }
              said('another.mp4')), 1, 'the log says so, once');

    # one is encrypted, in a stream that is not

    my $encrypted = vod_edit($pieces[2], traf => sub {
        vod_box('traf', $_[0], vod_box('senc', pack 'NN', 0, 1)) });

    is($count->('senc.mp4', $ftyp, $moov, @pieces[0 .. 1], $encrypted,
                @pieces[3 .. $#pieces]), $two, 'senc');
    is(scalar(grep { /a fragment is encrypted, its description is not/ }
              said('senc.mp4')), 1, 'the log says so, once');

    # a clear lead: the second description is encrypted

    my $lead = vod_edit($moov, stsd => sub {
        my $entry = substr $_[0], 8;
        return vod_box('stsd', $_[0]) if $entry !~ /avc1/;
        vod_box('stsd', pack('NN', 0, 2), $entry, $entry =~ s/avc1/encv/r) });

    my @second = map { vod_edit($_,
        tfhd => sub {
            my ($flags, $track, $rest) = unpack 'NNa*', $_[0];
            vod_box('tfhd', $track == 1 ? pack('NNNa*', $flags | 2, 1, 2, $rest)
                                        : $_[0]) },
        trun => sub {
            my ($flags, $n, $offset, $rest) = unpack 'NNNa*', $_[0];
            vod_box('trun', pack 'NNNa*', $flags, $n, $offset + 4, $rest) })
    } @pieces[2 .. $#pieces];

    is($count->('lead.mp4', $ftyp, $lead, @pieces[0 .. 1], @second), $two,
       'a clear lead');
    is(everything('lead.mp4'), 'HLS TS DASH: ', 'all is served');
    is(scalar(grep { /samples of description 2 are not served/ }
              said('lead.mp4')), 1, 'the log says so, once');

    # nothing in it

    put('empty.mp4', join '', $ftyp, $moov, map {
        my ($moof) = grep { $_->{type} eq 'moof' } @{mp4_boxes($_)};
        substr($_, 0, $moof->{size}) . vod_box('mdat') . vod_box('free', $_)
    } @pieces);

    is($t->http_get('/empty.mp4/index.m3u8')->{status}, 415, 'empty mdat');
    like(join("\n", said('empty.mp4')), qr/moof: its mdat is empty/, 'why');

    # since 1970

    my %scales = map { $_->{id} => $_->{timescale} }
                 values %{mp4_tracks(mp4_boxes($moov))};
    my $id;

    my @late = map { vod_edit($_,
        tfhd => sub { $id = unpack 'x4N', $_[0]; vod_box('tfhd', $_[0]) },
        tfdt => sub { vod_box('tfdt', pack 'NQ>', 1 << 24, 1_795_000_000
                              * $scales{$id} + unpack 'x4Q>', $_[0]) })
    } @pieces;

    is($count->('epoch.mp4', $ftyp, $moov, @late), $all, 'since 1970');
    is(everything('epoch.mp4'), 'HLS TS DASH: ', 'all is served');

    for my $track (qw/ v1 a1 /) {
        my ($early, $late) = map { vod_hls($t, "/$_.mp4/$track.m3u8") }
                             qw/ all epoch /;
        my @diff = map { $late->{samples}[$_]{pts}
                         - $early->{samples}[$_]{pts} }
                   0 .. $#{$early->{samples}};
        my %diff = map { $_ / $early->{timescale} => 1 } @diff;

        is(join(' ', keys %diff), 1, "$track: one shift of all tracks");
    }

    for my $name (grep { defined }
                  other('video_512x288_h264-360k_clear_enc_dashinit.mp4'))
    {
        is(everything($name), 'HLS TS DASH: ', $name);
        cmp_ok(scalar(grep { /moov: another one/ } said($name)), '==', 1,
               'the log says so');
    }
}
