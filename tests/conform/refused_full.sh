#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every piece of memory refused once, one run each.
# tier: full
# timeout: 1800
exec tests/conform/refused --full
