package Test::Media::Play;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Play - what viewers by RTMP and FLV got, beside what was sent

=head1 SYNOPSIS

    use Test::Media::Play;

    my $pub = play_publish($t, 'live/s', \@tags, to => 4000);
    $pub->wait(20);

    play_whole($v, 'a viewer', \@tags, \@others);    # tests

play_publish() sends tags at their pace in a process of its own, and ends with
deleteStream.  Options are those of send_tags(), and worker => $pid, port, name
(of the process), then => S (seconds until it goes), gone => 1 (without
deleteStream), connection => an object that was told what it is before.

play_whole() tests that a viewer who has been sent all of these, one after the
other, has each frame of them once, from a key frame of the first one on, and
nothing else; that nothing else is wrong, and that what was saved decodes.
Options, in a hash at the end: from => 'first', it is the first key frame;
joined => 1: a frame or two of audio may be missing where publishers follow one
another, and silence be there; decode => 0.

play_frames($type, @tags): the bytes of all frames, 8 or 9.

=cut

use strict;
use warnings;

use Exporter 'import';

use Test::Media;
use Test::Media::FLV;
use Test::Media::Viewer;
use Test::More;

our @EXPORT = qw/ play_publish play_whole play_frames /;

my $n = 0;


sub play_publish {
    my ($t, $path, $tags, %opt) = @_;

    my ($name) = $path =~ m|^[^/]*/(.*)$|;
    my $p = delete $opt{connection};

    if (!$p) {
        $p = $t->rtmp(map { $_ => $opt{$_} } grep { $opt{$_} }
                      qw/ worker port /);
        my $code = $p->open($path) || 'nothing';
        die "publish $path: $code\n" if $code ne 'NetStream.Publish.Start';
    }

    my $process = $t->background('play-' . ++$n, sub {
        $p->send_tags($tags, speed => 1, %opt);
        $p->poll($opt{then}) if $opt{then};
        $p->finish($name) if !$opt{gone};
        $p->close();
    });

    # the connection is that process's

    CORE::close($p->{sock});

    return $process;
}


sub play_frames {
    my ($type, @tags) = @_;

    my @frames;

    for my $tag (@tags) {
        next if $tag->[0] != $type || tag_is_header($tag);

        my ($first, $second) = unpack 'C2', $tag->[2];

        if ($type == 8) {
            push @frames, substr $tag->[2], $first >> 4 == 10 ? 2
                                            : $first >> 4 == 9 ? 5 : 1;
        } elsif (tag_is_frame($tag)) {
            push @frames, substr $tag->[2],
                $first & 0x80 && ($first & 15) == 1 ? 8 : 5;
        }
    }

    return @frames;
}


# what is wrong with the second list, which is the end of the first one

sub behind {
    my ($all, $some, $joined) = @_;

    my $from = 0;

    # where two of them meet there may be silence in place of a frame or two

    if ($joined) {
        my %got = map { $_ => 1 } @$some;

        $from++ while $from < @$all && !$got{$all->[$from]};

        my $missing = grep { !$got{$_} } @$all[$from .. $#$all];

        return $missing > 2 ? "$missing are missing" : undef;
    }

    $from++ while $from < @$all && @$some && $all->[$from] ne $some->[0];

    my $i = $from;

    for my $frame (@$some) {
        if ($i < @$all && $all->[$i] eq $frame) {
            $i++;
        } else {
            return sprintf 'one of %d behind %d of %d is not what was sent',
                scalar @$some, $i, scalar @$all;
        }
    }

    return sprintf 'only up to %d of %d', $i, scalar @$all if $i < @$all;
    return undef;
}


sub play_whole {
    my ($v, $name, @sent) = @_;

    my %opt = ref $sent[-1] eq 'HASH' ? %{pop @sent} : ();
    my @tags = map { @$_ } @sent;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my @wrong = viewer_faults($v);
    my @got = $v->tags();

    for my $type (8, 9) {
        my @all = play_frames($type, @tags);
        my @some = play_frames($type, @got);

        if (@all && !@some) {
            push @wrong, "nothing of $type";
            next;
        }

        my $wrong = behind(\@all, \@some, $type == 8 && $opt{joined});

        push @wrong, "$type: $wrong" if $wrong;
        push @wrong, sprintf 'begins with %d of %d', scalar @some, scalar @all
            if $type == 9 && ($opt{from} || '') eq 'first' && @some != @all;
    }

    my ($first) = grep { $_->[0] == 18 } @got;

    push @wrong, 'no metadata'
        if !$first || $first->[2] !~ /^\x02\x00\x0aonMetaData/;
    push @wrong, map { "metadata at $_->[1]" } grep { $_->[0] == 18 && $_->[1] }
                 @got;

    if (!exists $opt{decode} || $opt{decode}) {
        my $file = sprintf '%s/play-%d.flv', File::Temp::tempdir(CLEANUP => 1),
                           ++$n;
        $v->save($file);

        my ($ok, $said, $frames) = decode_clean($file);

        push @wrong, "ffmpeg: $said" if !$ok;
        push @wrong, sprintf 'decoded %d', $frames
            if $frames != grep { tag_is_frame($_) } @got;
    }

    is(join('; ', @wrong), '', "$name has all of it, and nothing else");
}


1;
