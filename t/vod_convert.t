#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Files that are converted: frames and times are those that ffprobe finds in
# the source, up to one constant of the file, and the pictures are the same.
# They are converted once, by one process, and found again after a restart;
# those that are gone are made again; the directory keeps to its size.
#
#   TEST_MEDIA="a.ts b.ts"   these files instead of those of
#                          Test::Media::Samples

use FindBin;
use lib "$FindBin::Bin/lib";

use Cwd ();
use File::Basename qw/ basename /;

use Test::Media;
use Test::Media::Samples;
use Test::Media::Vod;

# what is refused, and what the log says

my %refused = (
    'latm.ts' =>
        qr/mpegts: nothing to be served, stream\[0\]: unsupported aac_latm/,
    'mpeg2.ts' =>
        qr/mpegts: nothing to be served, stream\[0\]: unsupported mpeg2video/,
    'sample_latm.ts' =>
        qr/mpegts: nothing to be served, stream\[0\]: unsupported aac_latm/,
    'sample_scte35.ts' =>
        qr/mpegts: nothing to be served, stream\[0\]: unsupported mpeg2video/,
);

# whose first and last frames are cut, and left out

my %cut = ('ac3.ts' => 1, 'sample_ac3.ts' => 1);

my $needs = 'has to be converted, which needs media_vod_temp_path';
my $large = 'has to be converted, but is larger than media_vod_temp_path may '
            . 'be';

my @files = $ENV{TEST_MEDIA} ? split ' ', $ENV{TEST_MEDIA}
                             : media_samples(qr/\.ts$/);

my $t = Test::Media->new();

my $conf = <<'EOC';
worker_processes 2;
http {
    media_vod_valid 1s;
    %s
    server {
        listen 127.0.0.1:%%%%PORT_HTTP%%%%;
        location / { root %%%%DIR%%%%/media; media_vod on; }
        location /off/ {
            alias %%%%DIR%%%%/media/;
            media_vod on;
            media_vod_temp_path off;
        }
        location /small/ {
            alias %%%%DIR%%%%/media/;
            media_vod on;
            media_vod_temp_path small/ max_size=1m;
        }
    }
}
EOC

mkdir $t->path('media');

for my $file (@files) {
    symlink Cwd::abs_path($file), $t->path('media/' . basename($file))
        or die "$file: $!\n";
}

directive();

# first without, then with it: what was said without it is not believed

$t->write_conf(sprintf $conf, '');
$t->run();

my ($first) = grep { !$refused{basename($_)} } @files;
my $name = basename($first);

is($t->http_get("/$name/index.m3u8")->{status}, 415, 'not configured');
ok($t->log_count(qr/"[^"]*\Q$name\E": $needs/), 'the log says what is missing');

$t->write_conf(sprintf $conf, 'media_vod_temp_path temp/;');
$t->reload();

is($t->http_get("/off/$name/index.m3u8")->{status}, 415, 'off');
is($t->http_get("/$name/index.m3u8")->{status}, 200, 'configured');

for my $file (@files) {
    my $name = basename($file);

    subtest $name => sub {
        eval { check($file, $name); 1 } or fail("$name: $@");
    };
}

last_picture();
once();
gone();
changed();
small();
untimed();

$t->done();


sub directive {
    my $conf = sub { return sprintf $conf, "media_vod_temp_path $_[0];" };
    my $dir = $t->path('made');

    for my $bad (['temp max_size=0', 'invalid parameter "max_size=0"'],
                 ['temp max_size=x', 'invalid parameter "max_size=x"'],
                 ['temp 1g', 'invalid parameter "1g", write'],
                 ['a; media_vod_temp_path b', 'directive is duplicate'],
                 ["$dir/a/b", qq(mkdir\\(\\) "$dir/a/b" failed)])
    {
        my ($ok, $said) = $t->conf_test($conf->($bad->[0]));
        ok(!$ok, "refused: $bad->[0]");
        like($said, qr/\Q$bad->[1]\E|$bad->[1]/, 'why');
    }

    my ($ok, $said) = $t->conf_test($conf->('made/ max_size=10m'));
    ok($ok, 'nginx -t') or diag($said);
    is((stat $dir)[2] & 07777, 0700, 'the directory is made');

    rmdir $dir;
    rmdir $t->path('small');
}


# of a rate that varies, libavformat does not know how long the last one is

sub last_picture {
    my $file = $t->path('media/last_picture.ts');

    sh(qw{ ffmpeg -nostdin -v error -y -f lavfi -i
           testsrc2=size=160x90:rate=25:duration=2 -vf },
       "select='not(mod(n\\,3))+gt(random(1)\\,0.5)'",
       qw{ -fps_mode vfr -enc_time_base 1/90000 -c:v libx264 -preset ultrafast
           -bf 0 -g 25 }, $file);

    my ($source) = @{vod_probe($file)};
    my $list = vod_hls($t, '/last_picture.ts/v1.m3u8');

    is($source->{packets}[-1]{duration} // 'N/A', 'N/A', 'no duration');
    is(scalar @{$list->{samples}}, scalar @{$source->{packets}},
       'the last picture is there');
    is($list->{samples}[-1]{duration}, $list->{samples}[-2]{duration},
       'as long as the one before');
}


# names of converted files, and of those that are not complete

sub directory {
    my ($dir) = @_;

    opendir my $dh, $t->path($dir || 'temp') or die "$dir: $!\n";

    return grep { !/^\.\.?$/ } readdir $dh;
}


sub count {
    my @names = grep { !/\.tmp/ } directory();

    return scalar @names;
}


sub inodes {
    my ($dir) = @_;

    return join ' ', sort map { (stat $t->path(($dir || 'temp') . "/$_"))[1] }
                          directory($dir);
}


# frames of a file

sub check {
    my ($file, $name) = @_;

    if ($refused{$name}) {
        is($t->http_get("/$name/index.m3u8")->{status}, 415, 'refused');
        ok($t->log_count(qr/\Q$name\E": $refused{$name}/), 'why');
        return;
    }

    my $streams = vod_source($file);
    my $mpd = vod_mpd(vod_fetch($t, "/$name/manifest.mpd"));
    my (%count, %lists, @off);

    for my $stream (@$streams) {
        my $type = $stream->{codec_type};
        next if $type !~ /^(?:video|audio)$/;

        my $id = substr($type, 0, 1) . ++$count{$type};
        my $list = $lists{$id} = vod_hls($t, "/$name/$id.m3u8");

        frames($id, $file, $stream, $list, \@off);

        is(join(' ', map { $_->{uri} } @{$mpd->{$id}{segments}}),
           join(' ', map { $_->{uri} } @{$list->{segments}}), "$id: DASH");

        next if $type ne 'video';

        spew($t->path('v.mp4'), $list->{bytes});
        my ($ours) = vod_pictures($t->path('v.mp4'));
        my ($theirs) = vod_pictures($file);

        is(join(' ', map { $_->{md5} } @$ours),
           join(' ', map { $_->{md5} } @$theirs), "$id: pictures");
    }

    @off = sort { $a <=> $b } @off;
    cmp_ok($off[-1] - $off[0], '<=', 6 / 90000, 'tracks are in step');
    note(sprintf 'shifted by %.6f .. %.6f s', @off[0, -1]);

    my @variants = @{m3u8_parse(vod_fetch($t, "/$name/ts.m3u8"))->{variants}};
    ok(scalar @variants, 'MPEG-TS');

    for my $variant (@variants) {
        spew($t->path('all.ts'), vod_ts($t, "/$name/$variant->{uri}")->{bytes});

        my ($ids) = $variant->{uri} =~ /^([\w-]+)\.ts\.m3u8$/;
        my @ours = map { scalar @{$_->{packets}} }
                   @{vod_probe($t->path('all.ts'))};

        is("@ours", join(' ', map { scalar @{$lists{$_}{samples}} }
                         split /-/, $ids), "$variant->{uri}: packets");
    }
}


sub frames {
    my ($id, $file, $stream, $list, $off) = @_;

    my $codec = $stream->{codec_name};
    my @ours = mp4_samples($list->{bytes});
    my @theirs = @{$stream->{packets}};

    # packets one after another, as the container has them

    my ($status, $bytes) = sh('ffmpeg', '-nostdin', '-v', 'error', '-y',
                              '-i', $file, '-map',
                              "0:$stream->{index}", '-c', 'copy',
                              '-copyinkf', '-f', 'data', $t->path('raw'));
    $bytes = slurp($t->path('raw'));

    my $pos = 0;

    for my $packet (@theirs) {
        $packet->{data} = substr $bytes, $pos, $packet->{size};
        $pos += $packet->{size};
    }

    is($pos, length $bytes, "$id: ffmpeg has what ffprobe has");

    shift @theirs while $codec =~ /^h/ && @theirs
                        && $theirs[0]{flags} !~ /K/;

    if ($cut{basename($file)}) {
        shift @theirs;
        pop @theirs;
    }

    is(scalar @ours, scalar @theirs, "$id: frames") or return;

    my (@wrong, @by);

    for my $i (0 .. $#ours) {
        my ($s, $p) = ($ours[$i], $theirs[$i]);

        push @wrong, $i if frame_of($codec, $s->{data}, 1)
                           ne frame_of($codec, $p->{data}, 0);
        push @by, $s->{pts} / $list->{timescale} - $p->{time};
    }

    is("@wrong", '', "$id: frames are those of the source");

    if ($codec =~ /^h/) {
        is(join(' ', map { $_->{key} ? 'K' : '_' } @ours),
           join(' ', map { /K/ ? 'K' : '_' } map { $_->{flags} } @theirs),
           "$id: key frames");
    }

    # a parser counts frames behind the first of a PES packet on, in 90 kHz

    @by = sort { $a <=> $b } @by;
    cmp_ok($by[-1] - $by[0], '<=', ($id =~ /^v/ ? 1.01 : 6) / 90000,
           "$id: times");

    push @$off, ($by[0] + $by[-1]) / 2;
}


# what a frame is in any container: NAL units but those of parameters and
# delimiters, AAC without its header

sub frame_of {
    my ($codec, $data, $ours) = @_;

    if ($codec eq 'aac') {
        return $data if $ours;
        return substr $data, ord(substr $data, 1, 1) & 1 ? 7 : 9;
    }

    return $data if $codec !~ /^(?:h264|hevc)$/;

    my @nals;

    if ($ours) {
        for (my $pos = 0; $pos + 4 <= length $data; ) {
            my $size = unpack 'N', substr($data, $pos, 4);
            push @nals, substr $data, $pos + 4, $size;
            $pos += 4 + $size;
        }

    } else {
        @nals = split /\x00\x00\x01/, $data;
    }

    # trailing_zero_8bits, and what is before a start code of four bytes
    s/\x00+\z// for @nals;

    my $unit = $codec eq 'h264'
        ? sub { my $type = ord($_[0]) & 0x1f; $type < 7 || $type > 9 }
        : sub { my $type = ord($_[0]) >> 1 & 0x3f; $type < 32 || $type > 35 };

    return join '|', grep { length && $unit->($_) } @nals;
}


# ten at once, by both workers: one of them converts

sub once {
    my $file = vod_made('convert.ts', seconds => 60, bframes => 2,
                        size => '320x180', bitrate => '2000k');

    symlink $file, $t->path('media/once.ts');

    my @before = directory();
    my (%seen, $ino);

    my @requests = map {
        $t->start_get('/once.ts/index.m3u8', worker => $_)
    } map { ($_) x 5 } $t->worker_pids();

    wait_until(sub {
        $seen{$_}++ for grep { /\.tmp\./ } directory();
        $ino = inodes() if !defined $ino && count() > @before;
        return !grep { !$_->done() } @requests;
    }, 60, 'ten to be answered');

    my @status = map { $_->result()->{status} } @requests;

    is("@status", join(' ', (200) x 10), 'ten requests at once');
    cmp_ok(scalar keys %seen, '<=', 1, 'one is at it');
    is(count(), @before + 1, 'one file more');
    is(inodes(), $ino, 'it was made once');
    ok(!grep({ /\.tmp/ } directory()), 'nothing else is left');

    # another process finds it

    my $list = vod_fetch($t, '/once.ts/v1.m3u8');
    $ino = inodes();

    $t->stop();
    $t->run();

    is(vod_fetch($t, '/once.ts/v1.m3u8'), $list, 'restarted');
    is(inodes(), $ino, 'not made again');
}


# deleted while it is served, and then when nobody has it open

sub gone {
    my $list = m3u8_parse(vod_fetch($t, '/once.ts/v1.m3u8'));
    my $uri = "/once.ts/$list->{segments}[1]{uri}";
    my $bytes = vod_fetch($t, $uri);

    unlink map { $t->path("temp/$_") } directory();

    for my $pid ($t->worker_pids()) {
        ok(vod_fetch($t, $uri, worker => $pid) eq $bytes, 'deleted');
    }

    unlink map { $t->path("temp/$_") } directory();

    $t->reload();
    wait_until(sub { !$t->old_workers() }, 20, 'old workers to go');

    my @requests = map { $t->start_get($uri, worker => $_) }
                   map { ($_) x 3 } $t->worker_pids();
    my @same = grep { ($_->result()->{body} || '') eq $bytes } @requests;

    is(scalar @same, 6, 'deleted, and known to new workers');
    is(count(), 1, 'it was made again');
    ok(!grep({ /\.tmp/ } directory()), 'nothing else is left');
}


# another file of the same name

sub changed {
    my ($old, $new) = map {
        vod_made("convert$_.ts", seconds => 4 + $_)
    } 1, 2;

    my $media = $t->path('media/changed.ts');

    symlink $old, $media;
    my $one = m3u8_parse(vod_fetch($t, '/changed.ts/v1.m3u8'));

    symlink $new, "$media.new";
    rename "$media.new", $media;

    wait_until(sub {
        my $two = m3u8_parse(vod_fetch($t, '/changed.ts/v1.m3u8'));
        return $two->{segments}[0]{uri} ne $one->{segments}[0]{uri};
    }, 10, 'the new one');

    is(count(), 3, 'the new one is converted, too');
}


# AVI does not say when a frame is shown, so B-frames cannot be

sub untimed {
    for my $bframes (0, 2) {
        my $file = vod_made("convert-$bframes.avi", bframes => $bframes,
                            seconds => 4);
        symlink $file, $t->path("media/$bframes.avi");
    }

    is($t->http_get('/0.avi/index.m3u8')->{status}, 200, 'AVI');
    is($t->http_get('/2.avi/index.m3u8')->{status}, 415, 'with B-frames');
    ok($t->log_count(qr/2\.avi": avi: cannot be converted, B-frames without/),
       'the log');
}


# there is a limit

sub small {
    my @made = map {
        vod_made("convert-small$_.ts", seconds => 5 + $_,
                 bitrate => '700k', size => '320x180')
    } 0 .. 2;

    symlink $made[$_], $t->path("media/small$_.ts") for 0 .. 2;

    vod_fetch($t, "/small/small$_.ts/index.m3u8") for 0 .. 1;

    my @names = directory('small');
    is(scalar @names, 2, 'two files');

    # what was used in the last minute stays; so this is long ago

    my ($size) = sort { $b <=> $a } map { -s $t->path("small/$_") } @names;
    note("$size bytes");

    utime time() - 1000, time() - 1000, map { $t->path("small/$_") } @names;

    $t->reload();
    wait_until(sub { !$t->old_workers() }, 20, 'old workers to go');

    # used again

    vod_fetch($t, '/small/small1.ts/index.m3u8');

    my ($used) = grep { time() - (stat $t->path("small/$_"))[9] < 100 }
                 directory('small');
    ok(defined $used, 'one is used again');

    vod_fetch($t, '/small/small2.ts/index.m3u8');

    my @left = directory('small');
    is(scalar @left, 2, 'there is no room for three');
    ok(scalar grep({ $_ eq $used } @left), 'what was used stays');

    # one that is larger than all may be

    is($t->http_get('/small/once.ts/index.m3u8')->{status}, 415, 'too large');
    ok($t->log_count(qr/once\.ts": $large/), 'the log');
}
