#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Which zones a reload keeps.  One that it does not is ended in order, with a
# line that says why: its publishers are told to come back, and do so into the
# new one.  That goes also for an .so at another path, with another layout of
# what is in a zone, or with the same.

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media;
use Test::Media::Live;
use Test::Media::Tools;

my @tags = live_tags('plain');
my $t = live_nginx(app => 'max_streams 50;');
my $conf = $t->read_file('nginx.conf');
my $replaced = qr/media zone of "\w+" was replaced, /;
my $reconnect = qr/its publishers have to reconnect$/;


# a publisher that has sent so much that there is a playlist

sub publisher {
    my $p = live_publish($t, 'live/x');

    live_play([$p, \@tags, speed => 4, to => 2400]);
    $t->wait_playlist('/live/x/v1.m3u8');

    return $p;
}


# changed with what stands in the configuration, the zone ends for this reason

sub ends {
    my ($name, $sub, $why) = @_;

    my $p = publisher();
    my $lines = $t->log_count($replaced);

    local $_ = $conf;
    $sub->();
    $t->write_file('nginx.conf', $conf = $_);
    $t->reload();

    is($t->log_count($replaced), $lines + 1, "$name: a line");
    is($t->log_count(qr/\[notice\] .*$replaced$why: $reconnect/), 1,
       'that says why') or diag(grep { /replaced/ } split /^/, $t->log());
    ok($p->wait_closed(10), 'its publisher ends');
    ok($t->wait_log(qr/publish ended: the media zone was replaced/),
       'and hears why');
    wait_ok(sub { !$t->old_workers() }, 10, 'nobody is left there');

    return if $name eq 'no application';

    publisher()->close();
    is(live_stream($t, 'x')->{worker} && 1, 1, 'it comes back');
}


# what is configured decides nothing, but for the zone's size and max_streams:
# each directive of a feature is set anew in a running application, and those of
# the core together

my %core = (
    segment => '2s', part => '300ms', window => '30s', grace => '4m',
    track_wait => '2s', drain => '1h', send_limit => '30s',
    publish_conflict => 'reject', max_bitrate => '8m',
);

my %features = (
    stream_log => ['off', 'on'],
    transcode => ['off'],
    publish_auth => ['off', 'keys=' . $t->path('keys')],
    play_auth => ['off'],
    play_limit => ['off'],
    token_key => [$t->path('secret')],
    token_audience => ['tv'],
    token_issuer => ['us'],
    token_leeway => ['5s'],
    on => ['publish http://127.0.0.1:9/', 'update http://127.0.0.1:9/'],
);

my %found;

for my $file (glob $t->root() . '/ngx_stream_vod_module/*/*.c') {
    my $text = do { local (@ARGV, $/) = ($file); <> };

    my $of = $file =~ m|/core/| ? 'core' : 'features';

    push @{$found{$of}}, $text =~ /ngx_string\("(\w+)"\),
                                   \s+NGX_MEDIA_CONF\b/gx;
}

is_deeply([sort @{$found{core}}], [sort keys %core, 'zone', 'max_streams'],
          'directives of the core');
is_deeply([sort @{$found{features}}], [sort keys %features], 'and of features');

$t->write_file('keys', "something-secret name\n");
$t->write_file('secret', 'x' x 32);
chmod 0600, $t->path($_) for qw/ keys secret /;

my $p = publisher();
my $id = live_stream($t, 'x')->{publisher}{pid};
my $born = live_stream($t, 'x')->{publishes};

for my $set (map { my $name = $_;
                   map { { $name => $_ } } @{$features{$name}}, '' }
                 sort keys %features)
{
    my ($name, $value) = %$set;

    my $directive = $value ? "$name $value;" : '';

    $t->write_file('nginx.conf', $conf =~ s/^(media live \{)/$1 $directive/mr);
    $t->reload();

    is(live_stream($t, 'x')->{publisher}{pid}, $id,
       "$name " . ($value || 'as it was'));
}

$conf =~ s/^(media live \{).*/"$1 zone 64m; max_streams 50; "
          . join ' ', (map { "$_ $core{$_};" } sort keys %core), '}'/me;
$t->write_file('nginx.conf', $conf);
$t->reload();

is(live_stream($t, 'x')->{publisher}{pid}, $id, 'all of the core');
is(live_stream($t, 'x')->{publishes}, $born, 'a zone that is kept');
is($t->log_count($replaced), 0, 'no line');
$p->close();

ends('another size', sub { s/zone 64m;/zone 96m;/ },
     '67108864 bytes by 100663296');
ends('more streams', sub { s/max_streams 50;/max_streams 60;/ },
     'max_streams 50 by 60');

SKIP: {
    my ($so) = $conf =~ /^load_module (\S+ngx_stream_vod\S+);/m;

    skip 'the module is linked in', 1 if !$so;

    # its layout is the first word of what says what the core has in zones

    my ($at) = grep { /\bngx_media_core_module_ctx$/ } split /\n/,
        (sh('nm', $so))[1];
    my $address = hex(($at || '') =~ /^(\w+)/ ? $1 : 0);
    my $offset;

    for my $line (split /\n/, (sh('readelf', '-lW', $so))[1]) {
        my ($from, $to, $size) = $line =~ /^\s+LOAD\s+(\w+)\s+(\w+)\s+\w+
                                           \s+(\w+)/x or next;

        $offset = $address - hex($to) + hex($from)
            if $address >= hex $to && $address < hex($to) + hex($size);
    }

    skip 'the module is stripped', 1 if !$address || !defined $offset;

    my $bytes = do { local (@ARGV, $/) = ($so); <> };
    my $layout = unpack 'V', substr $bytes, $offset, 4;

    cmp_ok($layout, '<', 1000, "layout $layout");

    $t->write_file('same.so', $bytes);
    substr($bytes, $offset, 4) = pack 'V', $layout + 1;
    $t->write_file('other.so', $bytes);

    my $dir = $t->dir();

    ends('another file', sub { s|^(load_module )\Q$so\E;|$1$dir/same.so;|m },
         'the module is that of another file');
    ends('another layout', sub { s|/same\.so;|/other.so;| },
         'layout [0-9a-f]{8} by [0-9a-f]{8}');

    # what is left of files that are not used any more

    my $maps = do {
        local (@ARGV, $/) = ('/proc/' . $t->master_pid() . '/maps'); <> };

    unlike($maps, qr/same\.so|\Q$so\E/, 'the master has unloaded them');
    like($maps, qr/other\.so/, 'and has the last one');

    my %fds;
    $fds{$_}++ for map { (readlink($_) || '') =~ /(eventfd|memfd)/ }
        glob '/proc/' . $t->master_pid() . '/fd/*';

    is($fds{memfd}, 1, 'one arena');
    cmp_ok($fds{eventfd} || 0, '<=', 64, 'and the eventfds of one');
}

ends('no application', sub {
    s/media live \{/media other {/; s/media_live live;/media_live other;/;
}, 'there is no such application now');

$t->done();
