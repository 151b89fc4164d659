/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Landing pads in the unwind tables (unwind.h): .eh_frame_hdr leads to a function's FDE,
 * that to its table of call sites, in the encodings that compilers use.
 *
 * Sources: LSB 5.0, .eh_frame, .eh_frame_hdr and DWARF exception header encoding;
 * Itanium C++ ABI, exception handling tables.
 */
#include "zuk/unwind.h"

#include <string.h>

struct reader {
    const uint8_t *p;
    size_t left;
    uint64_t address;
    bool bad; /* ran over the end, or into what is not known */
};

static struct reader reader_at(const struct elf_file *file, uint64_t address) {
    struct reader r = {.address = address};
    r.p = elf_file_loaded(file, address, &r.left);
    r.bad = r.p == NULL;
    return r;
}

static uint64_t take(struct reader *r, unsigned size) {
    uint64_t value = 0;
    if (r->bad || r->left < size) {
        r->bad = true;
        return 0;
    }
    memcpy(&value, r->p, size);
    r->p += size;
    r->left -= size;
    r->address += size;
    return value;
}

static uint64_t take_uleb(struct reader *r) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !r->bad; shift += 7) {
        uint8_t byte = (uint8_t)take(r, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    r->bad = true;
    return 0;
}

enum { ENCODING_NONE = 0xff, ENCODING_RELATIVE = 0x10 };

static uint64_t take_encoded(struct reader *r, uint8_t encoding) {
    uint64_t at = r->address, value = 0;
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = take(r, 8);
        break;
    case 0x01:
        value = take_uleb(r);
        break;
    case 0x03:
        value = take(r, 4);
        break;
    case 0x0b:
        value = (uint64_t)(int64_t)(int32_t)take(r, 4);
        break;
    default:
        r->bad = true;
    }
    if ((encoding & 0x70) == ENCODING_RELATIVE) {
        return value == 0 ? 0 : at + value;
    }
    r->bad |= (encoding & 0x70) != 0;
    return value;
}

/* What a CIE says of its FDEs. */
struct cie {
    uint8_t addresses, handlers; /* encodings */
    bool augmented;
};

static bool read_cie(const struct elf_file *file, uint64_t address, struct cie *out) {
    struct reader r = reader_at(file, address);
    char augmentation[8];
    *out = (struct cie){.handlers = ENCODING_NONE};
    uint64_t length = take(&r, 4), id = take(&r, 4), version = take(&r, 1);
    size_t n = 0;
    for (; n < sizeof augmentation; n++) {
        augmentation[n] = (char)take(&r, 1);
        if (augmentation[n] == '\0') {
            break;
        }
    }
    if (r.bad || length == UINT32_MAX || id != 0 || (version != 1 && version != 3) ||
        n == sizeof augmentation || (n > 0 && augmentation[0] != 'z')) {
        return false;
    }
    out->augmented = n > 0;
    take_uleb(&r); /* alignments of code and data, the return address */
    take_uleb(&r);
    take_uleb(&r);
    take_uleb(&r);
    for (size_t i = 1; i < n; i++) {
        if (augmentation[i] == 'R') {
            out->addresses = (uint8_t)take(&r, 1);
        } else if (augmentation[i] == 'L') {
            out->handlers = (uint8_t)take(&r, 1);
        } else if (augmentation[i] == 'P') {
            uint8_t encoding = (uint8_t)take(&r, 1);
            take_encoded(&r, encoding);
        } else if (augmentation[i] != 'S') {
            return false;
        }
    }
    return !r.bad;
}

/* The table of call sites of the function that starts at `start`. */
static bool read_handlers(const struct elf_file *file, uint64_t address, uint64_t start,
                          struct unwind_pads *out) {
    struct reader r = reader_at(file, address);
    uint8_t encoding = (uint8_t)take(&r, 1);
    uint64_t base = encoding == ENCODING_NONE ? start : take_encoded(&r, encoding);
    if (take(&r, 1) != ENCODING_NONE) {
        take_uleb(&r); /* where the types are */
    }
    encoding = (uint8_t)take(&r, 1);
    uint64_t size = take_uleb(&r), end = r.address + size;
    while (!r.bad && r.address < end) {
        take_encoded(&r, encoding); /* of the calls: where and how long */
        take_encoded(&r, encoding);
        uint64_t pad = take_encoded(&r, encoding);
        take_uleb(&r);
        if (pad != 0) {
            *vec_push(&out->list) = base + pad;
        }
    }
    return !r.bad && r.address == end;
}

static bool read_fde(const struct elf_file *file, uint64_t address, struct unwind_pads *out) {
    struct reader r = reader_at(file, address);
    struct cie cie;
    uint64_t length = take(&r, 4), field = r.address, back = take(&r, 4);
    if (r.bad || length == UINT32_MAX || !read_cie(file, field - back, &cie)) {
        return false;
    }
    if (cie.handlers == ENCODING_NONE) {
        return true;
    }
    uint64_t start = take_encoded(&r, cie.addresses);
    take_encoded(&r, cie.addresses & 0x0f);
    take_uleb(&r);
    uint64_t handlers = take_encoded(&r, cie.handlers);
    return !r.bad && (handlers == 0 || read_handlers(file, handlers, start, out));
}

/* .eh_frame itself, of the common encoding, as in code.c. */
static bool search_frames(const struct elf_file *file, const Elf64_Shdr *s, uint64_t start,
                          uint64_t end, struct unwind_pads *out) {
    const uint8_t *bytes = file->data + s->sh_offset;
    uint64_t known = UINT64_MAX; /* the CIE that was looked at last */
    for (uint64_t at = 0; at + 16 <= s->sh_size;) {
        uint32_t length = load32(bytes + at), back = load32(bytes + at + 4);
        if (length < 4 || length > s->sh_size - at - 4) {
            return length == 0; /* the end */
        }
        uint64_t fde = s->sh_addr + at, code = fde + 8 + (uint64_t)(int32_t)load32(bytes + at + 8);
        struct cie cie;
        if (back != 0 && fde + 4 - back != known &&
            (!read_cie(file, fde + 4 - back, &cie) || cie.addresses != 0x1b)) {
            return false;
        }
        known = back == 0 ? known : fde + 4 - back;
        if (back != 0 && code < end && code + load32(bytes + at + 12) > start &&
            !read_fde(file, fde, out)) {
            return false;
        }
        at += 4 + (uint64_t)length;
    }
    return true;
}

bool unwind_find_pads(const struct elf_file *file, uint64_t start, uint64_t end,
                      struct unwind_pads *out) {
    const Elf64_Phdr *p = NULL;
    for (size_t i = 0; i < file->segment_count; i++) {
        p = file->segments[i].p_type == PT_GNU_EH_FRAME ? &file->segments[i] : p;
    }
    if (p == NULL) { /* then only a program that has its own way to .eh_frame goes on */
        const Elf64_Shdr *s = elf_file_section(file, ".eh_frame");
        return s == NULL ? file->section_count > 0 : search_frames(file, s, start, end, out);
    }
    const uint8_t *h = elf_file_bytes(file, p->p_offset, p->p_filesz);
    if (h == NULL || p->p_filesz < 12 || h[0] != 1 || h[2] != 0x03 || h[3] != 0x3b ||
        load32(h + 8) > (p->p_filesz - 12) / 8) {
        return false; /* not as linkers write it (see code.c) */
    }
    uint64_t count = load32(h + 8), last = 0, last_fde = 0;
    for (uint64_t k = 0; k < count; k++) {
        uint64_t at = p->p_vaddr + (uint64_t)(int32_t)load32(h + 12 + k * 8);
        uint64_t fde = p->p_vaddr + (uint64_t)(int32_t)load32(h + 16 + k * 8);
        if (at <= start && at >= last) {
            last = at, last_fde = fde; /* whose it is in */
        } else if (at > start && at < end && !read_fde(file, fde, out)) {
            return false;
        }
    }
    return last_fde == 0 || read_fde(file, last_fde, out);
}
