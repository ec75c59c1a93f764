#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Files as a ladder: rungs have the source's times and pictures, number by
# number, begin each segment with a key frame and have no other, decode as a
# whole, and are the same bytes in whatever order they were asked for; they are
# made once, and found again.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
worker_processes 2;
thread_pool encode threads=2;
http {
    media_vod_segment 2s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /vod/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder web threads=encode;
        }
        location /again/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/other;
            media_vod_ladder web threads=encode max=1;
        }
        location /rungs/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_temp_path %%DIR%%/temp;
            media_vod_ladder rungs threads=encode;
        }
        location /plain/ { alias %%DIR%%/media/; media_vod on; }
        location = /status { media_status; }
    }
}
media_ladder web { video 120p 90k; video 72p 30k fps=half; }
media_ladder rungs { video 120p 90k bframes=0; source off; }
EOC

my ($can, $said) = $t->conf_test($t->{conf});

if ($said =~ /without which this module was built/) {
    plan(skip_all => 'the module was built without libavcodec');
}

mkdir $t->path('media');

my @h264 = qw/ -pix_fmt yuv420p -threads 1 -c:v libx264 -preset ultrafast /;

# what is odd about it, and how many of its pictures are shown

my @files = (
    ['plain.mp4', 'no B-frames', qw/ -r 25 -g 50 -bf 0 /],
    ['bframes.mp4', 'B-frames, 2.5 s GOPs, 29.97 fps',
     '-r', '30000/1001', qw/ -g 75 -bf 3
                                               -b_strategy 0 /],
    ['open.mp4', 'open GOPs', qw/ -r 25 -g 50 -bf 3 -b_strategy 0
                                  -x264-params open-gop=1:scenecut=0 /],
    ['vfr.mp4', 'pictures of other durations', qw/ -g 48 -bf 2 -fps_mode vfr
         -enc_time_base 1:90000 -video_track_timescale 90000 -vf /,
     "select='not(mod(n\\,3))+gt(random(1)\\,0.5)'"],
    ['coarse.mp4', 'a picture is one tick of its time scale',
     qw/ -r 25 -g 50 -bf 3 -b_strategy 0 -video_track_timescale 25 /],
    ['tall.mp4', 'upright, another aspect of pixels',
     qw/ -r 25 -g 50 -bf 2 -vf /, 'transpose,setsar=4/3'],
);

for my $file (@files) {
    my ($name, undef, @how) = @$file;

    my ($status, $out) = sh(
        qw{ ffmpeg -nostdin -v error -y -f lavfi -i
            testsrc2=size=320x180:rate=25:duration=7 -f lavfi -i
            sine=frequency=440:duration=7 }, @h264, @how,
        qw{ -c:a aac -b:a 64k }, $t->path("media/$name"));

    die "$name: $out\n" if $status;
}

errors();

$t->run();

for my $file (@files) {
    subtest $file->[1] => sub {
        eval { check($file->[0]); 1 } or fail("$file->[0]: $@");
    };
}

order('bframes.mp4');
answers('plain.mp4');
rungs_alone('bframes.mp4');
once('open.mp4');
found_again('plain.mp4');

$t->done();


sub errors {
    my $conf = sub {
        my ($in, $temp) = @_;
        return "http { server { listen 127.0.0.1:%%PORT_HTTP%%; location / {"
            . " media_vod on; "
            . ($temp // 'media_vod_temp_path %%DIR%%/temp;')
            . " $in; } } }\nthread_pool encode threads=1;\n"
            . "media_ladder web { video 120p 90k; }\n";
    };

    for my $bad (
        ['media_vod_ladder web threads=encode', 'media_vod_temp_path off;',
         'which is not there: write "media_vod_temp_path /var/cache/media'],
        ['media_vod_ladder web', undef,
         'has no threads, write "media_vod_ladder web threads=encode"'],
        ['media_vod_ladder no threads=encode', undef,
         'there is no media_ladder "no", write'],
        ['media_vod_ladder web threads=default', undef,
         'thread pool "default" is for files'],
        ['media_vod_ladder web threads=encode max=0', undef,
         'invalid parameter "max=0", write "max=4"'],
        ['media_vod_ladder web threads=encode 4', undef,
         'invalid parameter "4", write "max=4"'],
        ['media_vod_ladder web threads=encode; media_vod_ladder off', undef,
         'directive is duplicate'])
    {
        my ($ok, $out) = $t->conf_test($conf->($bad->[0], $bad->[1]));
        ok(!$ok, "refused: $bad->[0]");
        like($out, qr/\Q$bad->[2]\E/, 'why');
    }
}


# times of a rung against those of the source, in the source's time scale

sub check {
    my ($name) = @_;

    my $source = vod_hls($t, "/vod/$name/v1.m3u8");
    my $as_it_is = vod_hls($t, "/plain/$name/v1.m3u8");

    is(join(' ', map { $_->{md5} } @{$source->{samples}}),
       join(' ', map { $_->{md5} } @{$as_it_is->{samples}}),
       'the source is as it is without a ladder');

    my @shown = shown($source);

    for my $rung (2, 3) {
        my $list = vod_hls($t, "/vod/$name/v$rung.m3u8");
        my @pts = shown($list);

        is(join(' ', map { $_->{duration} } @{$list->{segments}}),
           join(' ', map { $_->{duration} } @{$source->{segments}}),
           "v$rung: EXTINF");
        is($list->{timescale}, $source->{timescale}, 'time scale');

        is(delay($list), delay($source), 'and the delay of the source');

        is(join(' ', starts($list)), join(' ', starts($source)),
           'segments have the decode times of the source');
        is(join(' ', lasts($list)), join(' ', lasts($source)),
           'and its durations');

        my @wanted = $rung == 2 ? @shown : halves($source);

        is(scalar @pts, scalar @wanted, 'as many pictures');
        is(join(' ', @pts), join(' ', @wanted), 'all at the times of it');

        is(join(' ', map { keys_of($_) } @{$list->{segments}}),
           join(' ', map { '0' } @{$list->{segments}}),
           'a key frame where each segment begins, and no other');

        spew($t->path('rung.mp4'), $list->{bytes});

        my ($pictures, $complaints) = vod_pictures($t->path('rung.mp4'));

        is($complaints, '', 'ffmpeg decodes it');
        is(scalar @$pictures, scalar @pts, 'all of it');
    }
}


# when pictures are shown; what an edit list takes away is the same for all

sub shown {
    my ($list) = @_;

    my $delay = delay($list);

    return sort { $a <=> $b }
        map { $_->{dts} + $_->{cto} - $delay } @{$list->{samples}};
}


sub delay {
    my ($list) = @_;

    my ($elst) = $list->{init} =~ /elst(.{20})/s;

    return defined $elst ? unpack('x12N', $elst) : 0;
}


sub starts { return map { $_->{samples}[0]{dts} } @{$_[0]{segments}} }


sub lasts {
    my @sums;

    for my $segment (@{$_[0]{segments}}) {
        my $sum = 0;
        $sum += $_->{duration} for @{$segment->{samples}};
        push @sums, $sum;
    }

    return @sums;
}


# of a segment: numbers of its key frames

sub keys_of {
    my ($segment) = @_;
    my $samples = $segment->{samples};

    return join ',', grep { $samples->[$_]{key} } 0 .. $#$samples;
}


# the first one of a segment, and each that is 1.5 pictures behind the last

sub halves {
    my ($source) = @_;
    my @kept;

    my @lasts = lasts($source);

    for my $segment (@{$source->{segments}}) {
        my $n = @{$segment->{samples}};
        my $apart = int(shift(@lasts) * 3 / 2);
        my $last;

        for my $pts (sort { $a <=> $b } map { $_->{dts} + $_->{cto} }
                     @{$segment->{samples}})
        {
            next if defined $last && ($pts - $last) * $n < $apart;
            $last = $pts;
            push @kept, $pts - delay($source);
        }
    }

    return @kept;
}


# backwards, one at a time, by another directory

sub order {
    my ($name) = @_;

    my $path = "/vod/$name/v2.m3u8";
    my $other = "/again/$name/";
    my @uris = vod_fetch($t, $path) =~ /^(v2.*m4s)$/mg;

    cmp_ok(scalar @uris, '>=', 3, 'segments');

    my %back = map { $_ => vod_fetch($t, $other . $_) } reverse @uris;

    is(scalar(grep { vod_fetch($t, "/vod/$name/$_") ne $back{$_} } @uris), 0,
       'whatever the order, the same bytes');
}


sub answers {
    my ($name) = @_;

    my ($uri) = vod_fetch($t, "/vod/$name/v2.m3u8") =~ /^(v2.*-1\.m4s)$/m;

    my $all = $t->http_get("/vod/$name/$uri");
    my $head = $t->http_head("/vod/$name/$uri");
    my $part = $t->http_get("/vod/$name/$uri",
                            headers => { Range => 'bytes=100-299' });

    is($head->{headers}{'content-length'}, length $all->{body}, 'HEAD');
    is($part->{status}, 206, 'a range');
    is($part->{body}, substr($all->{body}, 100, 200), 'of it');
    like($all->{headers}{'cache-control'}, qr/immutable/, 'is for good');

    (my $none = $uri) =~ s/-1\.m4s$/-999.m4s/;
    is($t->http_get("/vod/$name/$none")->{status}, 404, 'no such segment');

    my $ts = vod_ts($t, "/vod/$name/v2.ts.m3u8");

    spew($t->path('rung.ts'), $ts->{bytes});

    my ($pictures, $complaints) = vod_pictures($t->path('rung.ts'));

    is($complaints, '', 'MPEG-TS of a rung is decoded');
    is(scalar @$pictures, 175, 'all of it');

    is($t->http_get("/vod/$name/thumb-1000.jpg")->{status}, 200, 'a picture');

    my $clip = $t->http_get("/vod/$name/clip.mp4");

    is(() = $clip->{body} =~ /trak/g, 2, 'a clip has the source alone');
}


sub rungs_alone {
    my ($name) = @_;

    my $multi = vod_fetch($t, "/rungs/$name/index.m3u8");

    is(() = $multi =~ /^#EXT-X-STREAM-INF/mg, 1, 'source off: the rung alone');
    like($multi, qr/RESOLUTION=214x120/, 'it is that');

    my $list = vod_hls($t, "/rungs/$name/v1.m3u8");
    my $source = vod_hls($t, "/plain/$name/v1.m3u8");

    is(join(' ', shown($list)), join(' ', shown($source)),
       'at the times of the source, without B-frames, too');
}


# viewers in both workers, at once

sub once {
    my ($name) = @_;

    my $made = $t->status('/status')->{vod}{ladder}{made};
    my ($uri) = vod_fetch($t, "/rungs/$name/v1.m3u8") =~ /^(v1.*-0\.m4s)$/m;

    my @viewers = map { $t->start_get("/rungs/$name/$uri") } 1 .. 20;
    my %bodies = map { $_->result()->{body} => 1 } @viewers;

    is(scalar keys %bodies, 1, '20 viewers, the same bytes');

    my $ladder = $t->status('/status')->{vod}{ladder};

    # what is made for 20 may be followed by one that nobody asked for yet
    is($ladder->{made} - $made, 1, 'made once');
    is($ladder->{failed}, 0, 'none failed');
}


sub found_again {
    my ($name) = @_;

    my ($uri) = vod_fetch($t, "/vod/$name/v2.m3u8") =~ /^(v2.*-0\.m4s)$/m;
    my $bytes = vod_fetch($t, "/vod/$name/$uri");

    $t->stop();
    $t->run();

    my $ladder = $t->status('/status')->{vod}{ladder};

    is(vod_fetch($t, "/vod/$name/$uri"), $bytes, 'after a restart');
    is($t->status('/status')->{vod}{ladder}{made}, 0, 'it was there');

    # one of which bytes are not what they were is made again

    opendir my $dh, $t->path('temp') or die "temp: $!\n";

    for my $file (grep { /\.mp4$/ } readdir $dh) {
        open my $fh, '+<', $t->path("temp/$file") or die "$file: $!\n";
        seek $fh, 20, 0;
        print $fh "\0" x 40;
        close $fh;
    }

    $t->stop();
    $t->run();

    is(vod_fetch($t, "/vod/$name/$uri"), $bytes, 'broken ones are not taken');
    is($t->status('/status')->{vod}{ladder}{made}, 1, 'but made again');
}
