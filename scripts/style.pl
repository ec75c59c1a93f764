#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Holds files against the parts of the style that a program can see.
#
#   scripts/style.pl [FILE]...      default: all files of the project
#
# Prints FILE:LINE: message, exit status 1 if there is any.  A header may be
# longer than most where it says why: "style: long header, it ..." in a comment.
# Bodies of inline functions do not count.

use strict;
use warnings;

use Cwd qw/ abs_path /;
use File::Basename qw/ basename dirname /;

my $root = abs_path(dirname(abs_path($0)) . '/..');

my $max_columns = 80;
my $max_file = 1500;
my $max_header = 150;
my $max_function = 250;

my $errors = 0;
my $file;


sub complain {
    my ($line, $text) = @_;

    print "$file:$line: $text\n";
    $errors++;
}


sub project_files {
    my @files = split /\0/, `git -C '$root' ls-files -z 2>/dev/null`;

    # also those that are new, but not those that are ignored
    push @files, split /\0/, `git -C '$root' ls-files -z -o --exclude-standard
                              2>/dev/null` =~ s/\n//gr if @files;

    if (!@files) {
        @files = map { s|^\./||r } split /\n/,
            `cd '$root' && find . -type f -not -path './build/*' \\
             -not -path './t/node_modules/*' -not -path './.git/*'`;
    }

    return grep { -f "$root/$_" } @files;
}


# blanks comments and the insides of strings out, keeps lines and columns

sub bare {
    my ($text) = @_;

    $text =~ s{ ( /\*.*?\*/ )
              | ( "(?:[^"\\\n]|\\.)*" )
              | ( '(?:[^'\\\n]|\\.)*' ) }
              { defined $1 ? $1 =~ s/[^\n]/ /gr
                           : (defined $2 ? '"' : "'")
                             . 'x' x (length($2 // $3) - 2)
                             . (defined $2 ? '"' : "'") }gexs;

    return $text;
}


sub check_c {
    my ($text, $name) = @_;

    my @lines = split /\n/, $text, -1;
    pop @lines;
    my @code = split /\n/, bare($text), -1;

    complain(1, "no copyright line")
        if $text !~ m|\A\n?/\*\n \* Copyright \(C\) ngx_stream_vod_module|;

    complain(scalar @lines, @lines . " lines, more than $max_file")
        if @lines > $max_file;

    if ($name =~ m|^ngx_stream_vod_module/.*\.h$|
        && $text !~ /\bstyle: long header, \w/)
    {
        my $n = () = $text =~ s/^\{\n.*?^\}\n//gmsr =~ /\n/g;

        complain(scalar @lines, "$n lines in a header, more than $max_header")
            if $n > $max_header;
    }

    if ($name =~ /\.h$/) {
        my $guard = '_' . uc(basename($name) =~ s/\W/_/gr) . '_INCLUDED_';

        complain(1, "no guard $guard")
            if $text !~ /^#ifndef $guard\n#define $guard\n/m
               || $text !~ m|^#endif /\* $guard \*/\n\z|m;
    }

    my ($start, $blank) = (0, 0);

    for my $i (0 .. $#code) {
        my $line = $i + 1;
        my $code = $code[$i];

        complain($line, "// comment") if $code =~ m|//|;

        complain($line, "assignment in a condition")
            if $code =~ /\bif \(.*[^=!<>+*\/%&|^-]=[^=]/;

        complain($line, "keyword without a space")
            if $code =~ /\b(?:if|for|while|switch)\(/;

        if ($code =~ /^\{/) {
            $start = $line;
        }

        if ($code =~ /^\}/) {
            my $n = $line - $start - 1;

            complain($start, "a function of $n lines, more than "
                             . $max_function) if $start && $n > $max_function;

            # two blank lines to the next item
            my $next = $i + 1;
            $next++ while $next < @lines && $lines[$next] eq '';

            complain($line + 1, "not two blank lines after a function")
                if $start && $code eq '}' && $next < @lines
                   && $lines[$next] !~ /^#/ && $next - $i != 3;

            $start = 0;
        }
    }
}


sub check {
    my ($name) = @_;

    $file = $name;

    # what a script has written where it did not mean to
    complain(1, "a name that is none") if $name =~ m|[^\w./+-]|;

    open my $fh, '<:raw', "$root/$name" or die "$name: $!\n";
    local $/;
    my $text = <$fh>;
    $text = '' if !defined $text;

    return if $text =~ /\0/ || $name =~ m|/corpus/|;

    my $ours = $name =~ /\.(?:c|h|pm|pl|t|sh|md|conf|mjs)$/
               || $text =~ /\A#!/ || $name =~ m|^(?:config\|LICENSE)$|;

    return if !$ours;

    complain(1, "no line feed at the end") if $text ne '' && $text !~ /\n\z/;
    complain(1, "blank lines at the end") if $text =~ /\n\n\z/;

    my $n = 0;

    for my $line (split /\n/, $text) {
        $n++;

        complain($n, "tab") if $line =~ /\t/;
        complain($n, "trailing blank") if $line =~ /[ \t]$/;
        complain($n, "carriage return") if $line =~ /\r/;
        complain($n, "not ASCII") if $name =~ /\.[ch]$/
                                     && $line =~ /[^\x00-\x7f]/;

        my $width = length($line =~ s/[\x80-\xbf]//gr);

        complain($n, "$width columns") if $width > $max_columns
            && $name !~ /\.md$/ && $line !~ m!https?://\S{40}!;

        # (the words are written so as not to find themselves)
        complain($n, "unfinished: $1")
            if $line =~ /\b(TO[D]O|FIX[M]E|X[X]X\b(?!X)|HA[C]K)\b/;

        complain($n, "a package registry by name: $1")
            if $line =~ /\b(registry\.n[p]mjs\.org|deb\.d[e]bian\.org
                           |security\.d[e]bian\.org|p[y]pi\.org
                           |crates\.[i]o|npm[m]irror\.com)\b/x;

        complain($n, "a path of this machine")
            if length $root > 5 && index($line, "$root/") >= 0;
    }

    check_c($text, $name) if $name =~ /\.[ch]$/;
}


my @files = map { my $path = abs_path($_) || $_;
                  $path =~ s|^\Q$root\E/||r } @ARGV;

check($_) for @files ? @files : project_files();

exit($errors ? 1 : 0);
