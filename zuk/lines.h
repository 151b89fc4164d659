/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses -> source lines, from .debug_line (DWARF 2 to 5, section 6.2).
 *
 * Written out because libdw refuses the tables of Zig's own back end, the
 * default for Debug since 0.15 ("invalid .debug_line section").  It needs no
 * other section but strings, and one walk serves any number of addresses.
 */
#ifndef ZUK_LINES_H
#define ZUK_LINES_H

#include <stddef.h>
#include <stdint.h>

struct line_sections { /* any may be empty; contents relocated */
    const uint8_t *line, *line_str, *str;
    size_t line_size, line_str_size, str_size;
};

struct line_place {
    const char *folder; /* NULL: not known, or the file's name is absolute */
    const char *file;   /* NULL: no line covers the address */
    unsigned line;
    uint64_t unit; /* where in .debug_line the unit's table begins */
};

/* Fills places[i] for addresses[i].  Strings point into the sections. */
void lines_find(const struct line_sections *sections, const uint64_t *addresses, size_t count,
                struct line_place *places);
/* The same with the table of one unit alone, as a place of an address names it. */
void lines_find_in_unit(const struct line_sections *sections, uint64_t unit,
                        const uint64_t *addresses, size_t count, struct line_place *places);

struct unit_sections { /* contents relocated */
    const uint8_t *info, *abbrev, *str, *line_str;
    size_t info_size, abbrev_size, str_size, line_str_size;
};

struct unit_folder {
    uint64_t unit;
    const char *folder;
};
struct unit_folders {
    struct unit_folder *list; /* by unit */
    size_t count;
};

/* Which folders the units were compiled in.  Strings point into the sections. */
void lines_folders(const struct unit_sections *sections, struct unit_folders *out);
/* The folder of a unit, to which its relative names belong (before DWARF 5
 * .debug_line does not tell), or NULL. */
const char *lines_folder(const struct unit_folders *folders, uint64_t unit);

#endif
