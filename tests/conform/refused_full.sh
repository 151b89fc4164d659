#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every piece of memory refused once, one run each, with the program at CPL 0 and
# at CPL 3.
# tier: full
# timeout: 3600
tests/conform/refused --full && exec tests/conform/refused --full --isolate
