#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every version and mode of the scoreboard, but what tests/conform/conform runs.
# tier: full
# timeout: 28800
exec tests/conform/conform --all
