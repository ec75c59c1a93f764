package Test::Media::FLV;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::FLV - FLV as it comes, and what its tags are

=head1 SYNOPSIS

    my $flv = Test::Media::FLV->new();
    my @tags = $flv->feed($bytes, $arrival);    # those that are complete now
    $flv->{tags}; $flv->{error}; $flv->rest();  # bytes of an incomplete one

    flv_write($file, @tags);
    my @frames = grep { tag_is_frame($_) } @tags;
    tag_is_key($_); tag_is_header($_);

A tag is [type, time stamp, bytes, arrival, length].  It is not taken when
anything is wrong with it: {error} says what, and nothing is parsed behind it.
flv_read() of L<Test::Media::RTMP>, which checks nothing, has its first three.
With new(light => 1) 64 bytes are kept of audio and video, and the length.

A frame is video that is shown: no configuration, no end of a sequence.  A
header is a decoder's configuration.  Enhanced RTMP's tags are known, too.

=cut

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw/ flv_write tag_is_frame tag_is_key tag_is_header /;

my $light = 64;


sub new {
    my ($class, %opt) = @_;

    return bless { %opt, in => '', tags => [] }, $class;
}


sub rest { return length $_[0]{in} }


sub feed {
    my ($self, $bytes, $arrival) = @_;

    my $in = \$self->{in};
    my @tags;

    $$in .= $bytes;

    if (!$self->{begun}) {
        return if length $$in < 9;

        $self->{error} ||= sprintf 'header %s', unpack 'H*', substr $$in, 0, 9
            if $$in !~ /\AFLV\x01[\x00\x01\x04\x05]\0\0\0\x09/s;

        $self->{has} = ord substr $$in, 4, 1;
        $self->{begun} = 1;
        $self->{before} = 0;

        substr($$in, 0, 9) = '';
    }

    # the size of the tag before, and a tag's header: E.3, E.4.1

    while (!$self->{error} && length $$in >= 15) {
        my ($before, $first, $high, $low, $stamp, $extended, $stream, $id)
            = unpack 'N C C n a3 C C n', $$in;
        my $size = $high << 16 | $low;
        my $type = $first & 31;
        my $ts = unpack 'N', chr($extended) . $stamp;

        if ($before != $self->{before}) {
            $self->{error} = "the tag before was $self->{before}, not $before";

        } elsif ($first != $type || $type != 8 && $type != 9 && $type != 18) {
            $self->{error} = "tag $first";

        } elsif ($stream || $id) {
            $self->{error} = 'stream ' . ($stream << 16 | $id);
        }

        last if $self->{error} || length $$in < 15 + $size;

        my $keep = $self->{light} && $type != 18 && $size > $light
            ? $light : $size;

        push @tags, [$type, $ts, substr($$in, 15, $keep), $arrival, $size];

        substr($$in, 0, 15 + $size) = '';
        $self->{before} = 11 + $size;
    }

    push @{$self->{tags}}, @tags;

    return @tags;
}


sub flv_write {
    my ($file, @tags) = @_;

    my $has = 0;
    $has |= { 8 => 4, 9 => 1 }->{$_->[0]} || 0 for @tags;

    my $out = "FLV\x01" . chr($has) . "\0\0\0\x09\0\0\0\0";

    for my $tag (@tags) {
        my ($type, $ts, $bytes) = @$tag;
        my $stamp = pack 'N', $ts;

        $out .= chr($type) . substr(pack('N', length $bytes), 1)
            . substr($stamp, 1) . substr($stamp, 0, 1) . "\0\0\0" . $bytes
            . pack('N', 11 + length $bytes);
    }

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh $out;
    close $fh or die "$file: $!\n";
}


# the packet type of AVC, or of Enhanced RTMP: 0 configures, 1 and 3 are frames

sub packet {
    my ($tag) = @_;

    my ($first, $second) = unpack 'C2', $tag->[2];

    return -1 if $tag->[0] != 9 || !defined $second;
    return $first & 15 if $first & 0x80;
    return ($first & 15) == 7 ? $second : 1;
}


sub tag_is_frame {
    my ($tag) = @_;

    my $packet = packet($tag);

    return $packet == 1 || $packet == 3 && ord($tag->[2]) & 0x80;
}


sub tag_is_key {
    my ($tag) = @_;

    return tag_is_frame($tag) && (ord($tag->[2]) >> 4 & 7) == 1;
}


sub tag_is_header {
    my ($tag) = @_;

    my ($first, $second) = unpack 'C2', $tag->[2];

    return packet($tag) == 0 if $tag->[0] == 9;
    return 0 if $tag->[0] != 8 || !defined $second;
    return $first >> 4 == 10 && $second == 0
        || $first >> 4 == 9 && ($first & 15) == 0;
}


1;
