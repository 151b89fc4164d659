//! SPDX-License-Identifier: BSD-3-Clause
//!
//! std.fmt, std.json, hash maps, sorting, floats: a lot of generated code and
//! deep stacks; stdout is compared with Linux's.
//! modes: Debug ReleaseSmall
//! timeout: 60
const std = @import("std");

fn print(comptime format: []const u8, args: anytype) void {
    var buffer: [4096]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format, args) catch "too long\n";
    _ = std.os.linux.write(1, text.ptr, text.len);
}

const Shape = union(enum) { circle: f64, square: struct { side: f64, label: []const u8 }, none };

pub fn main() !void {
    var arena = std.heap.ArenaAllocator.init(std.heap.page_allocator);
    defer arena.deinit();
    const a = arena.allocator();
    print("{d} {x} {b} {e} {d:.3} {s:>8} {c}\n", .{ -42, 0xbeef, 5, 1234.5, std.math.pi, "right", 'z' });
    print("{any} {any}\n", .{ Shape{ .square = .{ .side = 2.5, .label = "s" } }, Shape{ .none = {} } });
    var map = std.StringHashMap(u64).init(a);
    for (0..1000) |i| try map.put(try std.fmt.allocPrint(a, "key{d}", .{i}), i * i);
    var sum: u64 = 0;
    var it = map.iterator();
    while (it.next()) |e| sum += e.value_ptr.*;
    print("{d} {d}\n", .{ map.count(), sum });
    const list = try a.alloc(u32, 5000);
    var x: u32 = 1;
    for (list) |*e| {
        x = x *% 1664525 +% 1013904223;
        e.* = x >> 8;
    }
    std.mem.sort(u32, list, {}, std.sort.asc(u32));
    var digest: [32]u8 = undefined;
    std.crypto.hash.sha2.Sha256.hash(std.mem.sliceAsBytes(list), &digest, .{});
    print("{x}\n", .{&digest});
    const parsed = try std.json.parseFromSlice(struct { name: []const u8, values: []const f32 }, a,
        \\{"name": "zuk", "values": [1, 2.5, -3e2]}
    , .{});
    print("{s} {d} {d}\n", .{ parsed.value.name, parsed.value.values[1], parsed.value.values[2] });
    const big = try std.fmt.parseInt(u128, "340282366920938463463374607431768211455", 10);
    print("{d} {d}\n", .{ big, big / 12345678901234567890 });
}
