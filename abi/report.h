/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The channel between guest and host.
 *
 * Port 1 of a virtio-console (device id 3) carries both directions, each a
 * sequence of records: a struct report_header, then `length` bytes.
 * Little-endian.  The guest sends each record whole; records of one thread
 * keep their order.  The reader MUST cope with any bytes: a header with an
 * unknown type is skipped by its length, a length above REPORT_LENGTH_MAX
 * means that the channel is broken.
 *
 * Port 1, not 0: QEMU throws bytes away when the host reads port 0 too slowly,
 * while it holds back the buffers of every other port until they are read.
 * Output is virtqueue 5 and needs nothing else; a device without that queue is
 * somebody else's console, not this channel.  Input is virtqueue 4; before it,
 * the guest MUST open the port with one control message on virtqueue 3,
 *     uint32_t port = 1; uint16_t event = 6, value = 1;
 * (virtio 1.1, 5.3.6.2), or QEMU drops what the host sends.  The guest MUST
 * wait until the device has used the buffer of REPORT_EXIT before it powers
 * off, or the last bytes are lost.
 *
 * A guest MAY send its first records byte by byte to an isa-debugcon at I/O port
 * REPORT_PORT_X86, which goes where the channel goes and says 0xe9 when it is
 * read; behind the first byte to virtqueue 5 it MUST NOT.
 *
 * Without the channel the kernel writes stdout, stderr and its own words as
 * text to COM1.
 */
#ifndef ABI_REPORT_H
#define ABI_REPORT_H

#include <stdint.h>

#define REPORT_LENGTH_MAX (1u << 20)
#define REPORT_PORT_X86 0x505

enum report_type {
    /* guest to host */
    REPORT_STDOUT = 1,     /* bytes */
    REPORT_STDERR = 2,     /* bytes */
    REPORT_EXIT = 3,       /* struct report_exit; nothing follows */
    REPORT_CRASH = 4,      /* struct report_crash and what it announces */
    REPORT_TRACE = 5,      /* struct report_trace and what it announces */
    REPORT_TIMELINE = 6,   /* struct report_timeline, name follows */
    REPORT_LOG = 7,        /* bytes: a line of the kernel's, shown with -v */
    REPORT_WANT_INPUT = 8, /* no payload: the app waits for stdin */
    REPORT_SAMPLE = 9,     /* struct report_sample and what it announces */
    REPORT_LISTENS = 10,   /* no payload: from now on REPORT_SIGNAL has an effect */
    /* host to guest */
    REPORT_STDIN = 32,     /* bytes */
    REPORT_STDIN_EOF = 33, /* no payload; stdin has ended */
    REPORT_TERMINAL = 34,  /* struct report_terminal: which streams are terminals */
    REPORT_SIGNAL = 35,    /* struct report_signal: a signal for the app */
};

struct report_header {
    uint32_t length; /* bytes after this header */
    uint16_t type;   /* enum report_type */
    uint16_t cpu;
};
_Static_assert(sizeof(struct report_header) == 8, "report_header is an ABI");

/* How the run ended.  Sent once; the VM powers off afterwards. */
struct report_exit {
    uint8_t reason; /* enum report_reason */
    uint8_t status; /* the app's exit status with REASON_EXIT */
    uint8_t signal; /* the signal's number with REASON_SIGNAL */
    uint8_t reserved;
};
_Static_assert(sizeof(struct report_exit) == 4, "report_exit is an ABI");

enum report_reason {
    REASON_EXIT = 0,     /* exit or exit_group */
    REASON_SIGNAL = 1,   /* a fault or a signal without a handler */
    REASON_MISSING = 2,  /* trapped: missing function, data or system call */
    REASON_MEMORY = 3,   /* out of memory */
    REASON_PANIC = 4,    /* kernel panic */
    REASON_DEADLOCK = 5, /* no runnable thread and no deadline */
};

enum report_kind {
    CRASH_FAULT = 1,    /* the app was ended by a signal it did not handle */
    CRASH_STACK = 2,    /* ... because its stack ran over */
    CRASH_CALL = 3,     /* system call `number` is not provided */
    CRASH_FUNCTION = 4, /* undefined function, stub `number` */
    CRASH_DATA = 5,     /* undefined data symbol touched, stub `number` */
    CRASH_MEMORY = 6,   /* out of memory */
    CRASH_PANIC = 7,    /* kernel panic or assertion; message follows */
    CRASH_DEADLOCK = 8, /* this thread sleeps for ever (one record a thread) */
    CRASH_NOTICE = 9,   /* missing call answered ENOSYS or ignored, app goes on */
    CRASH_SIGNAL = 10,  /* the app raised a deadly signal (abort, kill) */
};

#define REPORT_REGS_X86_64 18 /* rax rbx rcx rdx rsi rdi rbp rsp r8..r15 rip rflags */
#define REPORT_CALLS 10

/* One system call, newest last in a list. */
struct report_call {
    uint64_t number; /* the architecture's number; UINT64_MAX: slot unused */
    uint64_t args[6];
    int64_t result; /* INT64_MIN: not returned yet */
};
_Static_assert(sizeof(struct report_call) == 64, "report_call is an ABI");

/* After the struct: call_count struct report_call (oldest first), stack_size
 * bytes of the app's stack starting at address stack_base, kstack_size bytes
 * of the kernel's stack from kstack_base (with CRASH_PANIC), then
 * message_size bytes of text. */
struct report_crash {
    uint16_t kind;     /* enum report_kind */
    uint16_t arch;     /* enum image_arch */
    uint8_t signal;    /* Linux signal number or 0 */
    uint8_t access;    /* faults: 0 read, 1 write, 2 execute */
    uint8_t in_kernel; /* regs are the kernel's, not the app's */
    uint8_t reserved;
    uint32_t thread;                   /* Linux thread id */
    uint32_t number;                   /* missing call: its number; stubs: index in the manifest */
    uint64_t address;                  /* faults: what was touched */
    uint64_t error;                    /* x86_64: hardware error code */
    uint64_t vector;                   /* x86_64: exception vector */
    uint64_t regs[REPORT_REGS_X86_64]; /* in the order of REPORT_REGS_X86_64 */
    uint64_t app_base;                 /* load bias of the app (0 for ET_EXEC) */
    uint64_t stack_base;
    uint64_t kstack_base;
    uint64_t area_start, area_end;      /* the area that holds `address`, or 0, 0 */
    uint64_t memory_total, memory_free; /* bytes */
    uint32_t memory_app, memory_kernel, memory_tables, memory_image; /* pages */
    uint32_t stack_size;
    uint32_t kstack_size;
    uint32_t call_count;
    uint32_t message_size;
};
_Static_assert(sizeof(struct report_crash) == 272, "report_crash is an ABI");

/* One traced system call.  After the struct: data_count chunks, each a
 * struct report_data and its bytes (what pointer arguments point to, as far as
 * the kernel could read it). */
struct report_trace {
    uint64_t time;     /* ns since boot, at the call's entry */
    uint64_t duration; /* ns */
    uint32_t thread;
    uint32_t data_count;
    struct report_call call;
};
_Static_assert(sizeof(struct report_trace) == 88, "report_trace is an ABI");

struct report_data {
    uint16_t arg;  /* which argument, from 0; 6 on: where words 0, 2, 4 of argument 1 point */
    uint16_t size; /* bytes that follow, not padded */
};

struct report_timeline {
    uint64_t cycles; /* time stamp counter */
    uint32_t name_size;
    uint32_t reserved;
};

struct report_signal {
    uint32_t number; /* Linux signal number, from 1 to 64 */
};
_Static_assert(sizeof(struct report_signal) == 4, "report_signal is an ABI");

/* Where the app was at some moment.  After the struct: stack_size bytes of the
 * app's stack, from its stack pointer up. */
struct report_sample {
    uint64_t time;      /* ns since boot */
    uint64_t cycles_hz; /* of the time stamp counter, for the timeline */
    uint64_t app_base;  /* load bias of the app */
    uint32_t thread;
    uint32_t state;  /* enum report_place */
    uint32_t number; /* SAMPLE_CALL: the system call */
    uint32_t count;  /* periods that this one stands for, at least 1 */
    uint32_t stack_size;
    uint32_t reserved;
    uint64_t
        regs[REPORT_REGS_X86_64]; /* but with SAMPLE_IDLE; with SAMPLE_CALL where it was made */
};
_Static_assert(sizeof(struct report_sample) == 192, "report_sample is an ABI");

enum report_place { SAMPLE_APP, SAMPLE_CALL, SAMPLE_IDLE };

struct report_terminal {
    uint8_t is_terminal[3]; /* stdin, stdout, stderr on the host */
    uint8_t reserved;
    uint16_t rows, columns;
};
_Static_assert(sizeof(struct report_terminal) == 8, "report_terminal is an ABI");

#endif
