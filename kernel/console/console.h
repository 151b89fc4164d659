/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way to the host: framed records when the channel is there, COM1 else.
 *
 * Transports register themselves (TRANSPORT); the first that answers is
 * taken, at the first use and not before, so that boot waits for nothing.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "lib/io_piece.h"

/* A byte transport to the host.  `framed`: it carries abi/report.h records;
 * otherwise plain text. */
struct transport {
    const char *name;
    bool framed;
    bool (*probe)(void); /* is the device there?  makes it ready */
    /* Sends pieces in order; returns when the device has taken all.  0, or
     * -EIO (device broken), -EFAULT (an app page is gone; nothing was sent).
     * May sleep unless `poll`. */
    int (*send)(const struct io_piece *pieces, unsigned count, bool poll);
    /* Starts input: bytes arrive through console_input().  */
    void (*listen)(void);
};
#define TRANSPORT(t) \
    __attribute__((used, section(".transports." #t))) static const struct transport *const t##_row = &(t)

/* Stream output of the app: stdout (1) or stderr (2).  The number of bytes
 * written or -errno.  May sleep. */
long console_write(unsigned stream, const struct io_piece *pieces, unsigned count);
/* A record of type `type` (enum report_type); dropped without a framed
 * transport.  `poll`: never sleeps (panics). */
void console_record(unsigned type, const struct io_piece *pieces, unsigned count, bool poll);
bool console_framed(void);
/* Kernel text for people when there is no channel (COM1). */
void console_text(const char *text, size_t size);

/* Input, an upward call through pointers that vfs's stdin registers. */
struct console_input_ops {
    void (*data)(const uint8_t *bytes, size_t size); /* interrupts closed; copies */
    void (*eof)(void);
};
void console_set_input(const struct console_input_ops *ops);
void console_want_input(void);                        /* the app waits for stdin */
void console_received(const uint8_t *bytes, size_t n); /* from transports: raw bytes */

struct console_terminal {
    bool known; /* the host said (REPORT_TERMINAL) */
    bool is_terminal[3];
    uint16_t rows, columns;
};
extern struct console_terminal console_terminal;

#endif
