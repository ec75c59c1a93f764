#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Many processes over one zone, killed at any moment, see t/stress/zone.c.
#
#   prove t/zone_stress.t                          15 seconds
#   prove t/zone_stress.t :: seconds=300 kill=5    as the program's options say
#   TEST_STRESS_SANITIZE=1 prove t/zone_stress.t   with ASan and UBSan

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Stress;

stress_run('zone', 'zone_step');
