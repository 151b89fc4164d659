#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# tests/tool/network_memory.py with every piece of memory refused once.
# tier: full
# timeout: 3600
exec tests/tool/network_memory.py --full
