//! SPDX-License-Identifier: BSD-3-Clause
//!
//! main returns an error: status 1, the error's name and its return trace.
//! expect-status: 1
//! expect-stderr-contains: error: TankEmpty
//! expect-stderr-contains: error_return.zig:@LINE:here@
noinline fn refuel(litres: u32) !void {
    if (litres == 0) return error.TankEmpty; // here
}

pub fn main() !void {
    var litres: u32 = 0;
    _ = &litres;
    try refuel(litres);
}
