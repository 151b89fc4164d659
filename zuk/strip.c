/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keeps the file up to the end of the last segment, and the headers of the
 * loaded sections.  It relies on what lld does: everything that is not loaded
 * lies behind everything that is.
 */
#include "zuk/strip.h"

#include <elf.h>
#include <string.h>

#include "zuk/diag.h"
#include "zuk/util.h"

struct kept {
    VEC(Elf64_Shdr) headers;
    VEC(char) names;
};

static uint32_t put_name(struct kept *kept, const char *name) {
    uint32_t at = (uint32_t)kept->names.len;
    for (const char *p = name;; p++) {
        *vec_push(&kept->names) = *p;
        if (!*p) {
            return at;
        }
    }
}

/* The file is lld's own work, so a wrong offset is a bug; it is still not
 * followed. */
static const char *name_in(const struct file_map *map, const Elf64_Shdr *names, uint32_t offset) {
    if (names->sh_offset > map->size || names->sh_size > map->size - names->sh_offset ||
        offset >= names->sh_size || map->data[names->sh_offset + names->sh_size - 1] != 0) {
        return "";
    }
    return (const char *)map->data + names->sh_offset + offset;
}

static void keep_sections(const struct file_map *map, const Elf64_Ehdr *eh, struct kept *kept) {
    *vec_push(&kept->headers) = (Elf64_Shdr){0};
    put_name(kept, "");
    size_t size = sizeof(Elf64_Shdr);
    if (eh->e_shoff > map->size || eh->e_shnum > (map->size - eh->e_shoff) / size ||
        eh->e_shstrndx >= eh->e_shnum) {
        return;
    }
    const uint8_t *table = map->data + eh->e_shoff;
    Elf64_Shdr names;
    memcpy(&names, table + eh->e_shstrndx * size, size);
    for (size_t i = 1; i < eh->e_shnum; i++) {
        Elf64_Shdr sh;
        memcpy(&sh, table + i * size, size);
        if (sh.sh_flags & SHF_ALLOC) {
            sh.sh_name = put_name(kept, name_in(map, &names, sh.sh_name));
            sh.sh_link = sh.sh_info = 0; /* to tables that are gone */
            *vec_push(&kept->headers) = sh;
        }
    }
}

static uint64_t loaded_end(const struct file_map *map, const Elf64_Ehdr *eh) {
    uint64_t end = sizeof *eh;
    for (size_t i = 0; i < eh->e_phnum; i++) {
        Elf64_Phdr ph;
        memcpy(&ph, map->data + eh->e_phoff + i * sizeof ph, sizeof ph);
        uint64_t here = ph.p_type == PT_GNU_STACK ? 0 : ph.p_offset + ph.p_filesz;
        end = here > end && here <= map->size ? here : end;
    }
    return end;
}

bool strip_executable(const char *from, const char *to) {
    struct file_map map;
    if (!file_map(from, &map)) {
        return false;
    }
    Elf64_Ehdr eh;
    if (map.size < sizeof eh) {
        diag_error("'%s' is cut off", from);
        file_unmap(&map);
        return false;
    }
    memcpy(&eh, map.data, sizeof eh);
    if (eh.e_phoff > map.size || eh.e_phnum > (map.size - eh.e_phoff) / sizeof(Elf64_Phdr)) {
        diag_error("'%s' is cut off", from);
        file_unmap(&map);
        return false;
    }
    struct kept kept = {0};
    keep_sections(&map, &eh, &kept);
    uint64_t end = loaded_end(&map, &eh);
    uint32_t own_name = put_name(&kept, ".shstrtab");
    *vec_push(&kept.headers) = (Elf64_Shdr){.sh_name = own_name,
                                            .sh_type = SHT_STRTAB,
                                            .sh_offset = end,
                                            .sh_size = kept.names.len,
                                            .sh_addralign = 1};
    static const uint8_t zeros[8];
    uint64_t padding = -(end + kept.names.len) & 7;
    Elf64_Ehdr out = eh;
    out.e_shoff = end + kept.names.len + padding;
    out.e_shentsize = sizeof(Elf64_Shdr);
    out.e_shnum = (Elf64_Half)kept.headers.len;
    out.e_shstrndx = (Elf64_Half)(kept.headers.len - 1);

    struct output *o = output_open(to, 0777);
    bool ok = o && output_write(o, &out, sizeof out) &&
              output_write(o, map.data + sizeof out, (size_t)end - sizeof out) &&
              output_write(o, kept.names.data, kept.names.len) &&
              output_write(o, zeros, (size_t)padding) &&
              output_write(o, kept.headers.data, kept.headers.len * sizeof *kept.headers.data);
    file_unmap(&map);
    if (o && !ok) {
        output_abandon(o);
    }
    return ok && output_commit(o);
}
