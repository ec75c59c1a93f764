#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# What MPEG-TS brings, each codec and several sounds at once, by UDP and by SRT:
# every frame that ffmpeg made is in the segments, at its time, under the codec
# and the language that it has.

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw/ max /;

use Test::Media;
use Test::Media::Live;
use Test::Media::Samples;
use Test::Media::TSFile;
use Test::Media::TSLive;

# RFC 6381; a prefix of those of pictures.  MP2 is in no list

my %string = (h264 => 'avc1', hevc => 'hvc1', aac => 'mp4a.40.2',
              aac_latm => 'mp4a.40.2', mp3 => 'mp4a.6B', ac3 => 'ac-3',
              eac3 => 'ec-3', opus => 'opus');
my %called = (aac_latm => 'aac');

# ISO 639-2, and what lists say

my %lang = (eng => 'en', deu => 'de', fra => 'fr', spa => 'es', ita => 'it',
            swe => 'sv', pol => 'pl');

my @h264 = qw/ libx264 -preset ultrafast -bf 2 -g 25 /;
my @h265 = (qw/ libx265 -preset ultrafast -x265-params /,
            'log-level=none:keyint=25:bframes=2');
my @aac = ([qw/ aac -b 32k -ac 2 /, undef]);

my %made = (
    all => ts_made('codecs', 5, \@h264, [qw/ aac -ac 2 eng /],
                   [qw/ ac3 -ac 6 deu /], [qw/ eac3 -ac 2 fra /],
                   [qw/ libopus -ac 2 spa /], [qw/ libopus -ac 6 ita /],
                   [qw/ libmp3lame -ac 2 swe /], [qw/ mp2 -ac 2 pol /]),
    hevc => ts_made('hevc', 5, \@h265, @aac),
    latm => ts_made('latm', 5, [@h264, qw/ -mpegts_flags latm /], @aac),
    mp2 => ts_made('mp2', 5, \@h264, [qw/ mp2 -ac 2 fra /]),
    sound => ts_made('sound', 5, undef, [qw/ libmp3lame -ac 2 /, undef]),
);

my @shared = grep { m{/ts/} } shared_media();
my %shared = map { m{/([^/]+)\.ts$}; ($1 =~ tr/-/_/r => $_) } @shared;
my @names = sort keys %made;

my $t = ts_nginx(names => [@names, sort keys %shared], zone => '512m',
                 debug => 1, servers => 'server {
                     listen %%UDP_SRT%% udp reuseport; media_srt live; }');

my %p = map { ($_ => ts_file($_, $made{$_}, unlisted => { mp2 => 1 },
                             latm => $made{hevc})) } @names;
my %other = map { ($_ => ts_file($_, $shared{$_}, speed => 8)) } keys %shared;

# the same by SRT, where ffmpeg writes the transport stream as it goes

my $ffmpeg = $t->run_daemon('ffmpeg', 'ffmpeg', '-nostdin', '-hide_banner',
    '-loglevel', 'error', '-re', '-i', $made{all}, '-map', 0, '-c', 'copy',
    '-f', 'mpegts', 'srt://127.0.0.1:' . $t->udp('SRT')
    . '?streamid=publish:live/srt&linger=3');

ts_play($t, 1.5, @p{@names}, values %other);

is($ffmpeg->wait(30), 0, 'ffmpeg publishes by SRT') or diag $ffmpeg->log();

$p{srt} = ts_file('srt', $made{all}, unlisted => { mp2 => 1 });
$p{srt}{tail} = 1;

# codecs of a stream, in a list or its status

sub words { return join ' ', sort @_ }

sub in_hls {
    my ($index) = @_;

    my %all = map { (s/^((?:avc|hvc)1)\..*/$1/r => 1) }
              map { split /,/, $_->{attr}{CODECS} } @{$index->{variants}};

    return words(keys %all);
}

sub in_dash {
    my ($mpd) = @_;

    my %all = map { (s/^((?:avc|hvc)1)\..*/$1/r => 1) }
              $mpd =~ /\bcodecs="([^"]*)"/g;

    return words(keys %all);
}

# frames of tracks: as many as ffmpeg made of each

sub counted {
    my ($name, $p) = @_;

    my $s = live_stream($t, $name);
    my %got;

    push @{$got{$_->{codec}}}, $_->{frames} for @{$s->{tracks}};

    for my $x (@{$p->{source}}) {
        my $codec = $called{$x->{codec}} || $x->{codec};
        my $n = shift @{$got{$codec}} // 0;
        my $tail = $x->{type} eq 'video' ? $p->{tail} : 0;

        ok($n <= $x->{frames} && $n >= $x->{frames} - $tail,
           "$name: $codec, $n frames")
            or diag "$x->{frames} were sent";
    }

    is(words(grep { @{$got{$_}} } keys %got), '', "$name: no more of them");
}


# frames of sound in a file that was cut anywhere: what is not whole at its ends
# has another size, where frames are missing silence takes their place, and
# ffprobe takes blocks of 256 samples for frames of E-AC-3, that has six in one

sub whole {
    my ($codec, @packets) = @_;

    my %size;
    $size{$_->{size}}++ for @packets;

    my ($usual) = sort { $size{$b} <=> $size{$a} } keys %size;
    @packets = grep { $_->{size} == $usual } @packets if $codec eq 'ac3';

    my $lasts = $packets[0]{ends} - $packets[0]{pts};
    my $frame = $codec eq 'eac3' ? 6 * $lasts : $lasts;

    return max(int(@packets * $lasts / $frame),
               int(($packets[-1]{ends} - $packets[0]{pts}) / $frame + 0.5));
}

# as the PMT has them, whichever came first; the first one is the default

sub in_order {
    my ($r, $name, @lang) = @_;

    my @media = @{$r->{index}{media}};
    my %seen;
    my @uris = map { $_->{URI} } @media;

    is(join(' ', grep { !$seen{$_}++ } @uris),
       join(' ', map { "a$_.m3u8" } 1 .. @lang), "$name: order in HLS");
    is(join(' ', grep { !$seen{"default $_"}++ }
                 map { $_->{URI} } grep { ($_->{DEFAULT} // '') eq 'YES' }
                 @media), 'a1.m3u8', "$name: default in HLS");

    my @sets = $r->{mpd} =~ m{(<AdaptationSet [^>]*lang=.*?</AdaptationSet>)}gs;

    is(join(' ', map { /lang="([^"]*)"/ } @sets), "@lang",
       "$name: order in DASH");
    is(join(' ', map { /lang="([^"]*)"/ } grep { /"main"/ } @sets), $lang[0],
       "$name: main in DASH");
}


for my $name (@names, 'srt') {
    wait_until(sub { live_stream($t, $name)->{state} eq 'grace' }, 10, 'end');

    my $p = $p{$name};
    my @listed = grep { $string{$_->{codec}} } @{$p->{source}};
    my %expect = map { ($string{$_->{codec}} => 1) } @listed;

    counted($name, $p);

    my $s = live_stream($t, $name);
    my $tracks = words(map { $_->{name} } grep { $_->{codec} ne 'mp2' }
                       @{$s->{tracks}});
    my $r = live_check($t, "/live/$name", name => $name, tracks => $tracks,
                       runs => 1);
    my $m = live_match($r, $p);

    # it knows nothing of what is in no list

    live_replay($r, $name) if @listed == @{$p->{source}};

    cmp_ok($m->{video}{missing}, '<=', $p->{tail}, "$name: all frames");
    is($m->{audio}{missing}, 0, "$name: all sound");
    is($m->{$_}{silent}, 0, "$name: no other $_") for qw/ audio video /;
    cmp_ok($m->{av}, '<', 5, "$name: sound and picture");

    is(in_hls($r->{index}), words(keys %expect), "$name: codecs in HLS");
    is(in_dash($r->{mpd}), words(keys %expect), "$name: codecs in DASH");

    # several sounds: each has its language, and its channels

    my %sound = map { ($_->{URI} => "$_->{LANGUAGE} $_->{CHANNELS}") }
                grep { $_->{URI} && $_->{LANGUAGE} ne 'und' }
                @{$r->{index}{media}};
    my @lang = map { "$lang{$_->{lang}} $_->{channels}" }
               grep { $_->{lang} && $_->{type} eq 'audio' } @listed;

    is(words(values %sound), words(@lang), "$name: languages in HLS");
    s/ .*// for @lang;

    is(words($r->{mpd} =~ /<AdaptationSet [^>]*lang="([^"]*)"/g), words(@lang),
       "$name: languages in DASH");

    in_order($r, $name, @lang) if @lang > 1;
}

is($t->log_count(qr/in no playlist, .*codec:mp2.*stream: (?:all|mp2|srt)$/m),
   3, 'what is in no list is said');

# files of others

SKIP: {
    skip 'there are no other files', 1 if !%shared;

    subtest 'files of others' => sub {
        for my $name (sort keys %other) {
            wait_until(sub {
                my $s = live_stream($t, $name);
                return !$s || $s->{state} eq 'grace';
            }, 10, 'end');

            my $p = $other{$name};

            $_->{frames} = whole($_->{codec}, @{$_->{heard}})
                for grep { $_->{type} eq 'audio' } @{$p->{source}};
            counted($name, $p);
        }
    };
}

$t->done();
