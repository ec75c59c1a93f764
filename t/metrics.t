#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# media_metrics: the text in both formats, against the status and against
# docs/metrics.md; what is counted of requests, over a reload and the death of
# a worker; names that would break the text.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Metrics;
use Test::Media::Vod;

my $t = Test::Media->new(workers => 2);

$t->write_conf(<<'EOC');
thread_pool encode threads=2;
media_ladder web { video 120p 100k; }
media live { zone 16m; segment 1s; part 200ms; grace 60s;
             transcode web threads=encode; }
media "other" { zone 8m; max_streams 8; grace 60s;
                on update http://127.0.0.1:9/ interval=1h; }

stream {
    server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; }
    server { listen 127.0.0.1:%%UDP_SRT%% udp reuseport; media_srt other; }
}

http {
    media_sessions 1m;

    server {
        listen 127.0.0.1:%%PORT_HTTP%%;

        location /live/    { media_live live; }
        location /denied/  { media_live live; deny all;
                             error_page 403 /page; }
        location /other/   { media_live other; }
        location /vod/     { alias %%DIR%%/media/; media_vod on; }

        location = /status  { media_status; }
        location = /metrics { media_metrics; }
        location = /few     { media_metrics streams=2; }
        location = /plain   { media_metrics tracks=off; }

        location = /page    { return 200 "denied"; }
    }
}
EOC

$t->write_file('media/film.mp4', slurp(vod_made('film.mp4', seconds => 4)));
$t->run();

my $p = $t->ffmpeg_publish('live/demo', duration => 600, gop => 25);

$t->wait_playlist('/live/demo/v1.m3u8', sub { @{$_[0]{segments}} >= 2 }, 20);

subtest 'answers' => \&answers;
subtest 'against the status' => \&status;
subtest 'requests' => \&requests;
subtest 'requests that wait' => \&waits;
subtest 'odd names' => \&names;
subtest 'more streams than are listed' => \&omitted;
subtest 'publishers that are turned away' => \&refused;
subtest 'packets that may be lost' => \&packets;
subtest 'the page of the documentation' => \&documented;
subtest 'a reload and a death' => \&lives;
subtest 'more names than there is room for' => \&renewed;
subtest 'configuration' => \&configuration;

$t->done(more => 1);
$t = undef;

subtest 'where there is little' => \&little;

done_testing();


sub scrape {
    my ($path, %opt) = @_;

    my $r = $t->http_get($path || '/metrics', %opt);

    is($r->{status}, 200, 'metrics');

    return metrics_parse($r->{body},
        $r->{headers}{'content-type'} =~ /openmetrics/);
}


sub answers {
    my $r = $t->http_get('/metrics');

    is($r->{headers}{'content-type'},
       'text/plain; version=0.0.4; charset=utf-8', 'type');
    is($r->{headers}{'cache-control'}, 'no-store', 'is not cached');
    is($r->{headers}{'content-length'}, length $r->{body}, 'length');

    my $h = $t->http_head('/metrics');
    is("$h->{status} $h->{body}", '200 ', 'HEAD');
    cmp_ok($h->{headers}{'content-length'}, '>', 1000, 'HEAD has the length');

    is($t->http('path', '/metrics', method => 'POST')->{status}, 405, 'POST');

    my $open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

    for my $case (
        # what Prometheus 2.42 asks
        ['application/openmetrics-text;version=1.0.0,'
         . 'application/openmetrics-text;version=0.0.1;q=0.75,'
         . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1', $open],
        ['application/openmetrics-text', $open],
        ['text/html, application/openmetrics-text; q=0.3', $open],
        ['Application/OpenMetrics-Text;version=0.0.1', ''],
        ['application/openmetrics-text;q=0.2, text/plain;q=0.5', ''],
        ['application/openmetrics-text;q=0', ''],
        ['application/openmetrics-textual', ''],
        ['text/plain;version=0.0.4', ''],
        ['*/*', ''], [',;,;;q=', ''])
    {
        $r = $t->http_get('/metrics', headers => { Accept => $case->[0] });
        is($r->{headers}{'content-type'},
           $case->[1] || 'text/plain; version=0.0.4; charset=utf-8',
           "Accept: $case->[0]");
    }

    my $m = metrics_parse($t->http_get('/metrics')->{body});
    is($m->{error}, '', 'the text is well formed');

    my $o = scrape('/metrics', headers => {
        Accept => 'application/openmetrics-text' });
    is($o->{error}, '', 'OpenMetrics is well formed');

    is(join(' ', sort keys %{$o->{samples}}),
       join(' ', sort keys %{$m->{samples}}), 'both have the same samples');

    is(metrics_lint($t->path('lint'), $t->http_get('/metrics')->{body}), '',
       'promtool has nothing to say');

    $m = metrics_parse($t->http_get('/plain')->{body});
    is(scalar(grep { /ngx_media_track/ } keys %{$m->{samples}}), 0,
       'tracks=off');
}


# a scrape lies between two looks at the status

sub status {
    my $before = $t->status();
    my $m = scrape();
    my $after = $t->status();

    my ($one, $two) = map { $_->{apps}[0]{streams}[0] } $before, $after;

    my %pairs = (
        'stream_publishes_total{app="live",stream="demo"}' => ['publishes'],
        'stream_periods_total{app="live",stream="demo"}' => ['periods'],
        'stream_ignored_total{app="live",stream="demo",reason="data"}' =>
            ['ignored', 'data'],
        map {
            my ($n, $name) = ($_, $one->{tracks}[$_]{name});

            map {
                my ($metric, $field) = @$_;

                ("$metric\{app=\"live\",stream=\"demo\",track=\"$name\""
                 . ($field =~ /^dropped_(.*)/ ? ",reason=\"$1\"" : '') . '}'
                 => ['tracks', $n, $field])
            } (['track_frames_total', 'frames'],
               ['track_key_frames_total', 'key_frames'],
               ['track_bytes_total', 'bytes'],
               ['track_segments_total', 'segments'],
               ['track_parts_total', 'parts'],
               ['track_dropped_frames_total', 'dropped_key'])
        } 0, 1
    );

    for my $name (sort keys %pairs) {
        my $value = $m->{samples}{"ngx_media_$name"};
        my ($low, $high) = ($one, $two);

        for my $field (@{$pairs{$name}}) {
            ($low, $high) = map { ref $_ eq 'ARRAY' ? $_->[$field]
                                                    : $_->{$field} }
                $low, $high;
        }

        ok(defined $value && $value >= $low && $value <= $high, $name)
            or diag("$value, not between $low and $high");
    }

    my $s = $m->{samples};
    my $stream = '{app="live",stream="demo"}';

    is($s->{"ngx_media_stream_up$stream"}, 1, 'it is live');
    is($s->{"ngx_media_stream_publisher_up$stream"}, 1, 'and published');
    is($s->{'ngx_media_publishers{app="live",protocol="rtmp"}'}, 1,
       'by RTMP');
    is($s->{'ngx_media_streams{app="live",state="live"}'}, 1, 'one is live');
    is($s->{'ngx_media_streams{app="other",state="live"}'}, 0, 'none there');
    is($s->{'ngx_media_streams_max{app="other"}'}, 8, 'max_streams');
    is($s->{'ngx_media_workers'}, 2, 'workers');
    is($s->{'ngx_media_zone_size_bytes{app="live"}'}, 16 << 20, 'zone');

    my $born = $s->{"ngx_media_stream_start_time_seconds$stream"};
    ok($born =~ /^\d+\.\d{3}$/ && abs($born - now()) < 300, 'born');

    my ($fps) = $s->{'ngx_media_track_fps'
        . '{app="live",stream="demo",track="v1"}'};
    cmp_ok($fps, '==', $two->{tracks}[0]{fps}, 'frames a second');
    is(scalar(grep { /track_fps.*"a1"/ } keys %$s), 0, 'audio has none');
}


# what counters say of requests that a sub makes, by any worker

sub counted {
    my ($sub) = @_;

    my $before = scrape()->{samples};
    $sub->();

    my ($after, %more);

    # the log phase comes after the last byte

    for (1 .. 50) {
        $after = scrape()->{samples};

        %more = map { ($_ => $after->{$_} - ($before->{$_} || 0)) }
            grep { /^ngx_media_(?:requests|errors|sent_bytes)_total/
                   && $after->{$_} != ($before->{$_} || 0) } keys %$after;

        last if %more && $_ > 3;
        $t->pump(0.02);
    }

    my %short;

    for my $name (keys %more) {
        my ($metric, $app, $label) =
            $name =~ /^ngx_media_(\w+)_total\{app="(.*?)",\w+="(\w+)"\}$/;
        $short{"$metric $app $label"} = $more{$name};
    }

    return \%short;
}


sub requests {
    my $list = $t->wait_playlist('/live/demo/v1.m3u8',
        sub { @{$_[0]{segments}} >= 2 }, 20);
    my $segment = "/live/demo/$list->{segments}[-1]{uri}";
    my $length = 0;

    my $got = counted(sub {
        my $r = $t->http_get($segment);
        is($r->{status}, 200, $segment);
        $length = length $r->{body};
    });

    is($got->{'requests live segment'}, 1, 'a segment');
    cmp_ok($got->{'sent_bytes live segment'}, '>', $length, 'bytes');
    cmp_ok($got->{'sent_bytes live segment'}, '<', $length + 1000,
           'and not much more');
    is(scalar(keys %$got), 2, 'nothing else');

    # bytes of each request of a connection are its own

    $got = counted(sub {
        my $conn;

        for (1 .. 3) {
            my $r = $t->http_get($segment, keepalive => 1,
                                 $conn ? (conn => $conn) : ());
            $conn = $r->{conn};
        }
    });

    is($got->{'requests live segment'}, 3, 'three in one connection');
    cmp_ok($got->{'sent_bytes live segment'}, '<', 3 * ($length + 1000),
           'bytes are not counted again');

    my ($part) = map { $_->{uri} } map { @{$_->{parts} || []} }
        $list->{segments}[-1];

    for my $case (
        ['/live/demo/index.m3u8', 'live', 'playlist'],
        ['/live/demo/manifest.mpd', 'live', 'manifest'],
        ['/live/demo/' . $list->{segments}[-1]{map}, 'live', 'init'],
        $part ? ["/live/demo/$part", 'live', 'part'] : (),
        ['/live/demo/time.txt', 'live', 'other'],
        [$segment =~ s|v1/(\d+)\.m4s|v1-a1/$1.ts|r, 'live',
         'ts'],
        ['/vod/film.mp4/index.m3u8', '/vod/', 'playlist'],
        ['/vod/film.mp4/clip.mp4', '/vod/', 'clip'],
        ['/vod/film.mp4/thumb-0.jpg', '/vod/', 'picture'],
        ['/live/none/index.m3u8', 'live', 'playlist', 404],
        ['/live/what', 'live', 'other', 404],
        ['/denied/demo/v1.m3u8', 'live', 'playlist', 403],
        ['/vod/none.mp4/index.m3u8', '/vod/', 'playlist', 404],
        ['/vod/none.mp4/v1/1.m4s', '/vod/', 'segment', 404])
    {
        my ($path, $app, $kind, $error) = @$case;
        my $status;

        next if $path =~ m|//|;

        $got = counted(sub { $status = $t->http_get($path)->{status} });

        is($status, $error || 200, $path);
        is($got->{"requests $app $kind"}, 1, "$app, $kind");
        is($got->{"errors $app $error"}, 1, "error $error") if $error;
        is(scalar(keys %$got), $error ? 3 : 2, 'nothing else');
    }

    $got = counted(sub { $t->http('path', '/live/demo/index.m3u8',
                                  method => 'DELETE') });
    is($got->{'errors live 4xx'}, 1, 'another status of 4xx');
}


# what is not there yet is waited for

sub waits {
    my $list = $t->wait_playlist('/live/demo/v1.m3u8', sub { 1 }, 5);
    my $next = $list->{msn} + @{$list->{segments}} + 1;

    my ($count, $sum) = map { "ngx_media_wait_seconds_$_" . '{app="live"}' }
        qw/ count sum /;

    my $before = scrape()->{samples};
    my $start = now();

    is($t->http_get("/live/demo/v1.m3u8?_HLS_msn=$next")->{status}, 200,
       'a blocking playlist');

    wait_ok(sub { (scrape()->{samples}{$count} || 0)
                  == ($before->{$count} || 0) + 1 }, 5, 'it is counted');

    my $took = now() - $start;
    my $after = scrape()->{samples};
    my $waited = $after->{$sum} - ($before->{$sum} || 0);

    ok($waited > 0 && $waited <= $took, 'with its time')
        or diag("$waited of $took");

    my @buckets = map {
        $after->{"ngx_media_wait_seconds_bucket{app=\"live\",le=\"$_\"}"}
    } qw/ 0.05 0.1 0.2 0.5 1.0 2.0 5.0 10.0 +Inf /;

    is(scalar(grep { defined } @buckets), 9, 'buckets');
    is($buckets[-1], $after->{$count}, 'the last one has all');

    my $sum_of = 0;
    $sum_of += $after->{$_} for grep { /^ngx_media_requests_total/ }
        keys %$after;
    my $workers = 0;
    $workers += $after->{$_} for grep { /^ngx_media_worker_requests_total/ }
        keys %$after;

    is($workers, $sum_of, 'requests of workers are all requests');
}


# names come from publishers, and are any bytes

sub names {
    my @names = ("quo\"te", "back\xc3\xb6", "\xff\xfe", "a\xe2\x82");
    my @there;

    for my $name (@names) {
        my $c = $t->rtmp();
        my $code = $c->open("other/$name");

        push @there, [$name, $c] if $code eq 'NetStream.Publish.Start';
    }

    my $r = $t->http_get('/metrics');
    my $m = metrics_parse($r->{body});

    is($m->{error}, '', 'the text is well formed');
    ok(utf8::decode(my $text = $r->{body}), 'and UTF-8');
    is($m->{samples}{'ngx_media_streams{app="other",state="live"}'}
       + $m->{samples}{'ngx_media_streams{app="other",state="grace"}'},
       scalar @there, 'all streams are there');
    is(metrics_lint($t->path('lint'), $r->{body}), '', 'promtool');

    $_->[1]->close() for @there;

    wait_ok(sub {
        $t->status()->{apps}[1]{zone}{publishers} == 0 }, 10, 'they left');
}


# the oldest are listed, of the others a sum

sub omitted {
    my @clients = map {
        my $c = $t->rtmp();
        $c->open("other/s$_");
        $c
    } 1 .. 3;

    wait_ok(sub {
        $t->status()->{apps}[1]{zone}{publishers} == 3 }, 10, 'published');

    my $all = scrape()->{samples};
    my $few = scrape('/few')->{samples};

    is(scalar(grep { /^ngx_media_stream_up\{.*stream="."?/ } keys %$few), 3,
       'two are listed, the rest is one line');
    ok(exists $few->{'ngx_media_stream_up{app="live",stream="demo"}'},
       'the oldest is');

    my $others = grep { /^ngx_media_stream_up\{app="other"/ } keys %$all;

    is($few->{'ngx_media_streams_omitted{app="other"}'}, $others - 1,
       'how many are not');
    is($few->{'ngx_media_stream_publishes_total{app="other",stream=""}'},
       eval { my $sum = 0;
              $sum += $all->{$_} for grep {
                  /^ngx_media_stream_publishes_total\{app="other"/
                  && !exists $few->{$_} } keys %$all;
              $sum },
       'a sum');
    is(scalar(grep { /start_time.*stream=""/ } keys %$few), 0,
       'what cannot be summed is not');
    is($few->{'ngx_media_streams_omitted{app="live"}'}, 0, 'none there');
    is(metrics_parse($t->http_get('/few')->{body})->{error}, '',
       'it is well formed');

    $_->close() for @clients;
}


# and why

sub refused {
    my $counts = sub {
        my $s = scrape()->{samples};
        my %counts = map {
            /^ngx_media_publish_refused_total\{app="other",reason="(\w+)"\}/
                ? ($1 => $s->{$_}) : ()
        } keys %$s;
        return \%counts;
    };

    my $before = $counts->();
    my @clients = map { $t->rtmp() } 1 .. 3;

    is($clients[0]->open('other/mine'), 'NetStream.Publish.Start', 'one');
    is($clients[1]->open('other/mine'), 'NetStream.Publish.BadName',
       'another one, of the same name');
    is($clients[2]->open('other/a//b'), 'NetStream.Publish.BadName',
       'no name');

    my $after = $counts->();
    my @more = map { "$_ " . ($after->{$_} - $before->{$_}) }
        grep { $after->{$_} != $before->{$_} } sort keys %$after;

    is(join(', ', @more), 'conflict 1, name 1', 'counted by reason');
    is(scalar(keys %$after), 9, 'reasons');

    my $sum = 0;
    $sum += $_ for values %$after;
    is($t->status()->{apps}[1]{zone}{refused}, $sum,
       'the status has the sum');

    $_->close() for @clients;
}


# how packets of SRT come; of what does not come by packets nothing is said

sub packets {
    my $pub = $t->run_daemon('srt', 'ffmpeg', qw/ -nostdin -v warning -re
        -f lavfi -i testsrc2=s=160x90:r=25 -c:v libx264 -preset ultrafast
        -g 25 -f mpegts /,
        'srt://127.0.0.1:' . $t->udp('SRT') . '?streamid=publish:other/srt');

    my $label = '{app="other",stream="srt"}';
    my $m;

    wait_ok(sub {
        $m = scrape()->{samples};
        return ($m->{"ngx_media_stream_link_packets_total$label"} || 0) > 20;
    }, 15, 'packets') or diag $pub->log();

    $pub->stop();

    my $stream = $t->stream('other', 'srt');
    my $link = $stream->{publisher}{link};

    $m = scrape()->{samples};

    my %names = (
        pktRecv => 'packets_total', byteRecv => 'bytes_total',
        pktRcvLoss => 'lost_packets_total',
        pktRcvDrop => 'dropped_packets_total', pktSentACK => 'acks_total',
        kernel_drops => 'kernel_dropped_packets_total',
        pktRcvBuf => 'held_packets',
    );

    is($m->{"ngx_media_stream_link_$names{$_}$label"}, $link->{$_}, $_)
        for sort keys %names;

    cmp_ok(abs($m->{"ngx_media_stream_link_rtt_seconds$label"} * 1000
               - $link->{msRTT}), '<', 0.0001, 'RTT');
    cmp_ok($link->{msRTT}, '>', 0, 'which is more than nothing');
    is($m->{"ngx_media_stream_link_latency_seconds$label"}, '0.120',
       'latency');
    cmp_ok($link->{byteRecv}, '>=', 188 * 20, 'bytes');
    is($m->{"ngx_media_stream_ts_packets_total$label"},
       $stream->{publisher}{ts}{packets}, 'packets of MPEG-TS');
    is(scalar(grep { /stream_(?:link|ts)/ && !/stream="srt"/ } keys %$m), 0,
       'of no other stream');
}


# each metric is in the table of docs/metrics.md, with type, labels, meaning

sub documented {
    my $m = scrape();
    my (%docs, %labels);

    for my $line (split /\n/, slurp($t->root() . '/docs/metrics.md')) {
        my ($names, $type, $labels, $help) =
            $line =~ /^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$/ or next;

        $docs{"ngx_media_$names"} = "$type, $help, " . $labels =~ tr/`//dr;
    }

    for my $sample (keys %{$m->{samples}}) {
        next if $sample =~ /seconds_(?:sum|count)\{/;

        my ($name, $all) =
            $sample =~ /^(\w+?)(?:_total|_bucket)?(?:\{(.*)\})?$/;
        $labels{$name} = join ' ',
            ($all || '') =~ /([a-z_]+)="(?:\\.|[^"\\])*"/g;
    }

    for my $name (sort keys %{$m->{help}}) {
        my $type = $m->{type}{$name};
        my $key = $type eq 'counter' ? "${name}_total" : $name;

        is(delete $docs{$key},
           "$type, $m->{help}{$name}, $labels{$name}", $key);
    }

    is(join(' ', sort keys %docs), '', 'all that are documented exist');
}


# counters never go back

sub lives {
    my $get = sub {
        $t->http_get('/live/demo/index.m3u8') for 1 .. 20;
    };

    my $key = 'requests live playlist';
    is(counted($get)->{$key}, 20, 'by two workers');

    my $name = 'ngx_media_requests_total{app="live",kind="playlist"}';
    my $before = scrape()->{samples};

    $t->reload();
    is(scrape()->{samples}{$name}, $before->{$name}, 'kept over a reload');
    is(counted($get)->{$key}, 20, 'and goes on');

    # one that serves media is killed while it does

    my $deaths = scrape()->{samples}{ngx_media_worker_deaths_total};
    my $count = scrape()->{samples}{$name};

    $t->kill_worker(($t->worker_pids())[0]);

    wait_ok(sub { scrape()->{samples}{ngx_media_worker_deaths_total}
                  == $deaths + 1 }, 10, 'a death is counted once');
    cmp_ok(scrape()->{samples}{$name}, '>=', $count, 'nothing went back');
    is(counted($get)->{$key}, 20, 'and it goes on');
    is(scrape()->{samples}{ngx_media_worker_deaths_total}, $deaths + 1,
       'still once');
    cmp_ok(scrape()->{samples}{ngx_media_workers}, '>=', 2, 'workers');
    cmp_ok(scrape()->{samples}{ngx_media_start_time_seconds}, '==',
           $before->{ngx_media_start_time_seconds}, 'counting began once');
}


# more names: they have room; and so many that another zone is needed, and not
# any more

sub renewed {
    my $conf = slurp($t->path('nginx.conf'));
    my $key = 'requests live playlist';
    my $name = 'ngx_media_requests_total{app="live",kind="playlist"}';
    my $start = scrape()->{samples}{ngx_media_start_time_seconds};
    my $one = sub { $t->http_get('/live/demo/index.m3u8') };

    my $reload = sub {
        my ($n) = @_;
        my $before = scrape()->{samples};

        my $more = join '', map {
            "location \/vod$_\/ { root \/tmp; media_vod on; }\n" } 1 .. $n;

        spew($t->path('nginx.conf'),
             $conf =~ s/(?=^\s*location = \/page )/$more/mr);
        $t->reload();

        my $m = scrape()->{samples};

        is($m->{ngx_media_start_time_seconds}, $start, "$n more: since then");
        cmp_ok($m->{$name}, '>=', $before->{$name}, 'what was counted is');
        is(counted($one)->{$key}, 1, 'they count');

        return $m;
    };

    my $m = $reload->(20);

    is(scalar(grep { /^ngx_media_requests_total.*kind="clip"/ } keys %$m),
       23, 'all names have counters');
    is(counted(sub { $t->http_get('/vod20/x/index.m3u8') })
       ->{'errors /vod20/ 404'}, 1, 'the last one, too');

    my $error = 'ngx_media_errors_total{app="/vod%s",code="404"}';

    $m = $reload->(300);
    is($m->{sprintf $error, '20/'}, 1, 'of all names');
    is(counted(sub { $t->http_get('/vod300/x/index.m3u8') })
       ->{'errors /vod300/ 404'}, 1, 'they have room');

    # some of them have none now, and are counted together

    $m = $reload->(0);
    is($m->{sprintf $error, '20/'}, 1, 'names that are left over');
    is($m->{sprintf $error, '300/'}, undef, 'and too many of them');
    is($m->{'ngx_media_errors_total{app="",code="404"}'}, 1,
       'have one counter');
    is($m->{'ngx_media_requests_total{app="/vod/",kind="playlist"}'},
       scrape()->{samples}{
           'ngx_media_requests_total{app="/vod/",kind="playlist"}'},
       'that of others is theirs');
}


sub configuration {
    my $conf = sub {
        return "http { server { listen 127.0.0.1:%%PORT_HTTP%%; "
               . "location /m { $_[0] } } }";
    };

    for my $case (
        ['media_metrics streams=0;', qr/invalid parameter "streams=0"/],
        ['media_metrics streams=5001;', qr/invalid parameter "streams=5001"/],
        ['media_metrics streams;', qr/invalid parameter "streams"/],
        ['media_metrics tracks=no;', qr/invalid parameter "tracks=no"/],
        ['media_metrics; media_metrics;', qr/is duplicate/],
        ['media_metrics; media_status;', qr/in one location with another/],
        ['media_metrics streams=5000 tracks=off;', qr/successful/])
    {
        my ($status, $out) = $t->conf_test($conf->($case->[0]));
        like($out, $case->[1], $case->[0]);
    }
}


# without nginx's stream module; and without locations of media

sub little {
    my $server = 'server { listen 127.0.0.1:%%PORT_HTTP%%; '
                 . 'location = /status { media_status; }';

    $t = Test::Media->new(workers => 1, stream => 0);

    $t->write_conf("media live { zone 16m; }\n"
                   . "http { log_format all '\$media_app \$media_kind';\n"
                   . "access_log %%DIR%%/a.log all;\n"
                   . "$server location /live/ { media_live live; }\n"
                   . "location /metrics { media_metrics; } } }\n");
    $t->run();

    is($t->http_get('/live/x/index.m3u8')->{status}, 404, 'no stream');
    wait_ok(sub { scrape()->{samples}
                  {'ngx_media_errors_total{app="live",code="404"}'} }, 5,
            'is counted');

    $t->write_conf("http { $server location /metrics { media_metrics; } } }");
    $t->reload();

    my $m = scrape();
    is($m->{error}, '', 'no application: well formed');
    wait_ok(sub { scrape()->{samples}{ngx_media_workers} == 1 }, 5,
            'and something in it');

    $t->write_conf("http { $server location / { "
                   . 'return 200 "[$media_app$media_part]"; } } }');
    $t->reload();

    is($t->http_get('/live/x/v1/1.2.m4s')->{body}, '[]',
       'variables are not found');

    $t->done(more => 1);
}
