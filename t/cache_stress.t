#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Many processes over one cache, killed at any moment, see t/stress/cache.c.
#
#   prove t/cache_stress.t                          6 seconds
#   prove t/cache_stress.t :: seconds=300 kill=5    as the program's options say
#   TEST_STRESS_SANITIZE=1 prove t/cache_stress.t   with ASan and UBSan

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Stress;

stress_run('cache', 'cache_step');
