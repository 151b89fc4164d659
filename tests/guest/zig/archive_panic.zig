//! SPDX-License-Identifier: BSD-3-Clause
//!
//! An integer overflow in a Zig archive: Zig's own trace, status 134.
//! input: archive
//! libc: yes
//! modes: Debug
//! expect-status: 134
//! expect-stderr-contains: integer overflow
//! expect-stderr-contains: archive_panic.zig:@LINE:here@
noinline fn add(a: u8, b: u8) u8 {
    return a + b; // here
}

pub export fn main(argc: c_int) c_int {
    const n: u8 = @intCast(argc);
    return add(n, 255);
}
