//! SPDX-License-Identifier: BSD-3-Clause
//!
//! std.Thread: spawn, join, atomics, in Debug with its checks.
//! modes: Debug
//! cpus: 1 4
const std = @import("std");

var counter = std.atomic.Value(u32).init(0);

fn work(n: u32) void {
    var i: u32 = 0;
    while (i < n) : (i += 1) {
        _ = counter.fetchAdd(1, .monotonic);
    }
}

pub fn main() !void {
    var threads: [8]std.Thread = undefined;
    for (&threads, 0..) |*t, i| {
        t.* = try std.Thread.spawn(.{}, work, .{@as(u32, @intCast(i)) * 100});
    }
    for (threads) |t| {
        t.join();
    }
    if (counter.load(.monotonic) != 2800) {
        return error.WrongSum;
    }
}
