# SPDX-License-Identifier: BSD-3-Clause
#
# Unit tests, fuzzing, lint and the test runner.
