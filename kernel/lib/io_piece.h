/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A run of bytes on its way out: gather lists for the console and its
 * transports.
 */
#ifndef LIB_IO_PIECE_H
#define LIB_IO_PIECE_H

#include <stdbool.h>
#include <stddef.h>

struct io_piece {
    const void *data; /* kernel address, or app address when `user` */
    size_t size;
    bool user;
};

#endif
