#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Strands of codecs that are slow, fail and hang, under ThreadSanitizer, see
# t/stress/strand.c.
#
#   prove t/strand_stress.t                        3 seconds
#   prove t/strand_stress.t :: seconds=300 seed=5  as the program's options say

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Stress;

$ENV{TSAN_OPTIONS} ||= 'halt_on_error=1:second_deadlock_stack=1';

stress_run({ sanitize => ['-fsanitize=thread'] }, 'strand');
