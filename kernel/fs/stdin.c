/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Standard input: a chain of frames between console/ and the readers.
 *
 * The host is asked for bytes only when a reader has none to read (or polls),
 * so that a program that never reads leaves the host's stdin alone.  A read
 * returns what is there; it sleeps only when that is nothing.
 */
#include "fs/stdio.h"

#include "console/console.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "sched/thread.h"

struct chunk { /* one frame */
    struct chunk *next;
    uint32_t start, end; /* of what is unread, in bytes[] */
    uint8_t bytes[];
};
#define CHUNK_BYTES ((uint32_t)(PAGE_SIZE - sizeof(struct chunk)))
#define UNREAD_MAX (64u << 10) /* more than this the host keeps for us */

static struct chunk *head, *tail;
static size_t unread;
static bool ended;  /* the host's stdin has ended */
static bool wanted; /* the host was asked and has not answered */
static bool held;   /* not all was taken: console/ waits for room */
static WAIT_QUEUE_EXTERNAL(readers);

/* Room for more bytes in the last chunk, or a new one; NULL: memory is out. */
static struct chunk *chunk_with_room(void) {
    if (tail && tail->end < CHUNK_BYTES)
        return tail;
    paddr_t frame = frame_alloc();
    if (!frame)
        return NULL;
    struct chunk *c = phys_to_virt(frame);
    c->next = NULL;
    c->start = c->end = 0;
    if (tail)
        tail->next = c;
    else
        head = c;
    tail = c;
    return c;
}

static size_t input_data(const uint8_t *bytes, size_t size) {
    size_t left = size;
    while (left && unread < UNREAD_MAX) {
        struct chunk *c = chunk_with_room();
        if (!c)
            break;
        size_t n = MIN(left, (size_t)(CHUNK_BYTES - c->end));
        memcpy(c->bytes + c->end, bytes, n);
        c->end += (uint32_t)n;
        unread += n;
        bytes += n;
        left -= n;
    }
    wanted = false;
    held = held || left;
    wake_all(&readers);
    return size - left;
}

static void input_eof(void) {
    ended = true;
    wake_all(&readers);
}

static const struct console_input_ops input_ops = {input_data, input_eof};

/* Is there something to say to a reader?  Asks the host when not. */
static bool ready(void) {
    if (unread || ended)
        return true;
    if (!wanted) {
        wanted = true;
        console_set_input(&input_ops);
        console_want_input();
    }
    return unread || ended; /* the answer may have come while the question went out */
}

/* Gives the app what is there, at most size bytes. */
static long take(vaddr_t buf, size_t size) {
    size_t done = 0;
    while (done < size && unread) {
        struct chunk *c = head;
        size_t n = MIN(size - done, (size_t)(c->end - c->start));
        if (user_write(buf + done, c->bytes + c->start, n) < 0)
            return done ? (long)done : -EFAULT;
        c->start += (uint32_t)n;
        unread -= n;
        done += n;
        if (c->start == c->end) {
            head = c->next;
            if (!head)
                tail = NULL;
            frame_free(virt_to_phys(c));
        }
    }
    return (long)done;
}

long stdin_read(struct file *f, vaddr_t buf, size_t size, uint64_t *pos) {
    (void)pos;
    if (!size)
        return 0;
    while (!ready()) {
        if (f->flags & O_NONBLOCK)
            return -EAGAIN;
        int error = wait_on(&readers, UINT64_MAX);
        if (error)
            return error;
    }
    long n = take(buf, size);
    if (held && unread < UNREAD_MAX) {
        held = false;
        console_resume_input();
    }
    return n;
}

unsigned stdin_poll(struct file *f) {
    (void)f;
    if (!ready())
        return 0;
    return (unread ? POLLIN | POLLRDNORM : 0) | (ended ? POLLHUP : 0);
}

struct wait_queue *stdin_wait(struct file *f) {
    (void)f;
    return &readers;
}

long stdin_readable(struct file *f) {
    (void)f;
    return (long)unread;
}
