/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses -> functions and source lines; registers and stack -> callers.
 * See symbolize.h.
 *
 * The child writes one line a frame to a pipe:
 *     ADDRESS KERNEL INLINED GUESSED LINE COLUMN <tab> FUNCTION <tab> FILE
 * and the parent believes nothing but its shape.  Of samples each address has its
 * frames once, and each sample then a line of addresses:
 *     =INDEX ADDRESS ADDRESS ...
 */
#include "zuk/symbolize.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zuk/lines.h"
#include "zuk/util.h"

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#endif

enum {
    DEFAULT_MS = 5000,
    DEFAULT_FRAMES = 64,
    SCAN_FRAMES = 16,
    OUTPUT_MAX = 1 << 20,
    SAMPLES_OUTPUT_MAX = 256 << 20,
    SAMPLES_MS = 60000,
    MEMORY_MAX_MIB = 4096,
};
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, RIP = 16 }; /* places in regs[] */

/* Addresses whose frames have been said; open hashing, 0: free. */
struct seen {
    uint64_t *table;
    size_t size, count;
};

struct worker {
    const struct symbolize_request *q;
    Dwfl *dwfl;
    bool attached;
    struct seen *seen; /* samples only, as is the next: */
    VEC(uint64_t) stack;
    Dwfl_Module *app, *kernel;
    uint64_t regs[REPORT_REGS_X86_64]; /* where unwinding starts */
    uint64_t last_pc;                  /* of the frame said last, as it stood */
    bool exact; /* the first frame's rip is an instruction, not a return address */
    FILE *out;
    unsigned frames, limit;
};

/* ---- one address ---- */

static const char *clean(const char *text, char *buffer, size_t size) {
    size_t n = 0;
    for (; text != NULL && *text != '\0' && n + 1 < size; text++) {
        buffer[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
    }
    buffer[n] = '\0';
    return buffer;
}

/* Is it new?  Remembers it. */
static bool see(struct seen *s, uint64_t address) {
    if (s->count * 2 >= s->size) {
        struct seen bigger = {.size = s->size == 0 ? 4096 : s->size * 2};
        bigger.table = xalloc(bigger.size * sizeof *bigger.table);
        for (size_t i = 0; i < s->size; i++) {
            if (s->table[i] != 0) {
                (void)see(&bigger, s->table[i]);
            }
        }
        *s = bigger;
    }
    size_t at = hash64(0, &address, sizeof address) % s->size;
    for (; s->table[at] != 0; at = (at + 1) % s->size) {
        if (s->table[at] == address) {
            return false;
        }
    }
    s->table[at] = address;
    s->count += address != 0;
    return true;
}

static void emit(struct worker *w, const struct symbol_frame *f) {
    char function[512];
    char file[4096];
    fprintf(w->out, "%" PRIx64 " %d %d %d %u %u\t%s\t%s\n", f->address, f->kernel, f->inlined,
            f->guessed, f->line, f->column, clean(f->function, function, sizeof function),
            clean(f->file, file, sizeof file));
    if (w->seen == NULL) {
        fflush(w->out); /* a child that is killed has said what it knew */
    }
    w->frames++;
}

static bool find_cu(Dwfl_Module *module, uint64_t address, Dwarf_Die *cu, Dwarf_Addr *bias) {
    Dwarf_Die *die = dwfl_module_addrdie(module, address, bias);
    if (die != NULL && dwarf_haspc(die, address - *bias) == 1) {
        *cu = *die;
        return true;
    }
    /* Where .debug_aranges is missing, or names some of the units only (the
     * answer is a neighbour then), each unit says itself what it covers. */
    die = NULL;
    while ((die = dwfl_module_nextcu(module, die, bias)) != NULL) {
        if (dwarf_haspc(die, address - *bias) == 1) {
            *cu = *die;
            return true;
        }
    }
    return false;
}

/* "parser.parse" rather than "parse" where the linker's name is readable. */
static const char *die_name(Dwarf_Die *die) {
    Dwarf_Attribute attr;
    static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &attr));
        if (name != NULL && strncmp(name, "_Z", 2) != 0 && strncmp(name, "_R", 2) != 0) {
            return name;
        }
    }
    return dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));
}

static const char *absolute(Dwarf_Die *cu, const char *file, char *buffer, size_t size) {
    Dwarf_Attribute attr;
    if (file == NULL || file[0] == '/') {
        return file;
    }
    const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
    if (dir == NULL) {
        return file;
    }
    snprintf(buffer, size, "%s/%s", dir, file);
    return buffer;
}

static unsigned attr_number(Dwarf_Die *die, unsigned name) {
    Dwarf_Attribute attr;
    Dwarf_Word value;
    return dwarf_attr(die, name, &attr) != NULL && dwarf_formudata(&attr, &value) == 0
               ? (unsigned)value
               : 0;
}

/* The functions inlined at that place, innermost first, then the one that
 * holds them.  f starts with the place's own line. */
static bool emit_scopes(struct worker *w, Dwarf_Die *cu, uint64_t address, struct symbol_frame *f,
                        const char *symbol) {
    Dwarf_Die *scopes = NULL;
    Dwarf_Die *chain = NULL;
    int n = dwarf_getscopes(cu, address, &scopes);
    int count = n > 0 ? dwarf_getscopes_die(&scopes[0], &chain) : 0;
    bool done = false;
    char buffer[4096];
    for (int i = 0; i < count && !done; i++) {
        int tag = dwarf_tag(&chain[i]);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram) {
            continue;
        }
        done = tag == DW_TAG_subprogram;
        f->inlined = !done;
        f->function = die_name(&chain[i]);
        if (f->function == NULL || (done && symbol != NULL && strchr(symbol, '.') != NULL)) {
            f->function = symbol != NULL ? symbol : f->function;
        }
        emit(w, f);
        if (!done) {
            Dwarf_Files *files = NULL;
            unsigned file = attr_number(&chain[i], DW_AT_call_file);
            f->file =
                dwarf_getsrcfiles(cu, &files, NULL) == 0
                    ? absolute(cu, dwarf_filesrc(files, file, NULL, NULL), buffer, sizeof buffer)
                    : NULL;
            f->line = attr_number(&chain[i], DW_AT_call_line);
            f->column = attr_number(&chain[i], DW_AT_call_column);
        }
    }
    free(chain);
    free(scopes);
    return done;
}

static void take_section(Elf_Scn *section, const uint8_t **data, size_t *size) {
    GElf_Shdr header;
    Elf_Data *d = gelf_getshdr(section, &header) != NULL && (header.sh_flags & SHF_COMPRESSED) == 0
                      ? elf_rawdata(section, NULL)
                      : NULL;
    if (d != NULL && d->d_buf != NULL) {
        *data = d->d_buf;
        *size = d->d_size;
    }
}

/* Line tables that libdw does not take (Zig's own back end's). */
static bool find_line(Dwfl_Module *module, uint64_t address, struct line_place *place) {
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    size_t names;
    if (elf == NULL || elf_getshdrstrndx(elf, &names) != 0) {
        return false;
    }
    struct line_sections s = {0};
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr header;
        const char *name =
            gelf_getshdr(section, &header) == NULL ? NULL : elf_strptr(elf, names, header.sh_name);
        if (name == NULL) {
            continue;
        }
        if (strcmp(name, ".debug_line") == 0) {
            take_section(section, &s.line, &s.line_size);
        } else if (strcmp(name, ".debug_line_str") == 0) {
            take_section(section, &s.line_str, &s.line_str_size);
        } else if (strcmp(name, ".debug_str") == 0) {
            take_section(section, &s.str, &s.str_size);
        }
    }
    uint64_t at = address - bias;
    *place = (struct line_place){0};
    if (s.line != NULL) {
        lines_find(&s, &at, 1, place);
    }
    return place->file != NULL;
}

/* Says all about an address; the frames of inlined functions come first. */
static void emit_frames(struct worker *w, uint64_t address, bool guessed) {
    struct symbol_frame f = {.address = address, .guessed = guessed};
    Dwfl_Module *module = dwfl_addrmodule(w->dwfl, address);
    if (module == NULL) {
        emit(w, &f);
        return;
    }
    f.kernel = module == w->kernel;
    const char *symbol = dwfl_module_addrname(module, address);
    Dwarf_Die cu;
    Dwarf_Addr bias;
    char buffer[4096];
    bool unit = find_cu(module, address, &cu, &bias);
    Dwarf_Line *line = unit ? dwarf_getsrc_die(&cu, address - bias) : NULL;
    struct line_place place;
    if (line != NULL) {
        int number = 0;
        int column = 0;
        dwarf_lineno(line, &number);
        dwarf_linecol(line, &column);
        f.file = absolute(&cu, dwarf_linesrc(line, NULL, NULL), buffer, sizeof buffer);
        f.line = number > 0 ? (unsigned)number : 0;
        f.column = column > 0 ? (unsigned)column : 0;
    } else if (find_line(module, address, &place)) {
        snprintf(buffer, sizeof buffer, "%s%s%s", place.folder == NULL ? "" : place.folder,
                 place.folder == NULL ? "" : "/", place.file);
        f.file = buffer;
        f.line = place.line;
    }
    if (unit && emit_scopes(w, &cu, address - bias, &f, symbol)) {
        return;
    }
    f.inlined = false;
    f.function = symbol;
    emit(w, &f);
}

static void emit_address(struct worker *w, uint64_t address, bool guessed) {
    if (w->seen != NULL) {
        *vec_push(&w->stack) = address;
        if (!see(w->seen, address)) {
            w->frames++;
            return;
        }
    }
    emit_frames(w, address, guessed);
}

/* ---- unwinding ---- */

static bool read_stack(const struct symbolize_request *q, uint64_t address, uint64_t *value) {
    const struct {
        const uint8_t *data;
        size_t size;
        uint64_t base;
    } stacks[] = {{q->stack, q->stack_size, q->stack_base},
                  {q->kstack, q->kstack_size, q->kstack_base}};
    for (size_t i = 0; i < 2; i++) {
        if (address >= stacks[i].base && stacks[i].size >= sizeof *value &&
            address - stacks[i].base <= stacks[i].size - sizeof *value) {
            memcpy(value, stacks[i].data + (address - stacks[i].base), sizeof *value);
            return true;
        }
    }
    return false;
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg) {
    (void)dwfl;
    if (*thread_arg != NULL) {
        return 0;
    }
    *thread_arg = arg;
    return 1;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *value, void *arg) {
    (void)dwfl;
    uint64_t v;
    if (!read_stack(((struct worker *)arg)->q, address, &v)) {
        return false;
    }
    *value = v;
    return true;
}

static bool initial_registers(Dwfl_Thread *thread, void *arg) {
    struct worker *w = arg;
    const uint64_t *r = w->regs;
    const Dwarf_Word dwarf[17] = {r[RAX],    r[RDX],    r[RCX],    r[RBX],    r[RSI],    r[RDI],
                                  r[RBP],    r[RSP],    r[R8],     r[R8 + 1], r[R8 + 2], r[R8 + 3],
                                  r[R8 + 4], r[R8 + 5], r[R8 + 6], r[R8 + 7], r[RIP]};
    return dwfl_thread_state_registers(thread, 0, 17, dwarf);
}

/* The app's text at an address, with `before` bytes before and `after` behind
 * it in the file; NULL when there is none. */
static const uint8_t *text_at(struct worker *w, uint64_t address, size_t before, size_t after) {
    Dwfl_Module *module = dwfl_addrmodule(w->dwfl, address);
    GElf_Addr bias;
    Elf *elf = module == NULL ? NULL : dwfl_module_getelf(module, &bias);
    size_t count;
    size_t size;
    const char *file = elf == NULL ? NULL : elf_rawfile(elf, &size);
    if (file == NULL || elf_getphdrnum(elf, &count) != 0) {
        return NULL;
    }
    uint64_t at = address - bias;
    for (size_t i = 0; i < count && i < 64; i++) {
        GElf_Phdr ph;
        if (gelf_getphdr(elf, (int)i, &ph) == NULL || ph.p_type != PT_LOAD ||
            (ph.p_flags & PF_X) == 0 || at < ph.p_vaddr || at - ph.p_vaddr < before ||
            at - ph.p_vaddr > ph.p_filesz || ph.p_filesz - (at - ph.p_vaddr) < after) {
            continue;
        }
        uint64_t offset = ph.p_offset + (at - ph.p_vaddr);
        return offset < before || offset > size || size - offset < after
                   ? NULL
                   : (const uint8_t *)file + offset;
    }
    return NULL;
}

/* Could a call end right before this address? */
static bool follows_call(struct worker *w, uint64_t address) {
    const uint8_t *at = text_at(w, address, 7, 0);
    if (at == NULL) {
        return false;
    }
    bool indirect = false; /* ff /2, with 2 to 7 bytes */
    for (int n = 2; n <= 7; n++) {
        indirect = indirect || (at[-n] == 0xff && (at[-n + 1] >> 3 & 7) == 2);
    }
    return at[-5] == 0xe8 || indirect;
}

/* Is there `mov $15 (rt_sigreturn), %eax; syscall`, where signal handlers
 * return to? */
static bool is_trampoline(struct worker *w, uint64_t address) {
    static const uint8_t codes[][9] = {{0xb8, 15, 0, 0, 0, 0x0f, 0x05},
                                       {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05}};
    static const size_t sizes[] = {7, 9};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *at = text_at(w, address, 0, sizes[i]);
        if (at != NULL && memcmp(at, codes[i], sizes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int on_frame(Dwfl_Frame *state, void *arg) {
    struct worker *w = arg;
    Dwarf_Addr pc;
    if (!dwfl_frame_pc(state, &pc, NULL) || pc == 0 || w->frames >= w->limit) {
        return DWARF_CB_ABORT;
    }
    if (!w->exact && is_trampoline(w, pc)) {
        if (w->seen == NULL) {
            emit(w, &(struct symbol_frame){.address = pc, .function = "(signal handler)"});
        }
        w->last_pc = pc;
        return DWARF_CB_ABORT; /* leave_handler() knows the way on */
    }
    emit_address(w, w->exact ? pc : pc - 1, false);
    w->exact = false;
    w->last_pc = pc;
    return DWARF_CB_OK;
}

/* The handler's frame ended at the trampoline: takes the registers that the
 * signal interrupted from the ucontext behind its return address (Linux,
 * arch/x86/include/asm/sigframe.h). */
static bool leave_handler(struct worker *w) {
    enum { GREGS = 40, CONTEXT_RIP = 16 };
    static const unsigned char order[] = {R8,     R8 + 1, R8 + 2, R8 + 3, R8 + 4, R8 + 5,
                                          R8 + 6, R8 + 7, RDI,    RSI,    RBP,    RBX,
                                          RDX,    RAX,    RCX,    RSP,    RIP};
    if (w->last_pc == 0 || !is_trampoline(w, w->last_pc)) {
        return false;
    }
    uint64_t value;
    for (uint64_t at = w->regs[RSP] & ~UINT64_C(7); read_stack(w->q, at, &value); at += 8) {
        uint64_t ip, sp;
        if (value != w->last_pc || !read_stack(w->q, at + 8 + GREGS + 8 * CONTEXT_RIP, &ip) ||
            !read_stack(w->q, at + 8 + GREGS + 8 * (CONTEXT_RIP - 1), &sp) || sp <= at ||
            dwfl_addrmodule(w->dwfl, ip) == NULL) {
            continue;
        }
        for (size_t i = 0; i < sizeof order; i++) {
            if (read_stack(w->q, at + 8 + GREGS + 8 * i, &value)) {
                w->regs[order[i]] = value;
            }
        }
        return true;
    }
    return false;
}

/* Whatever looks like a return address from `from` up. */
static void scan_stack(struct worker *w, uint64_t from) {
    unsigned found = 0;
    uint64_t value;
    for (uint64_t at = (from + 7) & ~UINT64_C(7);
         found < SCAN_FRAMES && w->frames < w->limit && read_stack(w->q, at, &value); at += 8) {
        if (follows_call(w, value)) {
            emit_address(w, value - 1, true);
            found++;
        }
    }
}

static void unwind(struct worker *w) {
    static const Dwfl_Thread_Callbacks callbacks = {
        .next_thread = next_thread,
        .memory_read = read_memory,
        .set_initial_registers = initial_registers,
    };
    unsigned before = w->frames;
    w->last_pc = 0;
    bool exact = w->exact;
    w->attached = w->attached || dwfl_attach_state(w->dwfl, NULL, 1, &callbacks, w);
    if (w->attached) {
        (void)dwfl_getthread_frames(w->dwfl, 1, on_frame, w);
    }
    if (w->frames == before) {
        emit_address(w, w->regs[RIP] - !exact, false);
    }
}

static void unwind_all(struct worker *w) {
    const struct symbolize_request *q = w->q;
    memcpy(w->regs, q->regs, sizeof w->regs);
    /* Neither in a module nor in code of one: text_at() knows the app's. */
    Dwfl_Module *module = dwfl_addrmodule(w->dwfl, q->regs[RIP]);
    bool nowhere =
        module == NULL || (module != w->kernel && text_at(w, q->regs[RIP], 0, 0) == NULL);
    if (nowhere && !q->skip_first) { /* a jump to nowhere: the caller's address is on the stack */
        emit_address(w, q->regs[RIP], false);
    }
    w->exact = !nowhere && !q->skip_first;
    if (!w->exact) {
        if (!read_stack(q, w->regs[RSP], &w->regs[RIP])) {
            return;
        }
        w->regs[RSP] += 8;
    }
    unsigned before = w->frames;
    unwind(w);
    for (int handlers = 0; handlers < 4 && w->frames < w->limit && leave_handler(w); handlers++) {
        w->exact = true;
        unwind(w);
    }
    if (w->frames - before <= 1) {
        scan_stack(w, w->regs[RSP]);
    }
    if (q->kstack_size > 0 && q->stack_size > 0 && w->kernel != NULL &&
        dwfl_addrmodule(w->dwfl, q->regs[RIP]) == w->kernel) {
        scan_stack(w, q->stack_base); /* who called into the kernel */
    }
}

/* ---- the child ---- */

static int no_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word crc, char **path) {
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)path;
    return -1; /* all there is lies in the file itself; nothing is fetched */
}

/* The app's ELF out of the image, as a file of its own. */
static int extract_app(const struct symbolize_request *q) {
    int image = q->image_path == NULL ? -1 : open(q->image_path, O_RDONLY | O_CLOEXEC);
    int fd = image < 0 ? -1 : memfd_create("app", MFD_CLOEXEC);
    off_t offset = (off_t)q->app_offset;
    for (uint64_t left = q->app_size; fd >= 0 && left > 0;) {
        ssize_t n = sendfile(fd, image, &offset, left < (1u << 30) ? left : 1u << 30);
        if (n <= 0) {
            break;
        }
        left -= (uint64_t)n;
    }
    if (image >= 0) {
        close(image);
    }
    return fd;
}

static bool open_modules(struct worker *w) {
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = no_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    const struct symbolize_request *q = w->q;
    w->dwfl = dwfl_begin(&callbacks);
    if (w->dwfl == NULL) {
        return false;
    }
    dwfl_report_begin(w->dwfl);
    int fd = q->app_path != NULL ? open(q->app_path, O_RDONLY | O_CLOEXEC) : extract_app(q);
    if (fd >= 0) {
        w->app = dwfl_report_elf(w->dwfl, "app", "app", fd, q->app_base, true);
    }
    fd = q->kernel_path != NULL ? open(q->kernel_path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        w->kernel = dwfl_report_elf(w->dwfl, "kernel", "kernel", fd, 0, true);
    }
    dwfl_report_end(w->dwfl, NULL, NULL);
    return w->app != NULL || w->kernel != NULL;
}

static void limit_child(unsigned ms) {
    struct rlimit memory = {(rlim_t)MEMORY_MAX_MIB << 20, (rlim_t)MEMORY_MAX_MIB << 20};
    struct rlimit cpu = {ms / 1000 + 1, ms / 1000 + 2};
    struct rlimit none = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &none);
#ifdef ADDRESS_SANITIZER
    (void)memory; /* its shadow takes terabytes of addresses */
#else
    setrlimit(RLIMIT_AS, &memory);
#endif
    const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        signal(fatal[i], SIG_DFL);
    }
}

struct job {
    const struct symbolize_request *q;
    bool whole_stack;
    uint64_t address;
    struct symbol_sample *samples; /* or NULL */
    size_t sample_count;
};

static void unwind_samples(struct worker *w, const struct job *job) {
    struct symbolize_request *q = xalloc(sizeof *q);
    *q = *job->q;
    w->q = q;
    w->seen = xalloc(sizeof *w->seen);
    for (size_t i = 0; i < job->sample_count; i++) {
        const struct symbol_sample *s = &job->samples[i];
        memcpy(q->regs, s->regs, sizeof q->regs);
        q->stack = s->stack;
        q->stack_size = s->stack_size;
        q->stack_base = s->regs[RSP];
        w->frames = 0;
        w->stack.len = 0;
        unwind_all(w);
        fprintf(w->out, "=%zu", i);
        for (size_t k = 0; k < w->stack.len; k++) {
            fprintf(w->out, " %" PRIx64, w->stack.data[k]);
        }
        fputc('\n', w->out);
    }
}

static void work(const struct job *job, int fd) {
    struct worker w = {
        .q = job->q,
        .limit = job->q->limit_frames == 0 ? DEFAULT_FRAMES : job->q->limit_frames,
        .out = fdopen(fd, "w"),
    };
    if (w.out == NULL || !open_modules(&w)) {
        return;
    }
    if (job->samples != NULL) {
        unwind_samples(&w, job);
    } else if (job->whole_stack) {
        unwind_all(&w);
    } else {
        emit_address(&w, job->address, false);
    }
    fputs(".\n", w.out); /* all is said */
    fflush(w.out);
}

/* ---- the parent ---- */

/* All that the child says within the time; NUL-terminated. */
static char *listen_to(int fd, unsigned ms, size_t most) {
    int64_t end = now_ms() + ms;
    char *text = xalloc(most + 1);
    size_t len = 0;
    for (int64_t now = now_ms(); now < end && len < most; now = now_ms()) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, (int)(end - now));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        ssize_t n = ready <= 0 ? 0 : read(fd, text + len, most - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    text[len] = '\0';
    return text;
}

static bool parse_frame(char *line, struct symbol_frame *f) {
    int kernel, inlined, guessed, used = 0;
    if (sscanf(line, "%" SCNx64 " %d %d %d %u %u%n", &f->address, &kernel, &inlined, &guessed,
               &f->line, &f->column, &used) != 6 ||
        line[used] != '\t') {
        return false;
    }
    char *function = line + used + 1;
    char *file = strchr(function, '\t');
    if (file == NULL) {
        return false;
    }
    *file++ = '\0';
    f->kernel = kernel != 0;
    f->inlined = inlined != 0;
    f->guessed = guessed != 0;
    f->function = *function == '\0' ? NULL : function;
    f->file = *file == '\0' ? NULL : file;
    return true;
}

/* A line "=INDEX ADDRESS ...". */
static void parse_sample(const struct job *job, const char *line) {
    char *end;
    unsigned long long index = strtoull(line + 1, &end, 10);
    VEC(uint64_t) list = {0};
    while (*end == ' ') {
        const char *at = end + 1;
        uint64_t address = strtoull(at, &end, 16);
        if (end == at) {
            break;
        }
        *vec_push(&list) = address;
    }
    if (index < job->sample_count) {
        job->samples[index].addresses = list.data;
        job->samples[index].address_count = list.len;
    }
}

static bool run_job(const struct job *job, struct symbol_frame **frames, size_t *count) {
    int fd[2];
    *frames = NULL;
    *count = 0;
    if (pipe2(fd, O_CLOEXEC) != 0) {
        return false;
    }
    unsigned ms = job->q->limit_ms == 0 ? DEFAULT_MS : job->q->limit_ms;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        limit_child(ms);
        work(job, fd[1]);
        _exit(0);
    }
    close(fd[1]);
    size_t most = job->samples == NULL ? OUTPUT_MAX : SAMPLES_OUTPUT_MAX;
    char *text = pid < 0 ? xstrdup("") : listen_to(fd[0], ms, most);
    close(fd[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    VEC(struct symbol_frame) list = {0};
    bool whole = false;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        struct symbol_frame f = {0};
        if (strcmp(line, ".") == 0) {
            whole = true;
            break;
        }
        if (job->samples != NULL && *line == '=') {
            parse_sample(job, line);
        } else if (parse_frame(line, &f)) {
            *vec_push(&list) = f;
        }
    }
    *frames = list.data;
    *count = list.len;
    return whole;
}

bool symbolize_stack(const struct symbolize_request *request, struct symbol_frame **frames,
                     size_t *count) {
    return run_job(&(struct job){.q = request, .whole_stack = true}, frames, count);
}

bool symbolize_samples(const struct symbolize_request *request, struct symbol_sample *samples,
                       size_t count, struct symbol_frame **frames, size_t *frame_count) {
    struct symbolize_request patient = *request;
    patient.limit_ms = request->limit_ms == 0 ? SAMPLES_MS : request->limit_ms;
    return run_job(&(struct job){.q = &patient, .samples = samples, .sample_count = count}, frames,
                   frame_count);
}

bool symbolize_address(const struct symbolize_request *request, uint64_t address,
                       struct symbol_frame *frame) {
    struct symbol_frame *frames;
    size_t count;
    (void)run_job(&(struct job){.q = request, .address = address}, &frames, &count);
    if (count == 0) {
        return false;
    }
    *frame = frames[0];
    return frame->function != NULL || frame->file != NULL;
}

static bool same_loaded(const uint8_t *a, uint64_t a_size, const uint8_t *b, uint64_t b_size) {
    Elf64_Ehdr ea, eb;
    if (a_size < sizeof ea || b_size < sizeof eb) {
        return false;
    }
    memcpy(&ea, a, sizeof ea);
    memcpy(&eb, b, sizeof eb);
    uint64_t table = (uint64_t)ea.e_phnum * sizeof(Elf64_Phdr);
    if (ea.e_entry != eb.e_entry || ea.e_phnum != eb.e_phnum || ea.e_phoff != eb.e_phoff ||
        ea.e_phoff > a_size || a_size - ea.e_phoff < table || eb.e_phoff > b_size ||
        b_size - eb.e_phoff < table || memcmp(a + ea.e_phoff, b + eb.e_phoff, table) != 0) {
        return false;
    }
    for (unsigned i = 0; i < ea.e_phnum; i++) {
        Elf64_Phdr ph;
        memcpy(&ph, a + ea.e_phoff + i * sizeof ph, sizeof ph);
        if (ph.p_type != PT_LOAD || (ph.p_flags & PF_X) == 0) {
            continue;
        }
        if (ph.p_offset > a_size || a_size - ph.p_offset < ph.p_filesz || ph.p_offset > b_size ||
            b_size - ph.p_offset < ph.p_filesz ||
            memcmp(a + ph.p_offset, b + ph.p_offset, ph.p_filesz) != 0) {
            return false;
        }
    }
    return true;
}

bool symbolize_same_program(const char *path, const char *image_path, uint64_t app_offset,
                            uint64_t app_size) {
    struct file_map file, image;
    if (!is_file(path) || !is_file(image_path) || !file_map(path, &file)) {
        return false;
    }
    bool same = false;
    if (file_map(image_path, &image)) {
        same = app_offset <= image.size && app_size <= image.size - app_offset &&
               same_loaded(file.data, file.size, image.data + app_offset, app_size);
        file_unmap(&image);
    }
    file_unmap(&file);
    return same;
}
