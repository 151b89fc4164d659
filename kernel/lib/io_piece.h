/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A run of bytes in the app's memory or the kernel's: what vectored transfers and
 * the console's records are made of.
 */
#ifndef LIB_IO_PIECE_H
#define LIB_IO_PIECE_H

#include <stddef.h>
#include <stdint.h>

/* Laid out as Linux's struct iovec. */
struct io_piece {
    uintptr_t base;
    size_t size;
};

static inline struct io_piece io_piece(const void *data, size_t size) {
    return (struct io_piece){(uintptr_t)data, size};
}

#endif
