/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/report.c, story.c and strace.c: exit statuses, sentences, JSON, system calls as
 * text, and records that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "abi/image.h"
#include "zuk/diag.h"
#include "zuk/report.h"
#include "zuk/story.h"
#include "zuk/strace.h"
#include "zuk/util.h"

/* ---- records ---- */

struct record {
    uint8_t bytes[4096];
    size_t size;
};

static void put(struct record *r, const void *data, size_t size) {
    assert_true(r->size + size <= sizeof r->bytes);
    memcpy(r->bytes + r->size, data, size);
    r->size += size;
}

/* A crash with that message and two calls. */
static struct record crash_record(struct report_crash c, const char *message) {
    static const struct report_call calls[2] = {
        {.number = 1, .args = {1, 0x1000, 6}, .result = 6},
        {.number = 2, .args = {0, 0x241, 0644}, .result = -2},
    };
    static const uint8_t stack[64];
    struct record r = {.size = 0};
    c.call_count = 2;
    c.stack_size = sizeof stack;
    c.message_size = (uint32_t)strlen(message);
    put(&r, &c, sizeof c);
    put(&r, calls, sizeof calls);
    put(&r, stack, sizeof stack);
    put(&r, message, strlen(message));
    return r;
}

struct run_result {
    int status;
    char *text;
};

static const char *const stubs[] = {"first_symbol", "second_symbol"};

static struct run_result end_with(const struct record *record, struct vm_end end, bool json) {
    struct run_result result;
    size_t size;
    if (end.words == NULL) {
        end.words = "";
    }
    if (end.serial == NULL) {
        end.serial = "";
    }
    struct image_info image = {
        .path = "/nonexistent", .name = "app", .stubs = stubs, .stub_count = 2};
    struct report r = {.out = open_memstream(&result.text, &size), .json = json, .image = &image};
    if (record != NULL) {
        report_record(&r, r.out, REPORT_CRASH, record->bytes, record->size);
    }
    result.status = report_end(&r, &end, 1500, NULL);
    fclose(r.out);
    return result;
}

static struct vm_end ended(uint8_t reason, uint8_t status, uint8_t signal) {
    return (struct vm_end){.outcome = VM_EXIT,
                           .exit = {.reason = reason, .status = status, .signal = signal},
                           .spoke = true};
}

/* ---- exit statuses: DESIGN's table ---- */

static void test_statuses(void **state) {
    (void)state;
    static const struct {
        struct vm_end end;
        int status;
    } rows[] = {
        {{.outcome = VM_EXIT, .exit = {REASON_EXIT, 0, 0, 0}}, 0},
        {{.outcome = VM_EXIT, .exit = {REASON_EXIT, 255, 0, 0}}, 255},
        {{.outcome = VM_EXIT, .exit = {REASON_SIGNAL, 0, SIGSEGV, 0}}, 139},
        {{.outcome = VM_EXIT, .exit = {REASON_SIGNAL, 0, SIGABRT, 0}}, 134},
        {{.outcome = VM_EXIT, .exit = {REASON_MISSING, 0, 0, 0}}, 3},
        {{.outcome = VM_EXIT, .exit = {REASON_MEMORY, 0, 0, 0}}, 137},
        {{.outcome = VM_EXIT, .exit = {REASON_PANIC, 0, 0, 0}}, 4},
        {{.outcome = VM_EXIT, .exit = {REASON_DEADLOCK, 0, 0, 0}}, 4},
        {{.outcome = VM_EXIT, .exit = {99, 0, 0, 0}}, 4},
        {{.outcome = VM_CRASHED}, 4},
        {{.outcome = VM_BROKEN}, 4},
        {{.outcome = VM_FAILED, .qemu_status = 0x100}, 5},
        {{.outcome = VM_FAILED, .qemu_status = SIGKILL}, 5},
        {{.outcome = VM_TIMEOUT}, 6},
        {{.outcome = VM_SIGNAL, .signal = SIGINT}, 130},
        {{.outcome = VM_SIGNAL, .signal = SIGTERM}, 143},
        {{.outcome = VM_CLOSED}, 141},
        {{.outcome = VM_OUTPUT, .error = 28}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run_result plain = end_with(NULL, rows[i].end, false);
        assert_int_equal(plain.status, rows[i].status);
        free(plain.text);
        struct run_result json = end_with(NULL, rows[i].end, true);
        assert_int_equal(json.status, rows[i].status);
        json_error_t error;
        json_t *o = json_loads(json.text, 0, &error);
        assert_non_null(o);
        assert_int_equal(json_integer_value(json_object_get(o, "status")), rows[i].status);
        assert_true(json_is_string(json_object_get(o, "outcome")));
        json_decref(o);
        free(json.text);
    }
}

/* ---- sentences ---- */

static void expect_text(struct report_crash c, const char *message, struct vm_end end,
                        const char *const *wanted) {
    c.arch = IMAGE_X86_64;
    c.thread = 1;
    struct record record = crash_record(c, message);
    struct run_result r = end_with(&record, end, false);
    for (; *wanted != NULL; wanted++) {
        if (strstr(r.text, *wanted) == NULL) {
            print_error("'%s' is not in:\n%s", *wanted, r.text);
            fail();
        }
    }
    free(r.text);
    arena_release();
}
#define WANT(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_sentences(void **state) {
    (void)state;
    struct vm_end segv = ended(REASON_SIGNAL, 0, SIGSEGV);
    expect_text(
        (struct report_crash){.kind = CRASH_FAULT, .signal = SIGSEGV, .address = 8, .vector = 14},
        "", segv,
        WANT("zuk: error: segmentation fault: read of address 0x8 (null pointer)",
             "rip 0000000000000000", "write(1, 0x1000, 6) = 6",
             "open(NULL, O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 ENOENT"));
    expect_text((struct report_crash){.kind = CRASH_FAULT,
                                      .signal = SIGSEGV,
                                      .address = 0x400000,
                                      .access = 1,
                                      .vector = 14,
                                      .area_start = 0x400000,
                                      .area_end = 0x401000},
                "", segv, WANT("write to address 0x400000 (memory that may not be written)"));
    expect_text(
        (struct report_crash){
            .kind = CRASH_FAULT, .signal = SIGSEGV, .address = 0x400000, .access = 2, .vector = 14},
        "", segv, WANT("execution of address 0x400000 (nothing is there)"));
    expect_text((struct report_crash){.kind = CRASH_FAULT, .signal = SIGFPE, .vector = 0}, "",
                ended(REASON_SIGNAL, 0, SIGFPE), WANT("division by zero"));
    expect_text(
        (struct report_crash){
            .kind = CRASH_STACK, .signal = SIGSEGV, .area_start = 0x10000, .area_end = 0x20000},
        "", segv, WANT("stack overflow in thread 1", "hint:"));
    expect_text((struct report_crash){.kind = CRASH_CALL, .number = 2}, "",
                ended(REASON_MISSING, 0, 0),
                WANT("system call open (2) is not provided", "O_CREAT", "--missing open=enosys"));
    expect_text((struct report_crash){.kind = CRASH_CALL, .number = 4242}, "",
                ended(REASON_MISSING, 0, 0),
                WANT("system call 4242 is not provided", "syscall_4242("));
    expect_text((struct report_crash){.kind = CRASH_FUNCTION, .number = 1}, "",
                ended(REASON_MISSING, 0, 0),
                WANT("undefined function 'second_symbol' was called", "undefined/second_symbol.c"));
    expect_text((struct report_crash){.kind = CRASH_FUNCTION, .number = 77}, "",
                ended(REASON_MISSING, 0, 0), WANT("'symbol 77'"));
    expect_text((struct report_crash){.kind = CRASH_DATA, .number = 0, .access = 1}, "",
                ended(REASON_MISSING, 0, 0), WANT("undefined symbol 'first_symbol' was written"));
    expect_text(
        (struct report_crash){
            .kind = CRASH_MEMORY, .memory_total = 8 << 20, .memory_app = 256, .memory_kernel = 16},
        "", ended(REASON_MEMORY, 0, 0),
        WANT("out of memory: all 8 MiB are in use", "the app", "1024", "-m 16M"));
    expect_text((struct report_crash){.kind = CRASH_PANIC}, "assertion failed at mm/frame.c:1: x",
                ended(REASON_PANIC, 0, 0),
                WANT("kernel panic: assertion failed at mm/frame.c:1: x"));
    expect_text((struct report_crash){.kind = CRASH_DEADLOCK}, "", ended(REASON_DEADLOCK, 0, 0),
                WANT("thread 1 sleeps for ever"));
    expect_text((struct report_crash){.kind = CRASH_SIGNAL, .signal = SIGABRT}, "",
                ended(REASON_SIGNAL, 0, SIGABRT), WANT("the app aborted (SIGABRT)"));
}

/* The guest's text must not drive the terminal. */
static void test_no_escapes(void **state) {
    (void)state;
    struct record r = crash_record((struct report_crash){.kind = CRASH_PANIC}, "a\033[2Jb\007c\rd");
    struct run_result result = end_with(&r, ended(REASON_PANIC, 0, 0), false);
    assert_non_null(strstr(result.text, "a[2Jbcd"));
    assert_null(strchr(result.text, '\033'));
    assert_null(strchr(result.text, '\007'));
    free(result.text);
}

static void test_json(void **state) {
    (void)state;
    struct report_crash c = {
        .kind = CRASH_FAULT, .signal = SIGSEGV, .address = 16, .vector = 14, .thread = 7};
    c.regs[0] = 0x123;
    struct record record = crash_record(c, "bytes \xff\xfe");
    struct run_result r = end_with(&record, ended(REASON_SIGNAL, 0, SIGSEGV), true);
    json_error_t error;
    json_t *o = json_loads(r.text, 0, &error);
    assert_non_null(o);
    json_t *report = json_array_get(json_object_get(o, "reports"), 0);
    assert_string_equal(json_string_value(json_object_get(report, "kind")), "fault");
    assert_string_equal(json_string_value(json_object_get(report, "address")), "0x10");
    assert_int_equal(json_integer_value(json_object_get(report, "thread")), 7);
    json_t *regs = json_object_get(report, "registers");
    assert_string_equal(json_string_value(json_object_get(regs, "rax")), "0x123");
    assert_int_equal(json_array_size(json_object_get(report, "calls")), 2);
    assert_int_equal(strcspn(r.text, "\n"), strlen(r.text) - 1); /* one line */
    json_decref(o);
    free(r.text);
}

/* Sizes that do not add up: refused, whichever is wrong. */
static void test_lies(void **state) {
    (void)state;
    struct record good = crash_record((struct report_crash){.kind = CRASH_FAULT}, "text");
    struct story_parts p;
    assert_true(story_parse(good.bytes, good.size, &p));
    assert_memory_equal(p.message, "text", 4);
    for (size_t size = 0; size < good.size; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, good.bytes, size);
        assert_false(story_parse(cut, size, &p));
        free(cut);
    }
    static const size_t fields[] = {
        offsetof(struct report_crash, stack_size), offsetof(struct report_crash, kstack_size),
        offsetof(struct report_crash, call_count), offsetof(struct report_crash, message_size)};
    static const uint32_t values[] = {1000, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            struct record bad = good;
            memcpy(bad.bytes + fields[i], &values[v], sizeof values[v]);
            assert_false(story_parse(bad.bytes, bad.size, &p));
        }
    }
}

/* ---- system calls ---- */

static void expect_call(struct report_call call, const char *wanted) {
    char *text = strace_call(&call, NULL);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_calls(void **state) {
    (void)state;
    expect_call((struct report_call){9,
                                     {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                      (uint64_t)-1, 0},
                                     0x7f0000001000},
                "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
                "0x7f0000001000");
    expect_call((struct report_call){257, {(uint64_t)AT_FDCWD, 0x5000, O_RDONLY | O_CLOEXEC}, 3},
                "openat(AT_FDCWD, 0x5000, O_CLOEXEC) = 3");
    expect_call((struct report_call){202, {0x1000, 129, 1}, 0},
                "futex(0x1000, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1) = 0");
    expect_call((struct report_call){56, {CLONE_VM | CLONE_THREAD | SIGCHLD, 0, 0, 0, 0}, 2},
                "clone(CLONE_VM|CLONE_THREAD|SIGCHLD, NULL, NULL, NULL, NULL) = 2");
    expect_call((struct report_call){231, {3}, 0}, "exit_group(3)");
    expect_call((struct report_call){0, {0, 0x1000, 5}, INT64_MIN}, "read(0, 0x1000, 5) = ?");
    expect_call((struct report_call){72, {1, F_GETFL, 99}, 2}, "fcntl(1, F_GETFL) = 2");
    expect_call((struct report_call){62, {1, SIGKILL}, -1},
                "kill(1, SIGKILL) = -1 EPERM (Operation not permitted)");
    expect_call((struct report_call){7777, {1, 0, 0, 0, 0, 2}, -38},
                "syscall_7777(0x1, 0, 0, 0, 0, 0x2) = -1 ENOSYS (Function not implemented)");
    expect_call((struct report_call){12, {0}, 0x600000}, "brk(NULL) = 0x600000");
    expect_call((struct report_call){2, {0x5000, O_PATH | O_DIRECTORY}, 3},
                "open(0x5000, O_DIRECTORY|O_PATH) = 3");
    expect_call((struct report_call){2, {0x5000, O_RDWR | O_TMPFILE, 0600}, 3},
                "open(0x5000, O_RDWR|O_TMPFILE, 0600) = 3");
    expect_call((struct report_call){293, {0x5000, O_CLOEXEC | O_NONBLOCK}, 0},
                "pipe2(0x5000, O_NONBLOCK|O_CLOEXEC) = 0");
    expect_call((struct report_call){293, {0x5000, 0}, 0}, "pipe2(0x5000, 0) = 0");
    expect_call((struct report_call){292, {3, 4, 0}, 4}, "dup3(3, 4, 0) = 4");
    expect_call((struct report_call){288, {3, 0, 0, SOCK_CLOEXEC}, 4},
                "accept4(3, NULL, NULL, SOCK_CLOEXEC) = 4");
    expect_call((struct report_call){288, {3, 0, 0, 1}, -22},
                "accept4(3, NULL, NULL, 0x1) = -1 EINVAL (Invalid argument)");
    expect_call((struct report_call){41, {AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0}, 3},
                "socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) = 3");
    expect_call((struct report_call){439, {3, 0x5000, R_OK, AT_EACCESS}, 0},
                "faccessat2(3, 0x5000, R_OK, AT_EACCESS) = 0");
    expect_call((struct report_call){8, {3, 3000000000, SEEK_SET}, 3000000000},
                "lseek(3, 3000000000, SEEK_SET) = 3000000000");
    expect_call((struct report_call){8, {3, (uint64_t)-5, SEEK_CUR}, -22},
                "lseek(3, -5, SEEK_CUR) = -1 EINVAL (Invalid argument)");
    expect_call((struct report_call){17, {3, 0x1000, 5, 0xffffffff}, 0},
                "pread64(3, 0x1000, 5, 4294967295) = 0");
}

static char *trace(struct report_call call, uint16_t arg, const void *bytes, uint16_t size) {
    struct record r = {.size = 0};
    struct report_trace t = {
        .time = 1234567890, .duration = 12000, .thread = 1, .data_count = 1, .call = call};
    struct report_data d = {arg, size};
    put(&r, &t, sizeof t);
    put(&r, &d, sizeof d);
    put(&r, bytes, size);
    return strace_line(r.bytes, r.size);
}

static void test_trace(void **state) {
    (void)state;
    char *line = trace((struct report_call){1, {1, 0x1000, 6}, 6}, 1, "hello\n??", 8);
    assert_string_equal(line, "[   1.234567] write(1, \"hello\\n\", 6) = 6 <0.000012>");
    free(line);
    line = trace((struct report_call){0, {0, 0x1000, 100}, 3}, 1, "abcdef", 6);
    assert_string_equal(line, "[   1.234567] read(0, \"abc\", 100) = 3 <0.000012>");
    free(line);
    line = trace((struct report_call){2, {0x1000, 0, 0}, 3}, 0, "/etc/x\0junk", 11);
    assert_string_equal(line, "[   1.234567] open(\"/etc/x\", O_RDONLY) = 3 <0.000012>");
    free(line);
    line =
        trace((struct report_call){35, {0x1000, 0}, 0}, 0, "\2\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0", 16);
    assert_string_equal(line, "[   1.234567] nanosleep({2.000000005}, NULL) = 0 <0.000012>");
    free(line);
    static const uint8_t action[32] = {0, 0x10, [8] = 4, [11] = 4, [25] = 4};
    line = trace((struct report_call){13, {11, 0x1000, 0, 8}, 0}, 1, action, 32);
    assert_non_null(strstr(
        line, "rt_sigaction(SIGSEGV, {0x1000, [SEGV], SA_RESTORER|SA_SIGINFO}, NULL, 8) = 0"));
    free(line);
}

/* Chunks that promise more than there is show the pointer. */
static void test_trace_lies(void **state) {
    (void)state;
    struct record r = {.size = 0};
    struct report_trace t = {.data_count = 0xffffffff, .call = {1, {1, 0x1000, 6}, 6}};
    struct report_data d = {1, 60000};
    put(&r, &t, sizeof t);
    put(&r, &d, sizeof d);
    put(&r, "abc", 3);
    for (size_t size = 0; size <= r.size; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, r.bytes, size);
        char *line = strace_line(cut, size);
        if (size < sizeof t) {
            assert_null(line);
        } else {
            assert_non_null(strstr(line, "write(1, 0x1000, 6) = 6"));
        }
        free(line);
        free(cut);
    }
}

static void test_quote(void **state) {
    (void)state;
    char *text = strace_quote((const uint8_t *)"a\"\\\n\0"
                                               "7\x80z",
                              8, 100);
    assert_string_equal(text, "\"a\\\"\\\\\\n\\0007\\200z\"");
    free(text);
    text = strace_quote((const uint8_t *)"abcdef", 6, 3);
    assert_string_equal(text, "\"abc\"...");
    free(text);
}

int main(void) {
    diag_color_set("never");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),   cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_no_escapes), cmocka_unit_test(test_json),
        cmocka_unit_test(test_lies),       cmocka_unit_test(test_calls),
        cmocka_unit_test(test_trace),      cmocka_unit_test(test_trace_lies),
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
