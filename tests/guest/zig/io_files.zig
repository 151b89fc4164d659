//! SPDX-License-Identifier: BSD-3-Clause
//!
//! std.Io of Zig 0.17 on files: directories, renames, links, locks, times, copies,
//! atomic replacement, memory maps, paths; each answer is printed.
//! timeout: 60
const std = @import("std");
const Io = std.Io;
const Dir = Io.Dir;

fn say(comptime format: []const u8, args: anytype) void {
    var buffer: [512]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format ++ "\n", args) catch unreachable;
    _ = std.os.linux.write(1, text.ptr, text.len);
}

fn result(what: []const u8, r: anytype) void {
    if (r) |_| say("{s}: ok", .{what}) else |e| say("{s}: {t}", .{ what, e });
}

pub fn main(init: std.process.Init) !void {
    const io = init.io;
    const top = "/tmp/zuk-io-files";
    Dir.cwd().deleteTree(io, top) catch {};
    try Dir.createDirAbsolute(io, top, .default_dir);
    var dir = try Dir.openDirAbsolute(io, top, .{ .iterate = true });
    defer {
        dir.close(io);
        Dir.cwd().deleteTree(io, top) catch unreachable;
    }
    try directories(init.gpa, io, dir);
    try links(io, dir);
    try contents(init.gpa, io, dir);
    try locks(io, dir);
    try attributes(io, dir);
    try places(init.gpa, io, dir, top);
}

fn directories(gpa: std.mem.Allocator, io: Io, dir: Dir) !void {
    try dir.createDirPath(io, "a/b/c");
    result("createDir again", dir.createDir(io, "a", .default_dir));
    result("createDir below nothing", dir.createDir(io, "x/y", .default_dir));
    result("deleteDir of a full one", dir.deleteDir(io, "a"));
    result("openDir of nothing", dir.openDir(io, "x", .{}));
    try dir.writeFile(io, .{ .sub_path = "a/file", .data = "text" });
    try dir.writeFile(io, .{ .sub_path = "a/b/other", .data = "" });
    result("openDir of a file", dir.openDir(io, "a/file", .{}));
    result("openFile of a dir for writing", dir.openFile(io, "a", .{ .mode = .read_write }));
    result("deleteFile of a dir", dir.deleteFile(io, "a"));
    result("deleteDir of a file", dir.deleteDir(io, "a/file"));

    var walker = try dir.walk(gpa);
    defer walker.deinit();
    var names: std.ArrayList([]const u8) = .empty;
    defer {
        for (names.items) |n| gpa.free(n);
        names.deinit(gpa);
    }
    while (try walker.next(io)) |entry| try names.append(gpa, try std.fmt.allocPrint(gpa, "{s} {t}", .{ entry.path, entry.kind }));
    std.mem.sort([]const u8, names.items, {}, struct {
        fn less(_: void, a: []const u8, b: []const u8) bool {
            return std.mem.lessThan(u8, a, b);
        }
    }.less);
    for (names.items) |n| say("{s}", .{n});
    for (0..300) |i| {
        var name: [32]u8 = undefined;
        try dir.writeFile(io, .{ .sub_path = try std.fmt.bufPrint(&name, "a/b/c/file-{d}", .{i}), .data = "" });
    }
    var c = try dir.openDir(io, "a/b/c", .{ .iterate = true });
    defer c.close(io);
    var seen: usize = 0;
    var it = c.iterate();
    while (try it.next(io)) |_| seen += 1;
    say("{d} entries", .{seen});
    try dir.deleteTree(io, "a/b");
    result("deleted", dir.access(io, "a/b", .{}));
}

fn links(io: Io, dir: Dir) !void {
    var buffer: [Dir.max_path_bytes]u8 = undefined;
    try dir.symLink(io, "file", "a/link", .{});
    say("{s}", .{buffer[0..try dir.readLink(io, "a/link", &buffer)]});
    result("readLink of a file", dir.readLink(io, "a/file", &buffer));
    result("openFile no follow", dir.openFile(io, "a/link", .{ .follow_symlinks = false }));
    result("statFile", dir.statFile(io, "a/link", .{}));
    say("{t}", .{(try dir.statFile(io, "a/link", .{ .follow_symlinks = false })).kind});
    try dir.symLink(io, "loop", "loop", .{});
    result("a loop", dir.openFile(io, "loop", .{}));
    try dir.hardLink("a/file", dir, "second", io, .{});
    say("{d} links", .{(try dir.statFile(io, "second", .{})).nlink});
    result("hardLink again", dir.hardLink("a/file", dir, "second", io, .{}));
    try dir.rename("second", dir, "third", io);
    result("renamePreserve onto", dir.renamePreserve("third", dir, "a/file", io));
    result("renamePreserve", dir.renamePreserve("third", dir, "fourth", io));
    result("rename of nothing", dir.rename("third", dir, "x", io));
    result("rename of a dir onto a file", dir.rename("a", dir, "fourth", io));
    try dir.symLinkAtomic(io, "elsewhere", "a/link", .{});
    say("{s}", .{buffer[0..try dir.readLink(io, "a/link", &buffer)]});
}

fn contents(gpa: std.mem.Allocator, io: Io, dir: Dir) !void {
    var file = try dir.createFile(io, "data", .{ .read = true });
    var buffer: [64]u8 = undefined;
    var writer = file.writer(io, &buffer);
    for (0..1000) |i| try writer.interface.print("line {d}\n", .{i});
    try writer.interface.flush();
    say("{d} bytes", .{try file.length(io)});
    result("createFile exclusive", dir.createFile(io, "data", .{ .exclusive = true }));
    try file.writePositionalAll(io, "LINE", 0);
    var some: [7]u8 = undefined;
    say("{s}", .{some[0..try file.readPositionalAll(io, &some, 0)]});
    try file.setLength(io, 12);
    say("{d} at the end", .{try file.readPositionalAll(io, &some, 12)});
    try file.setLength(io, 5000);
    try file.sync(io);

    var map = try file.createMemoryMap(io, .{ .len = 5000, .protection = .{ .read = true, .write = true } });
    map.memory[4999] = 'e';
    try map.write(io);
    map.destroy(io);
    say("{d} {c}", .{ try file.readPositionalAll(io, some[0..1], 4999), some[0] });
    file.close(io);

    try dir.copyFile("data", dir, "copy", io, .{});
    const copy = try dir.readFileAlloc(io, "copy", gpa, .unlimited);
    defer gpa.free(copy);
    say("copy: {d} bytes, {s}", .{ copy.len, copy[0..4] });
    result("too long", dir.readFileAlloc(io, "copy", gpa, .limited(10)));
    _ = try dir.updateFile(io, "data", dir, "copy", .{}); // times may be the same or not
    say("updateFile: {t}", .{try dir.updateFile(io, "data", dir, "copy", .{})});

    var atomic = try dir.createFileAtomic(io, "copy", .{ .replace = true });
    try atomic.file.writeStreamingAll(io, "new");
    say("before: {d}", .{(try dir.statFile(io, "copy", .{})).size});
    try atomic.replace(io);
    atomic.deinit(io);
    say("after: {d}", .{(try dir.statFile(io, "copy", .{})).size});
    var once = try dir.createFileAtomic(io, "copy", .{ .replace = false });
    result("link onto", once.link(io));
    once.deinit(io);
}

fn locks(io: Io, dir: Dir) !void {
    var first = try dir.createFile(io, "lock", .{ .lock = .exclusive });
    result("a second lock", dir.openFile(io, "lock", .{ .lock = .shared, .lock_nonblocking = true }));
    try first.downgradeLock(io);
    var second = try dir.openFile(io, "lock", .{ .lock = .shared, .lock_nonblocking = true });
    say("tryLock: {}", .{try second.tryLock(io, .exclusive)});
    first.close(io);
    say("tryLock: {}", .{try second.tryLock(io, .exclusive)});
    second.unlock(io);
    second.close(io);
}

fn attributes(io: Io, dir: Dir) !void {
    var file = try dir.createFile(io, "attributes", .{});
    defer file.close(io);
    try file.setPermissions(io, .fromMode(0o640));
    var stat = try file.stat(io);
    say("{o} {t} {d}", .{ stat.permissions.toMode() & 0o7777, stat.kind, stat.size });
    try dir.setFilePermissions(io, "attributes", .fromMode(0o600), .{});
    try file.setTimestamps(io, .{
        .access_timestamp = .{ .new = .{ .nanoseconds = 1_234_567_890_123 } },
        .modify_timestamp = .{ .new = .{ .nanoseconds = 5_000_000_007 } },
    });
    stat = try file.stat(io);
    say("{d} {d} {o}", .{ stat.atime.?.nanoseconds, stat.mtime.nanoseconds, stat.permissions.toMode() & 0o7777 });
    try file.setTimestampsNow(io);
    say("now: {}", .{(try file.stat(io)).mtime.nanoseconds > 1_600_000_000_000_000_000});
    say("tty: {}", .{try file.isTty(io)});
    result("access", dir.access(io, "attributes", .{ .read = true, .write = true }));
}

fn places(gpa: std.mem.Allocator, io: Io, dir: Dir, top: []const u8) !void {
    var buffer: [Dir.max_path_bytes]u8 = undefined;
    say("{s}", .{buffer[0..try dir.realPath(io, &buffer)]});
    say("{s}", .{buffer[0..try dir.realPathFile(io, "a/../a/./file", &buffer)]});
    try std.process.setCurrentPath(io, top);
    say("{s}", .{buffer[0..try std.process.currentPath(io, &buffer)]});
    try std.process.setCurrentDir(io, dir);
    const path = try std.process.executablePathAlloc(io, gpa);
    defer gpa.free(path);
    say("{s}", .{std.fs.path.basename(path)});
    var exe = try std.process.openExecutable(io, .{});
    var magic: [4]u8 = undefined;
    _ = try exe.readPositionalAll(io, &magic, 0);
    exe.close(io);
    say("{x}", .{magic});
    try std.process.setCurrentPath(io, "/");
    result("a long name", dir.openFile(io, &@as([300]u8, @splat('n')), .{}));
    result("below a file", dir.openFile(io, "a/file/x", .{}));
    result("an empty path", dir.openFile(io, "", .{}));
}
