#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# tests/tool/network_stress.py with 100 MB each way, 10,000 connections in a loop,
# 1,000 at once, and 100,000 half-open attempts and datagrams to closed ports.
# tier: full
# timeout: 1800
exec tests/tool/network_stress.py --full
