#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The cells of tier quick of the matrix of Zig versions (tests/matrix/README.md).
# tier: quick
# timeout: 300
exec tests/matrix/matrix --tier quick --only
