package Test::Media::Formats;

# Copyright (C) ngx_stream_vod_module authors

# Readers of what the module writes, in the tests' own words: playlists and
# ISO BMFF.  They share nothing with the module's code.  The manual is in
# Test::Media.

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw/ m3u8_parse m3u8_attributes mp4_boxes mp4_find mp4_find_all
                  mp4_tracks mp4_samples mp4_events /;


sub m3u8_attributes {
    my ($text) = @_;
    my %attr;

    while ($text =~ /\G([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^,\s]*)(?:,|$)/gc) {
        my ($name, $value) = ($1, $2);
        die "duplicate attribute $name in: $text\n" if exists $attr{$name};
        $value =~ s/^"(.*)"$/$1/;
        $attr{$name} = $value;
    }

    die "bad attribute list: $text\n" if (pos($text) || 0) != length $text;

    return \%attr;
}


sub m3u8_parse {
    my ($text) = @_;

    my %list = (segments => [], parts => [], media => [], variants => [],
                hints => [], reports => [], tags => {}, msn => 0, dsn => 0,
                skipped => 0);

    my @lines = split /\r?\n/, $text;

    die "no #EXTM3U in: " . substr($text, 0, 80) . "\n"
        if !@lines || shift @lines ne '#EXTM3U';
    die "no line feed at the end\n" if $text !~ /\n\z/;

    my %next = (parts => []);
    my ($map, $key, $variant);

    for my $line (@lines) {
        next if $line eq '';

        if ($line !~ /^#/) {

            if ($variant) {
                push @{$list{variants}}, { uri => $line, attr => $variant };
                $variant = undef;
                next;
            }

            die "segment without EXTINF: $line\n"
                if !defined $next{duration};

            push @{$list{segments}}, {
                %next, uri => $line, map => $map, key => $key,
                msn => $list{msn} + $list{skipped} + @{$list{segments}},
            };

            %next = (parts => []);
            next;
        }

        next if $line !~ /^#(EXT[A-Z0-9-]*)(?::(.*))?$/;
        my ($tag, $value) = ($1, $2);

        $list{tags}{$tag}++;

        if ($tag eq 'EXTINF') {
            $value =~ /^(\d+(?:\.\d+)?),/ or die "bad EXTINF: $value\n";
            $next{duration} = $1;

        } elsif ($tag eq 'EXT-X-VERSION') {
            $list{version} = $value;

        } elsif ($tag eq 'EXT-X-TARGETDURATION') {
            $list{target} = $value;

        } elsif ($tag eq 'EXT-X-MEDIA-SEQUENCE') {
            $list{msn} = $value;

        } elsif ($tag eq 'EXT-X-DISCONTINUITY-SEQUENCE') {
            $list{dsn} = $value;

        } elsif ($tag eq 'EXT-X-PLAYLIST-TYPE') {
            $list{type} = $value;

        } elsif ($tag eq 'EXT-X-ENDLIST') {
            $list{endlist} = 1;

        } elsif ($tag eq 'EXT-X-INDEPENDENT-SEGMENTS') {
            $list{independent} = 1;

        } elsif ($tag eq 'EXT-X-DISCONTINUITY') {
            $next{discontinuity}++;

        } elsif ($tag eq 'EXT-X-GAP') {
            $next{gap} = 1;

        } elsif ($tag eq 'EXT-X-PROGRAM-DATE-TIME') {
            $next{pdt} = $value;
            $next{pdt_msec} = pdt_msec($value);

        } elsif ($tag eq 'EXT-X-BYTERANGE') {
            $next{range} = $value;

        } elsif ($tag eq 'EXT-X-MAP') {
            $map = m3u8_attributes($value)->{URI};

        } elsif ($tag eq 'EXT-X-KEY') {
            $key = m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-SERVER-CONTROL') {
            $list{control} = m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-PART-INF') {
            $list{part_target} = m3u8_attributes($value)->{'PART-TARGET'};

        } elsif ($tag eq 'EXT-X-SKIP') {
            $list{skipped} = m3u8_attributes($value)->{'SKIPPED-SEGMENTS'};

        } elsif ($tag eq 'EXT-X-PART') {
            my $attr = m3u8_attributes($value);

            push @{$next{parts}}, {
                uri => $attr->{URI}, duration => $attr->{DURATION},
                independent => ($attr->{INDEPENDENT} || '') eq 'YES',
                gap => ($attr->{GAP} || '') eq 'YES', map => $map,
                attr => $attr,
            };

        } elsif ($tag eq 'EXT-X-PRELOAD-HINT') {
            push @{$list{hints}}, m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-RENDITION-REPORT') {
            push @{$list{reports}}, m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-MEDIA') {
            push @{$list{media}}, m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-STREAM-INF') {
            $variant = m3u8_attributes($value);

        } elsif ($tag eq 'EXT-X-I-FRAME-STREAM-INF') {
            push @{$list{iframes}}, m3u8_attributes($value);
        }
    }

    # of the segment in progress
    $list{parts} = $next{parts};
    $list{open} = \%next if @{$next{parts}};
    $list{next_msn} = $list{msn} + $list{skipped} + @{$list{segments}};

    return \%list;
}


sub pdt_msec {
    my ($text) = @_;

    $text =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?
              (Z|[+-]\d\d:?\d\d)$/x
        or die "bad PROGRAM-DATE-TIME: $text\n";

    my ($zone, $fraction) = ($8, $7 || 0);

    require Time::Local;
    my $time = Time::Local::timegm($6, $5, $4, $3, $2 - 1, $1);

    if ($zone =~ /^([+-])(\d\d):?(\d\d)$/) {
        $time -= "${1}1" * ($2 * 3600 + $3 * 60);
    }

    return int($time * 1000 + $fraction * 1000 + 0.5);
}


my %container = map { $_ => 1 } qw/
    moov trak mdia minf stbl dinf edts mvex moof traf mfra udta sinf schi
/;

# children of these start after so many bytes
my %skip = (
    stsd => 8, dref => 8, meta => 4,
    map({ $_ => 78 } qw/ avc1 avc3 hvc1 hev1 encv vp09 av01 /),
    map({ $_ => 28 } qw/ mp4a Opus ac-3 ec-3 enca .mp3 fLaC /));


# [ { type, offset, size, data, boxes }, ... ]: offset of the box in the whole,
# data without the header; dies on a box that does not fit

sub mp4_boxes {
    my ($bytes, $base, $path) = @_;

    $base = 0 if !defined $base;
    $path = '' if !defined $path;

    my @boxes;
    my $pos = 0;
    my $len = length $bytes;

    while ($pos < $len) {
        die sprintf("%d bytes behind the last box of \"%s\" at %d\n",
                    $len - $pos, $path, $base + $pos) if $len - $pos < 8;

        my ($size, $type) = unpack 'N a4', substr($bytes, $pos, 8);
        my $head = 8;

        if ($size == 1) {
            die "truncated box $path/$type\n" if $len - $pos < 16;
            $size = unpack 'Q>', substr($bytes, $pos + 8, 8);
            $head = 16;

        } elsif ($size == 0) {
            $size = $len - $pos;
        }

        die sprintf("box %s/%s at %d: size %d, but %d are left\n", $path,
                    $type, $base + $pos, $size, $len - $pos)
            if $size < $head || $size > $len - $pos;

        my $data = substr($bytes, $pos + $head, $size - $head);

        my %box = (type => $type, offset => $base + $pos, size => $size,
                   head => $head, data => $data, boxes => []);

        if ($container{$type} || defined $skip{$type}) {
            my $off = $skip{$type} || 0;

            die "box $path/$type too short\n" if length $data < $off;

            $box{boxes} = mp4_boxes(substr($data, $off),
                                    $base + $pos + $head + $off,
                                    "$path/$type");
        }

        push @boxes, \%box;
        $pos += $size;
    }

    return \@boxes;
}


# all boxes at a path: mp4_find_all($boxes, 'moov/trak/tkhd')

sub mp4_find_all {
    my ($boxes, $path) = @_;

    my ($type, $rest) = split m|/|, $path, 2;
    my @found = grep { $_->{type} eq $type } @$boxes;

    return @found if !defined $rest;
    return map { mp4_find_all($_->{boxes}, $rest) } @found;
}


sub mp4_find { return (mp4_find_all(@_))[0] }


# tracks of an init segment: { id => { handler, timescale, entry, ... } }

sub mp4_tracks {
    my ($boxes) = @_;
    my %tracks;

    for my $trak (mp4_find_all($boxes, 'moov/trak')) {
        my $tkhd = mp4_find($trak->{boxes}, 'tkhd')->{data};
        my $mdhd = mp4_find($trak->{boxes}, 'mdia/mdhd')->{data};
        my $hdlr = mp4_find($trak->{boxes}, 'mdia/hdlr')->{data};
        my $stsd = mp4_find($trak->{boxes}, 'mdia/minf/stbl/stsd');

        my $elst = mp4_find($trak->{boxes}, 'edts/elst');

        my $id = unpack 'N', substr($tkhd, ord $tkhd ? 20 : 12, 4);

        # of one edit: where it begins

        my ($vf, $n, undef, $edit) = unpack 'N4', $elst ? $elst->{data} : '';
        $edit = unpack 'q>', substr($elst->{data}, 16, 8)
            if $elst && $vf >> 24;

        $tracks{$id} = {
            id => $id,
            edit => $n && $n == 1 && $edit < 0x80000000 ? $edit : 0,
            timescale => unpack('N', substr($mdhd, ord $mdhd ? 20 : 12, 4)),
            handler => substr($hdlr, 8, 4),
            entry => $stsd->{boxes}[0],
            codec => $stsd->{boxes}[0]{type},
            width => unpack('N', substr($tkhd, -8, 4)) / 65536,
            height => unpack('N', substr($tkhd, -4, 4)) / 65536,
        };
    }

    for my $trex (mp4_find_all($boxes, 'moov/mvex/trex')) {
        my (undef, $id, @default) = unpack 'N6', $trex->{data};
        @{$tracks{$id}{trex}}{qw/ description duration size flags /}
            = @default if $tracks{$id};
    }

    return \%tracks;
}


# samples of fragments (an init segment may come first, or be given):
# ( { track, dts, pts, cto, duration, size, flags, key, offset, data }, ... )
# pts is that of presentation, after the edit list

sub mp4_samples {
    my ($bytes, $init) = @_;

    my $boxes = mp4_boxes($bytes);
    my $tracks = mp4_tracks(defined $init ? mp4_boxes($init) : $boxes);
    my @samples;

    for my $moof (grep { $_->{type} eq 'moof' } @$boxes) {

        for my $traf (mp4_find_all($moof->{boxes}, 'traf')) {
            my $tfhd = mp4_find($traf->{boxes}, 'tfhd')->{data};
            my ($flags, $id) = unpack 'N2', $tfhd;
            my $pos = 8;
            my $trex = $tracks->{$id} ? $tracks->{$id}{trex} : {};
            my $edit = $tracks->{$id} ? $tracks->{$id}{edit} : 0;

            my $get = sub {
                my ($bit, $size, $default) = @_;
                return $default if !($flags & $bit);
                my $value = unpack $size == 8 ? 'Q>' : 'N',
                                   substr($tfhd, $pos, $size);
                $pos += $size;
                return $value;
            };

            my $base = $get->(0x01, 8, $moof->{offset});
            $get->(0x02, 4, 0);
            my $duration = $get->(0x08, 4, $trex->{duration} || 0);
            my $size = $get->(0x10, 4, $trex->{size} || 0);
            my $sflags = $get->(0x20, 4, $trex->{flags} || 0);

            my $tfdt = mp4_find($traf->{boxes}, 'tfdt');
            my $dts;

            if ($tfdt) {
                $dts = ord $tfdt->{data}
                    ? unpack('Q>', substr($tfdt->{data}, 4, 8))
                    : unpack('N', substr($tfdt->{data}, 4, 4));
            }

            my $offset = $base;

            for my $trun (mp4_find_all($traf->{boxes}, 'trun')) {
                my ($vf, $count) = unpack 'N2', $trun->{data};
                my $signed = $vf >> 24;
                my $p = 8;

                my $next = sub {
                    die "trun too short\n" if length $trun->{data} < $p + 4;
                    my $value = unpack 'N', substr($trun->{data}, $p, 4);
                    $p += 4;
                    return $value;
                };

                $offset = $base + unpack('l', pack('L', $next->()))
                    if $vf & 0x01;
                my $first = $vf & 0x04 ? $next->() : undef;

                for my $i (0 .. $count - 1) {
                    my %s = (track => $id, dts => $dts, offset => $offset);

                    $s{duration} = $vf & 0x100 ? $next->() : $duration;
                    $s{size} = $vf & 0x200 ? $next->() : $size;
                    $s{flags} = $vf & 0x400 ? $next->()
                        : $i == 0 && defined $first ? $first : $sflags;
                    $s{cto} = $vf & 0x800 ? $next->() : 0;
                    $s{cto} = unpack 'l', pack('L', $s{cto}) if $signed;

                    $s{pts} = $dts + $s{cto} - $edit if defined $dts;
                    $s{key} = !($s{flags} & 0x10000);

                    die "sample at $offset is outside\n"
                        if $offset < 0
                           || $offset + $s{size} > length $bytes;

                    $s{data} = substr($bytes, $offset, $s{size});

                    $offset += $s{size};
                    $dts += $s{duration} if defined $dts;

                    push @samples, \%s;
                }

                die "trun has " . (length($trun->{data}) - $p)
                    . " bytes too many\n" if $p != length $trun->{data};
            }
        }
    }

    return @samples;
}


# events in front of chunks, in order: ( { id, scheme, value, time, scale,
# duration, data, and of its chunk: from, to, part }, ... )

sub mp4_events {
    my ($bytes) = @_;

    my (@all, @waiting);
    my $part = 0;

    for my $box (@{mp4_boxes($bytes)}) {

        if ($box->{type} eq 'emsg') {
            my ($version, $scale, $time, $duration, $id, $scheme, $value,
                $data) = unpack 'N2 Q> N2 Z* Z* a*', $box->{data};

            die "emsg of version $version\n" if $version != 1 << 24;

            push @waiting, { id => $id, scheme => $scheme, value => $value,
                             time => $time, scale => $scale, data => $data,
                             duration => $duration, part => $part };

        } elsif ($box->{type} eq 'styp') {
            die "styp behind an emsg\n" if @waiting;

        } elsif ($box->{type} eq 'moof') {
            my $end = $box->{offset} + $box->{size};
            my $mdat = unpack 'N', substr $bytes, $end;
            my @samples = mp4_samples(substr $bytes, $box->{offset},
                                      $box->{size} + $mdat);

            $_->{from} = $samples[0]{dts} for @waiting;
            $_->{to} = $samples[-1]{dts} + $samples[-1]{duration}
                for @waiting;
            push @all, splice @waiting;
            $part++;
        }
    }

    die "an emsg behind the last chunk\n" if @waiting;

    return @all;
}


1;
