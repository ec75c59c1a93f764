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
