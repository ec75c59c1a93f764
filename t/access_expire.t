#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Connections that a token has let in end with it: viewers by RTMP and in FLV,
# publishers where that is asked for; and nobody else.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Viewer;

my $start = 'NetStream.Publish.Start';
my $over = 'the time that access was given for is over';

my $t = Test::Media->new();

$t->write_file('key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->path('key');

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; grace 2s;
             publish_auth token; play_auth token; token_leeway 0;
             token_key %%DIR%%/key; }
media strict { zone 32m; segment 1s; part 200ms; grace 2s;
               publish_auth token expire=strict; token_leeway 1s;
               token_key %%DIR%%/key; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp;
                  media_rtmp_play on; } }

http {
    access_log off;
    media_token_key %%DIR%%/key;
    media_token_leeway 0;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /token/ { media_live live; media_token path; }
        location /any/   { media_live live; media_token path; satisfy any;
                           allow 127.0.0.1; }
        location /status { media_status; }
    }
}
EOC

$t->run();


sub made {
    my ($rc, $out) = sh($t->root() . '/scripts/token', @_, $t->path('key'),
                        's');
    die $out if $rc;
    chomp $out;

    return $out;
}


# of each kind one whose token ends, and one whose does not

my @tags = live_tags('plain');
my $soon = time + 6;
my @soon = ('--expires', $soon);

my ($short, $long) = (made(@soon), made('--expires', '99999999999'));
my $publish = made('--publish', @soon);

my $pub = play_publish($t, "live/s?token=$publish", \@tags, to => 20000);
my $strict = $t->rtmp();

is($strict->open("strict/s?token=$publish"), $start, 'who must end may begin');
$strict->send_tags(\@tags, to => 1000);

$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 1 }, 20);

my @ends = (viewer_rtmp($t, "live/s?token=$short"),
            viewer_flv($t, "/live/s.flv?token=$short"),
            viewer_flv($t, "/token/~$short/s.flv"));
my @stay = (viewer_rtmp($t, "live/s?token=$long"),
            viewer_flv($t, "/token/~$long/s.flv"),
            viewer_flv($t, "/any/s.flv?token=$long"));

my $paused = viewer_rtmp($t, "live/s?token=$short");
$paused->{rtmp}->stream_command('pause', undef, 1, 0);

viewers_have(sub { $_[0]->frames() >= 5 }, 10, @ends, @stay);
ok(time <= $soon, 'all of them play');

viewers_have(sub { $_[0]->closed() }, 15, @ends, $paused);
ok(time >= $soon, 'until the token has expired');

for my $v ($ends[0], $paused) {
    my ($told) = grep { ref $_ && $_->{level} && $_->{level} eq 'error' }
                 map { $_->{args}[1] } grep { $_->{name} }
                 @{$v->{rtmp}{commands} || $v->{rtmp}{messages}};

    is($told && "$told->{code}: $told->{description}",
       "NetStream.Play.Failed: $over", 'RTMP viewers are told why');
}

is($ends[1]->closed(), 'the end of the body', 'FLV has an end');
is(join(', ', map { viewer_faults($_) } @ends), '', 'nothing else is wrong');
ok($t->log_count(qr/rtmp play ended: \Q$over\E, frames/), 'the log says it');
is($t->log_count(qr/FLV play ended: \Q$over\E/), 2, 'of FLV, too');

my $told = $strict->wait_command('onStatus', 10)->{args}[1];
is("$told->{code}: $told->{description}",
   "NetStream.Unpublish.Success: $over", 'a publisher that must end is told');
ok($strict->wait_closed(10), 'and does');
ok($t->log_count(qr/rtmp publish ended: \Q$over\E/), 'and so is the log');

my @n = map { scalar $_->frames() } @stay;
viewers_have(sub { $_[0]->frames() >= $n[-1] + 25 }, 10, @stay);
is(scalar(grep { $_->closed() } @stay), 0, 'who has more time goes on');
ok($pub->running(), 'and so does who was to begin only');

my $p = $t->rtmp();
isnt($p->open("live/s?token=$publish"), $start, 'and may not once more');
$p->close();

$_->close() for @stay;
$pub->stop();

# mistakes

my $c = Test::Media->new();

for my $case (['token expire=never', qr/invalid parameter "expire=never", it/],
              ['off expire=strict', qr/is invalid: "token" alone has param/],
              ['token jti=never', qr/invalid parameter "jti=never", it must/])
{
    $c->write_conf("media x { zone 16m; publish_auth $case->[0]; }\n");
    my ($good, $said) = $c->conf_test();
    ok(!$good, $case->[0]);
    like($said, $case->[1], 'is said');
}

$t->done();
