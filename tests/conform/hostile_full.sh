#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A million hostile calls, a fourth of them with the program at CPL 3.
# tier: full
# timeout: 1800
exec tests/conform/hostile --full
