//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A null dereference in Debug: Zig's own handler prints the address and the
//! line, from the context that the kernel gives it.
//! expect-status: 134
//! expect-stderr-contains: Segmentation fault at address 0x10
//! expect-stderr-contains: segfault.zig:@LINE:here@
noinline fn load(address: usize) u32 {
    const p: *allowzero volatile u32 = @ptrFromInt(address);
    return p.*; // here
}

pub fn main() u8 {
    var address: usize = 16;
    _ = &address;
    return @truncate(load(address));
}
