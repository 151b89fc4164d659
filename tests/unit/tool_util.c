/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/util.c: the arena, atomic outputs, subprocesses.
 */
#include "tests/unit/tool_scratch.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static void arena_is_zeroed_and_aligned(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 65536, 65537, 300000, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *p = xalloc(sizes[i]);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(p[k], 0);
        }
        memset(p, 0xa5, sizes[i]); /* must not show in the next one */
    }
}

static void vec_keeps_its_elements(void **state) {
    (void)state;
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++) {
        *vec_push(&v) = i * 3;
    }
    assert_int_equal(v.len, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(v.data[i], i * 3);
    }
}

static size_t count_files(void) {
    DIR *dir = opendir(scratch);
    size_t count = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        count += e->d_name[0] != '.' || (e->d_name[1] != 0 && e->d_name[1] != '.');
    }
    closedir(dir);
    return count;
}

static char *content(const char *path) {
    struct file_map map;
    assert_true(file_map(path, &map));
    char *text = map.data ? xstrndup((const char *)map.data, map.size) : xstrdup("");
    file_unmap(&map);
    return text;
}

static void output_is_atomic(void **state) {
    (void)state;
    char *path = put_file("out", "old", 3);
    size_t before = count_files();
    struct output *o = output_open(path, 0600);
    assert_non_null(o);
    assert_true(output_write(o, "new", 3));
    assert_string_equal(content(path), "old");
    output_abandon(o);
    assert_string_equal(content(path), "old");
    assert_int_equal(count_files(), before);

    o = output_open(path, 0600);
    for (int i = 0; i < 30000; i++) { /* more than its buffer */
        assert_true(output_write(o, "0123456789", 10));
    }
    assert_true(output_commit(o));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 300000);
    assert_int_equal(count_files(), before);
}

static void output_follows_links_and_keeps_devices(void **state) {
    (void)state;
    char *path = put_file("real", "a", 1), *link = in_scratch("link");
    assert_int_equal(symlink(path, link), 0);
    assert_true(write_file(link, "b", 1));
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_string_equal(content(path), "b");
    assert_true(write_file("/dev/null", "x", 1));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void a_full_disk_is_named(void **state) {
    (void)state;
    said_begin();
    bool ok = write_file("/dev/full", "x", 1);
    char *said = said_end();
    assert_false(ok);
    assert_said(said, "cannot write '/dev/full': No space left on device");
}

static void outputs_go_when_a_signal_comes(void **state) {
    (void)state;
    size_t before = count_files();
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct output *o = output_open(in_scratch("never"), 0600);
        output_write(o, "x", 1);
        assert_int_equal(write(ready[1], "!", 1), 1);
        sleep(30);
        _exit(0);
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(count_files(), before + 1);
    kill(pid, SIGTERM);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 143);
    assert_int_equal(count_files(), before);
    close(ready[0]);
    close(ready[1]);
}

static void run_gives_output_and_status(void **state) {
    (void)state;
    const char *const argv[] = {"sh", "-c", "echo out; echo err >&2; pwd; echo $ZUK_TEST; exit 7",
                                NULL};
    const char *const env[] = {"ZUK_TEST=yes", NULL};
    char *out, *err;
    size_t size;
    struct run run = {
        .argv = argv, .cwd = "/", .extra_env = env, .out = &out, .err = &err, .out_size = &size};
    assert_int_equal(run_program(&run), 7);
    assert_string_equal(out, "out\n/\nyes\n");
    assert_int_equal(size, strlen(out));
    assert_string_equal(err, "err\n");
}

static void run_tells_signals_and_absence(void **state) {
    (void)state;
    const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
    struct run run = {.argv = killed};
    assert_int_equal(run_program(&run), 128 + SIGKILL);
    const char *const absent[] = {"/nonexistent/program", NULL};
    run = (struct run){.argv = absent};
    assert_int_equal(run_program(&run), -1);
    assert_int_equal(errno, ENOENT);
}

static void run_reads_more_than_a_pipe_holds(void **state) {
    (void)state;
    const char *const argv[] = {"sh", "-c",
                                "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", NULL};
    char *out, *err;
    size_t size;
    struct run run = {.argv = argv, .out = &out, .err = &err, .out_size = &size};
    assert_int_equal(run_program(&run), 0);
    assert_int_equal(size, 3000000);
}

/* The grandchild holds the pipe open and must neither delay the end nor
 * survive a time-out. */
static void run_stops_a_whole_group(void **state) {
    (void)state;
    char *mark = in_scratch("alive");
    const char *const argv[] = {"sh", "-c", xasprintf("(sleep 2; touch %s) & sleep 30", mark),
                                NULL};
    char *out;
    struct run run = {.argv = argv, .out = &out, .timeout_ms = 300};
    time_t start = time(NULL);
    assert_int_equal(run_program(&run), -2);
    assert_true(time(NULL) - start < 5);
    sleep(3);
    assert_false(is_file(mark));
}

static void run_limits_memory(void **state) {
    (void)state;
    const char *const argv[] = {"head", "-c", "1", "/dev/zero", NULL};
    char *out, *err;
    struct run run = {.argv = argv, .out = &out, .err = &err, .memory_limit = 64 << 20};
    assert_int_equal(run_program(&run), 0);
    run.memory_limit = 1 << 20; /* less than its C library */
    assert_int_not_equal(run_program(&run), 0);
}

static void paths(void **state) {
    (void)state;
    assert_string_equal(path_join("a", "b"), "a/b");
    assert_string_equal(path_join("a/", "b"), "a/b");
    assert_string_equal(path_base("/x/y.z"), "y.z");
    assert_string_equal(path_base("y"), "y");
    char *deep = in_scratch("p/q/r");
    assert_true(make_dirs(deep) && is_dir(deep) && make_dirs(deep));
    char *file = put_file("plain", "", 0);
    said_begin();
    bool ok = make_dirs(path_join(file, "x"));
    assert_said(said_end(), "plain/x': Not a directory");
    assert_false(ok);
    assert_non_null(which("sh"));
    assert_null(which("no-such-program-anywhere"));
}

static void special_files_are_no_input(void **state) {
    (void)state;
    char *fifo = in_scratch("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct file_map map;
    said_begin();
    bool ok = file_map(fifo, &map) || file_map(scratch, &map);
    char *said = said_end();
    assert_false(ok);
    assert_said(said, "fifo' is special, not a file");
    assert_said(said, "is a folder, not a file");
}

static void hashes_differ(void **state) {
    (void)state;
    uint8_t bytes[64] = {0};
    VEC(uint64_t) seen = {0};
    for (size_t size = 0; size <= 64; size++) { /* zeros of every length */
        *vec_push(&seen) = hash64(1, bytes, size);
    }
    for (size_t bit = 0; bit < 512; bit++) { /* every single bit */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        *vec_push(&seen) = hash64(1, bytes, 64);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    *vec_push(&seen) = hash64(2, bytes, 64);
    for (size_t i = 0; i < seen.len; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_true(seen.data[i] != seen.data[k]);
        }
    }
    assert_true(hash64(1, bytes, 64) == hash64(1, bytes, 64));
}

static void messages(void **state) {
    (void)state;
    unsigned before = diag_error_count();
    char *large = xalloc(10000);
    memset(large, 'x', 9999);
    said_begin();
    diag_error("a %d", 1);
    diag_warning("%s", large);
    diag_hint("do it");
    diag_verbose("silent");
    diag_quiet = true;
    diag_error("silent");
    diag_quiet = false;
    char *said = said_end();
    assert_int_equal(diag_error_count(), before + 1);
    assert_string_equal(said,
                        xasprintf("zuk: error: a 1\nzuk: warning: %s\n  hint: do it\n", large));
    assert_false(diag_color_set("sometimes"));
    assert_true(diag_color_set("always"));
    said_begin();
    diag_error("x");
    assert_said(said_end(), "\033[1;31mzuk: error: \033[0mx\n");
    assert_true(diag_color_set("auto"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_is_zeroed_and_aligned),
        cmocka_unit_test(vec_keeps_its_elements),
        cmocka_unit_test(output_is_atomic),
        cmocka_unit_test(output_follows_links_and_keeps_devices),
        cmocka_unit_test(a_full_disk_is_named),
        cmocka_unit_test(outputs_go_when_a_signal_comes),
        cmocka_unit_test(run_gives_output_and_status),
        cmocka_unit_test(run_tells_signals_and_absence),
        cmocka_unit_test(run_reads_more_than_a_pipe_holds),
        cmocka_unit_test(run_stops_a_whole_group),
        cmocka_unit_test(run_limits_memory),
        cmocka_unit_test(paths),
        cmocka_unit_test(special_files_are_no_input),
        cmocka_unit_test(hashes_differ),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
