//! SPDX-License-Identifier: BSD-3-Clause
//!
//! threadlocal variables of the first thread, with and without libc's set-up.
//! modes: Debug ReleaseSmall
//! expect-status: 7
threadlocal var counter: u32 = 3;
threadlocal var zeros: [1000]u64 = @splat(0);

pub fn main() u8 {
    counter += 4;
    for (&zeros) |*z| {
        if (z.* != 0) return 1;
        z.* = 1;
    }
    return @truncate(counter);
}
