/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The line number program, interpreted.  A reader that runs off its bytes
 * yields zeros and stays at the end, so loops end and nothing else has to be
 * checked after each read.
 */
#include "zuk/lines.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "zuk/util.h"

/* --- bytes -------------------------------------------------------------- */

struct reader {
    const uint8_t *at, *end;
    bool overrun;
};

static uint64_t read_int(struct reader *r, unsigned size) {
    uint64_t value = 0;
    if ((size_t)(r->end - r->at) < size) {
        r->at = r->end;
        r->overrun = true;
        return 0;
    }
    memcpy(&value, r->at, size);
    r->at += size;
    return value;
}

static void skip(struct reader *r, uint64_t size) {
    if (size > (uint64_t)(r->end - r->at)) {
        r->overrun = true;
        size = (uint64_t)(r->end - r->at);
    }
    r->at += size;
}

static uint64_t read_long_uleb(struct reader *r) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = (uint8_t)read_int(r, 1);
        if (shift < 64) {
            value |= (uint64_t)(byte & 0x7f) << shift;
        }
        if (!(byte & 0x80)) {
            return value;
        }
    }
}

static inline uint64_t read_uleb(struct reader *r) {
    return r->at < r->end && *r->at < 0x80 ? *r->at++ : read_long_uleb(r);
}

static int64_t read_long_sleb(struct reader *r) {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        uint8_t byte = (uint8_t)read_int(r, 1);
        if (shift < 64) {
            value |= (uint64_t)(byte & 0x7f) << shift;
        }
        shift += 7;
        if (!(byte & 0x80)) {
            if (shift < 64 && (byte & 0x40)) {
                value |= ~UINT64_C(0) << shift;
            }
            return (int64_t)value;
        }
    }
}

static inline int64_t read_sleb(struct reader *r) {
    if (r->at < r->end && *r->at < 0x80) {
        uint8_t byte = *r->at++;
        return (byte & 0x40) != 0 ? byte - 0x80 : byte;
    }
    return read_long_sleb(r);
}

static const char *read_string(struct reader *r) {
    const char *s = (const char *)r->at;
    const uint8_t *zero = memchr(r->at, 0, (size_t)(r->end - r->at));
    if (!zero) {
        r->at = r->end;
        r->overrun = true;
        return "";
    }
    r->at = zero + 1;
    return s;
}

static const char *string_at(const uint8_t *data, size_t size, uint64_t offset) {
    return offset < size && memchr(data + offset, 0, size - (size_t)offset)
               ? (const char *)data + offset
               : "";
}

/* A unit's length; how wide its offsets are goes with it. */
static uint64_t read_length(struct reader *r, unsigned *offset_size) {
    *offset_size = 4;
    uint64_t length = read_int(r, 4);
    if (length == 0xffffffff) {
        *offset_size = 8;
        length = read_int(r, 8);
    }
    return length;
}

/* --- a unit's header ---------------------------------------------------- */

struct unit {
    const struct line_sections *sections;
    struct reader tables; /* from the first directory to the program */
    struct reader program;
    unsigned version, offset_size;
    unsigned min_length, opcode_base, line_range;
    int line_base;
    const uint8_t *operands; /* of standard opcodes, from opcode 1 */
    uint64_t offset;         /* in .debug_line */
};

/* Takes the next unit off the section; false at its end or on nonsense. */
static bool read_unit(struct reader *section, struct unit *u) {
    u->offset = (uint64_t)(section->at - u->sections->line);
    uint64_t length = read_length(section, &u->offset_size);
    struct reader r = {section->at, section->end, false};
    if (length == 0 || length > (uint64_t)(r.end - r.at)) {
        return false;
    }
    r.end = r.at + length;
    section->at = r.end;
    u->version = (unsigned)read_int(&r, 2);
    if (u->version >= 5) {
        skip(&r, 2); /* sizes of address and segment selector */
    }
    uint64_t header_length = read_int(&r, u->offset_size);
    if (header_length > (uint64_t)(r.end - r.at)) {
        header_length = (uint64_t)(r.end - r.at);
    }
    u->program = (struct reader){r.at + header_length, r.end, false};
    r.end = r.at + header_length;
    u->min_length = (unsigned)read_int(&r, 1);
    skip(&r, u->version >= 4 ? 2 : 1); /* operations per instruction, is_stmt */
    u->line_base = (int8_t)read_int(&r, 1);
    u->line_range = (unsigned)read_int(&r, 1);
    u->opcode_base = (unsigned)read_int(&r, 1);
    u->operands = r.at;
    skip(&r, u->opcode_base ? u->opcode_base - 1 : 0);
    u->tables = r;
    if (r.overrun || u->version < 2 || u->version > 5 || u->line_range == 0 ||
        u->opcode_base == 0) {
        u->program.at = u->program.end; /* an empty program: skipped */
    }
    return true;
}

/* --- names -------------------------------------------------------------- */

struct entry {
    const char *name;
    uint64_t folder;
};

enum { FORMAT_LIMIT = 16 };

/* One value of DWARF 5's tables. */
static void read_value(struct reader *r, const struct unit *u, uint64_t form, const char **text,
                       uint64_t *number) {
    const struct line_sections *s = u->sections;
    *text = NULL;
    *number = 0;
    switch (form) {
    case DW_FORM_string:
        *text = read_string(r);
        break;
    case DW_FORM_line_strp:
        *text = string_at(s->line_str, s->line_str_size, read_int(r, u->offset_size));
        break;
    case DW_FORM_strp:
        *text = string_at(s->str, s->str_size, read_int(r, u->offset_size));
        break;
    case DW_FORM_udata:
        *number = read_uleb(r);
        break;
    case DW_FORM_data1:
        *number = read_int(r, 1);
        break;
    case DW_FORM_data2:
        *number = read_int(r, 2);
        break;
    case DW_FORM_data4:
        *number = read_int(r, 4);
        break;
    case DW_FORM_data8:
        *number = read_int(r, 8);
        break;
    case DW_FORM_data16:
        skip(r, 16);
        break;
    case DW_FORM_block:
        skip(r, read_uleb(r));
        break;
    default:
        r->at = r->end;
        r->overrun = true;
    }
}

/* Reads a table up to entry `index` (all of it with UINT64_MAX). */
static bool read_table(struct reader *r, const struct unit *u, uint64_t index, struct entry *out) {
    uint64_t formats[FORMAT_LIMIT][2];
    uint64_t format_count = read_int(r, 1);
    for (uint64_t i = 0; i < format_count; i++) {
        uint64_t content = read_uleb(r), form = read_uleb(r);
        if (i < FORMAT_LIMIT) {
            formats[i][0] = content;
            formats[i][1] = form;
        }
    }
    uint64_t count = read_uleb(r);
    if (format_count > FORMAT_LIMIT || (format_count == 0 && count)) {
        return false;
    }
    for (uint64_t n = 0; n < count && !r->overrun; n++) {
        struct entry entry = {0};
        for (uint64_t i = 0; i < format_count; i++) {
            const char *text;
            uint64_t number;
            read_value(r, u, formats[i][1], &text, &number);
            if (formats[i][0] == DW_LNCT_path) {
                entry.name = text;
            } else if (formats[i][0] == DW_LNCT_directory_index) {
                entry.folder = number;
            }
        }
        if (n == index) {
            *out = entry;
            return !r->overrun && entry.name;
        }
    }
    return index == UINT64_MAX && !r->overrun;
}

static bool find_name_5(const struct unit *u, uint64_t file, struct line_place *place) {
    struct reader r = u->tables;
    struct entry entry;
    if (!read_table(&r, u, UINT64_MAX, &entry) || !read_table(&r, u, file, &entry)) {
        return false;
    }
    place->file = entry.name;
    r = u->tables;
    place->folder = read_table(&r, u, entry.folder, &entry) ? entry.name : NULL;
    return true;
}

/* Before DWARF 5: lists that end in an empty string, counted from 1. */
static bool find_name_4(const struct unit *u, uint64_t file, struct line_place *place) {
    struct reader r = u->tables;
    while (*read_string(&r)) {
    }
    uint64_t folder = 0;
    const char *name = "";
    for (uint64_t i = 1; i <= file; i++) {
        name = read_string(&r);
        if (!*name) {
            return false;
        }
        folder = read_uleb(&r);
        read_uleb(&r);
        read_uleb(&r);
    }
    place->file = name;
    place->folder = NULL;
    r = u->tables;
    for (uint64_t i = 1; i <= folder; i++) {
        const char *s = read_string(&r);
        if (!*s) {
            return true;
        }
        place->folder = s;
    }
    return true;
}

/* --- the program -------------------------------------------------------- */

struct wanted {
    uint64_t address;
    size_t index;
};

/* Tables made to be slow (each range covers everything, names behind
 * megabytes of names) end here; real ones need a hundredth of it. */
#define STEP_LIMIT UINT64_C(200000000)

/* Names found in this unit's tables: many addresses share few files. */
enum { NAMES_KEPT = 256 };

struct kept_name {
    uint64_t file; /* + 1; 0: free */
    const char *folder, *name;
};

/* What the special opcodes of a unit add to a row; units mostly agree on that. */
struct steps {
    unsigned opcode_base, line_range, min_length;
    int line_base;
    uint32_t address[256];
    int16_t line[256];
};

struct search {
    const struct wanted *wanted; /* ascending */
    size_t count;
    struct line_place *places;
    size_t next; /* the first wanted at or after the last row: rows mostly follow each other */
    uint64_t steps;
    uint64_t unit; /* whose names are kept */
    struct kept_name names[NAMES_KEPT];
    struct steps special; /* of the last unit */
};

struct row {
    uint64_t address, file, line;
    bool valid;
};

static int by_address(const void *a, const void *b) {
    const struct wanted *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static bool find_name(struct search *s, const struct unit *u, uint64_t file,
                      struct line_place *place) {
    if (s->unit != u->offset) {
        memset(s->names, 0, sizeof s->names);
        s->unit = u->offset;
    }
    struct kept_name *kept = &s->names[file % NAMES_KEPT];
    if (kept->file == file + 1 && kept->name != NULL) {
        place->file = kept->name;
        place->folder = kept->folder;
        return true;
    }
    s->steps += (uint64_t)(u->tables.end - u->tables.at);
    if (u->version >= 5 ? !find_name_5(u, file, place) : !find_name_4(u, file, place)) {
        return false;
    }
    *kept = (struct kept_name){file + 1, place->folder, place->file};
    return true;
}

/* Leaves next at the first wanted that is not below an address. */
static void seek(struct search *s, uint64_t address) {
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->wanted[middle].address < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    s->next = low;
}

/* [row->address, end) belongs to that row. */
static inline void match(struct search *s, const struct unit *u, const struct row *row,
                         uint64_t end) {
    if (!row->valid || row->address >= end) {
        return;
    }
    if ((s->next > 0 && s->wanted[s->next - 1].address >= row->address) ||
        (s->next < s->count && s->wanted[s->next].address < row->address)) {
        seek(s, row->address);
    }
    for (; s->next < s->count && s->wanted[s->next].address < end; s->next++) {
        struct line_place *place = &s->places[s->wanted[s->next].index];
        if (s->steps > STEP_LIMIT) {
            return;
        }
        s->steps++;
        if (place->file) {
            continue;
        }
        if (find_name(s, u, row->file, place)) {
            place->line = (unsigned)row->line;
            place->unit = u->offset;
            if (place->file[0] == '/') {
                place->folder = NULL;
            }
        }
    }
}

struct machine {
    struct search *search;
    const struct unit *unit;
    struct row now, last;
    /* No wanted address is between these; at `due` is one, or at `passed`. */
    uint64_t passed, due;
};

static void restart(struct machine *m) {
    m->now = (struct row){.file = 1, .line = 1, .valid = true};
    m->last = (struct row){0};
}

/* The last row's bytes end where this one's begin. */
static inline void emit(struct machine *m) {
    /* most rows are far from what is wanted */
    if (m->now.address > m->due || m->last.address <= m->passed) {
        struct search *s = m->search;
        match(s, m->unit, &m->last, m->now.address);
        m->passed = s->next > 0 ? s->wanted[s->next - 1].address : 0;
        m->due = s->next < s->count ? s->wanted[s->next].address : UINT64_MAX;
    }
    m->last = m->now;
}

static void run_extended(struct machine *m, struct reader *r) {
    uint64_t length = read_uleb(r);
    if (length == 0 || length > (uint64_t)(r->end - r->at)) {
        r->at = r->end;
        return;
    }
    struct reader body = {r->at, r->at + length, false};
    r->at += length;
    switch (read_int(&body, 1)) {
    case DW_LNE_end_sequence:
        emit(m);
        restart(m);
        break;
    case DW_LNE_set_address:
        m->now.address = read_int(&body, length == 9 ? 8 : 4);
        break;
    default:
        break;
    }
}

static void run_standard(struct machine *m, struct reader *r, unsigned opcode) {
    const struct unit *u = m->unit;
    switch (opcode) {
    case DW_LNS_copy:
        emit(m);
        return;
    case DW_LNS_advance_pc:
        m->now.address += read_uleb(r) * u->min_length;
        return;
    case DW_LNS_advance_line:
        m->now.line += (uint64_t)read_sleb(r);
        return;
    case DW_LNS_set_file:
        m->now.file = read_uleb(r);
        return;
    case DW_LNS_const_add_pc:
        m->now.address += (uint64_t)((255 - u->opcode_base) / u->line_range) * u->min_length;
        return;
    case DW_LNS_fixed_advance_pc:
        m->now.address += read_int(r, 2);
        return;
    default:
        for (unsigned i = 0; i < u->operands[opcode - 1]; i++) {
            read_uleb(r);
        }
    }
}

static void make_steps(struct steps *s, const struct unit *u) {
    if (s->line_range == u->line_range && s->opcode_base == u->opcode_base &&
        s->line_base == u->line_base && s->min_length == u->min_length) {
        return;
    }
    *s = (struct steps){.opcode_base = u->opcode_base,
                        .line_range = u->line_range,
                        .min_length = u->min_length,
                        .line_base = u->line_base};
    for (unsigned opcode = u->opcode_base; opcode < 256; opcode++) {
        unsigned special = opcode - u->opcode_base;
        s->address[opcode] = special / u->line_range * u->min_length;
        s->line[opcode] = (int16_t)(u->line_base + (int)(special % u->line_range));
    }
}

static void run_unit(struct search *search, const struct unit *u) {
    struct machine m = {.search = search, .unit = u};
    struct reader r = u->program;
    if (r.at == r.end) {
        return; /* empty, or its header is nonsense */
    }
    make_steps(&search->special, u);
    restart(&m);
    while (r.at < r.end) {
        unsigned opcode = *r.at++;
        if (opcode >= u->opcode_base) {
            m.now.address += search->special.address[opcode];
            m.now.line += (uint64_t)(int64_t)search->special.line[opcode];
            emit(&m);
        } else if (opcode == 0) {
            run_extended(&m, &r);
        } else {
            run_standard(&m, &r, opcode);
        }
    }
}

/* From the unit at `first` on, one unit or all. */
static void find(const struct line_sections *sections, uint64_t first, bool all,
                 const uint64_t *addresses, size_t count, struct line_place *places) {
    struct wanted *wanted = xalloc((count + 1) * sizeof *wanted);
    for (size_t i = 0; i < count; i++) {
        wanted[i] = (struct wanted){addresses[i], i};
        places[i] = (struct line_place){0};
    }
    qsort(wanted, count, sizeof *wanted, by_address);
    struct search search = {.wanted = wanted, .count = count, .places = places, .unit = UINT64_MAX};
    struct reader section = {sections->line, sections->line + sections->line_size, false};
    skip(&section, first);
    struct unit unit = {.sections = sections};
    while (section.at < section.end && read_unit(&section, &unit)) {
        run_unit(&search, &unit);
        if (!all) {
            break;
        }
    }
}

void lines_find(const struct line_sections *sections, const uint64_t *addresses, size_t count,
                struct line_place *places) {
    find(sections, 0, true, addresses, count, places);
}

void lines_find_in_unit(const struct line_sections *sections, uint64_t unit,
                        const uint64_t *addresses, size_t count, struct line_place *places) {
    find(sections, unit, false, addresses, count, places);
}

/* --- where a unit was compiled ------------------------------------------ */

struct die {
    const struct unit_sections *sections;
    unsigned version, offset_size, address_size;
    uint64_t table;     /* DW_AT_stmt_list */
    const char *folder; /* DW_AT_comp_dir */
};

/* Reads an attribute's value as far as it matters here. */
static void read_attribute(struct reader *r, struct die *die, uint64_t form, const char **text,
                           uint64_t *number) {
    const struct unit_sections *s = die->sections;
    *text = NULL;
    *number = 0;
    switch (form) {
    case DW_FORM_string:
        *text = read_string(r);
        break;
    case DW_FORM_strp:
        *text = string_at(s->str, s->str_size, read_int(r, die->offset_size));
        break;
    case DW_FORM_line_strp:
        *text = string_at(s->line_str, s->line_str_size, read_int(r, die->offset_size));
        break;
    case DW_FORM_sec_offset:
    case DW_FORM_ref_addr:
        *number = read_int(r, die->offset_size);
        break;
    case DW_FORM_addr:
        skip(r, die->address_size);
        break;
    case DW_FORM_data1:
    case DW_FORM_flag:
    case DW_FORM_ref1:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
        skip(r, 1);
        break;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
        skip(r, 2);
        break;
    case DW_FORM_data4: /* DWARF 3 writes offsets so */
        *number = read_int(r, 4);
        break;
    case DW_FORM_ref4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
        skip(r, 4);
        break;
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
        skip(r, 8);
        break;
    case DW_FORM_data16:
        skip(r, 16);
        break;
    case DW_FORM_udata:
    case DW_FORM_sdata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
        read_uleb(r);
        break;
    case DW_FORM_exprloc:
    case DW_FORM_block:
        skip(r, read_uleb(r));
        break;
    case DW_FORM_block1:
        skip(r, read_int(r, 1));
        break;
    case DW_FORM_block2:
        skip(r, read_int(r, 2));
        break;
    case DW_FORM_block4:
        skip(r, read_int(r, 4));
        break;
    case DW_FORM_flag_present:
    case DW_FORM_implicit_const:
        break;
    default:
        r->overrun = true;
    }
}

/* A unit's own entry comes first, and so does its abbreviation. */
enum { ABBREV_LIMIT = 64 };

/* Leaves abbrev at the attributes of the abbreviation with that code. */
static bool find_abbrev(struct reader *abbrev, uint64_t code) {
    for (int i = 0; i < ABBREV_LIMIT && !abbrev->overrun; i++) {
        uint64_t here = read_uleb(abbrev);
        read_uleb(abbrev); /* tag */
        skip(abbrev, 1);   /* has it children? */
        if (here == code && code) {
            return !abbrev->overrun;
        }
        for (;;) {
            uint64_t name = read_uleb(abbrev), form = read_uleb(abbrev);
            if (form == DW_FORM_implicit_const) {
                read_sleb(abbrev);
            }
            if ((name == 0 && form == 0) || abbrev->overrun) {
                break;
            }
        }
    }
    return false;
}

/* Reads the entry of the unit at r; false when it cannot be read. */
static bool read_die(struct reader *r, struct die *die) {
    const struct unit_sections *s = die->sections;
    die->version = (unsigned)read_int(r, 2);
    uint64_t abbrevs;
    if (die->version >= 5) {
        uint64_t type = read_int(r, 1);
        die->address_size = (unsigned)read_int(r, 1);
        abbrevs = read_int(r, die->offset_size);
        if (type != DW_UT_compile && type != DW_UT_partial) {
            return false;
        }
    } else {
        abbrevs = read_int(r, die->offset_size);
        die->address_size = (unsigned)read_int(r, 1);
    }
    if (abbrevs > s->abbrev_size) {
        return false;
    }
    struct reader abbrev = {s->abbrev + abbrevs, s->abbrev + s->abbrev_size, false};
    if (!find_abbrev(&abbrev, read_uleb(r))) {
        return false;
    }
    die->table = UINT64_MAX;
    die->folder = NULL;
    while (!abbrev.overrun && !r->overrun) {
        uint64_t name = read_uleb(&abbrev), form = read_uleb(&abbrev), number;
        const char *text;
        if (form == DW_FORM_implicit_const) {
            read_sleb(&abbrev);
        }
        if (name == 0 && form == 0) {
            return true;
        }
        read_attribute(r, die, form, &text, &number);
        if (name == DW_AT_stmt_list) {
            die->table = number;
        } else if (name == DW_AT_comp_dir) {
            die->folder = text;
        }
    }
    return false;
}

static int by_unit(const void *a, const void *b) {
    const struct unit_folder *x = a, *y = b;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

void lines_folders(const struct unit_sections *sections, struct unit_folders *out) {
    VEC(struct unit_folder) list = {0};
    struct reader info = {sections->info, sections->info + sections->info_size, false};
    while (info.at < info.end) {
        struct die die = {.sections = sections};
        uint64_t length = read_length(&info, &die.offset_size);
        if (length == 0 || length > (uint64_t)(info.end - info.at)) {
            break;
        }
        struct reader r = {info.at, info.at + length, false};
        info.at += length;
        if (read_die(&r, &die) && die.folder && *die.folder) {
            *vec_push(&list) = (struct unit_folder){die.table, die.folder};
        }
    }
    if (list.len > 0) {
        qsort(list.data, list.len, sizeof list.data[0], by_unit);
    }
    *out = (struct unit_folders){list.data, list.len};
}

const char *lines_folder(const struct unit_folders *folders, uint64_t unit) {
    const struct unit_folder key = {.unit = unit}, *found = NULL;
    if (folders->count > 0) {
        found = bsearch(&key, folders->list, folders->count, sizeof key, by_unit);
    }
    return found == NULL ? NULL : found->folder;
}
