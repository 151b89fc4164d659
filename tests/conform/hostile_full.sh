#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A million hostile calls, and a million of the program at CPL 3.
# tier: full
# timeout: 1800
set -e
tests/conform/hostile --full
exec tests/conform/hostile --full --isolate
