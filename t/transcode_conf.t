#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media_ladder {}: what nginx -t says of each mistake, and where.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();


sub said {
    my ($conf) = @_;

    my ($ok, $out) = $t->conf_test("$conf\n");

    $out =~ s/^.*test (?:failed|is successful)\n//m;
    $out =~ s/^.*syntax is ok\n//m;
    $out =~ s/^nginx: //gm;

    return ($ok, $out);
}


sub warned { return qr/^\[warn\] \Q$_[0]\E/m }


my ($first, $said) = said('media_ladder a { video 360p 700k; }');

if ($said =~ /without which this module was built/) {
    like($said, qr/install libavformat-dev, .* in \S+test\.conf:\d+$/m,
         'a module without libavcodec says so');
    $t->done();
    exit;
}

ok($first, 'a ladder') or diag($said);
like($said, qr/^media_ladder "a" takes about 0\.[1-9] cores of a 1080p30/,
     'and what it costs');

# the ladder, what nginx says; undef: it is right, and nothing but what it
# costs is said

my @cases = (

    ['video 720p 2800k; video 480p 1200k; video 360p 700k fps=half;'
     . ' audio aac 128k;', undef],
    ['video auto;', undef],
    ['video auto max=720p preset=superfast fps=half;', undef],
    ['video 720p 2.8m crf=23.5 bframes=2 lookahead=10 threads=2;', undef],
    ['video 720p 2800k encoder=libx264 preset=fast; latency 500ms; source off;',
     undef],
    ['audio opus 96k channels=1 rate=24000 when=asked;', undef],
    ['audio aac 128k when=always; audio opus 96k when=missing;', undef],
    ["video 1080p 5000k;\nvideo 1080p 3000k codec=hevc;\n"
     . "video 720p 2800k;\nvideo 720p 1600k codec=hevc;", undef],

    ['', 'media_ladder "a" has neither "video" nor "audio", write "video auto;"'
         . ' for instance'],
    ['latency 1s;', 'media_ladder "a" has neither "video" nor "audio"'],

    (map { ["video $_ 1000k;", qq/invalid size "$_", it is the shorter side of/
            . ' the picture, from 64p to 4320p: write "720p", or "video'
            . ' auto"'] } '720', 'p', '62p', '4322p', '-720p', '1280x720',
                          'automatic'),
    ['video 405p 900k;', 'invalid size "405p", encoders want even sides: write'
                         . ' "404p" or "406p"'],
    ['video;', 'invalid number of arguments in "video" directive'],
    ['video 720p;', '"video 720p" has no bitrate, write "video 720p 2800k" for'
                    . ' instance'],
    (map { ["video 720p $_;", qq/invalid bitrate "$_", it is in bits a second,/
            . ' from 10k to 500000k: write "128k" or "2.8m" for instance'] }
         '2800', '0', 'k', '2800kbit', 'crf=23', '2g', '-1', '.5m', '501m',
         '99999999999999999999999'),
    ['video 720p 2800k foo=1;', 'unknown parameter "foo=1" of "video"'],
    ['video 720p 2800k preset;', 'unknown parameter "preset" of "video"'],
    ['video 720p 2800k preset=;', 'unknown parameter "preset=" of "video"'],
    ['video 720p 2800k fps=half fps=half;', '"fps=" is there twice'],
    ['video 720p 2800k fps=15;', 'invalid value "fps=15", a rung has the'
     . ' pictures of its source, or every other one: write "fps=half"'],
    ['video 720p 2800k codec=vp9;', 'unknown codec "vp9", write one of'
     . ' "codec=h264", "codec=hevc", "codec=av1"'],
    ['video 720p 2800k encoder=x265;', 'unknown encoder "x265" of h264, known'
     . ' are: x264, nvenc, qsv, vaapi'],
    ['video 720p 2800k encoder=x264,;', 'unknown encoder "" of h264'],
    ['video 720p 2800k encoder=x264,libx264;', 'encoder "libx264" is there'
                                               . ' twice'],
    (map { ["video 720p 2800k crf=$_;", qq/invalid value "crf=$_", write/
            . ' "crf=23", or another number from 1 to 51, of AV1 to 63'] }
         '0', '64', 'x', '-3'),
    ['video 720p 2800k bframes=17;', 'invalid value "bframes=17", it is a'
                                     . ' number from 0 to 16'],
    ['video 720p 2800k lookahead=x;', 'invalid value "lookahead=x", it is a'
                                      . ' number from 0 to 250'],
    ['video 720p 2800k threads=0;', 'invalid value "threads=0", it is a number'
                                    . ' from 1 to 64'],
    ['video 720p 2800k max=720p;', '"max=" is for "video auto" only'],
    ['video 720p 2800k preset=fastest;', '"video 720p": '],
    ['video 720p 2800k options=g=50;', '"video 720p": '],
    ['video 720p 2800k options=nonsense=1;', '"video 720p": '],

    ['video 480p 1200k; video 720p 600k;', '"video 720p" follows "480p", but'
     . ' sizes have to fall: write the larger one first'],
    ['video 480p 1200k; video 480p 600k;', '"video 480p" follows "480p"'],
    ['video 720p 1200k; video 480p 1200k;', 'bitrate of "video 480p", 1200k,'
     . ' must be less than that of "720p", 1200k'],
    ['video auto; video 720p 1m;', '"video auto" stands for all rungs, there'
     . ' can be no other "video" beside it'],
    ['video 720p 1m; video auto;', '"video auto" stands for all rungs'],
    ['video auto max=100p;', '"max=100p" leaves no rung, the smallest one is'
                             . ' 240p'],
    ['video auto max=big;', 'invalid size "big"'],
    [join(' ', map { my $n = 900 - 100 * $_; "video ${n}p ${n}k;" } 0 .. 7)
     . ' video 90p 90k;', 'a ladder has at most 8 "video"'],

    ['video 720p 3000k; video 480p 2900k;',
     warned('from "720p" to "480p" bitrates fall by 1.0 times, players do best'
            . ' with 1.3 to 3: write 1001k to 2307k in ')],
    ['video 720p 3000k; video 240p 600k;',
     warned('from "720p" to "240p" bitrates fall by 5.0 times')],
    ['video 720p 500k;',
     warned('"video 720p" has 0.018 bits for each pixel at 30 pictures a'
            . ' second, it looks bad below 0.02 and wastes them above 0.25:'
            . ' write 553k to 6912k in ')],
    ['video 360p 3m fps=half;',
     warned('"video 360p" has 0.868 bits for each pixel at 15 pictures')],

    ['audio;', 'invalid number of arguments in "audio" directive'],
    ['audio aac;', '"audio aac" has no bitrate, write "audio aac 128k" for'
                   . ' instance'],
    ['audio aac 1k;', 'invalid bitrate "1k"'],
    ['audio speex 1k;', 'unknown codec of audio "speex", write "audio aac 128k"'
                        . ' or "audio opus 96k"'],
    ['audio h264 128k;', 'unknown codec of audio "h264"'],
    ['audio aac 128k; audio aac 64k;', '"audio aac" is there twice'],
    ['audio aac 128k channels=9;', 'invalid value "channels=9", it is a number'
                                   . ' from 1 to 8'],
    ['audio aac 128k rate=1;', 'invalid value "rate=1", aac has these: 96000,'],
    ['audio opus 96k rate=44100;', 'invalid value "rate=44100", opus has these:'
                                   . ' 48000, 24000, 16000, 12000, 8000 in'],
    ['audio mp3 128k;', 'unknown codec of audio "mp3"'],
    ['audio aac 128k when=never;', 'invalid value "when=never", write'
                                   . ' "missing", "always" or "asked"'],
    ['audio aac 128k foo=1;', 'unknown parameter "foo=1" of "audio"'],

    (map { ["video auto; latency $_;", qq/invalid time "$_", it must be from/
            . ' 50ms to 10s: write "latency 300ms"'] } '10ms', '11s', 'x'),
    ['video auto; latency 1s; latency 1s;', '"latency" directive is duplicate'],
    ['video auto; source maybe;', 'invalid value "maybe" in "source"'
                                  . ' directive'],
    ['video auto; source on; source on;', '"source" directive is duplicate'],
    ['video auto; tonemap maybe;', 'invalid value "maybe" in "tonemap"'
                                   . ' directive'],
    ['video auto; tonemap off; tonemap off;', '"tonemap" directive is'
                                              . ' duplicate'],
    ['video auto; deinterlace yes;', 'invalid value "yes", write "deinterlace'
                                     . ' auto", "all", "fields" or "off"'],
    ['video auto; deinterlace off; deinterlace off;',
     '"deinterlace" directive is duplicate'],
    ['video auto; deinterlace off;', undef],
    ['video auto; filter "";', '"filter" directive is empty, leave it out'],
    ['video auto; filter hflip; filter vflip;', '"filter" directive is'
                                                . ' duplicate'],
    ['segment 2s;', '"segment" directive is not allowed here'],
    ['foo 1;', 'unknown directive "foo"'],
);

for my $case (@cases) {
    my ($ladder, $text) = @$case;
    my ($ok, $out) = said("media_ladder a {\n$ladder\n}");

    my $name = $ladder =~ s/\s+/ /gr;
    $name = substr($name, 0, 70) . '...' if length $name > 70;

    if (!defined $text) {
        $out =~ s/^media_ladder "a" takes about .*\n//m;
        ok($ok && $out !~ /\[/, $name) or diag($out);

    } elsif (ref $text) {
        ok($ok, "$name is right") or diag($out);
        like($out, $text, 'and something is said');

    } else {
        ok(!$ok, "$name is wrong");
        like($out, qr/^\[emerg\] \Q$text\E/m, 'says what');
        like($out, qr/ in \S+test\.conf:\d+$/m, 'and where');
    }
}

# of which line

my ($ok, $out) = said("media_ladder a {\n\n    video 720p 2m;\n"
                      . "    video 720p 1m;\n}");
my ($line) = $out =~ / in \S+test\.conf:(\d+)$/m;
my ($other) = (said("media_ladder a {\n\n    video 720p;\n}"))[1]
              =~ /:(\d+)$/m;
is($line, $other + 1, 'the line of the rung');

# blocks

($ok, $out) = said('media_ladder a { video auto; } media_ladder b-1_B.c {'
                   . ' audio aac 64k; }');
ok($ok, 'two ladders') or diag($out);

($ok, $out) = said("media_ladder a { video auto; }\nmedia_ladder a { }");
ok(!$ok, 'two of one name');
like($out, qr/duplicate media_ladder "a", the other one is in \S+:\d+ in/,
     'says where the other one is');

for my $name ('', 'a b', 'a/b', 'x' x 65) {
    ($ok, $out) = said("media_ladder '$name' { video auto; }");
    ok(!$ok, "\"$name\" is no name");
    like($out, qr/invalid name of a ladder "\Q$name\E": use letters, digits,/,
         'says what is one');
}

($ok, $out) = said('video 720p 1m;');
ok(!$ok, 'a rung alone');
like($out, qr/"video" directive is not allowed here/, 'is not allowed');

# who uses one

my $pool = 'thread_pool encode threads=2;';
my $web = 'media_ladder web { video auto; latency 900ms; }';

my @users = (
    ["$pool media a { transcode web threads=encode; } $web", undef],
    ["$web media a { transcode off for=^x; transcode web threads=encode for=y;"
     . " transcode web threads=encode; } $pool", undef],
    ["$pool media a { transcode off; }", undef],

    ["$pool $web media a { segment 1500ms; transcode web threads=encode; }",
     '"latency" of media_ladder "web" is 900ms, it must be less than half of'
     . ' "segment", which is 1500ms'],
    ["$pool $web media a { transcode wed threads=encode; }",
     'there is no media_ladder "wed", write "media_ladder wed { video auto; }"'
     . ' beside "media" and "http"'],
    ["$web media a { transcode web threads=encode; }",
     'unknown thread pool "encode"'],
    ["$web media a { transcode web threads=default; }",
     'thread pool "default" is for files, what encodes would hold them up:'
     . ' write "threads=encode", and "thread_pool encode threads='],
    ["$pool $web media a { transcode web threads=; }",
     'invalid parameter "threads=", write "threads=POOL", and "thread_pool POOL'
     . ' threads='],
    ["$pool $web media a { transcode web; }",
     '"transcode" directive needs threads=POOL'],
    ["$pool $web media a { transcode off threads=encode; }",
     '"transcode" directive off has no threads'],
    ["$pool $web media a { transcode web threads=encode fps=half; }",
     'invalid parameter "fps=half"'],
    ["$pool $web media a { transcode web threads=encode threads=encode; }",
     '"transcode" directive has threads twice'],
    ["$pool $web media a { transcode web threads=encode 'for=('; }", ''],
);

for my $case (@users) {
    my ($conf, $text) = @$case;

    ($ok, $out) = said($conf);

    if (!defined $text) {
        ok($ok && $out !~ /\[/, $conf) or diag($out);
        next;
    }

    ok(!$ok, "$conf is wrong");
    like($out, qr/^\[emerg\] \Q$text\E.* in \S+test\.conf:\d+$/m, 'says what');
}

# what libavfilter does, if there is one

for my $line ('deinterlace auto', 'deinterlace fields', 'tonemap on',
              'filter "hflip,vflip"')
{
    my ($what) = $line =~ /^(\w+)/;
    my $cannot = qr/\[emerg\] media_ladder "a" cannot have "$what/;

    ($ok, $out) = said("media_ladder a { video auto; $line; }");

    like($ok ? 'it can' : $out, qr/^it can$|^$cannot.*install.* in \S+:\d+$/m,
         "$line, or what to install");
    next if !$ok || $what ne 'filter';

    ($ok, $out) = said('media_ladder a { video auto; filter "nonsense=1"; }');
    ok(!$ok, 'a filter that there is not');
    like($out, qr/^$cannot.*nonsense/m, 'says which') or diag($out);
}

# a libavcodec without some encoders

my $root = $t->root();
my $shim = $t->path('fake.so');

system('gcc', '-shared', '-fPIC', '-O1', '-w', '-o', $shim,
       "$root/t/tools/fake_encoder.c", '-ldl') == 0
    or BAIL_OUT('t/tools/fake_encoder.c is not built');

sub without {
    my ($ladder, @names) = @_;

    local $ENV{FAKE_ENCODER} = join ',', map { "$_=none" } @names;
    local $ENV{LD_PRELOAD} = join ' ', grep { $_ } $ENV{LD_PRELOAD}, $shim;

    return said("media_ladder a {\n$ladder\n}");
}

($ok, $out) = without('video 720p 2800k encoder=vaapi,x264;', 'h264_vaapi');
ok($ok, 'one that is missing is none in front of another one') or diag($out);
like($out, warned('"video 720p": encoder "h264_vaapi" is not there, it needs a'
                  . ' GPU with a driver of VA-API that encodes; of Debian it'
                  . ' is in libavcodec59 and newer, with mesa-va-drivers or'
                  . ' intel-media-va-driver in '), 'and what it needs is said');

my $lacks = '"video 720p": encoder "libx264" is not there, it needs a'
            . ' libavcodec built with libx264; of Debian it is in libavcodec59'
            . ' and newer';

for my $list ('', 'encoder=nvenc,x264') {
    ($ok, $out) = without("video 720p 2800k $list;", 'libx264', 'h264_nvenc');
    ok(!$ok, 'if all are missing nothing goes');
    like($out, qr/^\[emerg\] \Q$lacks\E in \S+test\.conf:\d+$/m,
         'and what to install is said');
}

($ok, $out) = without('audio aac 128k;', 'aac');
ok(!$ok, 'nor without an encoder of audio');
like($out, qr/^\[emerg\] "audio aac": .+ in \S+test\.conf:\d+$/m,
     'which is said');

$t->done();
