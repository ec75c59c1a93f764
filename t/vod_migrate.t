#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Mappings as those have them who come from nginx-vod-module: with values of
# other types, clips that are cut to nothing, schedules with gaps, channels that
# have not begun, captions that some clips have not.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /map/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_mapping on;
            media_vod_segment 2s;
            media_vod_valid 1s;
        }
    }
}
EOC

mkdir $t->path('media');
link vod_made('migrate.mp4', seconds => 6, gop => 50),
     $t->path('media') . '/a.mp4' or die "link: $!\n";

$t->run();

my @names = qw/ index.m3u8 ts.m3u8 manifest.mpd v1.m3u8 a1.m3u8 v1-a1.ts.m3u8
                v1.iframes.m3u8 /;


subtest 'clips that are cut to nothing' => sub {
    for (['set', { clipFrom => 420000, sequences => [{ clips => [clip()] }] }],
         ['clip', { sequences => [{ clips => [clip(clipFrom => 420000)] }] }],
         ['end', { sequences => [{ clips => [clip(clipFrom => 6001)] }] }])
    {
        my ($name, $map) = @$_;

        map_put($name, $map);
        all_404($name, qr/nothing is left of clip 1.* clipFrom \d+ ms/);
    }

    map_put('late', { sequences => [{ clips => [clip(clipFrom => 5900)] }] });
    is(get('late', 'v1.m3u8')->{status}, 200, 'the last moment');
};

subtest 'channels that are over' => sub {
    my $now = int(now() * 1000);
    my %channel = (
        playlistType => 'live', durations => [6000, 6000],
        firstClipTime => $now - 200_000,
        sequences => [{ clips => [clip(), clip()] }],
    );

    # those who play see the end where they expect it

    map_put('justnow', { %channel, firstClipTime => $now - 13000,
                         presentationEndTime => $now - 500 });

    my $mpd = get('justnow', 'manifest.mpd')->{body};

    like($mpd, qr/type="static" .*<Period id="0" start="PT1\d{9}/s,
         'just now: as it was');

    map_put('over', { %channel, presentationEndTime => $now - 188_000 });

    $mpd = get('over', 'manifest.mpd')->{body};

    like($mpd, qr/type="static" mediaPresentationDuration="PT12(?:\.\d+)?S"/,
         'long ago: as long as it is');
    like($mpd, qr/<Period id="0" start="PT0S"/, 'from zero');
    like($mpd, qr/<Period id="3" start="PT6(?:\.\d+)?S"/, 'both clips');
    like(get('over', 'v1.m3u8')->{body}, qr/ENDLIST/, 'HLS: its end');

    # what is left of it, and that is always the same

    map_put('long', { %channel, repeat => JSON::PP::true,
                      liveWindowDuration => 4000,
                      firstClipTime => $now - 1_000_000,
                      presentationEndTime => $now - 603_000 });

    $mpd = get('long', 'manifest.mpd')->{body};

    my ($duration) = $mpd =~ /mediaPresentationDuration="PT([\d.]+)S"/;
    my ($first) = $mpd =~ /<Period id="\d+" start="(\w+)"/;
    my $list = m3u8_parse(get('long', 'v1.m3u8')->{body});
    my $sum = 0;

    $sum += $_->{duration} for @{$list->{segments}};

    is($first, 'PT0S', 'from zero');
    ok(abs($duration - $sum) < 0.2, 'what is there') or diag("$duration $sum");

    select undef, undef, undef, 2.2;

    is(get('long', 'manifest.mpd')->{body}, $mpd, 'for ever');
    is(get('over', 'time.txt')->{status}, 200, 'the clock of channels');
};


$t->done();


sub clip { return { type => 'source', path => '/a.mp4', @_ } }
sub get { return $t->http_get("/map/$_[0].json/$_[1]") }


# none of its names is there, each is told once

sub all_404 {
    my ($name, $said) = @_;

    for (@names) {
        my $before = length $t->log();

        is(get($name, $_)->{status}, 404, "$name: $_");
        is(scalar(() = substr($t->log(), $before) =~ /\[error\].*$said/g), 1,
           'one line');
    }
}


sub map_put {
    my ($name, $map) = @_;

    my $file = $t->write_file("media/$name.json", ref $map
        ? JSON::PP->new->canonical->encode($map) : $map);

    utime 1.6e9, 1.6e9, $file;
}
