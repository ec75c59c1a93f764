package Test::Media::API;

# Copyright (C) ngx_stream_vod_module authors

=head1 NAME

Test::Media::API - calls of media_api, each held against the document

=head1 SYNOPSIS

    use Test::Media::API;

    my $api = Test::Media::API->new($t, '/api');

    my $r = $api->call('GET', '/v1/streams?app=live');
    is($r->{json}{total}, 1, 'one stream');

=head1 METHODS

=over

=item new($t, $prefix, %opt)

Reads the OpenAPI document below $prefix.  headers, port: of all calls.

=item call($method, $path, %opt)

As $t->http(), and the result has json, what the body is.  A test fails where
the answer is not what the document says: a path, method or status that it does
not have, another type, a body that is not of its schema; or where it may be
stored.  json => $data is sent as the body.  unknown => 1: the path is in no
document.

=item each_worker($method, $path)

The same of each worker, which have to agree: their results, in a list.

=item document(), seen("get /v1/streams")

The document; whether there was such a call.

=item wrong($schema, $value)

What is wrong of a value, '' if nothing is.

=back

=cut

use strict;
use warnings;

use JSON::PP ();
use Test::More;

my $json = JSON::PP->new()->utf8()->allow_nonref();


sub new {
    my ($class, $t, $prefix, %opt) = @_;

    my $self = bless { t => $t, prefix => $prefix, %opt }, $class;

    my $r = $self->raw('GET', '/v1/openapi.json');
    die "no document: $r->{status}\n$r->{body}\n" if $r->{status} != 200;

    $self->{doc} = $json->decode($r->{body});

    return $self;
}


sub document { return $_[0]{doc} }
sub seen { return $_[0]{seen}{$_[1]} }


sub raw {
    my ($self, $method, $path, %opt) = @_;

    my %headers = (%{$self->{headers} || {}}, %{delete $opt{headers} || {}});

    if (exists $opt{json}) {
        $opt{data} = $json->encode(delete $opt{json});
        $headers{'Content-Type'} = 'application/json';
    }

    return $self->{t}->http(
        map({ $self->{$_} ? ($_ => $self->{$_}) : () } qw/ port /), %opt,
        method => $method, path => $self->{prefix} . $path,
        headers => \%headers);
}


sub call {
    my ($self, $method, $path, %opt) = @_;

    my $unknown = delete $opt{unknown};
    my $r = $self->raw($method, $path, %opt);
    my $what = "$method $path";

    my @wrong = $self->complaints($method, $path, $unknown, $r);

    fail("$what: $_") for @wrong;
    diag("$r->{status}\n$r->{body}") if @wrong;

    return $r;
}


sub complaints {
    my ($self, $method, $path, $unknown, $r) = @_;

    my @wrong;

    push @wrong, 'it may be stored'
        if ($r->{headers}{'cache-control'} || '') ne 'no-store';
    push @wrong, 'it has CORS'
        if grep { /^access-control/ } keys %{$r->{headers}};

    my $type = $r->{headers}{'content-type'} || '';

    if (length $r->{body}) {
        $r->{json} = eval { $json->decode($r->{body}) };
        push @wrong, "no JSON: $@" if !defined $r->{json};
    }

    if ($r->{status} >= 400) {
        push @wrong, "a problem is of the type $type"
            if $type ne 'application/problem+json';

        if (defined $r->{json}) {
            my $wrong = $self->wrong({ '$ref' =>
                                       '#/components/schemas/Problem' },
                                     $r->{json});
            push @wrong, $wrong if $wrong;
            push @wrong, 'it says another status than it has'
                if $r->{json}{status} != $r->{status};
        }
    }

    return @wrong if $unknown || $method !~ /^(GET|POST|PUT|PATCH|DELETE)\z/;

    my $template = $self->template($path);
    return (@wrong, 'it is not documented') if !defined $template;

    my $of = $self->{doc}{paths}{$template}{lc $method};
    $self->{seen}{lc($method) . " $template"} = 1;

    if (!$of) {
        push @wrong, "$r->{status}, where there is no such method"
            if $r->{status} != 405;
        return @wrong;
    }

    my $response = $of->{responses}{$r->{status}}
        or return (@wrong, "the status $r->{status} is not documented");

    my ($documented) = keys %{$response->{content} || {}};

    if (!defined $documented) {
        push @wrong, 'there is a body' if length $r->{body};
        return @wrong;
    }

    push @wrong, "the type is $type" if $type ne $documented;

    my $wrong = $self->wrong($response->{content}{$documented}{schema},
                             $r->{json});
    push @wrong, $wrong if $wrong;

    return @wrong;
}


# of the paths that fit the one with the fewest names in it

sub template {
    my ($self, $path) = @_;

    $path =~ s/\?.*//;

    for my $template (sort { ($a =~ tr/{//) <=> ($b =~ tr/{//) }
                      keys %{$self->{doc}{paths}})
    {
        my $re = quotemeta $template;
        $re =~ s/\\\{name\\\}/.+/;
        $re =~ s/\\\{\w+\\\}/[^\/]+/g;

        return $template if $path =~ /^$re\z/;
    }

    return undef;
}


sub each_worker {
    my ($self, $method, $path) = @_;

    my @results = map { $self->call($method, $path, worker => $_) }
        $self->{t}->worker_pids();

    my %status = map { $_->{status} => 1 } @results;
    is(scalar keys %status, 1, "$method $path: workers agree");

    return @results;
}


# JSON Schema, 2020-12, as far as it is used

my %keywords = map { $_ => 1 }
    qw/ type enum const required properties additionalProperties items pattern
        minimum maximum minLength maxLength $ref description default /;

sub wrong {
    my ($self, $schema, $value, $at) = @_;

    $at = '' if !defined $at;

    for (keys %$schema) {
        die "unknown keyword $_ in a schema\n" if !$keywords{$_};
    }

    if (my $ref = $schema->{'$ref'}) {
        $ref =~ m|^#/components/schemas/(\w+)\z| or die "bad \$ref $ref\n";
        my $named = $self->{doc}{components}{schemas}{$1}
            or die "there is no schema $1\n";
        return $self->wrong($named, $value, $at);
    }

    my $type = type($value);

    if (my $types = $schema->{type}) {
        my @types = ref $types ? @$types : $types;
        return "$at is a $type" if !grep {
            $_ eq $type || $_ eq 'number' && $type eq 'integer'
        } @types;
    }

    return "$at is none of them"
        if $schema->{enum}
           && !grep { same($_, $value) } @{$schema->{enum}};
    return "$at is another value"
        if exists $schema->{const} && !same($schema->{const}, $value);

    if ($type eq 'string') {
        return "$at does not match"
            if defined $schema->{pattern} && $value !~ /$schema->{pattern}/;
        return "$at is too long"
            if defined $schema->{maxLength}
               && length $value > $schema->{maxLength};
        return "$at is too short"
            if defined $schema->{minLength}
               && length $value < $schema->{minLength};
    }

    if ($type eq 'integer' || $type eq 'number') {
        return "$at is too small"
            if defined $schema->{minimum} && $value < $schema->{minimum};
        return "$at is too large"
            if defined $schema->{maximum} && $value > $schema->{maximum};
    }

    if ($type eq 'array' && $schema->{items}) {
        for my $i (0 .. $#$value) {
            my $wrong = $self->wrong($schema->{items}, $value->[$i],
                                     "$at\[$i]");
            return $wrong if $wrong;
        }
    }

    return $type eq 'object' ? $self->wrong_object($schema, $value, $at) : '';
}


sub wrong_object {
    my ($self, $schema, $value, $at) = @_;

    for (@{$schema->{required} || []}) {
        return "$at.$_ is missing" if !exists $value->{$_};
    }

    my $more = exists $schema->{additionalProperties}
        ? $schema->{additionalProperties} : 1;

    for (sort keys %$value) {
        my $of = ($schema->{properties} || {})->{$_};

        $of = $more if !$of && ref $more eq 'HASH';

        return "$at.$_ is too much" if !$of && !$more;

        my $wrong = $of ? $self->wrong($of, $value->{$_}, "$at.$_") : '';
        return $wrong if $wrong;
    }

    return '';
}


sub type {
    my ($value) = @_;

    return 'null' if !defined $value;
    return 'boolean' if JSON::PP::is_bool($value);
    return 'array' if ref $value eq 'ARRAY';
    return 'object' if ref $value eq 'HASH';

    my $text = $json->encode($value);

    return 'string' if $text =~ /^"/;
    return $text =~ /^-?\d+\z/ ? 'integer' : 'number';
}


sub same {
    my ($one, $two) = @_;

    return type($one) eq type($two)
           && (!defined $one || $json->encode($one) eq $json->encode($two));
}

1;
