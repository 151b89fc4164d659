/* SPDX-License-Identifier: BSD-3-Clause
 *
 * File systems whose tree is a table: /dev, /proc, /sys.
 *
 * The mode says what an entry is: a directory (children), a link (link,
 * follow), a regular file, whose text is written anew at every read (text,
 * store), or a device with file ops of its own (ops, data, numbers).  An entry
 * without a name stands for one child per number that `next` yields; below it,
 * `arg` is that number.  Inodes are made when looked up.
 */
#ifndef FS_TABLE_H
#define FS_TABLE_H

#include "vfs/inode.h"

/* A text on its way to the app: only [from, to) of it is kept. */
struct text {
    uint64_t at;       /* bytes of the text so far */
    uint64_t from, to; /* what the reader wants */
    vaddr_t buf;       /* where byte `from` goes */
    int error;
};
void text_bytes(struct text *t, const char *bytes, size_t size);
void text_format(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A set as "0-3,5", and the end of the line. */
void text_set(struct text *t, uint64_t set);

struct table_entry {
    const char *name; /* NULL: one child per number */
    uint16_t mode;    /* 0: the end of the table */
    uint16_t data;    /* of an opened file */
    uint16_t major, minor;
    int64_t (*next)(uint64_t arg, int64_t number); /* the first number >= that, -1: none */
    union {
        const struct table_entry *children;
        void (*text)(struct text *t, uint64_t arg);
        long (*link)(uint64_t arg, char *buf, size_t size); /* the whole length; cut at size */
        const struct file_ops *ops;
    };
    union {
        int (*store)(uint64_t arg, const char *bytes, size_t size); /* a write to a text, or NULL */
        struct inode *(*follow)(uint64_t arg);                      /* or NULL */
        struct inode **mounted; /* a directory's: the root of what is on it, or NULL */
    };
};

/* The root of a table, for struct filesystem's mount. */
struct inode *table_mount(const struct table_entry *root, uint32_t device);

#endif
