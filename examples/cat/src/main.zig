//! stdin to stdout, byte for byte, and a count on stderr: a Zig executable
//! without libc that makes its system calls itself.
const std = @import("std");
const linux = std.os.linux;

var buffer: [65536]u8 = undefined;

/// The result of a system call: a count, or an error (-4095..-1).
fn count(result: usize) !usize {
    const signed: isize = @bitCast(result);
    return if (signed < 0) error.SystemCallFailed else result;
}

pub fn main() !void {
    var total: usize = 0;
    while (true) {
        const n = try count(linux.read(0, &buffer, buffer.len));
        if (n == 0) break;
        var done: usize = 0;
        while (done < n) {
            done += try count(linux.write(1, buffer[done..].ptr, n - done));
        }
        total += n;
    }
    std.debug.print("cat: {d} bytes\n", .{total});
}
