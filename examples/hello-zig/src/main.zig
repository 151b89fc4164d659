//! What `./bootstrap run` shows: a Zig library that is a whole machine.
//!
//! It is an ordinary static library with a C main, and nothing in it knows of
//! zuk.  stdout gets the greeting, stderr what std.log says (below: all of it
//! in builds with safety checks, errors in the others, which are small then).
const std = @import("std");
const builtin = @import("builtin");
const log = std.log.scoped(.hello);

pub const std_options: std.Options = .{
    .log_level = if (std.debug.runtime_safety) .debug else .err,
};

/// struct utsname of Linux: six strings.
const Name = extern struct {
    system: [65]u8,
    node: [65]u8,
    release: [65]u8,
    version: [65]u8,
    machine: [65]u8,
    domain: [65]u8,
};

extern "c" fn printf(format: [*:0]const u8, ...) c_int;
extern "c" fn fflush(stream: ?*anyopaque) c_int;
extern "c" fn uname(name: *Name) c_int;

export fn main(argc: c_int, argv: [*]const ?[*:0]const u8) c_int {
    _ = printf("Hello from a Zig library!\n");
    _ = printf("  compiled by  Zig %s, mode %s\n", builtin.zig_version_string.ptr, @tagName(builtin.mode).ptr);
    _ = printf("  started as  ");
    var i: usize = 0;
    while (i < argc) : (i += 1) {
        _ = printf(" %s", argv[i].?);
    }
    _ = printf("\n");
    _ = fflush(null); // stdout may be a pipe: it comes before the log line
    if (comptime std.log.logEnabled(.info, .hello)) {
        var name: Name = undefined;
        if (uname(&name) != 0) return 1;
        log.info("running on {s} {s}; this line is std.log's, on stderr", .{
            std.mem.sliceTo(&name.system, 0),
            std.mem.sliceTo(&name.release, 0),
        });
    }
    return 0;
}
