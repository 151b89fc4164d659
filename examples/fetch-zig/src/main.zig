//! Fetches pages over HTTP and HTTPS with std.http.Client: each to stdout, its
//! status to stderr.  Certificates are checked, with the bundle that the machine
//! has at the usual place and the time that it takes it to be.
//!
//! Nothing in it knows of zuk.
const std = @import("std");

pub fn main(init: std.process.Init) !u8 {
    const args = try init.minimal.args.toSlice(init.arena.allocator());
    if (args.len < 2) {
        std.debug.print("usage: fetch URL...\n", .{});
        return 2;
    }
    var client: std.http.Client = .{ .allocator = init.gpa, .io = init.io };
    defer client.deinit();
    var buffer: [4096]u8 = undefined;
    var out = std.Io.File.stdout().writer(init.io, &buffer);
    var failed: u8 = 0;
    for (args[1..]) |url| {
        const result = client.fetch(.{
            .location = .{ .url = url },
            .response_writer = &out.interface,
        }) catch |err| {
            std.debug.print("fetch: {s}: {s}\n", .{ url, @errorName(err) });
            failed = 1;
            continue;
        };
        try out.interface.flush();
        std.debug.print("fetch: {s}: {d} {s}\n", .{ url, @backingInt(result.status), result.status.phrase() orelse "" });
    }
    return failed;
}
