/* SPDX-License-Identifier: BSD-3-Clause
 *
 * --rootfs and --cwd-ro: folders and archives -> one tree of files
 * (abi/rootfs.h) that the guest reads in place.  The same sources give the same
 * bytes.
 */
#ifndef ZUK_ROOTFS_H
#define ZUK_ROOTFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where programs look for the bundle: OpenSSL's, Zig's and Go's place. */
#define ROOTFS_CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"

struct rootfs_request {
    const char *const *sources; /* folders, tar, cpio; a later one wins over an earlier */
    size_t source_count;
    const char *certificates; /* a bundle of CA certificates, or NULL */
    bool cwd;                 /* the working directory too, read-only */
    const char *text;         /* more of the kernel's command line, or NULL */
};

/* Writes the tree to a file without a name: its descriptor, never 0 to 3, or -1
 * after diag_error.  *size: bytes. */
int rootfs_make(const struct rootfs_request *request, uint64_t *size);

#endif
