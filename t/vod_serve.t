#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Segments of files are the same bytes however they are sent, wholly or in
# ranges, by any worker; and what clients do, or workers that die, or files
# that are more than the cache holds, makes no difference to others.

use FindBin;
use lib "$FindBin::Bin/lib";

use Digest::MD5 qw/ md5_hex /;
use IO::Uncompress::Gunzip qw/ gunzip /;

use Test::Media;
use Test::Media::Vod;

my @ways = qw/ sent copied threads direct small /;

my $conf = <<'EOC';
http {
    media_vod_segment 2s;

    ssl_certificate %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;

    server {
        listen 127.0.0.1:%%PORT_HTTP%% sndbuf=32k;
        listen 127.0.0.1:%%PORT_TLS%% ssl http2;

        root %%DIR%%;

        location /media/ { media_vod on; sendfile on; }

        location /sent/    { alias %%DIR%%/media/; media_vod on;
                             sendfile on; }
        location /copied/  { alias %%DIR%%/media/; media_vod on;
                             sendfile off; }
        location /threads/ { alias %%DIR%%/media/; media_vod on;
                             sendfile on; aio threads; }
        location /direct/  { alias %%DIR%%/media/; media_vod on;
                             sendfile on; directio 512; }
        location /small/   { alias %%DIR%%/media/; media_vod on;
                             sendfile off; output_buffers 1 4k; }
        location /slow/    { alias %%DIR%%/media/; media_vod on;
                             limit_rate 400k; limit_rate_after 1; }

        location = /status { media_status; }
    }
}
EOC

# how samples lie in a file

my %files = (
    # frame by frame
    'mixed.mp4' => vod_made('mixed.mp4', seconds => 6, bframes => 2),
    # of one track
    'single.mp4' => vod_made('single.mp4', seconds => 6, audio => 0),
    # in pieces
    'pieces.mp4' => vod_made('pieces.mp4', seconds => 6, more =>
        [qw/ -movflags frag_keyframe+empty_moov+default_base_moof /]),
    'clusters.mkv' => vod_made('clusters.mkv', seconds => 6, bframes => 2),
);

my $large = vod_made('large.mp4', seconds => 6, size => '640x360',
                     bitrate => '8000k', gop => 150);

my $t = Test::Media->new();
certificate();
$t->write_conf($conf);
put($_, $files{$_}) for keys %files;
put('large.mp4', $large);
$t->run();

my %bodies;

subtest 'the same bytes' => \&same;
subtest 'ranges' => \&ranges;
subtest 'HEAD and conditions' => \&conditions;
subtest 'gzip' => \&gzip;
subtest 'HTTP/2' => \&http2;
subtest 'a limit' => \&limit;
subtest 'a reload' => \&reload;
subtest 'clients that go away' => \&aborts;
subtest 'clients that stop reading' => \&stalled;
subtest 'many at once' => \&together;
subtest 'a worker dies' => \&killed;
subtest 'counters' => \&counters;

$t->done(more => 1);
$t = undef;

subtest 'more files than the cache holds' => \&small;

done_testing();


sub certificate {
    my ($status, $out) = sh('openssl', 'req', '-x509', '-newkey', 'rsa:2048',
                            '-nodes', '-keyout', $t->path('key.pem'), '-out',
                            $t->path('cert.pem'), '-subj', '/CN=localhost',
                            '-days', 2);

    die "openssl: $out\n" if $status;
}


sub put {
    my ($name, $file) = @_;

    my $path = $t->write_file("media/$name", slurp($file));
    utime 1.6e9, 1.6e9, $path;

    return $path;
}


# below NAME: all that its playlists name

sub urls {
    my ($path) = @_;

    my @urls = qw/ index.m3u8 manifest.mpd ts.m3u8 v1.m3u8 v1.iframes.m3u8 /;
    my $audio = $t->http_get("$path/a1.m3u8")->{status} == 200;

    for my $list ('v1', 'v1.iframes', $audio ? qw/ a1 a1.ts / : (),
                  $audio ? 'v1-a1.ts' : 'v1.ts', 'v1.ts.iframes')
    {
        my $m = m3u8_parse(vod_fetch($t, "$path/$list.m3u8"));

        push @urls, "$list.m3u8", map { $_->{uri} } @{$m->{segments}};
        push @urls, $m->{segments}[0]{map} if $m->{segments}[0]{map};
    }

    return @urls;
}


sub same {
    for my $name (sort keys %files) {
        my @urls = urls("/media/$name");
        my ($bad, $n) = ('', 0);

        cmp_ok(scalar @urls, '>', 15, "$name: names");

        for my $url (@urls) {
            my $body = vod_fetch($t, "/media/$name/$url");
            $bodies{"$name/$url"} = $body;

            for my $way (@ways) {
                for my $worker ($way eq 'sent' ? $t->worker_pids() : undef) {
                    my $r = $t->http_get("/$way/$name/$url",
                                         $worker ? (worker => $worker) : ());
                    $n++;
                    $bad .= "$way $url: " . ($r->{error} || $r->{status})
                            . ' ' . length($r->{body}) . "\n"
                        if $r->{body} ne $body || $r->{status} != 200;
                }
            }
        }

        is($bad, '', "$name: $n answers");
    }
}


sub media {
    return grep { /\.(?:m4s|ts|mp4)$/ } sort keys %bodies;
}


sub ranges {
    my ($bad, $n) = ('', 0);

    srand 1;

    for my $url (grep { !m|/k1/| } media()) {
        my $body = $bodies{$url};
        my $size = length $body;
        my @ranges = ([0, 0], [0, $size - 1], [$size - 1, $size - 1]);

        for (1 .. 3) {
            my $from = int rand $size;
            push @ranges, [$from, $from + int rand($size - $from)];
        }

        for my $way (@ways[int rand @ways, int rand @ways]) {
            for my $range (@ranges, "-100", int($size / 2) . '-') {
                my ($from, $to) = ref $range ? @$range
                    : $range =~ /^-(\d+)/
                    ? ($size > 100 ? $size - 100 : 0, $size - 1)
                    : (int($size / 2), $size - 1);
                my $text = ref $range ? "$from-$to" : $range;

                my $r = $t->http_get("/$way/$url", range => $text);
                my $is = $r->{headers}{'content-range'} || 'no range';
                $n++;

                $bad .= "$way $url $text: $r->{status} $is "
                        . length($r->{body}) . "\n"
                    if $r->{status} != 206
                       || $is ne "bytes $from-$to/$size"
                       || $r->{body} ne substr $body, $from, $to - $from + 1;
            }
        }
    }

    is($bad, '', "$n ranges");
    cmp_ok($n, '>', 100, 'not few');

    for my $url ((media())[0, -1], grep { /-0\.ts$/ } media()) {
        my $size = length $bodies{$url};
        my $r = $t->http_get("/sent/$url", range => "$size-");

        is($r->{status}, 416, "$url: behind its end");

        $r = $t->http_get("/sent/$url", range => '5-1');
        is($r->{status}, 416, "$url: backwards");

        $r = $t->http_get("/sent/$url", range => '0-9', headers =>
                          { 'If-Range' => '"another"' });
        ok($r->{status} == 200 && $r->{body} eq $bodies{$url},
           "$url: of another version");

        # several: all of it, or parts

        $r = $t->http_get("/sent/$url", range => '0-9,20-29');
        ok($r->{status} == 200 ? $r->{body} eq $bodies{$url}
                               : $r->{status} == 206,
           "$url: two ranges");
    }
}


sub conditions {
    my ($bad, $n) = ('', 0);

    for my $url (sort keys %bodies) {
        next if $url !~ /^mixed/;

        my $r = $t->http_head("/sent/$url");
        $n++;

        $bad .= "HEAD $url: $r->{status} "
                . ($r->{headers}{'content-length'} // '-') . "\n"
            if $r->{status} != 200 || length $r->{body}
               || ($r->{headers}{'content-length'} // -1)
                  != length $bodies{$url};

        my ($tag, $date) = @{$r->{headers}}{qw/ etag last-modified /};

        $bad .= "$url: no ETag\n", next if !defined $tag;

        $bad .= "$url: If-None-Match\n"
            if $t->http_get("/sent/$url", headers =>
                            { 'If-None-Match' => $tag })->{status} != 304;
        $bad .= "$url: If-None-Match, another\n"
            if $t->http_get("/sent/$url", headers =>
                            { 'If-None-Match' => '"x"' })->{status} != 200;

        if ($url =~ /\.(?:m4s|ts)$/) {
            $bad .= "$url: no Last-Modified\n", next if !defined $date;
            $bad .= "$url: If-Modified-Since\n"
                if $t->http_get("/sent/$url", headers =>
                          { 'If-Modified-Since' => $date })->{status} != 304;
            $bad .= "$url: not immutable\n"
                if ($r->{headers}{'cache-control'} || '') !~ /immutable/;
        }
    }

    is($bad, '', "$n names");
    cmp_ok($n, '>', 15, 'not few');

    is($t->http(method => 'POST', path => '/sent/mixed.mp4/index.m3u8',
                data => 'x')->{status}, 405, 'POST');
}


sub gzip {
    my $smaller = 0;

    for my $url (grep { /^mixed.*(?:m3u8|mpd)$/ } sort keys %bodies) {
        my $r = $t->http_get("/sent/$url", headers =>
                             { 'Accept-Encoding' => 'gzip' });
        my $text = $r->{body};

        # what is short stays as it is

        if (($r->{headers}{'content-encoding'} || '') eq 'gzip') {
            my $packed = $r->{body};
            gunzip(\$packed, \$text);
            cmp_ok(length $packed, '<', length $text, "$url: smaller");
            $smaller++;
        }

        is($text, $bodies{$url}, "$url: the same");
        like($r->{headers}{vary} || '', qr/Accept-Encoding/, "$url: Vary");
    }

    cmp_ok($smaller, '>=', 2, 'some are packed');
}


sub http2 {
    my @urls = grep { /^(?:mixed|clusters)/ } sort keys %bodies;
    my ($bad, @args) = ('');

    cmp_ok(scalar @urls, '>', 30, 'names for HTTP/2');

    for my $i (0 .. $#urls) {
        push @args, 'https://127.0.0.1:' . $t->port('TLS') . '/'
                    . $ways[$i % @ways] . "/$urls[$i]",
                    '-o', $t->path("h2-$i");
    }

    my ($status, $out) = sh('curl', '-sSk', '--http2', '-Z',
                            '--parallel-max', 16, @args);
    is($status, 0, 'curl') or diag($out);

    for my $i (0 .. $#urls) {
        $bad .= "$urls[$i]\n"
            if (eval { slurp($t->path("h2-$i")) } // '')
               ne $bodies{$urls[$i]};
    }

    is($bad, '', scalar(@urls) . ' at once over one connection');
}


sub first {
    my ($name, $list) = @_;

    my $m = m3u8_parse(vod_fetch($t, "/sent/$name/$list.m3u8"));
    return $m->{segments}[0]{uri};
}


sub limit {
    for my $list (qw/ v1 v1-a1.ts /) {
        my $url = first('large.mp4', $list);
        my $whole = vod_fetch($t, "/sent/large.mp4/$url");

        my $r = $t->http_get("/slow/large.mp4/$url", range => '0-799999');

        is(md5_hex($r->{body}), md5_hex(substr $whole, 0, 800000),
           "$list: bytes");
        cmp_ok($r->{took}, '>', 0.8, "$list: it takes its time");
    }
}


sub reload {
    my %whole;

    for my $url (first('large.mp4', 'v1'), first('large.mp4', 'v1-a1.ts')) {
        $whole{"/$_/large.mp4/$url"} = vod_fetch($t, "/sent/large.mp4/$url")
            for qw/ sent copied /;
    }

    my %slow = map {
        $_ => $t->start_get($_, rcvbuf => 8192, timeout => 60, paused => 1)
    } keys %whole;

    full(scalar keys %slow);

    $t->reload();

    for my $url (keys %whole) {
        is(md5_hex(vod_fetch($t, $url)), md5_hex($whole{$url}),
           "$url: by the new workers");
    }

    $_->resume() for values %slow;

    for my $url (sort keys %slow) {
        is(md5_hex($slow{$url}->result(60)->{body}), md5_hex($whole{$url}),
           "$url: to its end");
    }

    wait_ok(sub { !$t->old_workers() }, 20, 'old workers are gone');
}


sub aborts {
    my @urls = map { "/$_/large.mp4/" } @ways;
    my @names = (first('large.mp4', 'v1'), first('large.mp4', 'v1-a1.ts'),
                 first('large.mp4', 'a1'));
    my $n = 0;

    srand 2;

    for my $round (1 .. 20) {
        my @active = map {
            $t->start_get($urls[rand @urls] . $names[rand @names],
                          rcvbuf => 8192);
        } 1 .. 10;

        my $end = now() + rand 0.05;
        $t->pump(0.005) while now() < $end;

        $_->cancel() for @active;
        $n += @active;
    }

    is($n, 200, 'gone');
    is(md5_hex(vod_fetch($t, "/media/$_")), md5_hex($bodies{$_}), "then $_")
        for (media())[0, -1];
}


# so many connections cannot be written to

sub full {
    my ($n) = @_;

    my $port = sprintf '%04X', $t->port('HTTP');

    wait_until(sub {
        $n <= grep {
            my ($local, $state, $queue) = (split)[1, 3, 4];
            defined $queue && $local =~ /:$port$/ && $state eq '01'
                && $queue !~ /^0+:/;
        } split /\n/, slurp('/proc/net/tcp');
    }, 60, "$n connections to be full");
}


sub rss {
    my $sum = 0;

    for my $pid ($t->worker_pids()) {
        $sum += $1 if slurp("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/;
    }

    return $sum;
}


sub stalled {
    my @names = map { "/$_" } 'sent/large.mp4/' . first('large.mp4', 'v1'),
        'copied/large.mp4/' . first('large.mp4', 'v1'),
        'sent/large.mp4/' . first('large.mp4', 'v1-a1.ts');

    # what is needed once is there

    for my $pid ($t->worker_pids()) {
        $t->http_get($_, worker => $pid) for @names;
    }

    my $before = rss();

    my @active = map {
        $t->start_get($names[$_ % @names], rcvbuf => 4096, timeout => 120,
                      paused => 1)
    } 0 .. 299;

    full(scalar @active);

    # nothing moves any more
    my $last = -1;

    wait_until(sub {
        my $now = rss();
        my $same = $now == $last;
        $last = $now;
        select undef, undef, undef, 0.3;
        return $same;
    }, 30, 'workers to rest');

    my $each = (rss() - $before) / @active;

    note(sprintf '%.1f KB for each', $each);

    SKIP: {
        skip 'a sanitizer needs memory, too', 1
            if $t->build_flags() =~ /-fsanitize/;
        cmp_ok($each, '<', 64, 'memory for each of 300');
    }

    # others are served meanwhile

    is(md5_hex(vod_fetch($t, "/media/$_")), md5_hex($bodies{$_}),
       "meanwhile $_") for (media())[0, -1];

    $_->cancel() for @active;
}


sub cache {
    return $t->status()->{vod}{cache};
}


sub together {
    put('new.mp4', $files{'mixed.mp4'});
    my $before = cache();

    my @active = map {
        $t->start_get("/sent/new.mp4/" . (qw/ index v1 a1 /)[$_ % 3]
                      . '.m3u8')
    } 1 .. 20;

    my @status = map { $_->result(20)->{status} } @active;
    my $after = cache();

    is(join(' ', grep { $_ != 200 } @status), '', 'all are answered');

    # the file and its set

    is($after->{misses} - $before->{misses}, 2, 'it is indexed once');
}


sub killed {
    vod_film($t->path('media/film.mp4'), 30, $files{'single.mp4'});

    my ($pid, $other) = $t->worker_pids();

    my $start = now();
    my $film = $t->start_get('/sent/film.mp4/v1.m3u8', worker => $pid,
                             timeout => 60);
    my $waits = $t->start_get('/sent/film.mp4/v1.m3u8', worker => $other,
                              timeout => 60);

    $t->pump(0.02);
    $t->kill_worker($pid);

    for (1 .. 5) {
        my ($url) = (media())[$_];
        is(md5_hex($t->http_get("/sent/$url", worker => $other)->{body}),
           md5_hex($bodies{$url}), 'others go on');
    }

    my $r = $waits->result(60);
    is($r->{status}, 200, 'who waits for it is answered');
    note(sprintf 'after %.2f s', now() - $start);

    my $list = m3u8_parse($r->{body});
    is(scalar @{$list->{segments}}, 30 * 1800, 'all of the film');

    $film->cancel();

    is($t->http_get('/sent/film.mp4/v1.m3u8')->{status}, 200, 'and again');

    # nobody waits long while one of them is indexed

    vod_film($t->path('media/film2.mp4'), 30, $files{'single.mp4'});

    ($pid) = $t->worker_pids();
    $film = $t->start_get('/sent/film2.mp4/index.m3u8', worker => $pid,
                          timeout => 60);
    my ($longest, $n) = (0, 0);

    while (!$film->done() && $n < 200) {
        my $r = $t->http_get("/sent/mixed.mp4/index.m3u8", worker => $pid);
        $longest = $r->{took} if $r->{took} > $longest;
        $n++;
    }

    is($film->result(60)->{status}, 200, 'another film');
    note(sprintf '%d requests meanwhile, %.1f ms at most', $n,
         $longest * 1000);

    unlink $t->path('media/film.mp4'), $t->path('media/film2.mp4');
}


sub counters {
    wait_ok(sub { cache()->{pins} == 0 }, 20, 'nothing is pinned');

    my $cache = cache();
    note(join ', ', map { "$_ $cache->{$_}" } sort grep { /^[a-z]+$/ }
         keys %$cache);

    cmp_ok($cache->{hits}, '>', 0, 'hits');
    cmp_ok($cache->{used}, '<=', $cache->{size}, 'no more than there is');
}


# 1 MB is for some tens of these

sub small {
    $t = Test::Media->new();
    certificate();
    $t->write_conf($conf =~ s/http \{/http {\n    media_vod_cache 1m;\n
    media_vod_valid 100ms;/r);

    my $source = $files{'mixed.mp4'};
    my $n = 200;

    for my $i (1 .. $n) {
        my $path = put("$i.mp4", $source);
        utime 1.5e9 + $i, 1.5e9 + $i, $path;
    }

    $t->run();

    my ($bad, %tags) = ('');
    my ($want) = map { md5_hex($bodies{$_}) }
                 grep { m|^mixed\.mp4/v1/.*-1\.m4s$| } keys %bodies;

    srand 3;

    for my $i (1 .. $n, map { 1 + int rand $n } 1 .. 200) {
        my $r = $t->http_get("/sent/$i.mp4/v1.m3u8");

        $bad .= "$i: $r->{status}\n", next if $r->{status} != 200;

        my $url = m3u8_parse($r->{body})->{segments}[1]{uri};
        my $s = $t->http_get("/sent/$i.mp4/$url");

        $bad .= "$i: segment $s->{status}\n"
            if $s->{status} != 200 || md5_hex($s->{body}) ne $want;
        $bad .= "$i: $url, it was $tags{$i}\n"
            if defined $tags{$i} && $tags{$i} ne $url;
        $tags{$i} = $url;
    }

    is($bad, '', 'all are right');

    my $cache = cache();
    note(join ', ', map { "$_ $cache->{$_}" } sort grep { /^[a-z]+$/ }
         keys %$cache);
    cmp_ok($cache->{evictions}, '>', 0, 'some were evicted');

    counters();

    # what does not fit is served all the same, and said once

    vod_film($t->path('media/film.mp4'), 12, $files{'single.mp4'});
    is($t->http_get('/sent/film.mp4/v1.m3u8')->{status}, 200,
       'one that does not fit') for 1 .. 3;
    cmp_ok($t->log_count(qr/no room for its (?:index|set)/), '<=', 4,
           'is said, not every time');

    $t->done(more => 1);
}
