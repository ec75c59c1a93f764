package Test::Media::Metrics;

# Copyright (C) ngx_stream_vod_module authors

=head1 SYNOPSIS

    my $m = metrics_parse($text, $open);
    is($m->{error}, '');
    $m->{samples}{'ngx_media_requests_total{app="live",kind="part"}'};
    $m->{help}{ngx_media_requests}; $m->{type}{...};

A strict reader of the text formats of Prometheus (0.0.4) and, $open, of
OpenMetrics 1.0: error is the first thing that is wrong, or ''.  Names of
families are without _total, whatever the format.

metrics_lint($file, $text): what promtool has to say, '' if nothing, or if there
is none: TEST_PROMTOOL, or in PATH.  Debian has it in the package prometheus,
which would start a server when it is installed.

=cut

use strict;
use warnings;

use Exporter qw/ import /;

our @EXPORT = qw/ metrics_parse metrics_lint /;

my $label = qr/[a-z_]+="(?:[^"\\\n]|\\["\\n])*"/;


sub metrics_parse {
    my ($text, $open) = @_;

    my $m = { samples => {}, help => {}, type => {}, error => '' };
    my ($family, $told, $n) = ('', '', 0);

    my $wrong = sub {
        $m->{error} ||= "line $n: $_[0]";
        return $m;
    };

    return $wrong->('the last line has no end') if $text !~ /\n\z/;
    return $wrong->('no EOF') if $open && $text !~ s/^# EOF\n\z//m;
    return $wrong->('not UTF-8') if !utf8::decode(my $copy = $text);

    for my $line (split /\n/, $text, -1) {
        $n++;

        if ($line =~ /^# (HELP|TYPE) (ngx_media_[a-z_]+) (\S.*)$/) {
            my ($what, $name, $rest) = ($1, $2, $3);
            my $total = $name =~ s/_total$//;

            if ($what eq 'HELP') {
                return $wrong->("$name comes twice") if $m->{help}{$name};
                return $wrong->('help has to be escaped') if $rest =~ /\\/;

                $m->{help}{$name} = $rest;
                $told = $name;
                $m->{total}{$name} = $total;

            } else {
                return $wrong->("TYPE of $name without HELP before it")
                    if $told ne $name || $family eq $name;
                return $wrong->("type $rest")
                    if $rest !~ /^(?:counter|gauge|histogram)$/;
                return $wrong->('_total') if $total != $m->{total}{$name}
                    || $total != ($rest eq 'counter' && !$open ? 1 : 0);

                $m->{type}{$name} = $rest;
                $family = $name;
            }

        } elsif ($line =~ /^((ngx_media_[a-z_]+?)(_total)?
                          (?:\{$label(?:,$label)*\})?)
                          \ (-?\d+(?:\.\d+)?)$/x)
        {
            my ($name, $base, $total, $value) = ($1, $2, $3, $4);

            $base =~ s/_(?:bucket|sum|count)$//
                if ($m->{type}{$family} || '') eq 'histogram';

            return $wrong->("$base is not of $family") if $base ne $family;
            return $wrong->("$name comes twice")
                if exists $m->{samples}{$name};
            return $wrong->('a counter has _total, a gauge has not')
                if ($m->{type}{$base} eq 'counter') != !!$total;
            return $wrong->("counter $value") if $total && $value =~ /^-/;

            $m->{samples}{$name} = $value;

            if (my ($before, $le) = $name =~ /^(.*_bucket.*)le="(.*)"/) {
                return $wrong->("$name is less than that before it")
                    if $value < ($m->{bucket}{$before} || 0);

                $m->{bucket}{$before} = $value;
                $m->{all}{$base} = $value if $le eq '+Inf';
            }

            return $wrong->("$name is not that of +Inf")
                if $name =~ /_count\{/ && $m->{type}{$base} eq 'histogram'
                   && $value != $m->{all}{$base};

        } elsif ($line ne '' || $n <= ($text =~ tr/\n//)) {
            return $wrong->("\"$line\"");
        }
    }

    return $wrong->('nothing in it') if !%{$m->{samples}};

    return $m;
}


sub metrics_lint {
    my ($file, $text) = @_;

    my ($tool) = grep { -x } $ENV{TEST_PROMTOOL} || (),
        map { "$_/promtool" } split /:/, $ENV{PATH};

    return '' if !defined $tool;

    open my $fh, '>', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";

    my $out = `$tool check metrics < $file 2>&1`;

    return $? ? $out || "status $?" : $out;
}


1;
