//! SPDX-License-Identifier: BSD-3-Clause
//!
//! @panic with libc linked.
//! libc: yes
//! modes: Debug
//! expect-status: 134
//! expect-stderr-contains: the tank is empty
//! expect-stderr-contains: panic_message.zig:@LINE:here@
noinline fn refuel() void {
    @panic("the tank is empty"); // here
}

pub fn main() void {
    refuel();
}
