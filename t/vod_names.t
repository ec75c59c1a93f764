#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Names of files: what they may look like, what they may not reach; and files
# that are replaced, deleted, cut and that grow while they are served.

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();

use Test::Media;
use Test::Media::Boxes;
use Test::Media::Vod;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
http {
    media_vod_segment 2s;
    media_vod_valid 200ms;

    server {
        listen 127.0.0.1:%%PORT_HTTP%% sndbuf=32k;

        location / {
            root %%DIR%%/media;
            media_vod on;
        }

        location /alias/ {
            alias %%DIR%%/media/;
            media_vod on;
        }

        location /no_links/ {
            alias %%DIR%%/media/;
            disable_symlinks on;
            media_vod on;
        }

        location /own_links/ {
            alias %%DIR%%/media/;
            disable_symlinks if_not_owner;
            media_vod on;
        }

        # slowly: the files are changed meanwhile

        location /copied/ {
            alias %%DIR%%/media/;
            sendfile off;
            limit_rate 1000k;
            media_vod on;
        }

        location /sent/ {
            alias %%DIR%%/media/;
            sendfile on;
            limit_rate 1000k;
            media_vod on;
        }

        location /now/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_valid 0;
        }

        location /long/ {
            alias %%DIR%%/media/;
            media_vod on;
            media_vod_valid 10s;
        }
    }
}
EOC

my $media = $t->path('media');
mkdir $media;

my $movie = vod_made('movie.mp4', seconds => 6);
my $other = vod_made('other.mp4', seconds => 4, size => '192x108');
my $large = vod_made('large.mp4', seconds => 6, size => '640x360',
                     bitrate => '8000k', gop => 150);

$t->run();

my $nobody = $t->user() !~ /root/;

subtest 'names' => \&names;
subtest 'what is not a file' => \&no_files;
subtest 'symbolic links' => \&links;
subtest 'sets' => \&sets;
subtest 'a file is replaced' => \&replaced;
subtest 'a file is deleted' => \&deleted;
subtest 'a file is cut' => \&cut;
subtest 'a file grows' => \&grows;
subtest 'one track is ahead of another' => \&ahead;
subtest 'what another worker has listed' => \&listed;

$t->done();


sub put {
    my ($name, $file) = @_;

    return $t->write_file("media/$name", slurp($file || $movie));
}


# 200, and all of it is there

sub served {
    my ($path, $name) = @_;

    my $r = $t->http_get("$path/index.m3u8");
    is($r->{status}, 200, "$name: index") or return;

    my $list = eval { vod_hls($t, "$path/v1.m3u8") };
    ok($list && @{$list->{segments}} >= 2, "$name: segments")
        or diag($@ || $r->{body});

    return $list;
}


sub refused {
    my ($path, $status, $name, $why) = @_;

    my $before = $t->log_count(qr/\[error\]/);

    is($t->http_get($path)->{status}, $status, $name);

    return if !$why;

    my @said = grep { /\[error\]/ } split /\n/, $t->log();
    is(scalar @said - $before, 1, "$name: one line");
    like($said[-1] // '', $why, "$name: why");
}


sub names {
    my %names = (
        'with space.mp4' => 'with%20space.mp4',
        "f\xc3\xbcr \xe6\x98\xa0\xe7\x94\xbb.mp4"
            => 'f%c3%bcr%20%e6%98%a0%e7%94%bb.mp4',
        'per%2fcent.mp4' => 'per%252fcent.mp4',
        'a/b/c/movie.mp4' => 'a/b%2Fc/movie.mp4',
        'quote".mp4' => 'quote%22.mp4',
        'question?.mp4' => 'question%3f.mp4',
        'hash#.mp4' => 'hash%23.mp4',
        'back\\slash.mp4' => 'back%5cslash.mp4',
        'comma,comma.mp4' => 'comma,comma.mp4',
        'no extension' => 'no%20extension',
        'index.m3u8' => 'index.m3u8',
        'v1' => 'v1',
        'v1.m3u8' => 'v1.m3u8',
        'init-0123456789abcdef.mp4' => 'init-0123456789abcdef.mp4',
        "\xff\xfe.mp4" => '%ff%fe.mp4',
        ('x' x 251) . '.mp4' => ('x' x 251) . '.mp4',
    );

    for my $name (sort keys %names) {
        put($name);

        my $list = served("/$names{$name}",
                          length $names{$name} > 60 ? 'long' : $names{$name});

        # whatever the name, what it is called by is relative
        is(scalar(grep { $_->{uri} !~ m|^v1/[0-9a-f]{8}-\d+\.m4s$| }
                  @{$list->{segments}}), 0, 'relative names') if $list;
    }

    is($t->http_get('/alias/v1/index.m3u8')->{status}, 200, 'alias');

    # names that mean another file, or nothing

    put('secret.mp4');
    rename "$media/secret.mp4", $t->path('secret.mp4');

    served('/a/../a/b/c/movie.mp4', 'dots');
    served('/a/%2e%2e/a/b/./c//movie.mp4', 'dots and slashes');
    refused('/../secret.mp4/index.m3u8', 400, 'above the root');
    refused('/a/%2e%2e/%2e%2e/secret.mp4/index.m3u8', 400, 'the same');
    refused('/..%5csecret.mp4/index.m3u8', 404, 'a backslash is none');
    refused('/movie%00.mp4/index.m3u8', 400, 'a zero');
    refused('/new%0aline.mp4/index.m3u8', 404, 'a control character');
    refused('/alias/../../secret.mp4/index.m3u8', 400, 'above the alias');

    refused('/' . 'x' x 256 . '.mp4/index.m3u8', 404, 'too long',
            qr/media vod: .* failed/);
    refused('/' . 'x/' x 2100 . 'm.mp4/index.m3u8', 404, 'a long path');

    refused('/missing.mp4/index.m3u8', 404, 'missing',
            qr|media vod: "\Q$media\E/missing.mp4": .*No such file|);
    refused('/with%20space.mp4/deeper/index.m3u8', 404, 'below a file',
            qr/media vod: .*Not a directory/);
    refused('/index.m3u8', 404, 'no name');
    refused('/alias/index.m3u8', 404, 'no name below an alias');
    refused('/v1', 404, 'nothing is asked of it');
    refused('/v1/v2.m3u8', 404, 'no such track');
    refused('/v1/v1.mp3u8', 404, 'no such kind');
    refused('/v1/thumb-x.jpg', 404, 'no number');
}


sub no_files {
    mkdir "$media/empty";
    refused('/empty/index.m3u8', 404, 'an empty directory',
            qr/no media file in the directory/);

    POSIX::mkfifo("$media/fifo.mp4", 0666);
    chmod 0666, "$media/fifo.mp4";

    # it does not hang

    refused('/fifo.mp4/index.m3u8', 404, 'a FIFO', qr/media vod: .*fifo/);

    for (1 .. 3) {
        is($t->http_get('/fifo.mp4/v1.m3u8')->{status}, 404, 'again');
    }

    symlink '/dev/zero', "$media/zero.mp4";
    refused('/zero.mp4/index.m3u8', 404, 'a device', qr/media vod: .*zero/);

    symlink 'loop.mp4', "$media/loop.mp4";
    like($t->http_get('/loop.mp4/index.m3u8')->{status}, qr/^40[34]$/,
         'a link to itself');

    $t->write_file('media/nothing.mp4', '');
    refused('/nothing.mp4/index.m3u8', 415, 'an empty file',
            qr/media vod: .*nothing\.mp4/);

    $t->write_file('media/zeros.mp4', "\0" x 65536);
    refused('/zeros.mp4/index.m3u8', 415, 'zeros',
            qr/media vod: .*zeros\.mp4": \S/);

    SKIP: {
        skip 'workers are of root', 4 if !$nobody;

        put('locked.mp4');
        chmod 0600, "$media/locked.mp4";
        refused('/locked.mp4/index.m3u8', 403, 'no permission',
                qr/media vod: .*Permission denied/);

        put('locked/movie.mp4');
        chmod 0700, "$media/locked";
        is($t->http_get('/locked/movie.mp4/index.m3u8')->{status}, 403,
           'nor for its directory');
        is($t->http_get('/locked/index.m3u8')->{status}, 403,
           'nor for the set of it');

        chmod 0755, "$media/locked";
    }
}


sub links {
    put('links/real/movie.mp4');

    symlink 'real/movie.mp4', "$media/links/file.mp4";
    symlink 'real', "$media/links/dir";
    symlink 'nowhere.mp4', "$media/links/broken.mp4";

    served('/links/file.mp4', 'a link');
    served('/links/dir/movie.mp4', 'a linked directory');
    served('/no_links/links/real/movie.mp4', 'no link, none allowed');

    refused('/no_links/links/file.mp4/index.m3u8', 403, 'a link, refused',
            qr/media vod: /);
    # as for nginx's own files: on Linux it is "not a directory"
    refused('/no_links/links/dir/movie.mp4/index.m3u8', 404,
            'a linked directory, refused', qr/media vod: /);
    refused('/links/broken.mp4/index.m3u8', 404, 'a link to nothing',
            qr/No such file/);

    served('/own_links/links/file.mp4', 'a link of the owner');

    SKIP: {
        skip 'not root', 1 if $> != 0;

        put('links/theirs.mp4');
        symlink 'theirs.mp4', "$media/links/mine.mp4";
        chown 1, 1, "$media/links/theirs.mp4";

        refused('/own_links/links/mine.mp4/index.m3u8', 403,
                'a link to what is somebody else\'s', qr/media vod: /);
        served('/links/mine.mp4', 'the same, not forbidden');
    }

    # what one location may is no permission for another

    for (1 .. 4) {
        served('/links/file.mp4', 'warm');
        is($t->http_get('/no_links/links/file.mp4/index.m3u8')->{status}, 403,
           'still refused');
    }
}


sub sets {
    put('set/m_180.mp4');
    put('set/m_108.mp4', $other);

    my $list = m3u8_parse(vod_fetch($t,
        '/set/m_,180,108,.mp4.urlset/index.m3u8'));
    is(join(' ', sort map { $_->{attr}{RESOLUTION} } @{$list->{variants}}),
       '160x90 192x108', 'a set of two names');

    $list = m3u8_parse(vod_fetch($t, '/set/index.m3u8'));
    is(scalar(@{$list->{variants}}), 2, 'a directory');

    for my $id (qw/ v1 v2 /) {
        my $one = vod_hls($t, "/set/m_,180,108,.mp4.urlset/$id.m3u8");
        cmp_ok(scalar @{$one->{segments}}, '>=', 2, "$id: segments");
    }

    $list = m3u8_parse(vod_fetch($t, '/set/m_,180,.mp4.urlset/index.m3u8'));
    is(scalar(@{$list->{variants}}), 1, 'a set of one');

    refused('/set/m_,180,720,.mp4.urlset/index.m3u8', 404, 'one is missing',
            qr/media vod: .*m_720\.mp4/);
    refused('/set/m_,180,../../secret,.mp4.urlset/index.m3u8', 404,
            'a name that climbs');
    refused('/set/,m_180,../../secret,.mp4.urlset/index.m3u8', 404,
            'the same, at the beginning');
    refused('/set/m_' . ',180' x 100 . ',.mp4.urlset/index.m3u8', 404,
            'too many', qr/names in the name/);

    # a directory holds what it holds

    my $before = vod_fetch($t, '/set/index.m3u8');
    put('set/m_109.mp4', $other);

    wait_ok(sub {
        my $r = $t->http_get('/set/index.m3u8');
        return $r->{status} == 200 && $r->{body} ne $before;
    }, 10, 'a file that is added is seen');
}


sub urls {
    my ($path) = @_;

    my $list = m3u8_parse(vod_fetch($t, "$path/v1.m3u8"));
    return map { $_->{uri} } @{$list->{segments}};
}


sub replaced {
    my $path = '/replaced.mp4';

    put('replaced.mp4');
    my @old = urls($path);
    my $bytes = vod_fetch($t, "$path/$old[0]");

    put('next.mp4', $other);
    rename "$media/next.mp4", "$media/replaced.mp4";

    my @new;
    wait_until(sub {
        @new = urls($path);
        return $new[0] ne $old[0];
    }, 10, 'the new file');

    # by now all workers know, or their answers are of the old one

    select undef, undef, undef, 0.5;

    for (1 .. 8) {
        is(join(' ', urls($path)), "@new", 'new names');
        is($t->http_get("$path/$old[0]")->{status}, 404, 'the old is gone');
        isnt(vod_fetch($t, "$path/$new[0]"), $bytes, 'other bytes');
    }

    # in place, of the same size: the time says so

    my $data = slurp($movie);
    my $same = $t->write_file('media/place.mp4', $data);
    utime 1e9, 1e9, $same;
    my ($first) = urls('/place.mp4');

    $t->write_file('media/place.mp4', $data);

    wait_ok(sub {
        return (urls('/place.mp4'))[0] ne $first;
    }, 10, 'touched: another name');

    # known for ten seconds: until then the old one is whole

    put('long.mp4');
    @old = urls('/long/long.mp4');
    $bytes = vod_fetch($t, "/long/long.mp4/$old[1]");
    put('next.mp4', $other);
    rename "$media/next.mp4", "$media/long.mp4";

    my $r = $t->http_get("/long/long.mp4/$old[1]");
    ok($r->{status} == 404 || $r->{body} eq $bytes,
       'the old one or nothing, never another');
}


sub deleted {
    put('deleted.mp4', $large);

    my ($name) = urls('/sent/deleted.mp4');
    my $bytes = vod_fetch($t, "/deleted.mp4/$name");
    my $ts = vod_fetch($t, '/deleted.mp4/v1-a1/'
                           . ($name =~ s|v1/(.*)\.m4s|$1.ts|r));

    cmp_ok(length $bytes, '>', 1000000, 'a large segment');

    my @slow = map { $t->start_get($_) } (
        "/sent/deleted.mp4/$name", "/copied/deleted.mp4/$name",
        '/sent/deleted.mp4/v1-a1/' . ($name =~ s|v1/(.*)\.m4s|$1.ts|r));

    wait_until(sub { !grep { $_->{state} eq 'head' } @slow }, 10, 'answers');

    unlink "$media/deleted.mp4";

    wait_until(sub {
        $t->http_get('/sent/deleted.mp4/index.m3u8')->{status} == 404;
    }, 10, 'it to be missed');

    is(scalar(grep { $_->done() } @slow), 0, 'they are not done');

    my @got = map { $_->result(30) } @slow;

    ok($got[0]{body} eq $bytes, 'sendfile: all of it');
    ok($got[1]{body} eq $bytes, 'no sendfile: all of it');
    ok($got[2]{body} eq $ts, 'TS: all of it');

    put('deleted.mp4', $large);

    wait_ok(sub {
        $t->http_get('/sent/deleted.mp4/index.m3u8')->{status} == 200;
    }, 10, 'it is back');
}


sub cut {
    $t->allow_alerts(qr/reported that ".*" was truncated/);

    for my $how (qw/ sent copied ts /) {
        my $name = "cut-$how.mp4";
        my $at = $how eq 'copied' ? '/copied' : '/sent';

        put($name, $large);

        my ($url) = urls("$at/$name");
        $url =~ s|v1/(.*)\.m4s|v1-a1/$1.ts| if $how eq 'ts';

        my $whole = length vod_fetch($t, "/$name/$url");

        my $slow = $t->start_get("$at/$name/$url");
        wait_until(sub { $slow->{state} ne 'head' }, 10, 'an answer');

        my $before = $t->log_count(qr/\[(?:error|alert|crit)\]/);

        truncate "$media/$name", 2500000;

        my $r = $slow->result(30);

        cmp_ok(length($r->{body}), '<', $whole, "$how: it ends short");
        ok($r->{error}, "$how: and the client is told");
        is($t->log_count(qr/\[(?:error|alert|crit)\]/) - $before, 1,
           "$how: one line");

        # it is another file now, and a broken one

        wait_until(sub {
            my $status = $t->http_get("$at/$name/index.m3u8")->{status};
            return $status == 415 || $status == 200;
        }, 10, 'an answer of what is left');

        my $answer = $t->http_get("$at/$name/$url");
        isnt($answer->{status}, 200, "$how: the old name is gone")
            if !$answer->{error};
    }
}


sub fragments {
    return fixture('grow.mp4',
        ffmpeg_source(re => 0, size => '160x90', bitrate => '100k'),
        qw/ -t 12 -threads 1 -pix_fmt yuv420p -movflags
            frag_keyframe+empty_moov+default_base_moof+skip_trailer /);
}


sub grows {
    my $whole = slurp(fragments());
    my @boxes = @{mp4_boxes($whole)};
    my @moofs = grep { $boxes[$_]{type} eq 'moof' } 0 .. $#boxes;
    my @ends = map { $boxes[$_ + 1]{offset} + $boxes[$_ + 1]{size} } @moofs;

    cmp_ok(scalar @moofs, '>=', 10, 'fragments');

    my $file = $t->write_file('media/grow.mp4',
                              substr $whole, 0, $boxes[$moofs[0]]{offset});

    like($t->http_get('/grow.mp4/v1.m3u8')->{status}, qr/^4/,
         'only a moov: nothing to list');

    my (@lines, %starts);
    my ($lists, $bad) = (0, '');

    for my $i (0 .. $#ends) {
        my $from = -s $file;

        open my $fh, '>>:raw', $file or die "$file: $!\n";
        print $fh substr $whole, $from, int(($ends[$i] - $from) / 2);
        close $fh;

        # half of a fragment is nothing
        my $half = poll(\@lines, \$bad);

        $from = -s $file;
        open $fh, '>>:raw', $file or die "$file: $!\n";
        print $fh substr $whole, $from, $ends[$i] - $from;
        close $fh;

        select undef, undef, undef, 0.25;

        my $list = poll(\@lines, \$bad);
        $lists++ if $list;

        my $mpd = $t->http_get('/grow.mp4/manifest.mpd')->{body};
        $starts{$1} = 1 if $mpd =~ /availabilityStartTime="([^"]+)"/;
    }

    is($bad, '', 'lines never change');
    cmp_ok($lists, '>', 5, 'playlists while it grew');
    cmp_ok(scalar @lines, '>', 6, 'lines');

    my $list = m3u8_parse(vod_fetch($t, '/grow.mp4/v1.m3u8'));

    is($list->{type}, 'EVENT', 'EVENT');
    ok(!$list->{endlist}, 'not at its end');
    cmp_ok(scalar @{$list->{segments}}, '>=', 5, 'segments');

    # all that was ever listed is there, as it was

    my $event = vod_hls($t, '/grow.mp4/v1.m3u8');
    my $text = vod_fetch($t, '/grow.mp4/manifest.mpd');
    my $mpd = vod_mpd($text);
    is(join(' ', map { $_->{uri} } @{$mpd->{v1}{segments}}),
       join(' ', map { $_->{uri} } @{$event->{segments}}),
       'DASH: what there is');

    # what follows may still change

    for ($event, vod_ts($t, '/grow.mp4/v1-a1.ts.m3u8')) {
        my ($at, $n, $ext) = $_->{segments}[-1]{uri} =~ /^(.*-)(\d+)(\..*)/;
        my $next = $at . ($n + 1) . $ext;

        is($t->http_get("/grow.mp4/$next")->{status}, 404, "$next: not yet");
    }

    # it began before it was written to, and not later than what it lasts

    my ($start) = $text =~ /type="dynamic"\ availabilityStartTime="([^"]+)"/
        or diag($text);

    like($start, qr/^20\d\d-/, 'goes on');
    is(join(' ', sort { $a cmp $b } keys %starts), $start, 'began once');
    like($text, qr/minimumUpdatePeriod=/, 'is asked for again');
    unlike($text, qr/timeShiftBufferDepth|mediaPresentationDuration/,
           'all of it stays');
    like($text, qr/<Period id="\d+" start="PT0S">/, 'its times');
    like(vod_fetch($t, '/grow.mp4/time.txt'), qr/^20\d\d-\S+Z$/, 'clock');

    # a minute later nobody expects more

    utime time() - 100, time() - 100, $file;

    $list = $t->wait_playlist('/grow.mp4/v1.m3u8',
                              sub { $_[0]{endlist} }, 10);

    poll(\@lines, \$bad);
    is($bad, '', 'nor at the end');

    my $all = vod_hls($t, '/grow.mp4/v1.m3u8');
    my $n = @{$event->{samples}};

    is(scalar @{$all->{samples}}, 300, 'all frames');
    my ($first, $then) = map {
        join ' ', map { "$_->{md5} $_->{dts}" } @{$_->{samples}}[0 .. $n - 1]
    } $event, $all;

    is($then, $first,
       'the same as while it grew');
    $text = vod_fetch($t, '/grow.mp4/manifest.mpd');

    like($text, qr/type="static" mediaPresentationDuration="PT12/,
         'DASH: static');
    like($text, qr/<Period id="\d+" start="PT0S"/, 'where it was');
    is($t->http_get('/grow.mp4/time.txt')->{status}, 404, 'without a clock');
}


# four seconds of one rendition, then the same of the other: once both have been
# listed they stay

sub ahead {
    my ($video) = mp4_media(fragments());
    my @samples = @{$video->{samples}};
    my $whole = mp4_fragments([$video, $video]);
    my $file = $t->write_file('media/ahead.mp4',
                              substr $whole, 0, mp4_at($whole, 'moof'));
    my ($n, @listed) = (0);

    for my $turn (0 .. 5) {
        my $track = $turn % 2 + 1;

        for my $i (map { int($turn / 2) * 4 + $_ } 0 .. 3) {
            my @part = @samples[$i * 25 .. $i * 25 + 24];

            append($file, Test::Media::Boxes::fragment(
                ++$n, 0, [$track, $part[0]{dts}, @part]));

            my $r = $t->http_get('/now/ahead.mp4/index.m3u8');
            push @listed, scalar(() = $r->{body} =~ /^v\d\.m3u8$/mg);
        }
    }

    like("@listed", qr/^[01 ]*2( 2){16,}$/, 'both, all the time');
}


# a worker that looked at a file before another one did, and believes what it
# saw for long

sub listed {
    my $whole = slurp(fragments());
    my @boxes = @{mp4_boxes($whole)};
    my @ends = map { $_->{offset} + $_->{size} }
        grep { $_->{type} eq 'mdat' } @boxes;
    my ($first, $second) = $t->worker_pids();

    my $get = sub {
        my ($worker, $path) = @_;
        return $t->http_get("/long/$path", worker => $worker);
    };

    my $file = $t->write_file('media/listed.mp4', substr $whole, 0, $ends[4]);

    is($get->($_, 'listed.mp4/v1.m3u8')->{status}, 200, 'both look at it')
        for $first, $second;

    append($file, substr $whole, $ends[4], $ends[6] - $ends[4]);

    # of names that are listed anyhow nothing is looked at again

    my $before = m3u8_parse($get->($second, 'listed.mp4/v1.m3u8')->{body});
    my ($at, $n) = $before->{segments}[-1]{uri} =~ /^(.*-)(\d+)\.m4s$/;

    is($get->($first, "listed.mp4/$at" . ($n + 1) . '.m4s')->{status}, 200,
       'a segment that this one has not listed');

    my $after = m3u8_parse($get->($first, 'listed.mp4/v1.m3u8')->{body});

    cmp_ok(@{$after->{segments}}, '>', @{$before->{segments}}, 'it is now');

    my @new = map { $_->{uri} }
        @{$after->{segments}}[$#{$before->{segments}} + 1
                              .. $#{$after->{segments}}];

    is(m3u8_parse($get->($second, 'listed.mp4/v1.m3u8')->{body})
           ->{segments}[-1]{uri},
       $before->{segments}[-1]{uri}, 'the other one has not');
    is($get->($second, "listed.mp4/$new[-1]")->{status}, 200,
       'what it has not listed is there');

    # nonsense is not worth a look each time

    append($file, substr $whole, $ends[6], $ends[10] - $ends[6]);

    my @found = map {
        $get->($second, "listed.mp4/$at" . ($n + 500 + $_) . '.m4s')->{status}
    } 1 .. 10;

    is("@found", join(' ', (404) x 10), 'what is not there is not');

    # another file of the same name, and one that was none yet

    my $got = sub {
        my ($name) = @_;
        my $text = $get->($first, "$name/v1.m3u8")->{body};
        my $uri = m3u8_parse($text)->{segments}[0]{uri};
        return $get->($second, "$name/$uri")->{status};
    };

    for my $was ($other, undef) {
        my $name = $was ? 'instead.mp4' : 'missing.mp4';

        put($name, $was) if $was;
        $get->($second, "$name/index.m3u8");

        rename(put("$name.new"), $t->path("media/$name")) or die "$name: $!\n";

        is($got->($name), 200, "$name: of the new one");
    }
}


sub append {
    my ($file, $bytes) = @_;

    open my $fh, '>>:raw', $file or die "$file: $!\n";
    print $fh $bytes;
    close $fh or die "$file: $!\n";
}


# what is listed now begins with what was listed before

sub poll {
    my ($lines, $bad) = @_;

    my $r = $t->http_get('/grow.mp4/v1.m3u8');
    return if $r->{status} != 200;

    my @now = grep {
        /^#EXTINF|^[^#]|^#EXT-X-(?:MAP|MEDIA-SEQ|TARGET|VERSION)/
    } split /\n/, $r->{body};

    # a worker may know less than another for a moment

    my $n = @now < @$lines ? @now : @$lines;
    my @differ = grep { $now[$_] ne $lines->[$_] } 0 .. $n - 1;

    $$bad .= join "\n", 'was:', @$lines, 'is:', @now, '' if @differ;
    @$lines = @now if @now > @$lines;

    return 1;
}
