//! SPDX-License-Identifier: BSD-3-Clause
//!
//! A missing function called from a Debug Zig archive: name, caller, file and
//! line, as Zig names things.
//! input: archive
//! libc: yes
//! native: skip it does not link
//! expect-status: 3
//! expect-stderr-contains: database_open
//! expect-stderr-contains: archive_missing.zig:@LINE:here@
//! expect-stderr-contains: openStore
extern fn database_open(path: [*:0]const u8) ?*anyopaque;

noinline fn openStore() bool {
    return database_open("/var") != null; // here
}

export fn main() c_int {
    return if (openStore()) 0 else 1;
}
