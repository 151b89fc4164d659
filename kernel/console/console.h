/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way to the host: framed records when the channel is there, COM1 else.
 *
 * Transports register themselves (TRANSPORT); the first that answers, in the
 * order of their names, is taken, at the first use and not before, so that boot
 * waits for nothing.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/report.h"
#include "arch/arch.h"
#include "lib/io_piece.h"

/* A byte transport to the host.  `framed`: it carries abi/report.h records;
 * otherwise plain text. */
struct transport {
    const char *name;
    bool framed;
    bool (*probe)(void); /* is the device there?  makes it ready */
    /* Sends pieces in order, one at least, which lie in the kernel's memory or in the app's;
     * returns when the device has taken all.  Not negative, or -EIO (device
     * broken), -EFAULT (an app page is gone; nothing was sent).  A text one
     * says how many bytes went, those before an app page that is gone.  May
     * sleep unless `poll`. */
    long (*send)(const struct io_piece *pieces, unsigned count, bool poll);
    /* Starts input, or goes on with it after console_received took too little:
     * bytes come to console_received(), now and later, interrupts closed.
     * NULL: this one is for few words, TRANSPORT_FEW_BYTES with their headers;
     * for more, and for input, the next one is taken. */
    void (*listen)(void);
};
#define TRANSPORT_FEW_BYTES 1024
#define TRANSPORT(t)                                                                               \
    __attribute__((                                                                                \
        used, section(".transports." #t))) static const struct transport *const t##_row = &(t)

/* Stream output of the app: stdout (1) or stderr (2).  The number of bytes
 * written, those before a page that is gone, or -errno.  May sleep. */
long console_write(unsigned stream, const struct io_piece *pieces, unsigned count);
/* A record of type `type` (enum report_type); dropped without a framed
 * transport.  `poll`: never sleeps (panics). */
void console_record(unsigned type, const struct io_piece *pieces, unsigned count, bool poll);
bool console_framed(void);
/* Kernel text for people; dropped where there is a channel.  Never sleeps. */
void console_text(const char *text, size_t size);
/* Before the machine stops: the last record, or text gets its colour back. */
void console_end(const struct report_exit *e, bool poll);

/* Input, an upward call through pointers that vfs's stdin registers.  Both are
 * called with interrupts closed, maybe from an interrupt: they wake, and do not
 * sleep. */
struct console_input_ops {
    /* Copies what it has room for and returns how many bytes those are.  After
     * fewer than `size` the rest is kept, and the host held back, until
     * console_resume_input(). */
    size_t (*data)(const uint8_t *bytes, size_t size);
    void (*eof)(void); /* comes once, after all bytes */
};
void console_set_input(const struct console_input_ops *ops);
/* The app waits for stdin and there is nothing for it: tells the host, once a
 * call, and opens the way in. */
void console_want_input(void);
void console_resume_input(void); /* there is room again */

/* From transports: raw bytes; how many were taken, the rest is to be offered
 * again at the next listen(). */
size_t console_received(const uint8_t *bytes, size_t size);
void console_input_ended(void); /* from transports: no more will come */

/* A signal for the app has come from the host; where there is somebody to take
 * it.  As the above: called with interrupts closed, and does not sleep. */
extern void (*console_signal)(unsigned number);

struct console_terminal {
    bool known; /* the host said (terminal= or REPORT_TERMINAL) */
    bool is_terminal[3];
    uint16_t rows, columns;
};
extern struct console_terminal console_terminal;
/* The value of the command line's terminal= (abi/image.h). */
void console_set_terminal(const char *value, size_t size);

#endif
