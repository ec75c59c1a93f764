#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Hooks: who is asked what, in each format, what encoders and viewers are told,
# and what becomes of them when there is no answer, or a strange one.

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();

use Test::Media;
use Test::Media::API;
use Test::Media::Live;
use Test::Media::Play;
use Test::Media::Server;
use Test::Media::Viewer;

my $start = 'NetStream.Publish.Start';
my $denied = 'NetStream.Publish.Denied';

my $t = Test::Media->new(workers => 2);
my $s = Test::Media::Server->new($t, 'S');

my $url = 'http://127.0.0.1:%%PORT_S%%';

$t->write_conf(<<"EOC");
media live { zone 32m; segment 1s; part 200ms; grace 2s;
             publish_auth hook; publish_conflict drop;
             on publish http://u:s%65cret\@127.0.0.1:%%PORT_S%%/p?key=h1dden
                 timeout=1s;
             on play $url/play; play_auth hook; }
media allow { zone 16m; on publish $url/p timeout=1s fail=allow; }
media form { zone 16m; segment 1s; part 200ms;
             on publish $url/f format=form; on play $url/f format=form; }
media get { zone 16m; on publish $url/f?a=b format=form method=get; }
media srs { zone 16m; segment 1s; part 200ms;
            on publish $url/srs format=srs; on play $url/srs format=srs; }
media mtx { zone 16m; segment 1s; part 200ms;
            on publish $url/mtx format=mediamtx;
            on play $url/mtx format=mediamtx; }
media none { zone 16m; on publish http://127.0.0.1:%%PORT_NOBODY%%/p; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; media_rtmp_play on; }
}

http {
    media_sessions 1m timeout=3s;
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/   { media_live live; }
        location /form/   { media_live form; }
        location /api/    { media_api write; allow 127.0.0.1; deny all; }
        location /status  { media_status; }
        location /metrics { media_metrics; }
    }
}
EOC

$t->run();


# what an encoder is told, and what the hook was asked meanwhile

sub told {
    my ($path, %opt) = @_;

    $s->forget();

    my $p = $t->rtmp();
    my $code = $p->open($path, %opt) || 'nothing';
    my $text = $p->{status}{description} || '';

    $p->close();

    my ($asked) = $s->requests();

    return ($code, $text, $asked);
}


sub form {
    my ($text) = @_;

    return { map { s/%([0-9A-F]{2})/chr hex $1/ge; $_ }
             map { /^([^=]*)=?(.*)$/s } split /&/, $text };
}


my ($code, $text, $asked);

# ours

$s->on('/p', {});
($code, $text, $asked) = told('live/demo?token=s3cr3t&x="1"');
is($code, $start, 'an empty answer is a yes');
is("$asked->{method} $asked->{uri}", 'POST /p?key=h1dden', 'asked there');
is($asked->{headers}{'content-type'}, 'application/json', 'in JSON');
ok($asked->{headers}{authorization}, 'as the user of the URL');

my $json = JSON::PP::decode_json($asked->{body});

like(delete $json->{id}, qr/^[0-9a-f]+$/, 'with an id');
is_deeply($json, { event => 'publish', app => 'live', stream => 'demo',
                   protocol => 'rtmp', ip => '127.0.0.1',
                   args => 'token=s3cr3t&x="1"', agent => 'FMLE/3.0',
                   reason => undef },
          'and all that is known');

for my $case ([{ body => '{}' }, $start],
              [{ status => 204 }, $start],
              [{ body => '{"sessions":2,"expires":3600}' }, $start],
              [{ body => '<html>login</html>', type => 'text/html' }, $denied,
               qr/no object of JSON/],
              [{ body => '{"ok":false}' }, $denied, qr/member that is not/],
              [{ body => '{"stream":"a//b"}' }, $denied, qr/name that is none/],
              [{ status => 302, headers => { Location => 'http://x/login' } },
               $denied, qr/redirects, which is not followed/],
              [{ status => 302, headers => { Location => 'demo' } }, $denied,
               qr/redirects, which is not followed/],
              (map { [{ status => $_ }, $denied, qr/^the hook refused it$/] }
               401, 403, 404, 429),
              [{ status => 500 }, $denied, qr/^the hook has failed$/],
              [{ raw => 'SSH-2.0-x' }, $denied, qr/^the hook did not answer$/],
              [{ close => 1 }, $denied, qr/^the hook did not answer$/],
              [{ hang => 1 }, $denied, qr/^the hook did not answer$/])
{
    my ($answer, $code, $text) = @$case;
    my $name = join ' ', map { "$_ $answer->{$_}" } sort keys %$answer;

    $s->on('/p', $answer);
    my @told = told('live/demo');
    is($told[0], $code, "answered $name");
    like($told[1], $text, 'and why') if $text;

    next if $name !~ /^(status 5|raw|close|hang)/;

    is((told('allow/demo'))[0], $start, 'with fail=allow');
}

is((told('none/demo'))[1], 'the hook did not answer', 'nobody listens');
$s->on('/p', { status => 403 });
is((told('allow/demo'))[0], $denied, 'a no is a no with fail=allow, too');

# another name

$s->on('/p', { body => '{"stream":"news/one"}' });
$s->on('/play', {});

# longer than all of it takes

my @tags = live_tags('plain');
@tags = map { my $k = $_; map { [$_->[0], $_->[1] + 12000 * $k, $_->[2]] }
              @tags } 0 .. 4;

my $pub = play_publish($t, 'live/k3y-of-news', \@tags);

$t->wait_playlist('/live/news/one/v1.m3u8',
                  sub { @{$_[0]{segments}} >= 1 }, 20);
is($t->http_get('/live/k3y-of-news/v1.m3u8')->{status}, 404,
   'a stream that is called what the hook says');

# who has it is not disturbed by who is refused

$s->on('/p', { status => 403 });
is((told('live/news/one'))[0], $denied, 'an impostor');
ok($pub->running(), 'and the right one goes on');

# who may watch

$s->on('/play', { body => '{"sessions":1}' });
$s->forget();

my @v = (viewer_rtmp($t, 'live/news/one?a=1'),
         viewer_flv($t, '/live/news/one.flv?b=2',
                    headers => { 'User-Agent' => 'player/1' }));

viewers_have(sub { $_[0]->frames() >= 5 }, 10, @v);
is(join(' ', map { my $j = JSON::PP::decode_json($_->{body});
                   "$j->{event}:$j->{protocol}:$j->{stream}:$j->{args}" }
        $s->requests('/play')),
   'play:rtmp:news/one:a=1 play:flv:news/one:b=2', 'both were asked about');
is(JSON::PP::decode_json(($s->requests('/play'))[1]{body})->{agent},
   'player/1', 'who says what he is');
$_->close() for @v;

for my $case ([{ status => 401 }, 401], [{ status => 404 }, 403],
              [{ status => 503 }, 503])
{
    $s->on('/play', $case->[0]);
    like(viewer_rtmp($t, 'live/news/one')->{status}, qr/^NetStream.Play.Failed/,
         "RTMP, answered $case->[0]{status}");

    my $r = $t->http_get('/live/news/one.flv');
    is($r->{status}, $case->[1], 'FLV');
    is($r->{headers}{'cache-control'}, 'no-store', 'which is not kept');
}

$s->on('/play', { body => '{"stream":"news/one"}' });
@v = (viewer_rtmp($t, 'live/ticket'));
viewers_have(sub { $_[0]->frames() >= 5 }, 10, @v);
is(scalar(@v), 1, 'RTMP of another name');
$_->close() for @v;

# who is banned from a stream is from one that the hook calls so

my $api = Test::Media::API->new($t, '/api');

$s->on('/p', {});

my $decoy = live_publish($t, 'live/decoy');
my $r = $api->call('POST', '/v1/bans',
                   json => { app => 'live', name => 'news/one',
                             action => 'play', seconds => 600 });
is($r->{status}, 201, 'nobody may watch it');

$v[0] = viewer_rtmp($t, 'live/ticket');
like($v[0]{status}, qr/^NetStream.Play.Failed/, 'RTMP, of another name');
is($v[0]{rtmp}{status}{description},
   q(the stream's name is banned for a while), 'and why');
$v[0]->close();
is($t->http_get('/live/decoy.flv')->{status}, 403, 'FLV, of another name');

$api->call('DELETE', "/v1/bans/$r->{json}{id}");
$decoy->close();

ok($pub->running(), 'it is sending yet');
is((told('live/news/one'))[0], $start,
   'publish_auth hook: whose name it is says the hook');

$pub->stop();

# nginx-rtmp's form

$s->on('/f', { body => '<html>ok</html>' });
($code, $text, $asked) = told('form/demo?k=1&name=evil&+call=x');
is($code, $start, 'form: any body');
is($asked->{headers}{'content-type'}, 'application/x-www-form-urlencoded',
   'form: its type');

my $form = form($asked->{body});

like(delete $form->{clientid}, qr/^\d+$/, 'form: an id');
is(delete $form->{tcurl}, 'rtmp://localhost/form', 'form: tcurl');
is_deeply($form, { app => 'form', flashver => 'FMLE/3.0', swfurl => '',
                   pageurl => '', addr => '127.0.0.1', call => 'publish',
                   name => 'demo',
                   type => 'live', k => 1 }, 'form: fields, no others');

($code, $text, $asked) = told("get/demo?k=1&l=a b\tX: y");
is("$code $asked->{method} $asked->{body}", "$start GET ", 'form: GET');
like($asked->{uri}, qr{^/f\?a=b&app=get&.*&k=1&l=a%20b%09X:%20y$},
     'form: its arguments');

$s->on('/f', { status => 302, headers => { Location => 'news' } });
$pub = play_publish($t, 'form/other', \@tags);
$t->wait_playlist('/form/news/v1.m3u8', sub { 1 }, 20);
$s->on('/f', { status => 302,
               headers => { Location => 'rtmp://h/form/news' } });
my $v = viewer_rtmp($t, 'form/x?k=2');
viewers_have(sub { $_[0]->frames() >= 5 }, 10, $v);
is($v->{status}, 'NetStream.Play.Start', 'form: play elsewhere');

is(form(($s->requests('/f'))[-1]{body})->{call}, 'play', 'form: call=play');

for my $case ([form => { status => 302, headers => { Location => 'news' } }],
              ['a name' => {}])
{
    $s->on('/f', $case->[1]);
    is((told('form/news'))[0], 'NetStream.Publish.BadName',
       "a hook that only listens: nobody takes over, answered $case->[0]");
    ok($pub->running(), 'and it is sending yet');
}

$v->close();
$pub->stop();

$s->on('/f', { status => 302,
               headers => { Location => 'rtmp://h/x/news' } });
($code, $text) = told('form/demo');
is("$code: $text", "$denied: the hook redirects to another server or "
   . 'application', 'form: no relay');

# SRS

for my $case (['0', $start], ['{"code":0,"msg":"ok"}', $start], ['1', $denied],
              ['{"code":1}', $denied], ['', $denied], ['<html>', $denied])
{
    $s->on('/srs', { body => $case->[0] });
    ($code, $text, $asked) = told('srs/demo?k=1');
    is($code, $case->[1], "srs: answered $case->[0]");
}

$s->on('/srs', { body => '0', status => 403 });
is((told('srs/demo'))[0], $denied, 'srs: the status first');

$json = JSON::PP::decode_json($asked->{body});
like(delete $json->{client_id}, qr/^[0-9a-f]+$/, 'srs: client_id');
ok(length delete $json->{$_}, "srs: $_") for qw/ server_id service_id /;
is_deeply($json, { action => 'on_publish', ip => '127.0.0.1', app => 'srs',
                   vhost => '__defaultVhost__', stream => 'demo',
                   tcUrl => 'rtmp://localhost/srs', param => '?k=1',
                   stream_url => '/srs/demo', stream_id => 'srs/demo' },
          'srs: the object');

# MediaMTX

$s->on('/mtx', { body => 'anything' });
($code, $text, $asked) = told('mtx/demo?user=anna&pass=b%20c');
is($code, $start, 'mediamtx: any body');

$json = JSON::PP::decode_json($asked->{body});
like(delete $json->{id}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
     'mediamtx: a UUID');
is_deeply($json, { ip => '127.0.0.1', user => 'anna', password => 'b c',
                   token => '', action => 'publish', path => 'mtx/demo',
                   protocol => 'rtmp', query => 'user=anna&pass=b%20c' },
          'mediamtx: the object');

$s->on('/mtx', { status => 401 });
($code, $text, $asked) = (viewer_rtmp($t, 'mtx/demo')->{status}, '',
                          ($s->requests('/mtx'))[-1]);
like($code, qr/^NetStream.Play.Failed/, 'mediamtx: 401');
is(JSON::PP::decode_json($asked->{body})->{action}, 'read', 'mediamtx: read');

# ffmpeg and its like

$s->on('/p', { delay => 0.5 });
my $ffmpeg = $t->ffmpeg_publish('live/ffmpeg?k=1', duration => 2);
is($ffmpeg->wait(20), 0, 'ffmpeg, after half a second') or diag($ffmpeg->log());
$s->on('/p', { status => 403 });
$ffmpeg = $t->ffmpeg_publish('live/ffmpeg', duration => 2);
isnt($ffmpeg->wait(20), 0, 'ffmpeg, refused');

# what is counted

my $metrics = $t->http_get('/metrics')->{body};

my $counted = sub {
    my ($app, $result) = @_;

    return $metrics =~ /^ngx_media_hooks_total\{app="$app",event="publish",
                        result="$result"\}\ (\d+)/mx ? $1 : -1;
};

ok($counted->('live', 'yes') >= 5, 'those that were let in');
ok($counted->('live', 'no') >= 10, 'those that were not');
is($counted->('none', 'failed'), 1, 'nobody answered');
is($counted->('allow', 'failed'), $counted->('allow', 'allowed'),
   'who is let in without an answer');
ok($counted->('allow', 'allowed') >= 4, 'so many');
is($counted->('none', 'lost'), 0, 'and no end was lost');
unlike($metrics, qr/event="update"/, 'of hooks that there are');

# what nobody is told

my $log = $t->log();

is(join("\n", grep { /s3cr3t|s%65cret|secret|h1dden|k3y-of-news/ }
        split /\n/, $log), '', 'no secret is in the log');
like($log, qr{media hook "http://127.0.0.1:\d+/p" answered publish with 403},
     'but which hook it was');
like($log, qr/publish refused: the hook refused it, name:"\*\*\*"/,
     'a name that was refused may have been one');
like($log, qr{hook "\S+" did not answer publish, it is allowed, times:1\b},
     'and that it was allowed');

# mistakes

my $c = Test::Media->new();

for my $case (['json fail=allow', 1], ['form fail=allow', 1],
              ['srs fail=allow', 0], ['json', 0])
{
    $c->write_conf("media x { zone 16m; on publish http://127.0.0.1/ "
                   . "format=$case->[0]; }\n");
    my ($good, $out) = $c->conf_test();
    ok($good, $case->[0]);
    is(scalar($out =~ /also if that is its key/), $case->[1] || '',
       'a name that may be a key');
}

for my $case (['on connect http://h/;' => qr/invalid event "connect"/],
              ['on publish;' => qr/invalid number of arguments/],
              ['on publish http://h.invalid:x/;' => qr/publish|port|host/],
              ['on play http://127.0.0.1/ x;' => qr/invalid parameter "x"/],
              ['on play http://127.0.0.1/ timeout=10s;' => qr/"timeout=10s"/],
              ['on play http://127.0.0.1/ timeout=0;' => qr/"timeout=0"/],
              ['on play http://127.0.0.1/ fail=maybe;' => qr/"fail=maybe"/],
              ['on publish http://127.0.0.1/ valid=1s;' => qr/"valid=1s"/],
              ['on play http://127.0.0.1/ valid=10ms;' => qr/"valid=10ms"/],
              ['on play_done http://127.0.0.1/ fail=deny;' => qr/"fail=deny"/],
              ['on update http://127.0.0.1/ interval=10ms;' => qr/"interval/],
              ['on play http://127.0.0.1/ format=xml;' => qr/"format=xml"/],
              ['on update http://127.0.0.1/ format=srs;' =>
               qr/"format=srs" has no "update"/],
              ['on play_done http://127.0.0.1/ format=mediamtx;' =>
               qr/"format=mediamtx" has no "play_done"/],
              ['on play http://127.0.0.1/ method=get;' => qr/"format=form" al/],
              ['on play http://127.0.0.1/; on play http://127.0.0.1/;' =>
               qr/is duplicate/],
              ['publish_auth hook;' => qr/has no "on publish"/],
              ['play_auth hook;' => qr/has no "on play"/],
              (map { [$_->[0] =~ s{URL}{https://bob:s3cr3t\@h.invalid/k}r
                      => $_->[1]] }
               ['on publish format=json URL;' => qr/parameter "\*\*\*"/],
               ['on publish http://127.0.0.1/ URL;' => qr/parameter "\*\*\*"/],
               ['on publish http://127.0.0.1/ url=URL;' => qr/"\*\*\*"/],
               ['on URL publish;' => qr/invalid event "\*\*\*"/],
               ['publish_auth URL;' => qr/invalid value "\*\*\*"/],
               ['publish_auth token URL;' => qr/invalid parameter "\*\*\*"/],
               ['publish_auth keys=URL;' => qr/a URL is no file/],
               ['play_auth URL;' => qr/invalid value "\*\*\*"/],
               ['play_limit ip=URL;' => qr/invalid parameter "\*\*\*"/],
               ['token_key URL;' => qr/a URL is no file; .*"jwks=URL"/],
               ['token_key k1 URL;' => qr/a URL is no file/]))
{
    my ($lines, $said) = @$case;

    $c->write_conf("media x { zone 16m; $lines }\n");
    my ($good, $out) = $c->conf_test();
    ok(!$good, $lines);
    like($out, $said, 'is said');
    unlike($out, qr/s3cr3t/, 'without a password');
}

$t->done();
