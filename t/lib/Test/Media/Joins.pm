package Test::Media::Joins;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Joins - players that come to a stream of a certain age

=head1 SYNOPSIS

    my $t = joins_nginx();
    my $j = Test::Media::Joins->new($t);

    $j->native();                   # the browser plays HLS itself

    my ($r) = $j->joins({ player => 'hls', age => 0.5, gop => 2,
                          kind => 'plain' });

Publishes a stream of its own for each join, in real time, in a process of its
own, and lets a player come when the stream, or what has changed in it, is so
many seconds old.  players() and kinds() are what there is; gop in seconds.

joins() has them at the same time, and returns for each what t/joins.mjs says,
with due, the ms from the join to when a player can begin at the earliest.

=cut

use strict;
use warnings;

use Exporter 'import';
use IO::Handle;
use JSON::PP ();
use Socket qw/ AF_UNIX SOCK_STREAM PF_UNSPEC /;
use Time::HiRes qw/ time sleep /;

use Test::Media::Formats ();
use Test::Media::Live qw/ live_publish live_play /;
use Test::Media::RTMP qw/ flv_read /;
use Test::Media::Tools qw/ fixture /;

our @EXPORT = qw/ joins_nginx /;

# of joins_nginx(), s

my $segment = 2;
my $longest = 3;

# what is behind each kind: when video and audio begin, and what happens at
# "event", from which ages count

my %kinds = (
    plain => {},
    audio_first => { video => 2 },
    video_first => { audio => 0.7 },
    late_audio => { audio => 3, bare => 1, event => 3 },
    return => { event => 6, away => 1 },
    change => { event => 6, change => 1 },
);

my @players = qw/ hls dash shaka shaka-hls native /;


sub players { return @players }
sub kinds { return sort keys %kinds }


sub joins_nginx {
    my $t = Test::Media->new();

    $t->write_conf(<<"EOC");
media live { zone 256m; segment ${segment}s; part 200ms; window 60s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        media_cors on;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

    return $t->run();
}


sub new {
    my ($class, $t) = @_;

    my $self = bless { t => $t, got => {}, next => 0 }, $class;

    socketpair my $ours, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";

    my $tool = $t->root() . '/t/joins.mjs';

    $self->{process} = $t->background('joins', sub {
        close $ours;
        open STDIN, '<&', $its or die;
        open STDOUT, '>&', $its or die;
        exec 'node', $tool;
    });

    close $its;

    $ours->autoflush(1);
    $ours->blocking(0);

    $self->{socket} = $ours;
    $self->{text} = '';

    return $self;
}


sub order {
    my ($self, @words) = @_;

    syswrite $self->{socket}, join(' ', @words) . "\n";
}


# until what() says so; answers are collected by id and by what they are

sub until_answer {
    my ($self, $what, $seconds) = @_;

    my $end = time() + $seconds;

    for ( ;; ) {
        my $rc = $what->();
        return $rc if $rc;

        die "the players do not answer: " . $self->{process}->log() . "\n"
            if time() > $end || !$self->{process}->running();

        sleep 0.005 if !$self->read_answers();
    }
}


sub read_answers {
    my ($self) = @_;

    my $n = sysread $self->{socket}, $self->{text}, 65536,
                    length $self->{text};

    while ($self->{text} =~ s/^(.*)\n//) {
        my $said = JSON::PP->new->utf8->decode($1);

        $self->{native} = $said->{native} ? 1 : 0 if exists $said->{native};

        next if !exists $said->{id};

        my $part = $said->{ready} ? 'ready' : 'done';
        $self->{got}{$said->{id}}{$part} = $said;
    }

    return $n;
}


sub native {
    my ($self) = @_;

    $self->order('native');
    $self->until_answer(sub { defined $self->{native} }, 60);

    return $self->{native};
}


sub tags {
    my ($gop, $change) = @_;

    my $size = $change ? '256x144' : '320x180';

    return flv_read(fixture("joins-$gop-$size.flv",
        '-f', 'lavfi', '-i', "testsrc2=size=$size:rate=25",
        '-f', 'lavfi', '-i',
        'anoisesrc=amplitude=0.1:seed=1:sample_rate=48000',
        qw/ -c:v libx264 -preset ultrafast -tune zerolatency
            -pix_fmt yuv420p -threads 1 -b:v 250k -sc_threshold 0 -g /,
        $gop * 25, '-keyint_min', $gop * 25,
        qw/ -c:a aac -b:a 64k -ac 2 -ar 48000 -t 32 /));
}


sub type_of { return $_[0] == 9 ? 'video' : $_[0] == 8 ? 'audio' : 'data' }


# the messages of a kind, by their time

sub messages {
    my ($kind, $gop) = @_;

    my $k = $kinds{$kind};
    my @tags = tags($gop);
    my %begin = (video => $k->{video} || 0, audio => $k->{audio} || 0);
    my (%header, @all);

    for my $tag (@tags) {
        my ($type, $ts, $bytes) = @$tag;
        my $name = type_of($type);

        if ($name eq 'data') {
            push @all, $tag if !$k->{bare};
            next;
        }

        if (Test::Media::RTMP::is_header($type, $bytes)) {
            $header{$name} = $bytes;
            next;
        }

        # video that begins later begins with its own first key frame

        my $at = $begin{$name} * 1000;

        if ($name eq 'video') {
            $ts += $at;

        } elsif ($ts < $at) {
            next;
        }

        push @all, [$type, $ts, delete $header{$name}] if $header{$name};
        push @all, [$type, $ts, $bytes];
    }

    if ($k->{change}) {
        my $from = $k->{event} * 1000;

        # from a key frame on, of those that are later than that

        my ($key) = grep { $_->[0] == 9 && ord($_->[2]) >> 4 == 1
                           && $_->[1] >= $from } @all;

        @all = grep { $_->[0] != 9 || $_->[1] < $key->[1] } @all;

        push @all, map { [$_->[0], $_->[1] + $key->[1], $_->[2]] }
            grep { $_->[0] == 9 } tags($gop, 1);

        $k = { %$k, event => $key->[1] / 1000 };
    }

    @all = sort { $a->[1] <=> $b->[1] } @all;

    return ($k, @all);
}


# publishes in a process of its own, which says when it happens that ages count
# from; returns it, and where it says so

sub publish {
    my ($self, $name, $kind, $gop) = @_;

    my $t = $self->{t};
    my ($k, @all) = messages($kind, $gop);
    my $event = ($k->{event} || 0) * 1000;

    $t->port('RTMP');
    pipe my $in, my $out or die "pipe: $!\n";

    my $process = $t->background("publish-$name", sub {
        close $in;
        $out->autoflush(1);

        my $p = live_publish($t, "live/$name");

        $p->play([grep { $_->[1] < $event } @all], speed => 1) if $event;

        if ($k->{away}) {
            $p->close();
            sleep $k->{away};

            $p = live_publish($t, "live/$name");
            $event = 0;
        }

        print $out "now\n";

        $p->play([grep { $_->[1] >= $event } @all], speed => 1);

        sleep 1;
    });

    close $out;
    $in->blocking(0);

    return ($process, $in);
}


# when the third segment is whole, by GOP

my %third = (1 => 5, 2 => 6, 4 => 6, 10 => 7);

# s after the event at which a player can begin at the earliest

sub due {
    my ($player, $kind, $gop) = @_;

    my $k = $kinds{$kind};

    # a browser's own player is given three segments of each track

    if ($player eq 'native') {
        return 0 if $k->{away} || $k->{change};
        return ($k->{audio} || $k->{video} || 0) + $third{$gop}
               - ($k->{event} || 0);
    }

    # the first cut, by force if need be; DASH lists runs of such segments

    my $cut = $gop > $longest ? $longest : $gop;
    $cut = $gop if $gop > $longest && $player =~ /^(?:dash|shaka)$/;

    # what is older can be played, and ends with its publisher

    return 0 if $k->{away} || ($k->{event} || 0) >= $cut;

    return ($k->{video} || 0) + $cut - ($k->{event} || 0);
}


sub joins {
    my ($self, @joins) = @_;

    my @all = map { $self->start(%$_) } @joins;

    $self->until_answer(sub {
        $self->step($_) for @all;
        return !grep { !$self->{got}{$_->{id}}{done} } @all;
    }, 120);

    $_->{process}->kill('KILL') for @all;

    return map {
        my $r = delete($self->{got}{$_->{id}})->{done};
        my $due = due(@$_{qw/ player kind gop /}) - $_->{came}
                  - ($r->{late} || 0) / 1000;

        +{ %$r, due => $due > 0 ? int($due * 1000) : 0,
           player => $_->{player}, age => $_->{age}, gop => $_->{gop},
           kind => $_->{kind} };
    } @all;
}


sub start {
    my ($self, %j) = @_;

    my $id = ++$self->{next};

    $self->order('ready', $id, $j{player} =~ /^(\w+)/);
    $self->until_answer(sub { $self->{got}{$id}{ready} }, 60);

    my ($process, $in) = $self->publish("j$id", $j{kind}, $j{gop});

    return { %j, id => $id, name => "j$id", process => $process, in => $in };
}


# it goes when the stream is as old as it shall be

sub step {
    my ($self, $j) = @_;

    if (!defined $j->{event}) {
        my $n = sysread $j->{in}, my ($said), 16;

        die "nothing is published: " . $j->{process}->log() . "\n"
            if defined $n && !$n;

        return if !$n;

        $j->{event} = time();
    }

    return if defined $j->{came} || time() < $j->{event} + $j->{age};

    my $file = $j->{player} =~ /^(?:dash|shaka)$/ ? 'manifest.mpd'
                                                   : 'index.m3u8';

    $self->order('go', $j->{id}, 'http://127.0.0.1:'
                 . $self->{t}->port('HTTP') . "/live/$j->{name}/$file",
                 20000, 3);

    $j->{came} = time() - $j->{event};
}


sub stop {
    my ($self) = @_;

    close $self->{socket};
    $self->{process}->stop();
}


1;
