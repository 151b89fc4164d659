//! A web server that is a machine of its own: std.http, a thread for each
//! connection, and one page that shows how the machine is.
//!
//! GET /            the page, which asks for /status every second
//! GET /status      uptime, memory, threads, requests as JSON
//! POST /echo       what was sent
//!
//! Nothing in it knows of zuk.  The first argument is the port, 8080 if absent.
const std = @import("std");
const http = std.http;
const Io = std.Io;

const stack_size = 256 * 1024;
const page = @embedFile("page.html");

var requests: std.atomic.Value(u64) = .init(0);
var connections: std.atomic.Value(u32) = .init(0);

const State = struct { io: Io, began: Io.Timestamp };

pub fn main(init: std.process.Init) !void {
    const args = try init.minimal.args.toSlice(init.arena.allocator());
    const port = if (args.len > 1) try std.fmt.parseInt(u16, args[1], 10) else 8080;
    const state: State = .{ .io = init.io, .began = Io.Clock.awake.now(init.io) };
    const address: Io.net.IpAddress = .{ .ip6 = .unspecified(port) };
    var server = try address.listen(state.io, .{ .reuse_address = true, .kernel_backlog = 512 });
    defer server.deinit(state.io);
    while (true) {
        const stream = server.accept(state.io) catch |err| switch (err) {
            error.ConnectionAborted => continue,
            else => return err,
        };
        const thread = std.Thread.spawn(.{ .stack_size = stack_size }, serve, .{ &state, stream }) catch {
            serve(&state, stream); // no memory for a thread: this one does it
            continue;
        };
        thread.detach();
    }
}

fn serve(state: *const State, stream: Io.net.Stream) void {
    _ = connections.fetchAdd(1, .monotonic);
    defer _ = connections.fetchSub(1, .monotonic);
    defer stream.close(state.io);
    var in_buffer: [8192]u8 = undefined;
    var out_buffer: [4096]u8 = undefined;
    var in = stream.reader(state.io, &in_buffer);
    var out = stream.writer(state.io, &out_buffer);
    var connection: http.Server = .init(&in.interface, &out.interface);
    while (true) {
        var request = connection.receiveHead() catch return; // closed, or no HTTP
        const keep = request.head.keep_alive;
        answer(state, &request) catch return;
        if (!keep) return;
    }
}

fn answer(state: *const State, request: *http.Server.Request) !void {
    _ = requests.fetchAdd(1, .monotonic);
    const target = request.head.target;
    if (std.mem.eql(u8, target, "/status")) {
        var buffer: [512]u8 = undefined;
        return request.respond(try status(state, &buffer), .{
            .extra_headers = &.{.{ .name = "content-type", .value = "application/json" }},
        });
    }
    if (std.mem.eql(u8, target, "/echo")) {
        var buffer: [64 * 1024]u8 = undefined;
        var body_buffer: [4096]u8 = undefined;
        const reader = try request.readerExpectContinue(&body_buffer);
        const size = try reader.readSliceShort(&buffer);
        return request.respond(buffer[0..size], .{});
    }
    const known = std.mem.eql(u8, target, "/");
    return request.respond(if (known) page else "there is no such page\n", .{
        .status = if (known) .ok else .not_found,
        .extra_headers = &.{.{
            .name = "content-type",
            .value = if (known) "text/html; charset=utf-8" else "text/plain",
        }},
    });
}

fn status(state: *const State, buffer: []u8) ![]u8 {
    const uptime = state.began.durationTo(Io.Clock.awake.now(state.io));
    return std.fmt.bufPrint(buffer, "{{\"uptime_ms\":{d},\"memory_kib\":{d},\"memory_free_kib\":{d}," ++
        "\"threads\":{d},\"connections\":{d},\"requests\":{d}}}\n", .{
        uptime.toMilliseconds(),
        value(state.io, "/proc/meminfo", "MemTotal:"),
        value(state.io, "/proc/meminfo", "MemFree:"),
        value(state.io, "/proc/self/status", "Threads:"),
        connections.load(.monotonic),
        requests.load(.monotonic),
    });
}

/// The number behind a word in a file of /proc; 0: it is not there.
fn value(io: Io, path: []const u8, word: []const u8) u64 {
    var buffer: [4096]u8 = undefined;
    const text = Io.Dir.cwd().readFile(io, path, &buffer) catch return 0;
    var lines = std.mem.splitScalar(u8, text, '\n');
    while (lines.next()) |line| {
        if (!std.mem.startsWith(u8, line, word)) continue;
        var words = std.mem.tokenizeAny(u8, line[word.len..], " \t");
        return std.fmt.parseInt(u64, words.next() orelse return 0, 10) catch 0;
    }
    return 0;
}
