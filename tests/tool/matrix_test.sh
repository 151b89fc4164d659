#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The cells of tier test of the matrix of Zig versions (tests/matrix/README.md).
# tier: test
# timeout: 1800
exec tests/matrix/matrix --tier test --only
