#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# A picture that stands still: screens and slides send none while nothing
# changes, and the next one refers to what was before.  All of them are there,
# the last one is held meanwhile, and who comes in such a pause has a picture.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Formats;
use Test::Media::Live;
use Test::Media::Tools;

my @still = live_tags('still');
my @gop = live_tags('still_gop');
my @slides = sort { $a->[1] <=> $b->[1] } live_tags('slides');

my $t = live_nginx(app => 'segment 2s; window 60s;');
my %p = map { $_ => live_publish($t, "live/$_") }
    qw/ still gop silent slides plain /;

# without sound nobody can show that the encoder goes on, until it does

my @silent = grep { $_->[0] == 9 } @still;

live_play([$p{still}, \@still, speed => 1, to => 10000],
          [$p{gop}, \@gop, speed => 1, to => 10000],
          [$p{silent}, \@silent, speed => 1, to => 10000],
          [$p{slides}, \@slides, speed => 1, to => 11000]);

$_->close() for values %p;

for my $name (qw/ still gop silent slides /) {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 5, 'end');

    my $s = live_stream($t, $name);
    my @sent = grep { $_->{type} eq 'video' } @{$p{$name}{sent_frames}};
    my $list = m3u8_parse($t->http_get("/live/$name/v1.m3u8")->{body});
    my $init = $t->http_get("/live/$name/" . $list->{segments}[0]{map});

    is($s->{track}{v1}{frames}, @sent, "$name: all frames");
    is($s->{track}{v1}{dropped_key} + $s->{track}{v1}{dropped_late}, 0,
       "$name: none is dropped");
    is(scalar(grep { $_->{gap} } @{$list->{segments}}), 0, "$name: no gap");
    is(scalar(grep { $_->{duration} >= 3.5 } @{$list->{segments}}), 0,
       "$name: no segment is too long");

    # one file for each run

    my ($n, @runs) = (0);

    for my $segment (@{$list->{segments}}) {
        push @runs, $init->{body} if !@runs || $segment->{discontinuity};
        $runs[-1] .= $t->http_get("/live/$name/$segment->{uri}")->{body};
    }

    is(@runs, $name eq 'silent' ? 2 : 1, "$name: runs");

    my ($shown, $bad) = (0, '');

    for my $run (@runs) {
        my $file = $t->{dir} . "/$name" . $n++ . '.mp4';

        spew($file, $run);

        $bad .= `ffmpeg -nostdin -v error -xerror -i $file \\
                 -fps_mode passthrough -f rawvideo -y /dev/null 2>&1`;

        my @pts = map { /([\d.]+)/ } `ffprobe -v error -show_entries \\
            packet=pts_time -of csv=p=0 $file`;

        # those that come again take no time: others are no farther apart
        # than the pictures of the source, or where nothing came

        my ($most) = (sort { $b <=> $a }
                      map { $pts[$_] - $pts[$_ - 1] } 1 .. $#pts);
        $shown = $most if $most > $shown;
    }

    # the output counts frames, and has no place for what takes no time
    $bad =~ s/^.*non monotonic.*\n(?: *Last message repeated.*\n)?//mg;

    is($bad, '', "$name: decodes");

    cmp_ok($shown, '<', 0.3, "$name: the track goes on meanwhile")
        if $name eq 'still' || $name eq 'gop';

    next if $name eq 'silent';

    my $audio = m3u8_parse($t->http_get("/live/$name/a1.m3u8")->{body});
    my ($va, $aa) = map { my $sum = 0; $sum += $_->{duration} for
                          @{$_->{segments}}; $sum } $list, $audio;

    cmp_ok(abs($va - $aa), '<', 0.6, "$name: as long as sound");
}

# in the pause, each segment begins with a key frame

my $list = m3u8_parse($t->http_get('/live/gop/v1.m3u8')->{body});

ok($list->{independent}, 'each segment can be begun with');
cmp_ok(live_stream($t, 'gop')->{track}{v1}{repeated_frames}, '>', 50,
       'counted');

$t->done();
