package Test::Media::Build;

# Copyright (C) ngx_stream_vod_module authors

# Builds the small C programs of t/unit and t/fuzz.
#
#   my $b = Test::Media::Build->new(name => 'unit', cc => 'gcc',
#                                   cflags => [...], ldflags => [...]);
#   my %built = $b->programs(@files);     # file => binary, or undef: failed
#   print $b->log('t/unit/amf.c');        # what the compiler said
#
#   my $binary = tool('ts');              # t/tools/ts.c, with sanitizers
#
# A program names what it links in a comment among its first lines:
#
#   /* link: formats/ngx_media_amf.c support.c -pthread -lz */
#
# Files are looked up in ngx_stream_vod_module/ and beside the program, words
# that begin with "-" are flags, and "@NAME" is a group of t/unit/groups.
# "@libav" is what the module links of FFmpeg: nothing, if it is built without.
# Objects are kept in build/NAME/ and made again when the source, a header or a
# flag changes.

use strict;
use warnings;

use Cwd ();
use Digest::MD5 ();
use Exporter 'import';
use Fcntl qw/ :flock /;
use File::Basename qw/ dirname /;
use File::Path qw/ make_path /;

our @EXPORT_OK = qw/ parallel tool /;

our $root = Cwd::abs_path(dirname(__FILE__) . '/../../../..');


# without its tool a test has nothing to say

sub tool {
    my ($name) = @_;

    my $file = "$root/t/tools/$name.c";
    my @sanitize = ('-fsanitize=address,undefined',
                    '-fno-sanitize-recover=undefined');

    my $b = Test::Media::Build->new(
        name => 'tools', cc => $ENV{CC} || 'gcc',
        cflags => [@sanitize, qw/ -g -O1 -Wall -Wextra -Werror
                   -Wno-unused-parameter /],
        ldflags => [@sanitize]);

    my $binary = {$b->programs($file)}->{$file};

    if (!defined $binary) {
        require Test::More;

        Test::More::diag($b->log($file));
        Test::More::BAIL_OUT("t/tools/$name.c is not built");
    }

    return $binary;
}


sub new {
    my ($class, %self) = @_;

    my $flags = `$root/scripts/build --cflags`;
    die "scripts/build --cflags failed\n" if $?;

    # nginx's directories are system ones: warnings are about our code
    my @include = map { m|^-I\Q$root\E/build| ? '-isystem' . substr($_, 2)
                                              : $_ } split ' ', $flags;

    my @cflags = (@{$self{cflags} || []}, @include, "-I$root/t/unit");

    my $key = substr(Digest::MD5::md5_hex("$self{cc} @cflags"), 0, 8);
    my $dir = "$root/build/$self{name}/$key";

    make_path($dir);

    # one builder at a time
    open my $lock, '>', "$dir/.lock" or die "$dir/.lock: $!\n";
    flock $lock, LOCK_EX;

    return bless { %self, cflags => \@cflags, dir => $dir, lock => $lock,
                   ldflags => $self{ldflags} || [] }, $class;
}


# runs code refs, so many at once; returns their exit statuses in order

sub parallel {
    my ($jobs, @subs) = @_;
    my (@status, %running);

    my $next = 0;

    while ($next < @subs || %running) {

        if ($next < @subs && keys %running < $jobs) {
            my $i = $next++;
            my $pid = fork();
            die "fork: $!\n" if !defined $pid;

            if (!$pid) {
                my $rc = eval { $subs[$i]->() };
                print STDERR $@ if $@;
                require POSIX;
                POSIX::_exit(defined $rc ? $rc : 255);
            }

            $running{$pid} = $i;
            next;
        }

        my $pid = waitpid(-1, 0);
        last if $pid < 0;

        my $i = delete $running{$pid};
        $status[$i] = $? if defined $i;
    }

    return @status;
}


sub jobs { return $ENV{TEST_JOBS} || 2 }


# words of the link lines

sub link_words {
    my ($self, $file) = @_;

    open my $fh, '<', $file or die "$file: $!\n";
    read $fh, my $text, 8192;

    my %seen;

    return grep { !$seen{$_}++ } map { /^\@(.+)/ ? $self->group($1) : $_ }
        map { split ' ', $_ } $text =~ m|/\*\s*link:\s*(.*?)\*/|sg;
}


# what "@NAME" stands for

sub group {
    my ($self, $name) = @_;

    return $self->libav() if $name eq 'libav';

    $self->{groups} ||= do {
        open my $fh, '<', "$root/t/unit/groups" or die "t/unit/groups: $!\n";
        local $/;
        my $text = <$fh> =~ s/^#.*\n//gmr;

        +{ $text =~ /^(\w+):(.*?)(?=^\w|\z)/gms };
    };

    die "no group \"$name\" in t/unit/groups\n" if !$self->{groups}{$name};

    return map { /^\@(.+)/ ? $self->group($1) : $_ }
        split ' ', $self->{groups}{$name};
}


# the flags that config has found

sub libav {
    my ($self) = @_;

    $self->{libav} ||= do {
        my ($objs) = grep { -f "$_/ngx_auto_config.h" }
            map { s/^-(?:I|isystem)//r } @{$self->{cflags}};

        open my $fh, '<', "$objs/ngx_auto_config.h" or die "$objs: $!\n";
        my $found = do { local $/; <$fh> } =~ /^#define NGX_MEDIA_HAVE_AV /m;

        my @libs = map { "lib$_" } qw/ avcodec swresample swscale avutil /;

        [$found ? grep { /^-/ } split ' ', `pkg-config --libs @libs` : ()];
    };

    return @{$self->{libav}};
}


sub locate {
    my ($self, $file, $word) = @_;

    for my $path ("$root/ngx_stream_vod_module/$word",
                  dirname($file) . "/$word")
    {
        return $path if -f $path;
    }

    return undef;
}


sub object {
    my ($self, $source) = @_;

    my $name = $source;
    $name =~ s|^\Q$root\E/||;
    $name =~ s|[^\w.-]|_|g;

    return "$self->{dir}/$name.o";
}


sub mtime { return (stat $_[0])[9] }


sub stale {
    my ($self, $object, $key) = @_;

    my $made = mtime($object);
    return 1 if !defined $made;

    open my $fh, '<', "$object.d" or return 1;
    local $/;
    my $deps = <$fh>;
    $deps =~ s/^[^:]*://;
    $deps =~ s/\\\n/ /g;

    for my $dep (split ' ', $deps) {
        my $time = mtime($dep);
        return 1 if !defined $time || $time >= $made;
    }

    return 0;
}


sub run {
    my ($log, @cmd) = @_;

    open my $save_out, '>&', \*STDOUT;
    open my $save_err, '>&', \*STDERR;
    open STDOUT, '>', $log or die "$log: $!\n";
    open STDERR, '>&', \*STDOUT;

    my $rc = system(@cmd);

    open STDOUT, '>&', $save_out;
    open STDERR, '>&', $save_err;

    return $rc ? 1 : 0;
}


sub log {
    my ($self, $file) = @_;

    my $text = $self->{error}{$file} || '';

    for my $log (@{$self->{logs}{$file} || []}) {
        open my $fh, '<', $log or next;
        local $/;
        my $said = <$fh>;
        $text .= $said if defined $said;
    }

    return $text;
}


sub programs {
    my ($self, @files) = @_;

    my (%objects, %flags, %compile, %result);

    for my $file (@files) {
        my @sources = ($file);

        $flags{$file} = [];

        for my $word ($self->link_words($file)) {

            if ($word =~ /^-/) {
                push @{$flags{$file}}, $word;
                next;
            }

            my $path = $self->locate($file, $word);

            if (!defined $path) {
                $self->{error}{$file} .= "no such file to link: $word\n";
                next;
            }

            push @sources, $path;
        }

        for my $source (@sources) {
            my $object = $self->object($source);
            push @{$objects{$file}}, $object;
            push @{$self->{logs}{$file}}, "$object.log";
            $compile{$object} ||= [$source, $source eq $file
                                            ? @{$flags{$file}} : ()];
        }
    }

    parallel(jobs(), map {
        my $object = $_;
        my ($source, @more) = @{$compile{$object}};

        sub {
            unlink $object;
            return run("$object.log", $self->{cc}, @{$self->{cflags}},
                       grep({ !/^-(?:l|Wl,)/ } @more), '-MMD', '-MF',
                       "$object.d", '-c', '-o', $object, $source);
        };
    } grep { $self->stale($_) } sort keys %compile);

    my @link = grep {
        my $file = $_;
        !$self->{error}{$file}
        && !grep { !-f $_ } @{$objects{$file}}
    } @files;

    for my $file (@link) {
        my $bin = $objects{$file}[0];
        $bin =~ s/\.c\.o$//;
        push @{$self->{logs}{$file}}, "$bin.log";
        $result{$file} = $bin;
    }

    parallel(jobs(), map {
        my $file = $_;
        my $bin = $result{$file};

        sub {
            unlink $bin;
            return run("$bin.log", $self->{cc}, @{$self->{ldflags}}, '-o',
                       $bin, @{$objects{$file}}, @{$flags{$file}});
        };
    } grep {
        my $file = $_;
        my $made = mtime($result{$file});
        !defined $made || grep { mtime($_) >= $made } @{$objects{$file}};
    } @link);

    for my $file (@files) {
        $result{$file} = undef
            if !defined $result{$file} || !-x $result{$file};
    }

    close $self->{lock};

    return %result;
}


1;
