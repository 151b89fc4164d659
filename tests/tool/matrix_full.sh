#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The cells of tier full of the matrix of Zig versions (tests/matrix/README.md).
# tier: full
# timeout: 7200
exec tests/matrix/matrix --tier full --only
