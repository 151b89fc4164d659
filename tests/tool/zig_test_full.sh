#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# tests/tool/zig_test.py with every Zig of mk/zig.txt.
# tier: full
# timeout: 2400
exec tests/tool/zig_test.py --all
