#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Clips: what ffmpeg decodes of them are the pictures and the tone of the
# file, from the very frame on, and in step; byte ranges fit; what cannot be
# is refused.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw/ md5_hex /;
use File::Basename qw/ basename /;
use File::Copy qw/ copy /;

use Test::Media;
use Test::Media::Samples;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    sendfile on;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /     { root %%DIR%%/media; media_vod on; }
        location /map/ { alias %%DIR%%/media/; media_vod on;
                         media_vod_mapping on; }
        location /copied/ { alias %%DIR%%/media/; media_vod on;
                            sendfile off; }
    }
}
EOC

my $media = $t->path('media');
mkdir $media or die "$media: $!\n";

# a frame each 40 ms, a tone that is different at any time

copy(fixture('clip.mp4', qw/ -f lavfi -i testsrc=s=320x180:r=25 -f lavfi -i
             aevalsrc=sin(t*t*1000)\/2:s=48000 -c:v libx264
             -preset ultrafast -pix_fmt yuv420p -bf 2 -g 50 -keyint_min 50
             -sc_threshold 0 -c:a aac -b:a 128k -metadata:s:a language=deu
             -t 12 /), "$media/film.mp4");
copy("$media/film.mp4", "$media/caf\xc3\xa9 \"1\".mp4");
copy(fixture('clip-audio.m4a', qw/ -f lavfi -i aevalsrc=sin(t*t*1000)\/2
             -c:a aac -t 3 /), "$media/audio.m4a");

spew("$media/$_->[0].json", "{ $_->[1] \"sequences\": [ { \"clips\": [ "
     . join(', ', map { "{ \"type\": \"source\", \"path\": \"/film.mp4\"$_ }" }
            @$_[2 .. $#$_]) . ' ] } ] }')
    for ['two', '"durations": [ 4000, 4000 ],', '', ''],
        ['cut', '', ', "clipFrom": 3000, "clipTo": 7000'];

$t->run();


# decoded pictures, and the tone as 16 bit samples

sub pictures {
    my ($file) = @_;

    my ($rc, $out) = sh(qw/ ffmpeg -v error -i /, $file,
                        qw/ -map 0:v:0 -fps_mode passthrough -f framemd5 - /);

    return map { /,\s*(\w{32})$/ ? $1 : () } split /\n/, $out;
}


sub tone {
    my ($file) = @_;

    my $raw = $t->path('tone.raw');

    sh(qw/ ffmpeg -v error -y -i /, $file,
       qw/ -map 0:a:0 -f s16le -ac 1 -ar 48000 /, $raw);

    return [unpack 's<*', slurp($raw)];
}


# where the tone of a clip is in that of the file: the shift that fits best,
# in samples, near what is expected

sub fit {
    my ($clip, $whole, $at) = @_;
    my ($best, $least);

    for my $shift (-300 .. 300) {
        my $sum = 0;

        for (my $i = 5000; $i < 12000; $i += 101) {
            $sum += abs($clip->[$i] - ($whole->[$at + $shift + $i] || 0));
        }

        ($best, $least) = ($shift, $sum) if !defined $least || $sum < $least;
    }

    return $best;
}


sub starts {
    my ($file) = @_;

    return { map { $_->{codec_type} => $_->{start_time} }
             @{ffprobe_json($file, '-show_streams')->{streams}} };
}


my @pictures = pictures("$media/film.mp4");
my $tone = tone("$media/film.mp4");

is(scalar @pictures, 300, 'frames of the file');


# query; the first frame, how many, where the tone begins

for (['', 0, 300, 0],
     ['?from=0', 0, 300, 0],
     ['?from=2', 50, 250, 2],
     ['?from=3.2', 80, 220, 3.2],
     ['?from=3.201&to=5', 81, 44, 3.201],
     ['?to=1', 0, 25, 0],
     ['?from=1&to=1.04', 25, 1, undef],
     ['?from=5.96&to=6.04', 149, 2, undef],
     ['?from=11.5&to=999', 288, 12, undef],
     ['?to=12.000000&from=7.5', 188, 112, 7.5])
{
    my ($query, $first, $n, $at) = @$_;

    my $file = $t->path('clip.mp4');
    my $r = $t->http_get("/film.mp4/clip.mp4$query");

    is($r->{status}, 200, "all$query") or next;

    spew($file, $r->{body});

    my ($ok, $said) = decode_clean($file);

    ok($ok, "$query: decodes") or diag($said);

    my @got = pictures($file);

    is(scalar @got, $n, "$query: frames");
    is(join(' ', @got), join(' ', @pictures[$first .. $first + $n - 1]),
       "$query: pictures");

    my $starts = starts($file);

    # the picture that shows at "from" may have begun before

    cmp_ok($starts->{video}, '<', 0.04, "$query: video begins");
    cmp_ok(abs($starts->{audio}), '<', 0.002, "$query: audio begins");

    if (defined $at) {
        my $shift = fit(tone($file), $tone, int($at * 48000));

        cmp_ok(abs($shift), '<', 48, "$query: tone is in step, $shift");
    }

    my ($types) = join ' ', map { $_->{type} } @{mp4_boxes($r->{body})};

    is($types, 'ftyp moov mdat', "$query: boxes");
}


# of others

{
    my $file = $t->path('clip.mp4');

    spew($file, $t->http_get('/map/cut.json/clip.mp4')->{body});
    is(join(' ', pictures($file)), join(' ', @pictures[75 .. 174]),
       'clipFrom and clipTo');

    spew($file, $t->http_get('/map/cut.json/clip.mp4?from=1&to=2')->{body});
    is(join(' ', pictures($file)), join(' ', @pictures[100 .. 124]),
       'and a part of it');

    my $r = $t->http_get('/audio.m4a/clip.mp4?from=1');

    is($r->{status}, 200, 'audio alone');
    spew($file, $r->{body});

    my ($ok, $said) = decode_clean($file);

    ok($ok, 'it decodes') or diag($said);
}


# what is sent

{
    my $path = '/film.mp4/clip.mp4?from=1.5';
    my $r = $t->http_get($path);
    my $size = length $r->{body};

    is($r->{headers}{'content-length'}, $size, 'length');
    is($r->{headers}{'content-type'}, 'video/mp4', 'type');
    is($r->{headers}{'cache-control'}, 'max-age=5', 'lifetime');
    is($r->{headers}{'content-disposition'},
       "attachment; filename=\"film.mp4\"; filename*=UTF-8''film.mp4",
       'name');
    is($t->http_head($path)->{headers}{'content-length'}, $size, 'HEAD');
    is($t->http_get($path, headers => { 'If-None-Match'
                                        => $r->{headers}{etag} })->{status},
       304, 'validated');
    isnt($t->http_get('/film.mp4/clip.mp4')->{headers}{etag},
         $r->{headers}{etag}, 'another part is another entity');

    for (['0-0', 0, 1], ['100-20099', 100, 20000],
         [($size - 100) . '-', $size - 100, 100], ['-5', $size - 5, 5],
         ['20000-70000', 20000, 50001])
    {
        for my $prefix ('', '/copied') {
            my $part = $t->http_get("$prefix$path", range => $_->[0]);

            is($part->{status}, 206, "$prefix range $_->[0]");
            ok($part->{body} eq substr($r->{body}, $_->[1], $_->[2]),
               "$prefix range $_->[0]: bytes");
        }
    }

    is($t->http_get($path, range => "$size-")->{status}, 416,
       'range after the end');
    is(md5_hex($t->http_get("/copied$path")->{body}), md5_hex($r->{body}),
       'without sendfile');

    is($t->http_get('/caf%C3%A9%20%221%22.mp4/clip.mp4')
       ->{headers}{'content-disposition'},
       'attachment; filename="caf__ _1_.mp4"; '
       . "filename*=UTF-8''caf%C3%A9%20%221%22.mp4", 'a name with all');
}


for (['film.mp4/clip.mp4?from=x', 400], ['film.mp4/clip.mp4?from=', 400],
     ['film.mp4/clip.mp4?from=-1', 400], ['film.mp4/clip.mp4?from=1.', 400],
     ['film.mp4/clip.mp4?from=.5', 400], ['film.mp4/clip.mp4?to=0', 400],
     ['film.mp4/clip.mp4?from=2&to=2', 400],
     ['film.mp4/clip.mp4?from=1.5.5', 400],
     ['film.mp4/clip.mp4?from=99999999999999999999', 400],
     ['film.mp4/clip.mp4?from=12.1', 404], ['none.mp4/clip.mp4', 404],
     ['map/two.json/clip.mp4', 404])
{
    my ($path, $status) = @$_;
    is($t->http_get("/$path")->{status}, $status, $path);
}


# other files: as many frames of each track as there were

my %short = map { $_ => 1 } qw/ av1.mkv opus.mkv sample_ac3_aac.mp4
                                sample_with_opus_audio.mkv /;

for my $file (grep { !/damaged|test_case_1185230|enhanced|two_desc/ }
              media_samples(qr/\.(?:mp4|mkv|flv|mov)$/))
{
    my $name = basename($file);

    copy($file, "$media/$name");

    my $r = $t->http_get("/$name/clip.mp4");

    is($r->{status}, media_refused($file) ? 415 : 200, $name) or next;
    next if $r->{status} == 415;

    spew($t->path('clip.mp4'), $r->{body});

    my ($ok, $said) = decode_clean($t->path('clip.mp4'));

    # of one a frame is damaged

    my ($source_ok) = decode_clean($file);

    ok($ok || !$source_ok, "$name: decodes") or diag($said);
    is(join(' ', pictures($t->path('clip.mp4'))), join(' ', pictures($file)),
       "$name: pictures");

    # some have ended by then

    $r = $t->http_get("/$name/clip.mp4?from=0.3&to=0.7");
    is($r->{status}, $short{$name} ? 404 : 200, "$name: a part") or next;

    next if $r->{status} == 404;

    spew($t->path('clip.mp4'), $r->{body});

    ($ok, $said) = decode_clean($t->path('clip.mp4'));

    ok($ok || !$source_ok, "$name: a part decodes") or diag($said);
}


# clients that go away

{
    my @get = map { $t->start_get('/film.mp4/clip.mp4', rcvbuf => 4096) }
              1 .. 30;

    $t->pump(0.1);
    $_->cancel() for @get;

    is($t->http_get('/film.mp4/clip.mp4?to=1')->{status}, 200,
       'after clients that went away');
}

$t->done();
