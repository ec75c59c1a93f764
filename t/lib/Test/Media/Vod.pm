package Test::Media::Vod;

# Copyright (C) ngx_stream_vod_module authors

# What VOD makes of a file, fetched as a player would, and what ffprobe and
# ffmpeg say of the file itself; for t/vod_*.t.

use strict;
use warnings;

use Digest::MD5 qw/ md5_hex /;
use Exporter 'import';

use Test::Media::Boxes;
use Test::Media::Formats;
use Test::Media::Tools;

our @EXPORT = qw/ vod_fetch vod_hls vod_ts vod_mpd vod_probe vod_source
                  vod_pictures vod_made vod_film vod_edit vod_box /;


# a request that must succeed

sub vod_fetch {
    my ($t, $path, %opt) = @_;

    my $r = $t->http_get($path, %opt);

    die "$path: " . ($r->{error} || $r->{status}) . "\n"
        if $r->{error} || $r->{status} != 200;

    return $r->{body};
}


sub base {
    my ($path) = @_;

    $path =~ s|[^/]*$||;

    return $path;
}


# a media playlist of fMP4 and all that it names: the list, with
#
#     init, bytes     of the first init segment; all bytes
#     samples         as of mp4_samples(), with segment (number in the list),
#                     timescale and md5
#     timescale       of the first init segment

sub vod_hls {
    my ($t, $path) = @_;

    my $list = m3u8_parse(vod_fetch($t, $path));
    my ($map, $init, $bytes) = ('', '', '');

    $list->{samples} = [];

    for my $i (0 .. $#{$list->{segments}}) {
        my $segment = $list->{segments}[$i];

        die "$path: no init segment\n" if !defined $segment->{map};

        if ($segment->{map} ne $map) {
            $map = $segment->{map};
            $init = vod_fetch($t, base($path) . $map);
            $bytes .= $init;
            $list->{init} = $init if !defined $list->{init};
        }

        my $data = vod_fetch($t, base($path) . $segment->{uri});
        my $scale = (values %{mp4_tracks(mp4_boxes($init))})[0]{timescale};
        my @samples = mp4_samples($data, $init);

        $list->{timescale} = $scale if !defined $list->{timescale};

        for my $s (@samples) {
            $s->{segment} = $i;
            $s->{timescale} = $scale;
            $s->{md5} = md5_hex(delete $s->{data});
        }

        $segment->{bytes} = length $data;
        $segment->{samples} = \@samples;

        push @{$list->{samples}}, @samples;
        $bytes .= $data;
    }

    $list->{bytes} = $bytes;

    return $list;
}


sub vod_ts {
    my ($t, $path) = @_;

    my $list = m3u8_parse(vod_fetch($t, $path));

    $list->{bytes} = '';

    for my $segment (@{$list->{segments}}) {
        my $data = vod_fetch($t, base($path) . $segment->{uri});

        die "$segment->{uri}: " . length($data) . " bytes\n"
            if length($data) % 188 || $data !~ /^\x47/;

        $segment->{bytes} = length $data;
        $list->{bytes} .= $data;
    }

    return $list;
}


# representations of an MPD: { id => { timescale, init, type, period,
# segments => [ { uri, time, duration } ] } }, of the first period or another

sub vod_mpd {
    my ($text, $number) = @_;
    my %reps;

    my @periods = $text =~ m|<Period\b.*?</Period>|sg;
    my $period = $periods[$number || 0];

    for my $set ($period =~ m|<AdaptationSet\b.*?</AdaptationSet>|sg) {
        my ($type) = $set =~ /contentType="(\w+)"/;

        for my $rep ($set =~ m|<Representation\b.*?</Representation>|sg) {
            my ($id) = $rep =~ /<Representation\b[^>]*\bid="([^"]+)"/;
            my ($template) = $rep =~ /<SegmentTemplate\b([^>]*)>/;
            next if !defined $template;

            my %attr = $template =~ /(\w+)="([^"]*)"/g;
            my ($time, @segments) = (0);
            my $n = $attr{startNumber} || 0;

            while ($rep =~ /<S\b([^>]*)>/g) {
                my %s = $1 =~ /(\w+)="([^"]*)"/g;

                $time = $s{t} if defined $s{t};
                $n = $s{n} if defined $s{n};

                for (0 .. $s{r} || 0) {
                    my $uri = $attr{media};
                    $uri =~ s/\$Number\$/$n/;
                    $uri =~ s/\$Time\$/$time/;

                    push @segments, { uri => $uri, time => $time,
                                      duration => $s{d} };
                    $time += $s{d};
                    $n++;
                }
            }

            $reps{$id} = { timescale => $attr{timescale}, type => $type,
                           init => $attr{initialization}, text => $rep,
                           offset => $attr{presentationTimeOffset} || 0,
                           segments => \@segments };
        }
    }

    return \%reps;
}


# streams of a file with their packets, { pts, dts, size, md5, flags, pos }, in
# the stream's time_base; only those that have packets

sub vod_probe {
    my ($file, @options) = @_;
    my (%streams);

    my ($status, $out) = sh(
        'ffprobe', '-v', 'quiet', @options, '-show_data_hash', 'md5',
        '-show_entries', 'stream=index,codec_type,codec_name,time_base:packet='
        . 'stream_index,pts,dts,duration,size,pos,flags,data_hash', '-of',
        'compact', $file);

    # side data stand on lines of their own
    $out =~ s{\n(?!packet|stream|\z)[^\n]*?(\|data_hash=[^\n]*)?(?=\n)}
             {$1 // ''}ge;

    for my $line (split /\n/, $out) {
        my ($kind, @fields) = split /\|/, $line;
        my %f = map { split /=/, $_, 2 } grep { /=/ } @fields;

        if (defined $kind && $kind eq 'packet'
            && defined $f{stream_index})
        {
            $f{md5} = $1 if ($f{data_hash} || '') =~ /^MD5:(\w+)/;
            $f{pts} = $f{dts} if ($f{pts} // 'N/A') eq 'N/A';
            $f{dts} = $f{pts} if ($f{dts} // 'N/A') eq 'N/A';
            push @{$streams{$f{stream_index}}{packets}}, \%f;

        } elsif (defined $kind && $kind eq 'stream' && defined $f{index}) {
            my $s = $streams{$f{index}} ||= {};
            @$s{keys %f} = values %f;
        }
    }

    return [map { $streams{$_} } sort { $a <=> $b }
            grep { $streams{$_}{packets} && $streams{$_}{codec_name} }
            keys %streams];
}


# the same of a source, with times of presentation as its edit lists have them:
# packets have time, in seconds, as a pair of integers [ticks, timescale]; the
# edit list is read by ourselves

sub vod_source {
    my ($file) = @_;

    my $mp4 = $file =~ /\.(?:mp4|mov|m4a|m4v|ismv)$/;
    my $streams = vod_probe($file, $mp4 ? ('-ignore_editlist', 1) : ());
    my @edits = $mp4 ? edits($file) : ();

    for my $stream (@$streams) {
        my ($num, $den) = split m|/|, $stream->{time_base};
        my $edit = $edits[$stream->{index}];
        my $shift = 0;

        $shift = $edit->{empty} * $den / $num / $edit->{movie}
                 - $edit->{start} if $edit;

        $stream->{edit} = $edit;
        $stream->{unit} = $num / $den;
        $stream->{exact} = $mp4;

        # ffprobe moves times of fragments where an offset is negative
        fragments($file, $stream) if $edit && $edit->{fragments};

        $_->{time} = ($_->{pts} + $shift) * $num / $den
            for @{$stream->{packets}};
    }

    return $streams;
}


sub fragments {
    my ($file, $stream) = @_;

    my $bytes = slurp($file);
    my @samples = eval { mp4_samples($bytes) };
    my $id = $stream->{edit}{id};

    @samples = grep { $_->{track} == $id && defined $_->{pts} } @samples;

    my $packets = $stream->{packets};

    return if @samples != @$packets;

    $packets->[$_]{pts} = $samples[$_]{dts} + $samples[$_]{cto}
        for 0 .. $#samples;
}


# of each track: what is empty at first, in units of the movie, and where the
# media begins, in the track's

sub edits {
    my ($file) = @_;
    my @edits;

    my ($moov, $more) = moov($file);
    return () if !defined $moov;

    # tolerant: what is broken elsewhere does not matter here
    my ($mvhd) = inside($moov, qw/ mvhd /) or return ();
    my $movie = unpack 'N', substr($mvhd, ord $mvhd ? 20 : 12, 4);

    for my $trak (inside($moov, qw/ trak /)) {
        my ($elst) = inside($trak, qw/ edts elst /);
        my ($tkhd) = inside($trak, qw/ tkhd /);
        my ($mdhd) = inside($trak, qw/ mdia mdhd /);
        my ($stsz) = inside($trak, qw/ mdia minf stbl stsz /);
        my ($empty, $start, $length) = (0, 0, 0);

        if (defined $elst) {
            my $long = ord $elst;
            my $n = unpack 'N', substr($elst, 4, 4);

            for my $i (0 .. $n - 1) {
                my ($duration, $time) = unpack $long ? 'Q>q>' : 'Nl>',
                    substr($elst, 8 + $i * ($long ? 20 : 12), $long ? 16 : 8);

                if ($time < 0) {
                    $empty += $duration;
                    next;
                }

                ($start, $length) = ($time, $duration);
                last;
            }
        }

        push @edits, {
            empty => $empty, start => $start, length => $length,
            movie => $movie || 1, list => defined $elst,
            id => unpack('N', substr($tkhd, ord $tkhd ? 20 : 12, 4)),
            fragments => $more && !($stsz ? unpack 'x8N', $stsz : 0),
        };
    }

    return @edits;
}


# the contents of boxes at a path

sub inside {
    my ($bytes, $type, @path) = @_;
    my ($pos, @found) = (0);

    while ($pos + 8 <= length $bytes) {
        my ($size, $name) = unpack 'Na4', substr($bytes, $pos, 8);
        last if $size < 8;

        push @found, substr($bytes, $pos + 8, $size - 8) if $name eq $type;
        $pos += $size;
    }

    return @path ? map({ inside($_, @path) } @found) : @found;
}


sub moov {
    my ($file) = @_;

    my ($pos, $moov, $moof) = (0);
    my $size = -s $file;

    open my $fh, '<:raw', $file or die "$file: $!\n";

    while ($pos + 8 <= $size) {
        seek $fh, $pos, 0;
        read $fh, my $head, 16;

        my ($len, $type) = unpack 'Na4', $head;
        $len = unpack 'Q>', substr($head, 8, 8) if $len == 1;
        $len = $size - $pos if $len == 0;
        last if $len < 8;

        if ($type eq 'moov') {
            seek $fh, $pos, 0;
            read $fh, $moov, $len;
            $moov = substr $moov, 8;
        }

        $moof = 1 if $type eq 'moof';
        $pos += $len;
    }

    return ($moov, $moof);
}


# decoded pictures of the first video stream, in the order of presentation:
# { pts, md5 }, and what the decoder said

sub vod_pictures {
    my ($file, @options) = @_;

    my ($status, $out) = sh(
        'nice', 'ffmpeg', '-nostdin', '-v', 'error', '-copyts',
        '-noautorotate', @options, '-i', $file, '-map', '0:v:0',
        ffmpeg_passthrough(), '-f', 'framemd5', '-');

    my (@pictures, @said);

    for my $line (split /\n/, $out) {
        next if $line =~ /^#/;

        if ($line =~ /^\d+,\s*(-?\d+),\s*(-?\d+),\s*\d+,\s*\d+,\s*(\w+)/) {
            push @pictures, { pts => $2, md5 => $3 };
            next;
        }

        # less the address of the decoder
        push @said, $line =~ s/ @ 0x[0-9a-f]+(?=\])//r;
    }

    push @said, "status $status" if $status;

    return (\@pictures, join "\n", @said);
}


# a file made by ffmpeg, kept in build/fixtures: a picture and a tone; seconds,
# size, rate, gop, bframes; video => 0, audio => 0; more => [options]

sub vod_made {
    my ($name, %opt) = @_;

    my $seconds = $opt{seconds} || 10;

    return fixture($name,
        ffmpeg_source(re => 0, size => '160x90', bitrate => '100k', %opt),
        '-t', $seconds, '-threads', 1,
        exists $opt{video} && !$opt{video} ? () : qw/ -pix_fmt yuv420p /,
        @{$opt{more} || []});
}


# writes an MP4 file of so many hours, 25 frames a second, a key frame every
# two seconds, with the description of another: its media are a hole

sub vod_film {
    my ($file, $hours, $like) = @_;

    my ($moov) = moov($like);
    my ($stsd) = inside($moov, qw/ trak mdia minf stbl stsd /);
    my $n = $hours * 3600 * 25;
    my $pos = 48;
    my (@sizes, @offsets);

    for my $i (0 .. $n - 1) {
        push @offsets, $pos if $i % 50 == 0;
        push @sizes, $i % 50 ? 3000 + $i * 7919 % 9000
                             : 40000 + $i * 31 % 9000;
        $pos += $sizes[-1];
    }

    my $stbl = mp4_box('stbl', mp4_box('stsd', $stsd),
        mp4_box('stts', pack('x4NNN', 1, $n, 512)),
        mp4_box('stss', pack('x4NN*', scalar @offsets,
                         map { $_ * 50 + 1 } 0 .. $#offsets)),
        mp4_box('stsc', pack('x4NNNN', 1, 1, 50, 1)),
        mp4_box('stsz', pack('x4NNN*', 0, $n, @sizes)),
        mp4_box('co64', pack('x4NQ>*', scalar @offsets, @offsets)));

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh mp4_box('ftyp', 'isom', pack('N', 0), 'isommp42', "\0" x 8),
              pack('Na4Q>', 1, 'mdat', $pos - 32);
    seek $fh, $pos, 0;
    print $fh mp4_box('moov', mp4_box('mvhd', pack('x12Nx80', 1000)),
        mp4_box('trak', mp4_box('tkhd', pack('x12Nx68', 1)), mp4_box('mdia',
            mp4_box('mdhd', pack('x12NNnn', 12800, 0, 0x55c4, 0)),
            mp4_box('hdlr', pack('x8a4x13', 'vide')),
            mp4_box('minf', $stbl))));
    close $fh or die "$file: $!\n";

    return $file;
}


sub box {
    my ($type, @content) = @_;
    my $body = join '', @content;
    return pack('Na4', 8 + length $body, $type) . $body;
}

sub vod_box { return box(@_) }


# what is in front of boxes in a box

my %boxes = (map({ $_ => 0 } qw/ moov trak edts mdia minf stbl mvex moof traf
                                 udta /),
             stsd => 8, mp4a => 28,
             map({ $_ => 78 } qw/ avc1 avc3 hvc1 hev1 av01 vp09 /));


# The bytes of an MP4 file with some boxes replaced: by type => sub { content },
# which returns what stands there instead.  Offsets of media stay as they are:
# what changes its size comes after them.

sub vod_edit {
    my ($bytes, %how) = @_;
    my ($pos, $out) = (0, '');

    while ($pos + 8 <= length $bytes) {
        my ($size, $type) = unpack 'Na4', substr($bytes, $pos, 8);
        $size = length($bytes) - $pos if $size < 8;

        my $body = substr $bytes, $pos + 8, $size - 8;
        my $skip = $boxes{$type};

        $body = substr($body, 0, $skip)
                . vod_edit(substr($body, $skip), %how) if defined $skip;

        $out .= $how{$type} ? $how{$type}->($body) : box($type, $body);
        $pos += $size;
    }

    return $out . substr $bytes, $pos;
}


1;
