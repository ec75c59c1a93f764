#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# scripts/demo from start to Ctrl-C: what it prints can be fetched, and it
# leaves nothing behind.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

for my $program (qw/ nginx ffmpeg ffprobe /) {
    my ($status) = sh('sh', '-c', "command -v $program");
    die "no $program here: run scripts/deps test\n" if $status;
}

mkdir $t->path('tmp');

my %env = (
    DEMO_RTMP_PORT => $t->port('RTMP'),
    DEMO_HTTP_PORT => $t->port('HTTP'),
    DEMO_SRT_PORT => $t->udp('SRT'),
    DEMO_INSTALL => 0,
    TMPDIR => $t->path('tmp'),
);

my @env = ('env', map { "$_=$env{$_}" } sort keys %env);
my $script = $t->root() . '/scripts/demo';


# all processes below one, with their start times: (pid => start)

sub below {
    my ($top) = @_;

    my (%parent, %start, %found);

    for my $file (glob '/proc/[0-9]*/stat') {
        open my $fh, '<', $file or next;
        my $line = <$fh> // next;
        my ($pid, $rest) = $line =~ /^(\d+) \(.*\) (.*)/s or next;
        my @stat = split / /, $rest;
        ($parent{$pid}, $start{$pid}) = @stat[1, 19];
    }

    for my $pid (keys %parent) {
        my $p = $pid;
        $p = $parent{$p} while defined $p && $p != $top && $p > 1;
        $found{$pid} = $start{$pid} if defined $p && $p == $top;
    }

    return \%found;
}


sub left {
    my ($before) = @_;

    return grep {
        my $stat = eval { slurp("/proc/$_/stat") } || '';
        $stat =~ /.*\) (.*)/s && (split / /, $1)[19] == $before->{$_}
            && $stat !~ /.*\) Z/s;
    } keys %$before;
}


sub start {
    my ($name, @args) = @_;

    my $demo = $t->run_daemon($name, @env, $script, @args);

    wait_until(sub { $demo->log() =~ /Ctrl-C/ || !$demo->running() }, 120,
               'the demo');

    return $demo;
}


sub stop {
    my ($demo, $signal, $name) = @_;

    my $before = below($demo->pid());
    cmp_ok(scalar keys %$before, '>=', 5, "$name: there are processes");

    my ($log) = glob $t->path('tmp/*/error.log');
    is(join('', grep { /\[(?:warn|error|crit|alert|emerg)\]/ }
                     split /^/, slurp($log)), '', "$name: a clean log");

    $demo->kill($signal);
    is($demo->wait(15), 0, "$name: $signal ends it, exit status 0");

    my @left = wait_until(sub { !left($before) }, 5, 'the last process')
        ? () : left($before);
    is("@left", '', "$name: no process is left");
    is(join(' ', glob $t->path('tmp/*')), '', "$name: no file is left");
}


# the test picture

my $demo = start('picture');
like($demo->log(), qr/Watch .* Ctrl-C/sx, 'it says where to watch')
    or BAIL_OUT($demo->log());

for my $url (qr!rtmp://\S+:$env{DEMO_RTMP_PORT}/live\b!,
             qr!srt://\S+:$env{DEMO_SRT_PORT}\?streamid=publish:live/mine!,
             qr!http://\S+:$env{DEMO_HTTP_PORT}/live/demo/index\.m3u8!,
             qr!http://\S+:$env{DEMO_HTTP_PORT}/live/demo/manifest\.mpd!,
             qr!http://\S+:$env{DEMO_HTTP_PORT}/status!)
{
    like($demo->log(), $url, 'a URL is printed');
}

my @urls = grep { !/stream=live.mine/ }
           $demo->log() =~ m!http://[^/\s]+(/\S+)!g;

cmp_ok(scalar @urls, '>=', 3, 'URLs to look at');

for my $url (@urls) {
    is($t->http_get($url)->{status}, 200, $url);
}

my $main = m3u8_parse($t->http_get('/live/demo/index.m3u8')->{body});

is($main->{variants}[0]{attr}{RESOLUTION}, '1280x720', 'resolution');
like($main->{variants}[0]{attr}{CODECS}, qr/^avc1\.\w{6},mp4a\.40\.2$/,
     'codecs');

my $list = $t->wait_playlist('/live/demo/v1.m3u8',
                             sub { @{$_[0]{segments}} >= 5 }, 20);

cmp_ok($list->{part_target}, '<', 0.225, 'parts');
ok((grep { $_->{independent} } @{$list->{segments}[-2]{parts}}) >= 1,
   'key frames in the last segments');

$t->hls_save('/live/demo/v1.m3u8', $t->path('v1.mp4'));

my ($ok, $said, $frames) = decode_clean($t->path('v1.mp4'));
ok($ok, 'the picture decodes') or diag($said);
cmp_ok($frames, '>=', 60, 'frames');

my @script = $t->http_get('/player/')->{body} =~ m!'([^']+\.min\.js)'!g;
is(scalar @script, 2, 'the player page names its players');

is($t->http_get("/player/lib/$_")->{status}, 200, $_) for @script;


# ports are taken

my $second = start('second');
is($second->wait(10), 256, 'a second one does not start');
like($second->log(), qr/port $env{DEMO_RTMP_PORT} is taken/, 'and says why');
ok($demo->running(), 'the first one goes on');

stop($demo, 'INT', 'picture');


# a file

my $file = start('file', fixture('av.mp4'));
is($t->http_get('/live/demo/index.m3u8')->{status}, 200, 'a file is played');
stop($file, 'TERM', 'file');

# smaller pictures of one

my $ladder = start('ladder', '--ladder', fixture('demo-ladder.mp4',
    qw/ -f lavfi -i testsrc2=s=640x360:r=25 -c:v libx264 -preset ultrafast
        -pix_fmt yuv420p -g 25 -keyint_min 25 -sc_threshold 0 -bf 0
        -b:v 900k -t 10 /));

$main = m3u8_parse($t->http_get('/live/demo/index.m3u8')->{body});
is(join(' ', map { $_->{attr}{RESOLUTION} } @{$main->{variants}}),
   '640x360 426x240', 'levels of a ladder');
stop($ladder, 'INT', 'ladder');

my $none = start('none', $t->path('no such file'));
is($none->wait(10), 256, 'a file that is not there');
like($none->log(), qr/cannot read/, 'is named');

$t->done(zone => 0);
