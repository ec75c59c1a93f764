package Test::Media::Viewer;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::Viewer - viewers by RTMP and FLV that count every frame

=head1 SYNOPSIS

    use Test::Media::Viewer;

    my $v = viewer_rtmp($t, 'live/s');              # asked, and answered
    my $w = viewer_flv($t, '/live/s.flv', worker => $pid);

    is($v->{status}, 'NetStream.Play.Start', 'may play');
    viewers_have(sub { $_[0]->frames() >= 50 }, 10, $v, $w);

    $v->tags(); $v->frames(); $v->headers();        # since the beginning
    $v->keys();                                     # frames that are such
    $v->closed();                                   # why, or undef
    $v->pause(); $v->resume();                      # does not read
    $v->save($file);                                # an FLV file
    $v->close();
    is(join(', ', viewer_faults($v)), '', 'nothing is wrong');

Tags are those of L<Test::Media::FLV>, [type, time stamp, bytes, arrival,
length], with the arrival in seconds of time().  All viewers go on whenever
anything is waited for by wait_until(), an HTTP answer, or viewers_have(); a
test that does something else for long does not read meanwhile.

viewer_rtmp() options: port, worker => $pid, connection => an object of
Test::Media::RTMP that was told something else before (it has to be connected,
with a stream), start => N (-2000) of the command.  {status} is the code of the
first answer but NetStream.Play.Reset, or undef; {rtmp} the connection, whose
messages that are no media are in {rtmp}{messages}.  viewer_flv() options are
those of http_get(); {status} is that of HTTP, which is there when the head has
come: viewers_have(sub { $_[0]->status() }, ...).  Both: light => 1 keeps 64
bytes of each message.

viewers_have(sub, $seconds, @viewers) waits until sub says so of each of them,
and returns 1; or dies and says how many did not.

viewer_faults() returns what is wrong with what has come, as text: time stamps
of audio or of video that go back, video that does not begin with a
configuration and a key frame, bytes that are no FLV.

=cut

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw/ time /;

use Test::Media::FLV;
use Test::Media::HTTP;
use Test::Media::RTMP;

our @EXPORT = qw/ viewer_rtmp viewer_flv viewers_have viewer_faults /;


sub viewer_rtmp {
    my ($t, $path, %opt) = @_;

    my ($app, $name) = $path =~ m|^([^/]*)/(.*)$|;

    my $rtmp = $opt{connection} || $t->rtmp(
        map { $_ => $opt{$_} } grep { $opt{$_} } qw/ port worker /);

    my $self = bless { rtmp => $rtmp, asked => time() }, __PACKAGE__;

    $rtmp->{light} = $opt{light};

    if (!$opt{connection}) {
        my $reply = $rtmp->open_app($app);

        if (!$reply || $reply->{name} ne '_result') {
            $self->{status} = $reply ? $reply->{args}[1]{code} : undef;
            return $self;
        }
    }

    $self->{asked} = time();
    $self->{status} = $rtmp->play($name, $opt{start});

    return $self;
}


sub viewer_flv {
    my ($t, $path, %opt) = @_;

    my $flv = Test::Media::FLV->new(light => $opt{light});
    my $self = bless { flv => $flv, body => '', asked => time() },
                     __PACKAGE__;

    $self->{http} = $t->start_get($path, %opt, sink => sub {
        my ($http, $bytes, $arrival) = @_;

        $flv->feed($bytes, $arrival) if $http->{status} == 200;
        $self->{body} .= $bytes if !$opt{light};
    });

    return $self;
}


sub tags {
    my ($self) = @_;

    return @{($self->{flv} || $self->{rtmp})->{tags} || []};
}


sub frames { return grep { tag_is_frame($_) } $_[0]->tags() }
sub keys { return grep { tag_is_key($_) } $_[0]->tags() }
sub headers { return grep { tag_is_header($_) } $_[0]->tags() }


sub status {
    my ($self) = @_;

    return $self->{http} ? $self->{http}{status} : $self->{status};
}


sub closed {
    my ($self) = @_;

    return $self->{rtmp}{closed} if $self->{rtmp};
    return undef if $self->{http}{state} ne 'done';
    return $self->{http}{error} || 'the end of the body';
}


sub link { return $_[0]{http} || $_[0]{rtmp} }
sub pause { $_[0]->link()->pause() }
sub resume { $_[0]->link()->resume() }
sub close { $_[0]->link()->cancel() }


# of FLV the bytes as they came, even if they are none

sub save {
    my ($self, $file) = @_;

    return Test::Media::spew($file, $self->{body}) if $self->{http};

    flv_write($file, $self->tags());
}


sub viewers_have {
    my ($sub, $seconds, @viewers) = @_;

    my $left;

    eval {
        Test::Media::wait_until(sub {
            @viewers = grep { !$sub->($_) } @viewers;
            return !@viewers;
        }, $seconds, 'viewers');
    };

    return 1 if !@viewers;

    my $v = $viewers[0];

    die $@ . sprintf "%d viewers did not have it, one of them %d frames, %s\n",
                     scalar @viewers, scalar(() = $v->frames()),
                     $v->closed() || 'open';
}


sub viewer_faults {
    my ($self) = @_;

    my (%last, @faults, $configured, $begun);

    push @faults, "no FLV: $self->{flv}{error}"
        if $self->{flv} && $self->{flv}{error};

    for my $tag ($self->tags()) {
        my ($type, $ts) = @$tag;

        next if $type == 18;

        push @faults, "stamp $ts of $type behind $last{$type}"
            if defined $last{$type} && $ts < $last{$type};
        $last{$type} = $ts;

        next if $type != 9;

        if (tag_is_header($tag)) {
            $configured = 1;

        } elsif (tag_is_frame($tag)) {
            push @faults, "a frame at $ts without a configuration"
                if !$configured && !$begun;
            push @faults, "no key frame at $ts" if !$begun && !tag_is_key($tag);
            $begun = 1;
        }
    }

    return @faults;
}


1;
