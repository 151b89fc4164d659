/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuse: kernel.elf + the app's file + a manifest -> one bootable ELF
 * (abi/image.h).  The same inputs give the same bytes, on every host.
 */
#ifndef ZUK_IMAGE_H
#define ZUK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/image.h"

struct fuse {
    const char *kernel; /* the kernel's ELF; symbol kernel_end is needed */
    uint64_t kernel_id;
    const char *app; /* the app's ELF file */
    const char *name;
    const char *options;     /* names of the linked options */
    const char *const *args; /* argv[0] included */
    size_t arg_count;
    const char *const *env;
    size_t env_count;
    const char *const *stubs;
    size_t stub_count;
    enum image_policy default_policy;
    const struct image_call_policy *policies; /* sorted by number */
    size_t policy_count;
    const char *sbom; /* a bill of materials that goes with it, or NULL */
    int root;         /* a tree of files (rootfs.h), never 0; 0: none */
    const char *output;
};

/* Writes the image; atomic.  *overhead gets its size less the app's, bytes.
 * False after diag_error. */
bool image_fuse(const struct fuse *fuse, uint64_t *overhead);

/* What image_open() does, on bytes: for tests and the fuzzer.  Quiet; false
 * with half a sentence in *why. */
struct image_info;
bool image_parse(const uint8_t *data, size_t size, struct image_info *info, const char **why);

#endif
