/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unwind tables (unwind.h): .eh_frame_hdr leads to a function's FDE, that to its table
 * of call sites, in the encodings that compilers use.
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

enum { ENCODING_NONE = 0xff, ENCODING_RELATIVE = 0x10, ENCODING_COMMON = 0x1b };

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

static bool read_cie(const struct elf_file *file, uint64_t address, struct unwind_cie *out) {
    struct reader r = reader_at(file, address);
    char augmentation[8];
    *out = (struct unwind_cie){.handlers = ENCODING_NONE};
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
        } else if (augmentation[i] == 'S') {
            out->signal = true;
        } else {
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
    struct unwind_cie cie;
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

/* ---- all functions ---- */

/* The table as every linker writes it: 4-byte offsets from the header. */
static bool open_table(struct unwind *u, const Elf64_Phdr *p) {
    const uint8_t *h = elf_file_bytes(u->file, p->p_offset, p->p_filesz);
    if (h == NULL || p->p_filesz < 12 || h[0] != 1 || h[2] != 0x03 || h[3] != 0x3b) {
        return false;
    }
    uint64_t count = load32(h + 8), room = (p->p_filesz - 12) / 8;
    u->table = h;
    u->base = p->p_vaddr;
    u->end = 12 + 8 * (count < room ? count : room);
    u->at = 12;
    u->damaged = count > room;
    return true;
}

void unwind_open(struct unwind *u, const struct elf_file *file) {
    *u = (struct unwind){.file = file, .cie_address = UINT64_MAX};
    const Elf64_Phdr *p = NULL;
    for (size_t i = 0; i < file->segment_count; i++) {
        p = file->segments[i].p_type == PT_GNU_EH_FRAME ? &file->segments[i] : p;
    }
    if (p != NULL && open_table(u, p)) {
        return;
    }
    u->damaged = p != NULL;
    const Elf64_Shdr *s = elf_file_section(file, ".eh_frame");
    if (s != NULL) {
        u->frames = file->data + s->sh_offset;
        u->base = s->sh_addr;
        u->end = s->sh_size;
    }
}

/* Is the CIE of the common encoding?  Most have it in common with the one before. */
static bool common_cie(struct unwind *u, uint64_t address) {
    if (address != u->cie_address) {
        u->cie_address = address;
        u->cie_common = read_cie(u->file, address, &u->cie) && u->cie.addresses == ENCODING_COMMON;
    }
    return u->cie_common;
}

static uint64_t relative(uint64_t to, const uint8_t *bytes) {
    return to + (uint64_t)(int32_t)load32(bytes);
}

bool unwind_next(struct unwind *u, struct unwind_function *out) {
    if (u->table != NULL && u->at < u->end) {
        const uint8_t *row = u->table + u->at;
        *out = (struct unwind_function){relative(u->base, row), relative(u->base, row + 4)};
        u->at += 8;
        return true;
    }
    while (u->frames != NULL && u->at + 16 <= u->end) {
        const uint8_t *entry = u->frames + u->at;
        uint64_t fde = u->base + u->at;
        uint32_t length = load32(entry), back = load32(entry + 4);
        if (length < 4 || length > u->end - u->at - 4) {
            u->damaged |= length != 0;
            return false;
        }
        u->at += 4 + (uint64_t)length;
        if (back == 0) {
            continue; /* a CIE */
        }
        if (length >= 12 && common_cie(u, fde + 4 - back)) {
            *out = (struct unwind_function){relative(fde + 8, entry + 8), fde};
            return true;
        }
        u->damaged = true;
    }
    return false;
}

uint64_t unwind_size(struct unwind *u, struct unwind_function *f) {
    size_t left;
    const uint8_t *fde = elf_file_loaded(u->file, f->fde, &left);
    if (fde == NULL || left < 16 || relative(f->fde + 8, fde + 8) != f->start) {
        return 0;
    }
    uint32_t size = load32(fde + 12);
    if (size > 1 && common_cie(u, f->fde + 4 - load32(fde + 4)) && u->cie.signal) {
        f->start++;
        size--;
    }
    return size;
}

bool unwind_find_pads(const struct elf_file *file, uint64_t start, uint64_t end,
                      struct unwind_pads *out) {
    struct unwind u;
    unwind_open(&u, file);
    if (u.table == NULL && u.frames == NULL) { /* it may have its own way to .eh_frame */
        return !u.damaged && file->section_count > 0;
    }
    struct unwind_function f, last = {0, 0};
    while (unwind_next(&u, &f)) {
        if (f.start <= start && f.start >= last.start) {
            last = f; /* whose it is in */
        } else if (f.start > start && f.start < end && !read_fde(file, f.fde, out)) {
            return false;
        }
    }
    return !u.damaged && (last.fde == 0 || read_fde(file, last.fde, out));
}
