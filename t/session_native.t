#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Viewers by RTMP and in FLV in the table of sessions: they are there as long as
# their connections are, over reloads and deaths of workers; limits, kicks and
# bans.  The table is shown by t/modules/ngx_http_media_test_session_module.c.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Viewer;

my $kicked = q|the viewer's session was ended|;

my $t = Test::Media->new(test_modules => 1, workers => 2);

$t->write_file('key', "0123456789abcdef0123456789abcdef\n");
chmod 0600, $t->path('key');

$t->write_conf(<<'EOC');
media live { zone 32m; segment 1s; part 200ms; grace 60s; drain 2s;
             play_limit ip=12 stream=8; }
media pay  { zone 32m; segment 1s; part 200ms; grace 60s;
             play_auth token; token_key %%DIR%%/key; play_limit session=3; }

stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp;
                  media_rtmp_play on; } }

http {
    access_log off;
    media_sessions 1m timeout=3s;
    media_token_key %%DIR%%/key;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/   { media_live live; }
        location /quiet/  { media_live live; media_session_key off; }
        location /pay/    { media_live pay; }
        location /tok/    { media_live pay; media_token query=token; }
        location /key/    { media_live live; media_session_key $arg_user;
                            media_limit session=1; }
        location /status  { media_status; }
        location /session { media_test_session; }
    }
}
EOC

$t->run();


# what the table has: a list of hashes

sub sessions {
    my ($args) = @_;

    my @keys = qw/ id app name by protocol agent bytes watch started flags /;
    my $body = $t->http_get('/session' . ($args || ''))->{body};

    return $body =~ /^(.*)$/m ? $1 : '' if $args;

    return map { my %s; @s{@keys} = split / /; \%s } split /\n/, $body;
}


sub of {
    my ($app, $name) = @_;

    return grep { $_->{app} eq $app && (!$name || $_->{name} eq $name) }
           sessions();
}


sub all_are {
    my ($n, $seconds, $what, $sub) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    wait_ok(sub { $n == grep { !$sub || $sub->($_) } sessions() }, $seconds,
            $what);
}


sub token {
    my ($rc, $out) = sh($t->root() . '/scripts/token', @_, $t->path('key'),
                        's');
    die $out if $rc;
    chomp $out;

    return $out;
}


sub plays {
    my (@viewers) = @_;

    my %n = map { $_ => scalar $_->frames() } @viewers;

    viewers_have(sub { $_[0]->frames() > $n{$_[0]} + 5 }, 15, @viewers);

    return 1;
}


my @tags = live_tags('plain');
my $pub = play_publish($t, 'live/s', \@tags, to => 200000);
my $two = play_publish($t, 'pay/s', \@tags, to => 200000);

$t->wait_playlist('/quiet/s/v1.m3u8', sub { @{$_[0]{segments}} >= 1 }, 20);

# there is one for each connection, from its beginning to its end

is(scalar sessions(), 0, 'nobody is there');

my @viewers = ((map { viewer_rtmp($t, 'live/s') } 1 .. 2),
               (map { viewer_flv($t, '/live/s.flv', headers =>
                                 { 'User-Agent' => "VLC/3.0.$_" }) } 1 .. 2));

plays(@viewers);

my @found = sessions();

is(scalar(@found), 4, 'four viewers, four sessions');
is(join(' ', sort map { "$_->{protocol}:$_->{agent}" } @found),
   'flv:vlc flv:vlc rtmp:other rtmp:other', 'of two kinds');
is(scalar(grep { "$_->{app}/$_->{name} $_->{by}" eq 'live/s address' }
          @found), 4, 'of one stream');

all_are(4, 20, 'they are confirmed', sub { $_[0]{flags} eq 'cn' });
is(sessions('?count=s'), '4 4', 'and counted');

my ($one) = of('live');
cmp_ok($one->{bytes}, '>', 1000, 'what was sent');
cmp_ok($one->{watch}, '>', 500, 'and for how long');

$_->close() for splice @viewers, 1, 2;
all_are(2, 5, 'two have gone at once');
wait_ok(sub { $t->log_count(qr/test session ended: \d+ live\/s /) == 2 }, 5,
        'which is told');

# reloads: who was there stays in the table, with the old worker

for my $n (1 .. 10) {
    $t->reload();
}

my %ids = map { $_->{id} => 1 } @found;

is(scalar(grep { $ids{$_->{id}} } sessions()), scalar sessions(),
   'after ten reloads nobody is there twice');

wait_ok(sub { !grep { !$_->closed() } @viewers }, 20,
        'the drain time of old workers ends');
all_are(0, 10, 'and they have gone');
is($t->log_count(qr/test session ended: /), 4, 'each was told of once');

# a worker that dies: its sessions are over after the time-out

my ($dies, $lives) = $t->worker_pids();

$pub = play_publish($t, 'live/s', \@tags, to => 200000, worker => $lives);
$two = play_publish($t, 'pay/s', \@tags, to => 200000, worker => $lives);

@viewers = (viewer_rtmp($t, 'live/s', worker => $dies),
            viewer_flv($t, '/live/s.flv', worker => $dies));

my $stays = viewer_flv($t, '/live/s.flv', worker => $lives);

plays(@viewers, $stays);
is(scalar sessions(), 3, 'three viewers of two workers');

my %all = map { $_->{id} => 1 } sessions();
my $before = $t->log_count(qr/test session ended: /);

$t->allow_alerts(qr/exited on signal 9/);
kill 'KILL', $dies;

all_are(1, 20, 'those of the dead are over');
wait_ok(sub { $t->log_count(qr/test session ended: /) == $before + 2 }, 10,
        'each is told of');
ok($all{(sessions())[0]{id}}, 'the other one is the same');
wait_until(sub { 2 == $t->worker_pids() }, 20);

# limits: of an address, and of a stream

my $refused = 'the stream has too many viewers';

@viewers = map { viewer_flv($t, '/live/s.flv') } 2 .. 8;
plays(@viewers);

my $late = $t->http_get('/live/s.flv');
is($late->{status}, 429, 'FLV: the ninth of eight is refused');
is($late->{headers}{'retry-after'}, 3, 'for now');
is($late->{headers}{'cache-control'}, 'no-store', 'which nobody keeps');

$late = viewer_rtmp($t, 'live/s');
is($late->{status}, 'NetStream.Play.Failed', 'RTMP: likewise');
ok($t->log_count(qr/rtmp play refused: \Q$refused\E, name:"s"/), 'with why');
$late->close();

$_->close() for splice @viewers, 0, 4;
all_are(4, 5, 'some go');

# FLV: what the location says of its viewers

my @named = map { viewer_flv($t, "/key/s.flv?user=$_") } qw/ anna bert /;
plays(@named);
is(scalar(grep { $_->{by} eq 'key' } of('live')), 2, 'known by a key');
is($t->http_get('/key/s.flv?user=anna')->{status}, 429, 'each has one');

my $nobody = viewer_flv($t, '/key/s.flv?user=', headers =>
                        { 'User-Agent' => 'nobody' });
plays($nobody);
is(scalar(grep { $_->{by} eq 'key' } of('live')), 2,
   'who has none is his address');
$_->close() for @named, $nobody;
wait_until(sub { !grep { $_->{by} eq 'key' } of('live') }, 10);

# who is known by a token

my ($anna, $bert, $pair) = (token('--session', 'anna'),
                            token('--session', 'bert'),
                            token('--session', 'carl', '--max', 2));

my @of = map { viewer_rtmp($t, "pay/s?token=$anna") } 1 .. 3;
plays(@of);
is(scalar(grep { $_->{by} eq 'token' } of('pay')), 3, 'known by a token');

$late = viewer_rtmp($t, "pay/s?token=$anna");
is($late->{status}, 'NetStream.Play.Failed', 'a fourth one is too many');
ok($t->log_count(qr/refused: the viewer has too many sessions/), 'and why');
$late->close();

push @of, viewer_flv($t, "/pay/s.flv?token=$bert"),
    map { viewer_rtmp($t, "pay/s?token=$pair") } 1 .. 2;
plays(@of);

$late = $t->http_get("/pay/s.flv?token=$pair");
is($late->{status}, 429, 'of a token for two a third one');

$late = $t->http_get("/pay/s.flv?token=$pair&CMCD=sid%3D%22a%22");
is($late->{status}, 429, 'whatever the player calls it');

$_->close() for splice @of, 4;

# whose a token of the location is limits and bans look at, too

my $dora = token('--session', 'dora');
my @dora = map { viewer_flv($t, "/tok/s.flv?token=$dora") } 1 .. 3;

plays(@dora);
is($t->http_get("/tok/s.flv?token=$dora")->{status}, 429,
   'play_limit of the token of a location');
$_->close() for @dora;
wait_until(sub { 1 == grep { $_->{protocol} eq 'flv' } of('pay') }, 10);

# kicks: the connection ends within a tick

my ($id) = map { $_->{id} } grep { $_->{protocol} eq 'flv' } of('pay');

is(sessions("?end=$id"), 0, 'one is kicked');
viewers_have(sub { $_[0]->closed() }, 10, $of[3]);
is($of[3]->closed(), 'the end of the body', 'FLV has an end');
all_are(0, 10, 'and no session', sub { $_[0]{id} == $id });
ok($t->log_count(qr/FLV play ended: \Q$kicked\E/), 'the log says why');

$of[3] = viewer_flv($t, "/pay/s.flv?token=$bert");
plays($of[3]);
is(scalar(grep { $_->{protocol} eq 'flv' } of('pay')), 1, 'he may come back');

$of[3]->close();
$_->close() for @of[1, 2];
wait_until(sub { 1 == of('pay') }, 10);
($id) = map { $_->{id} } of('pay');

is(sessions("?end=$id&ban=600"), 0, 'another one is kicked, and banned');
viewers_have(sub { $_[0]->closed() }, 10, $of[0]);

my ($told) = grep { ref $_ && ($_->{level} || '') eq 'error' }
             map { $_->{args}[1] } grep { $_->{name} }
             @{$of[0]{rtmp}{commands} || $of[0]{rtmp}{messages}};

is($told && "$told->{code}: $told->{description}",
   "NetStream.Play.Failed: $kicked", 'RTMP viewers are told why');

$late = viewer_rtmp($t, "pay/s?token=$anna");
is($late->{status}, 'NetStream.Play.Failed', 'he may not come back');
ok($t->log_count(qr/refused: the viewer is banned/), 'and why');
$late->close();

is($t->http_get("/pay/s.flv?token=$anna")->{status}, 403, 'nor by FLV');

$late = viewer_rtmp($t, "pay/s?token=$bert");
is($late->{status}, 'NetStream.Play.Start', 'others may');
$late->close();

is(sessions("?unban=$id"), 0, 'the ban is taken back');
$late = viewer_rtmp($t, "pay/s?token=$anna");
is($late->{status}, 'NetStream.Play.Start', 'then he may');
$late->close();

$_->close() for @viewers, $stays;
all_are(0, 10, 'nobody is left');

# mistakes

my $c = Test::Media->new(test_modules => 1);

for my $case (['session=1', qr/"play_limit" needs "media_sessions"/],
              ['ip=0', qr/invalid parameter "ip=0", write some of/],
              ['ip=1 ip=2', qr/invalid parameter "ip=2"/],
              ['viewers=1', qr/invalid parameter "viewers=1"/],
              ['off; play_limit off', qr/"play_limit" directive is duplicate/])
{
    $c->write_conf("media x { zone 16m; play_limit $case->[0]; }\n");
    my ($good, $said) = $c->conf_test();
    ok(!$good, $case->[0]);
    like($said, $case->[1], 'is said');
}

done_testing();
