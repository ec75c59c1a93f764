#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Several audio tracks of one publisher, by Enhanced RTMP: each is a track of
# its own in HLS and DASH, with its own frames, and all are in step.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw/ md5 /;

use Test::Media;
use Test::Media::Live;

# of different bytes, rates and channels

my @audios = map { [grep { $_->[0] == 8 } live_tags($_)] }
             qw/ plain other hertz mono /;
my @video = grep { $_->[0] == 9 } live_tags('plain');

my $t = live_nginx(reload => 1);

# several tracks in a message, as many as there are, or one in each

sub message {
    my ($kind, @tracks) = @_;

    my $many = @tracks > 1;

    return chr(0x95) . chr($many << 4 | $kind) . 'mp4a' . join '', map {
        chr($_->[0]) . ($many ? substr(pack('N', length $_->[1]), 1) : '')
        . $_->[1]
    } @tracks;
}

# tags of three tracks and of one that is alone

sub tags {
    my ($to) = @_;
    my (@tags, %at);

    for my $i (0 .. $#audios) {
        for my $tag (@{$audios[$i]}) {
            my ($type, $ts, $bytes) = @$tag;
            my $kind = ord substr $bytes, 1, 1;

            next if $ts >= $to;

            # those of one rate have the same stamps

            if ($i < 2) {
                push @{$at{"$ts $kind"}}, [$i, substr $bytes, 2];
                next;
            }

            push @tags, [8, $ts, message($kind, [$i, substr $bytes, 2])];
        }
    }

    unshift @tags, map { [8, (split)[0], message((split)[1], @{$at{$_}})] }
                   keys %at;
    unshift @tags, grep { $_->[1] < $to } @video;

    # headers first

    return sort { $a->[1] <=> $b->[1] || header($b) <=> header($a) } @tags;
}

sub header {
    my ($tag) = @_;

    return $tag->[0] == 9 ? Test::Media::RTMP::is_header(@$tag[0, 2])
                          : (ord(substr $tag->[2], 1, 1) & 15) == 0;
}

my @tags = tags(8000);
my $p = live_publish($t, 'live/x');

# what is said of them, of one a little more

sub metadata {
    my (%tracks) = @_;

    return Test::Media::RTMP::amf('@setDataFrame', 'onMetaData', {
        language => 'eng', audioTrackIdInfoMap => \%tracks,
    });
}

$p->data(0, metadata(1 => { audiodatarate => 128 },
                     2 => { language => 'und', title => "Raum\tton" },
                     3 => { language => 'pt_br' },
                     200 => { language => 'it' }));

$p->play(\@tags, speed => 2);

$p->data(8000, metadata(1 => { language => 'deu', title => 'Ton "zwei"' },
                        2 => { language => 'und', title => 'Raumton' },
                        3 => { language => 'pt_br' }));

my $s = live_stream($t, 'x');

is(join(' ', sort keys %{$s->{track}}), 'a1 a2 a3 a4 v1', 'tracks');
is(join(' ', map { $s->{track}{"a$_"}{sample_rate} } 1 .. 4),
   '48000 48000 44100 48000', 'rates');
is(join(' ', map { $s->{track}{"a$_"}{channels} } 1 .. 4), '2 2 2 1',
   'channels');

wait_ok(sub {
    my $a = live_stream($t, 'x')->{track};
    join(' ', map { $a->{"a$_"}{lang} // '-' } 1 .. 4) eq 'en de - pt-BR'
        && ($a->{a2}{label} || '') eq 'Ton "zwei"';
}, 5, 'what is said of them may change') or diag explain $s->{track};

# what players see of it, while it is live

my $at = 'http://127.0.0.1:' . $t->port('HTTP') . '/live/x';

for my $list (qw/ index.m3u8 manifest.mpd /) {
    my $json = ffprobe_json("$at/$list", '-show_entries',
                            'stream=codec_type,sample_rate,channels');
    my @audio = sort map { "$_->{sample_rate}/$_->{channels}" }
                grep { $_->{codec_type} eq 'audio' } @{$json->{streams}};

    # two groups, by channels, and who chooses finds each sound in both

    my @each = map { ($_) x ($list =~ /m3u8/ ? 2 : 1) }
               qw{ 44100/2 48000/1 48000/2 48000/2 };

    is("@audio", "@each", "$list: ffprobe");
}

$p->close();

wait_until(sub { live_stream($t, 'x')->{state} eq 'grace' }, 5, 'end');

my $r = live_check($t, '/live/x', runs => 1, tracks => 'a1 a2 a3 a4 v1');
my $m = live_match($r, $p);

is($m->{video}{missing}, 0, 'all frames');
cmp_ok($m->{audio}{missing}, '<=', 4, 'no more is lost');
cmp_ok($m->{audio}{sent}, '>', 1300, 'of four tracks');
is($m->{audio}{silent}, 0, 'no silence');
cmp_ok($m->{av}, '<', 3, 'sound and picture');

# each track has its own frames, and begins and ends with the picture

my %from = map { $_->{md5} => $_->{track} }
           grep { $_->{type} eq 'audio' } @{$p->{sent_frames}};
my $v = $r->{tracks}{v1}{runs}[0];

for my $i (1 .. 4) {
    my $track = $r->{tracks}{"a$i"};
    my %ids = map { $from{md5($_->{data})} // 'none' => 1 }
              @{$track->{samples}};
    my $run = $track->{runs}[0];

    is(join(' ', keys %ids), $i - 1, "a$i: its own frames");
    cmp_ok(abs($run->{start} - $v->{start}), '<', 0.05, "a$i: begins");
    cmp_ok(abs($run->{end} - $v->{end}), '<', 0.6, "a$i: ends");
}

# HLS: renditions in groups, with names of their own there, and one default

my @media = grep { $_->{TYPE} eq 'AUDIO' } @{$r->{index}{media}};
my %groups = map { $_->{attr}{AUDIO} => 1 } @{$r->{index}{variants}};

is(scalar @media, 2 * 4, 'renditions');
is(join(' ', sort keys %{{ map { $_->{'GROUP-ID'} => 1 } @media }}),
   join(' ', sort keys %groups), 'variants have all groups');

for my $group (sort keys %groups) {
    my @in = grep { $_->{'GROUP-ID'} eq $group } @media;
    my %names = map { $_->{NAME} => 1 } @in;

    is(scalar keys %names, scalar @in, "$group: different names");
    is(scalar(grep { ($_->{DEFAULT} || '') eq 'YES' } @in), 1,
       "$group: one default");
}

# languages and names, a quote is not one of theirs

is_deeply({ map { $_->{URI} =~ /(a\d)/
                  ? ($1 => [$_->{LANGUAGE}, $_->{NAME}]) : () } @media },
          { a1 => ['en', 'English'], a2 => ['de', 'Ton zwei'],
            a3 => ['und', 'Raumton'],
            a4 => ['pt-BR', "Portugu\xc3\xaas (BR)"] },
          'languages and names in HLS');

my $mpd = $t->http_get('/live/x/manifest.mpd')->{body};

is(join(' ', sort $mpd =~ /<AdaptationSet[^>]*\blang="([^"]*)"/g),
   'de en pt-BR', 'languages in DASH');
like($mpd, qr|<Label>Ton (?:&quot;\|")zwei(?:&quot;\|")</Label>|,
     'a label in DASH');

# DASH: one representation each

is_deeply($r->{dash}, { map { $_ => 1 } qw/ v1 a1 a2 a3 a4 / },
          'representations');

$t->done();
