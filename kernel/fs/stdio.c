/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stdin, stdout and stderr as open files.
 *
 * Where the host's stream is a terminal it looks like one (a character
 * device, with a size); anything else looks like a pipe: no position, no
 * size.  Output goes to console/ as one record per call.
 */
#include "fs/stdio.h"

#include "console/console.h"

/* The number of the stream; data holds it, so that a reopened one has it too. */
static unsigned stream_of(struct file *f) {
    return (unsigned)(uintptr_t)f->data;
}

static long stdio_writev(struct file *f, const struct io_piece *v, unsigned count, uint64_t *pos) {
    (void)pos;
    return console_write(stream_of(f), v, count);
}

static long stdio_write(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    struct io_piece one = {buf, size};
    return size ? stdio_writev(f, &one, 1, pos) : 0;
}

static bool stdio_terminal(struct file *f, struct file_terminal *out) {
    const struct console_terminal *t = &console_terminal;
    if (!t->known || !t->is_terminal[stream_of(f)])
        return false;
    *out = (struct file_terminal){t->rows, t->columns};
    return true;
}

static int stdio_info(struct file *f, struct file_info *out) {
    struct file_terminal t;
    bool terminal = stdio_terminal(f, &t);
    *out = (struct file_info){
        .inode = stream_of(f) + 3,
        .device = 1,
        .mode = terminal ? S_IFCHR | 0620 : S_IFIFO | 0600,
        .links = 1,
        .rdev_major = terminal ? 136 : 0, /* pts/0 */
    };
    return 0;
}

static unsigned output_poll(struct file *f) {
    (void)f;
    return POLLOUT | POLLWRNORM;
}

const struct file_ops stdio_output_ops = {
    .write = stdio_write,
    .writev = stdio_writev,
    .info = stdio_info,
    .poll = output_poll,
    .terminal = stdio_terminal,
};

const struct file_ops stdio_input_ops = {
    .read = stdin_read,
    .info = stdio_info,
    .poll = stdin_poll,
    .wait = stdin_wait,
    .readable = stdin_readable,
    .terminal = stdio_terminal,
};

/* One reference each is nobody's: they are never freed. */
struct file file_standard[3] = {
    {.ops = &stdio_input_ops, .refs = 2, .flags = O_RDONLY, .data = (void *)0},
    {.ops = &stdio_output_ops, .refs = 2, .flags = O_WRONLY, .data = (void *)1},
    {.ops = &stdio_output_ops, .refs = 2, .flags = O_WRONLY, .data = (void *)2},
};
