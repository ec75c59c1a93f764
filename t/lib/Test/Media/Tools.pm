package Test::Media::Tools;

# Copyright (C) ngx_stream_vod_module authors

# Files, commands, ffmpeg and ffprobe.  The manual is in Test::Media.

use strict;
use warnings;

use Cwd ();
use Digest::MD5 ();
use Exporter 'import';
use Fcntl qw/ :flock /;
use File::Basename qw/ dirname /;
use File::Path qw/ make_path /;
use JSON::PP ();

our @EXPORT = qw/ slurp spew sh fixture ffmpeg_source ffmpeg_passthrough
                  ffprobe_json decode_clean /;

my $root = Cwd::abs_path(dirname(__FILE__) . '/../../../..');


sub slurp {
    my ($file) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    my $bytes = <$fh>;

    return defined $bytes ? $bytes : '';
}


sub spew {
    my ($file, $bytes) = @_;

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh $bytes;
    close $fh or die "$file: $!\n";
}


# (exit status, output of both kinds)

sub sh {
    my (@cmd) = @_;

    local $?;

    my $pid = open my $fh, '-|';
    die "fork: $!\n" if !defined $pid;

    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        no warnings 'exec';
        exec { $cmd[0] } @cmd or do {
            print "$cmd[0]: $!\n";
            require POSIX;
            POSIX::_exit(127);
        };
    }

    local $/;
    my $out = <$fh>;
    close $fh;

    return ($? >> 8 || $? & 127, defined $out ? $out : '');
}


# ffmpeg's input and encoder options for a moving picture and a tone, or for a
# file that is copied

sub ffmpeg_source {
    my (%opt) = @_;

    my @re = !exists $opt{re} || $opt{re} ? ('-re') : ();

    if (defined $opt{file}) {
        return (@re, $opt{loop} ? ('-stream_loop', $opt{loop}) : (),
                '-i', $opt{file}, '-c', 'copy');
    }

    my $video = !exists $opt{video} || $opt{video};
    my $audio = !exists $opt{audio} || $opt{audio};
    my $size = $opt{size} || '320x180';
    my $rate = $opt{rate} || 25;
    my $gop = $opt{gop} || 25;
    my $hertz = $opt{sample_rate} || 48000;
    my $bframes = $opt{bframes} || 0;

    my (@in, @out);

    if ($video) {
        push @in, @re, '-f', 'lavfi', '-i', "testsrc2=size=$size:rate=$rate";
        push @out, '-c:v', $opt{vcodec} || 'libx264', '-pix_fmt', 'yuv420p',
            '-b:v', $opt{bitrate} || '300k', '-g', $gop;
        push @out, '-preset', 'ultrafast', '-keyint_min', $gop,
            '-sc_threshold', 0, '-bf', $bframes,
            $bframes ? () : ('-tune', 'zerolatency')
            if !$opt{vcodec} || $opt{vcodec} eq 'libx264';
    }

    if ($audio) {
        push @in, @re, '-f', 'lavfi', '-i',
            "sine=frequency=440:sample_rate=$hertz";
        push @out, '-c:a', $opt{acodec} || 'aac', '-b:a', '64k', '-ac',
            $opt{channels} || 2, '-ar', $hertz;
    }

    return (@in, @out);
}


my @picture = qw/ -pix_fmt yuv420p -threads 1 /;

# by the name without its extension
my %known = (
    # 10 s, 25 fps, key frame each second, no B-frames, stereo AAC
    av => [ffmpeg_source(re => 0), qw/ -t 10 /, @picture],
    # 30 s of the same
    long => [ffmpeg_source(re => 0), qw/ -t 30 /, @picture],
    # two B-frames
    bframes => [ffmpeg_source(re => 0, bframes => 2), qw/ -t 10 /, @picture],
    # a key frame each 10 s
    gop10 => [ffmpeg_source(re => 0, gop => 250), qw/ -t 30 /, @picture],
    video => [ffmpeg_source(re => 0, audio => 0), qw/ -t 10 /, @picture],
    audio => [ffmpeg_source(re => 0, video => 0), qw/ -t 10 /],
    # other picture size, rate and sampling rate
    other => [ffmpeg_source(re => 0, size => '256x144', rate => 30,
                            sample_rate => 44100, gop => 30),
              qw/ -t 10 /, @picture],
    mp3 => [ffmpeg_source(re => 0, video => 0, acodec => 'libmp3lame'),
            qw/ -t 10 /],
    hevc => [ffmpeg_source(re => 0, vcodec => 'libx265'),
             '-x265-params', 'log-level=none:keyint=25:bframes=0',
             qw/ -preset ultrafast -t 5 /, @picture],
);


sub fixture {
    my ($name, @args) = @_;

    my ($base, $ext) = $name =~ /^(.*)\.(\w+)$/
        or die "fixture name without extension: $name\n";

    @args = @{$known{$base} || die "unknown fixture: $name\n"} if !@args;

    my $dir = "$root/build/fixtures";
    make_path($dir);

    my $key = substr(Digest::MD5::md5_hex(join "\0", @args), 0, 8);
    my $file = "$dir/$base-$key.$ext";

    return $file if -s $file;

    open my $lock, '>', "$dir/.lock-$key" or die "$dir: $!\n";
    flock $lock, LOCK_EX;

    return $file if -s $file;

    my @format = $ext eq 'flv' ? ('-flvflags', 'no_duration_filesize') : ();
    my ($status, $out) = sh('ffmpeg', '-nostdin', '-hide_banner', '-loglevel',
                            'error', '-y', @args, '-bitexact', @format,
                            "$dir/new-$key.$ext");
    die "ffmpeg cannot make $name: $out\n" if $status;

    rename "$dir/new-$key.$ext", $file or die "$file: $!\n";

    return $file;
}


sub ffprobe_json {
    my ($url, @args) = @_;

    @args = ('-show_streams', '-show_format') if !@args;

    my ($status, $out) = sh('ffprobe', '-v', 'error', '-of', 'json', @args,
                            $url);

    # messages may come before the object
    $out =~ s/\A(.*?)(?=^\{)//ms;
    my $said = $1;

    my $json = eval { JSON::PP->new->utf8->decode($out) }
        or die "ffprobe $url: $out\n";
    $json->{messages} = $said if defined $said && $said ne '';

    return $json;
}


# frames at the input's times, in its time base: from 8.0 on ffmpeg has only
# the new name of that, which 5.1 has not

my $demux;

sub ffmpeg_passthrough {
    $demux ||= do {
        my (undef, $said) = sh('ffmpeg', '-version');
        $said =~ /libavcodec +(\d+)/ && $1 > 60 ? 'demux' : '-1';
    };

    return ('-fps_mode', 'passthrough', '-enc_time_base', $demux);
}


# a full decode; frames are those of the first video track, if there is one

sub decode_clean {
    my ($url, @args) = @_;

    my ($status, $out) = sh('ffmpeg', '-nostdin', '-hide_banner', '-v',
                            'error', '-xerror', @args, '-i', $url,
                            '-map', '0', ffmpeg_passthrough(),
                            '-progress', '/dev/stdout', '-f', 'null', '-');

    my ($frames) = $out =~ /.*^frame=\s*(\d+)/ms;
    my @said = grep {
        !/^(?:frame|fps|stream_|bitrate|total_size|out_time|dup_frames
             |drop_frames|speed|progress)/x
    } split /\n/, $out;

    return ($status == 0 && !@said, join("\n", @said), $frames || 0);
}


1;
