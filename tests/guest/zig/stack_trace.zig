//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A stack trace on demand, without a crash.
//! expect-stdout: done
//! expect-stderr-contains: stack_trace.zig:@LINE:here@
//! expect-stderr-contains: stack_trace.zig:@LINE:caller@
//! isolate: test
const std = @import("std");

noinline fn inner() void {
    std.debug.dumpCurrentStackTrace(.{}); // here
}

pub fn main() void {
    inner(); // caller
    _ = std.os.linux.write(1, "done\n", 5);
}
