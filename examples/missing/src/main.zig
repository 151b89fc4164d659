//! Calls database_open, which nobody defines.  The image builds all the same,
//! with a warning; the call stops the guest with a report, exit status 3.
//! Run it with an argument and the call is not made: exit status 0.
extern "c" fn puts(text: [*:0]const u8) c_int;
extern fn database_open(path: [*:0]const u8) ?*anyopaque;

fn openStore() bool {
    return database_open("/var/lib/store") != null;
}

export fn main(argc: c_int, argv: [*]const ?[*:0]const u8) c_int {
    _ = argv;
    _ = puts("Before the call.");
    if (argc > 1) return 0;
    return if (openStore()) 0 else 1;
}
