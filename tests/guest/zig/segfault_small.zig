//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A null dereference in ReleaseSmall: nobody in the program reports it, so
//! the report is ours, with the function's name.
//! modes: ReleaseSmall
//! cflags: -fno-strip
//! expect-status: 139
//! expect-stderr-contains: segmentation fault
//! expect-stderr-contains: load
noinline fn load(address: usize) u32 {
    const p: *allowzero volatile u32 = @ptrFromInt(address);
    return p.*;
}

pub fn main() u8 {
    var address: usize = 16;
    _ = @as(*volatile usize, &address);
    return @truncate(load(@as(*volatile usize, &address).*) + 1);
}
