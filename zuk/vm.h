/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The virtual machine: a table of machines -> QEMU's command line; and one
 * run of it, with the app's streams relayed byte for byte.
 *
 * QEMU is a child without a terminal that dies with us whatever happens to us.
 * Its stdin and stdout are the channel (abi/report.h), its stderr and COM1 are
 * captured.  The loop never blocks on one side while the other has something
 * to say: where a reader is slow, the guest is held back.
 */
#ifndef ZUK_VM_H
#define ZUK_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/report.h"
#include "zuk/net.h"

#define VM_QEMU "qemu-system-x86_64"
#define VM_QEMU_OLDEST "6.2" /* the oldest that we test with */

struct vm_config {
    const char *qemu; /* path */
    const char *image;
    const char *machine; /* a name in the table: "microvm", "q35", "pc" */
    bool kvm;
    bool interpreted;             /* a KVM that interprets kernel mode (accel.h) */
    uint64_t memory;              /* bytes, a multiple of 4096 */
    unsigned cpus;                /* 0, 1: one */
    const char *cmdline;          /* tokens for the kernel */
    const char *module;           /* path of a file with more tokens, or NULL */
    const struct net_config *net; /* NULL: no network card */
    uint16_t gdb_port;            /* 0: none; otherwise QEMU waits for gdb */
    bool stand_alone;             /* a command for people: COM1 on stdio, no channel */
};

/* QEMU's arguments, NULL-terminated (arena).  NULL for an unknown machine. */
const char *const *vm_command(const struct vm_config *config);

/* One line that a POSIX shell takes apart into exactly these words. */
char *vm_shell_line(const char *const *argv);

/* "VALUE" as it stands on the kernel's command line (abi/image.h). */
char *vm_encode(const char *value);

enum vm_outcome {
    VM_EXIT,    /* the guest said how it ended: vm_end.exit */
    VM_CRASHED, /* the machine stopped without a word: triple fault, or before the channel */
    VM_FAILED,  /* QEMU could not start or died */
    VM_SIGNAL,  /* we got a signal: vm_end.signal */
    VM_TIMEOUT,
    VM_CLOSED, /* nobody reads our stdout or stderr any more (EPIPE) */
    VM_OUTPUT, /* our stdout or stderr refused bytes: vm_end.error (errno) */
    VM_BROKEN, /* the guest sent nonsense on the channel */
};

struct vm_end {
    enum vm_outcome outcome;
    struct report_exit exit;
    int signal;
    int error;
    int qemu_status; /* as waitpid gives it */
    bool spoke;      /* at least one record came */
    char *words;     /* QEMU's stderr, NUL-terminated, "" if none */
    char *serial;    /* COM1, NUL-terminated, "" if none */
};

struct vm_host {
    uint64_t timeout_ms; /* 0: none */
    uint64_t grace_ms;   /* how long an app that handles SIGTERM has for it, when we get one */
    bool color;          /* stderr red */
    bool serial_live;    /* COM1 to stderr as it comes */
    /* Every record that is not a stream's, EXIT or WANT_INPUT.  What it writes
     * to `out` goes to stderr in its turn; a slow reader holds the guest back. */
    void (*record)(void *arg, FILE *out, unsigned type, const uint8_t *data, size_t size);
    void *arg;
    void (*wrote)(size_t bytes); /* so many went to stdout or stderr; NULL: nobody cares */
    void (*spoke)(void);         /* the first record has come; NULL: nobody cares */
};

/* Runs argv (from vm_command).  Blocks SIGINT, SIGTERM, SIGHUP and SIGQUIT
 * meanwhile.  Returns when the VM is gone. */
void vm_run(const char *const *argv, const struct vm_host *host, struct vm_end *end);

#endif
