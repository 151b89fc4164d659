/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a crash record of the guest has to say, for people or as JSON.
 *
 * The record may be any bytes: sizes are checked, text is cleaned of control
 * characters before it reaches a terminal.
 */
#ifndef ZUK_STORY_H
#define ZUK_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi/report.h"

struct image_info;
struct symbol_frame;
struct symbolize_request;

/* Parts of a crash record, all within its bytes. */
struct story_parts {
    struct report_crash crash;
    const uint8_t *calls; /* crash.call_count struct report_call, unaligned */
    const uint8_t *stack;
    const uint8_t *kstack;
    const char *message; /* crash.message_size bytes, any bytes */
};
/* False when the sizes do not add up. */
bool story_parse(const uint8_t *data, size_t size, struct story_parts *out);

struct story {
    const char *what;     /* a word for JSON: "segmentation fault" */
    const char *kind;     /* a word for JSON: "fault" */
    const char *sentence; /* the headline */
    const char *message;  /* the kernel's words, or NULL */
    const char *hint;     /* the remedy, or NULL */
    bool show_registers, show_memory;
    bool told; /* Zig's own stack trace stands above: one line is enough */
    bool part; /* one of several: the headline has been said */
    struct symbol_frame *frames;
    size_t frame_count;
    const struct symbol_frame *place; /* the frame the headline names, or NULL */
};

/* The image may be NULL: names are missing then; debug_path is the app with debug
 * information outside the image, or NULL.  Reading that may take seconds. */
void story_tell(const struct image_info *image, const char *debug_path, const struct story_parts *p,
                struct story *s);

/* The files that names come from. */
void story_files(const struct image_info *image, const char *debug_path,
                 struct symbolize_request *q);

void story_print(FILE *out, const struct story_parts *p, const struct story *s);
void story_print_stack(FILE *out, const struct story *s, unsigned thread);
json_t *story_json(const struct story_parts *p, const struct story *s);

#endif
