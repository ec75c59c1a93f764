#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Blocking playlist reload, blocked parts, delta updates and their errors
# (RFC 8216bis, 6.2.5), on the worker that has the publisher and on the other.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;

my $t = Test::Media->new();

$t->write_conf(<<'EOC');
media live { zone 64m; segment 1s; part 200ms; window 20s; grace 12s; }
stream { server { listen 127.0.0.1:%%PORT_RTMP%%; media_rtmp; } }
http {
    server {
        listen 127.0.0.1:%%PORT_HTTP%%;
        location /live/  { media_live live; }
        location /status { media_status; }
    }
}
EOC

$t->run();

my @workers = $t->worker_pids();
my $pub = $t->ffmpeg_publish('live/s', worker => $workers[0]);


# what comes before the first part waits for it

wait_until(sub {
    $t->status()->{apps}[0]{streams}[0]
}, 10, 'the stream');

my @early = map { $t->start_get("/live/s/$_") }
            qw/ index.m3u8 manifest.mpd /;

is($_->result(10)->{status}, 200, 'a manifest before its time') for @early;


sub playlist {
    my ($query, %opt) = @_;

    my $r = $t->http_get("/live/s/v1.m3u8$query", %opt);
    $r->{list} = m3u8_parse($r->{body}) if $r->{status} == 200;

    return $r;
}


# (msn, part) of the newest part

sub edge {
    my ($list) = @_;

    my $uri = @{$list->{parts}} ? $list->{parts}[-1]{uri}
                                : $list->{segments}[-1]{parts}[-1]{uri};

    return $uri =~ /(\d+)\.(\d+)\.m4s$/ ? ($1, $2) : ();
}


# what waits now ends with 503

sub nothing_comes {
    my ($ask) = @_;

    $pub->kill('STOP');
    $ask->();
    $pub->kill('CONT');
}


$t->wait_playlist('/live/s/v1.m3u8', sub { @{$_[0]{segments}} >= 3 }, 10);


for my $pid (@workers) {
    my $where = $pid == $workers[0] ? 'here' : 'there';

    my $list = playlist('', worker => $pid)->{list};

    is($list->{control}{'CAN-BLOCK-RELOAD'}, 'YES', "blocking reload $where");
    is(scalar @{$list->{hints}}, 1, 'one hint');

    my ($msn, $part) = edge($list);

    # the next part, again and again: each answer has it

    my ($n, $exact) = (0, 0);

    for (1 .. 12) {
        $part++;

        my $r = playlist("?_HLS_msn=$msn&_HLS_part=$part", worker => $pid);
        my ($m, $p) = edge($r->{list});

        $n++ if $r->{status} == 200
                && ($m > $msn || $m == $msn && $p >= $part);
        $exact++ if $m == $msn && $p == $part || $m == $msn + 1 && !$p;

        is($r->{headers}{'cache-control'}, 'max-age=12', 'lifetime')
            if $_ == 1;

        ($msn, $part) = ($m, $p);
    }

    is($n, 12, 'each blocked playlist has what was asked for');
    cmp_ok($exact, '>', 0, 'and came with it, not with the one after it');

    # a whole segment

    my $r = playlist("?_HLS_msn=$msn", worker => $pid);
    cmp_ok($r->{list}{next_msn}, '>', $msn, 'a complete segment');

    # what is there already, or has gone, is answered at once

    nothing_comes(sub {
        for ("?_HLS_msn=" . ($msn - 1), '?_HLS_msn=0',
             "?_HLS_msn=0&_HLS_part=7", "?_HLS_part=0&_HLS_msn=$msn")
        {
            is(playlist($_, worker => $pid)->{status}, 200, "$_: at once");
        }
    });

    # a part beyond the end of its segment is the first of the next

    ($msn) = edge(playlist('')->{list});
    $r = playlist("?_HLS_msn=$msn&_HLS_part=14", worker => $pid);
    my ($m) = edge($r->{list});
    cmp_ok($m, '>', $msn, 'the next segment has begun');

    # the hinted part

    my $ok = 0;

    for (1 .. 6) {
        my $l = playlist('', worker => $pid)->{list};
        my $uri = $l->{hints}[0]{URI};
        my $p = $t->http_get("/live/s/$uri", worker => $pid);

        my $then = playlist('', worker => $pid)->{body};

        $ok++ if $p->{status} == 200
                 && length $p->{body} == $p->{headers}{'content-length'}
                 && $then =~ /#EXT-X-PART:[^\n]*URI="\Q$uri\E"/;
    }

    is($ok, 6, 'hinted parts came and were listed');
}


# all of a part or nothing: it never comes in pieces

my $uri = playlist('')->{list}{hints}[0]{URI};
my $r = $t->http_get("/live/s/$uri", range => '0-9007199254740991');
is($r->{status}, 206, 'a hinted part by range');
is($r->{headers}{'content-length'}, length $r->{body}, 'known beforehand');


# errors

my ($msn, $part) = edge(playlist('')->{list});

for (['?_HLS_part=0', 'max-age=8'],
     ['?_HLS_msn=x', 'max-age=8'],
     ['?_HLS_msn=', 'max-age=8'],
     ['?_HLS_msn=-1', 'max-age=8'],
     ['?_HLS_msn=99999999999999999999', 'max-age=8'],
     ["?_HLS_msn=$msn&_HLS_part=x", 'max-age=8'],
     ["?_HLS_msn=" . ($msn + 10), 'max-age=1'],
     ["?_HLS_msn=$msn&_HLS_part=100", 'max-age=1'],
     ["?_HLS_msn=" . ($msn + 1) . '&_HLS_part=100', 'max-age=1'])
{
    my ($query, $cache) = @$_;
    my $r = playlist($query);

    is("$r->{status} $r->{headers}{'cache-control'}", "400 $cache", $query);
}


# delta updates

my $full = $t->wait_playlist('/live/s/v1.m3u8', sub {
    @{$_[0]{segments}} >= 15
}, 20);

is(0 + $full->{control}{'CAN-SKIP-UNTIL'}, 12, 'the skip boundary');

for my $query ('?_HLS_skip=YES', '?_HLS_skip=v2') {
    my $l = playlist($query)->{list};

    cmp_ok($l->{skipped}, '>', 0, "$query");
    is($l->{version}, 9, 'version');

    my $sum = 0;
    $sum += $_->{duration} for @{$l->{segments}};

    cmp_ok($sum, '>=', 11, 'the boundary is kept');
    cmp_ok($sum, '<=', 12.1, 'and no more');
}

is(playlist('?_HLS_skip=NO')->{list}{skipped}, 0, 'another value');

($msn, $part) = edge(playlist('')->{list});
$r = playlist("?_HLS_msn=$msn&_HLS_part=" . ($part + 1) . '&_HLS_skip=YES');
cmp_ok($r->{list}{skipped}, '>', 0, 'blocked and skipped');

# laid over an older playlist it gives the full one

my $old = playlist('')->{list};
my ($delta, $new);

# not while a segment comes between

wait_until(sub {
    $delta = playlist('?_HLS_skip=YES')->{list};
    $new = playlist('')->{list};
    $delta->{msn} == $new->{msn} && $delta->{next_msn} == $new->{next_msn};
}, 10, 'two that belong together');

my %old = map { $_->{msn} => $_->{uri} } @{$old->{segments}};
my @merged = map { $old{$_} }
             $delta->{msn} .. $delta->{msn} + $delta->{skipped} - 1;

push @merged, map { $_->{uri} } @{$delta->{segments}};

is(join(' ', @merged), join(' ', map { $_->{uri} } @{$new->{segments}}),
   'merged');


# rendition reports: what they name is there

my $l = playlist('')->{list};

is(join(' ', map { $_->{URI} } @{$l->{reports}}), 'a1.m3u8', 'reports');

nothing_comes(sub {
    my $report = playlist('')->{list}{reports}[0];
    $r = $t->http_get("/live/s/a1.m3u8?_HLS_msn=$report->{'LAST-MSN'}"
                      . "&_HLS_part=$report->{'LAST-PART'}");
    is($r->{status}, 200, 'what is reported is there');
});


# many at once, on both workers

($msn, $part) = edge(playlist('')->{list});
$part++;

my @many = map {
    $t->start_get("/live/s/v1.m3u8?_HLS_msn=$msn&_HLS_part=$part",
                  worker => $workers[$_ % 2])
} 1 .. 40;

is(scalar(grep { $_->result(10)->{status} == 200 } @many), 40,
   '40 blocked playlists');


# clients that go away while they wait

($msn) = edge(playlist('')->{list});

my @gone = map {
    $t->start_get("/live/s/v1.m3u8?_HLS_msn=" . ($msn + 1))
} 1 .. 20;

wait_until(sub { $t->status()->{apps}[0]{zone}{waiters} > 0 }, 5,
           'requests to wait');
$_->cancel() for @gone;

is(playlist('')->{status}, 200, 'the others go on');


# the publisher leaves: what waits ends with 503, a hinted part with 404

$l = playlist('')->{list};
($msn, $part) = edge($l);

$pub->kill('KILL');

wait_until(sub {
    $t->status()->{apps}[0]{streams}[0]{state} eq 'grace'
}, 5, 'the publisher to be gone');

$r = playlist('');
is(scalar @{$r->{list}{hints}}, 0, 'no hint in grace');
ok(!$r->{list}{endlist}, 'no end either');

($msn, $part) = edge($r->{list});

my $wait = $t->start_get("/live/s/v1.m3u8?_HLS_msn=" . ($msn + 1));

my $p = $t->http_get('/live/s/v1/' . ($msn + 1) . '.0.m4s');
is("$p->{status} $p->{headers}{'cache-control'}", '404 no-store',
   'a part that will not come');

$r = $wait->result(15);
is("$r->{status} $r->{headers}{'cache-control'}", '503 no-store',
   'a playlist that did not come');
is($r->{headers}{'retry-after'}, 1, 'retry');
cmp_ok($r->{took}, '>', 5, 'after three target durations');


# the end: directives are ignored

$t->wait_playlist('/live/s/v1.m3u8', sub { $_[0]{endlist} }, 20);

for ('?_HLS_msn=' . ($msn + 5), '?_HLS_part=1', '?_HLS_skip=YES') {
    $r = playlist($_);
    is($r->{status}, 200, "$_ at the end");
    is($r->{list}{skipped}, 0, 'all of it');
}

$t->done();
