/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DWARF of relocatable objects, through libdwfl, which relocates the debug
 * sections.  It runs in a child process with limits on time and memory: debug
 * information is the largest and least checked part of an object, and a
 * missing line must not cost the build.
 *
 * The child writes one text line per symbol: its number, a space, the place.
 */
#include "zuk/source.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_MS = 2000 };
#define LIMIT_MEMORY ((rlim_t)4 << 30)

/* --- in the child ------------------------------------------------------- */

/* The line that covers address: the last one at or before it, in a sequence
 * that goes on behind it. */
static Dwarf_Line *line_in(Dwarf_Lines *lines, size_t count, Dwarf_Addr address) {
    for (size_t i = 0; i + 1 < count; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i), *next = dwarf_onesrcline(lines, i + 1);
        Dwarf_Addr low, high;
        bool end = false;
        if (dwarf_lineendsequence(line, &end) == 0 && !end && dwarf_lineaddr(line, &low) == 0 &&
            dwarf_lineaddr(next, &high) == 0 && low <= address && address < high) {
            return line;
        }
    }
    return NULL;
}

/* clang and Zig write no .debug_aranges, so every unit is looked at. */
static Dwarf_Line *line_at(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Die **unit) {
    Dwarf_Addr bias;
    for (Dwarf_Die *cu = NULL; (cu = dwfl_module_nextcu(module, cu, &bias)) != NULL;) {
        Dwarf_Lines *lines;
        size_t count;
        if (dwarf_getsrclines(cu, &lines, &count) == 0) {
            Dwarf_Line *line = line_in(lines, count, address - bias);
            if (line) {
                *unit = cu;
                return line;
            }
        }
    }
    return NULL;
}

/* As the user would type it: relative to where zuk runs. */
static void print_place(FILE *out, size_t number, const char *file, const char *folder, int line) {
    char cwd[4096];
    char full[8192];
    if (file[0] != '/' && folder) {
        snprintf(full, sizeof full, "%s/%s", folder, file);
        file = full;
    }
    size_t length = getcwd(cwd, sizeof cwd) ? strlen(cwd) : 0;
    if (length > 1 && strncmp(file, cwd, length) == 0 && file[length] == '/') {
        file += length + 1;
    }
    if (strpbrk(file, "\r\n") == NULL) {
        fprintf(out, "%zu %s:%d\n", number, file, line);
    }
}

static void print_line(FILE *out, Dwfl_Module *module, Elf *elf, const struct undefined *u,
                       size_t number) {
    GElf_Shdr header;
    Elf_Scn *section = elf_getscn(elf, u->reference.section);
    Dwarf_Die *unit;
    if (!section || !gelf_getshdr(section, &header)) {
        return;
    }
    Dwarf_Line *line = line_at(module, header.sh_addr + u->reference.offset, &unit);
    int row;
    const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (file && dwarf_lineno(line, &row) == 0) {
        Dwarf_Attribute attribute;
        const char *folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
        print_place(out, number, file, folder, row);
    }
}

/* No search on disk or in the network for an object without DWARF. */
static int no_other_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                         const char *file, const char *link, GElf_Word crc, char **found) {
    (void)module, (void)data, (void)name, (void)base;
    (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

/* All symbols whose first use is in that object. */
static void print_object(FILE *out, const struct resolution *r, const struct object *object) {
    static const Dwfl_Callbacks callbacks = {.section_address = dwfl_offline_section_address,
                                             .find_debuginfo = no_other_file};
    Dwfl *dwfl = dwfl_begin(&callbacks);
    char *copy = malloc(object->size); /* libdwfl writes addresses into the headers */
    if (!dwfl || !copy) {
        return;
    }
    memcpy(copy, object->data, object->size);
    dwfl_report_begin(dwfl);
    Dwfl_Module *module =
        dwfl_report_offline_memory(dwfl, object->label, object->label, copy, object->size);
    dwfl_report_end(dwfl, NULL, NULL);
    GElf_Addr bias;
    Elf *placed = module ? dwfl_module_getelf(module, &bias) : NULL;
    for (size_t i = 0; placed && i < r->undefined.len; i++) {
        if (r->undefined.data[i].object == object) {
            print_line(out, module, placed, &r->undefined.data[i], i);
            fflush(out);
        }
    }
    dwfl_end(dwfl);
    free(copy);
}

static _Noreturn void child(const struct resolution *r, int fd) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL,
                                SIGINT,  SIGTERM, SIGHUP, SIGALRM};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        signal(fatal[i], SIG_DFL);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct rlimit memory = {LIMIT_MEMORY, LIMIT_MEMORY}, core = {0, 0};
#ifndef __SANITIZE_ADDRESS__ /* the sanitizer's shadow is larger than any limit */
    setrlimit(RLIMIT_AS, &memory);
#endif
    (void)memory;
    setrlimit(RLIMIT_CORE, &core);
    FILE *out = fdopen(fd, "w");
    const struct object *last = NULL;
    for (size_t i = 0; out && i < r->undefined.len; i++) {
        const struct object *object = r->undefined.data[i].object;
        bool seen = object == last;
        for (size_t j = 0; j < i && !seen; j++) {
            seen = r->undefined.data[j].object == object;
        }
        if (!seen) {
            print_object(out, r, object);
        }
        last = object;
    }
    _exit(0);
}

/* --- in the parent ------------------------------------------------------ */

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char *read_all(int fd) {
    VEC(char) text = {0};
    int64_t deadline = now_ms() + LIMIT_MS;
    for (;;) {
        struct pollfd pollfd = {fd, POLLIN, 0};
        int64_t left = deadline - now_ms();
        if (left <= 0 || poll(&pollfd, 1, (int)left) <= 0) {
            break;
        }
        char buffer[4096];
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0) {
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            *vec_push(&text) = buffer[i];
        }
    }
    *vec_push(&text) = 0;
    return text.data;
}

static void parse(char *text, const char **lines, size_t count) {
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        if (!end) {
            return; /* cut off: the child was stopped */
        }
        *end = 0;
        char *place;
        unsigned long number = strtoul(line, &place, 10);
        if (*place == ' ' && number < count) {
            lines[number] = place + 1;
        }
        line = end + 1;
    }
}

void source_lines(const struct resolution *r, const char **lines) {
    int ends[2];
    memset(lines, 0, r->undefined.len * sizeof *lines);
    if (r->undefined.len == 0 || pipe(ends) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(r, ends[1]);
    }
    close(ends[1]);
    if (pid > 0) {
        char *text = read_all(ends[0]);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        parse(text, lines, r->undefined.len);
    }
    close(ends[0]);
}
