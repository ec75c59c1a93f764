#!/usr/bin/perl

# Copyright (C) ngx_stream_vod_module authors

# Many processes over one table of sessions, killed at any moment, see
# t/stress/session.c and session_step.c.
#
#   prove t/session_stress.t                          6 seconds
#   prove t/session_stress.t :: seconds=300 kill=5    as the programs' options
#                                                     say
#   TEST_STRESS_SANITIZE=1 prove t/session_stress.t   with ASan and UBSan

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::Media::Stress;

stress_run('session', 'session_step');
