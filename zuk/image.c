/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The fused image: written by image_fuse(), read by image_open() and
 * image_is().  abi/image.h has the layout in memory; in the file follow each
 * other: ELF header, program headers, the notes, the kernel's segments, the
 * manifest, the app.  There are no sections and no padding beyond 16 bytes;
 * zeros at the end of a kernel segment are left to p_memsz.
 *
 * The reader believes nothing: an image is a file like any other.
 */
#include "zuk/image.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "zuk/build.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/loadable.h"
#include "zuk/page_table.h"
#include "zuk/util.h"

enum {
    XEN_ELFNOTE_PHYS32_ENTRY = 18, /* xen/include/public/elfnote.h */
    FILE_ALIGN = 16,
    SEGMENTS_MAX = 16,
    STACK_DEFAULT = 8 << 20,
    STACK_GUARD = 1 << 20,
};

/* Everything lies below 2 GiB, where the kernel's window ends. */
#define IMAGE_END_MAX (-IMAGE_KERNEL_BASE)

/* Both notes have a name of up to 4 bytes and a descriptor of 8. */
struct note {
    uint32_t name_size, size, type;
    char name[4];
    uint8_t value[8]; /* a uint64_t, little-endian */
};
_Static_assert(sizeof(struct note) == 24, "notes are tight");

static uint64_t round_up(uint64_t n, uint64_t unit) {
    return (n + unit - 1) & ~(unit - 1);
}

/* --- the manifest ------------------------------------------------------- */

struct blob {
    VEC(uint8_t) bytes;
};

static void blob_put(struct blob *b, const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        *vec_push(&b->bytes) = ((const uint8_t *)data)[i];
    }
}

static void blob_align(struct blob *b, size_t unit) {
    while (b->bytes.len % unit != 0) {
        *vec_push(&b->bytes) = 0;
    }
}

static uint32_t blob_strings(struct blob *b, const char *const *strings, size_t count) {
    uint32_t at = (uint32_t)b->bytes.len;
    for (size_t i = 0; i < count; i++) {
        blob_put(b, strings[i], strlen(strings[i]) + 1);
    }
    return at;
}

static uint64_t bias_of(const struct loadable *app) {
    return app->dyn ? round_up(IMAGE_PIE_BASE, app->align) : 0;
}

static void put_area(struct blob *b, const struct image_area *area) {
    if (area->start < area->end) {
        blob_put(b, area, sizeof *area);
    }
}

/* The areas that the app begins with; says where its heap begins. */
static uint32_t blob_areas(struct blob *b, const struct loadable *app, struct image_manifest *m) {
    uint32_t at = (uint32_t)b->bytes.len;
    for (unsigned i = 0; i < app->phnum; i++) {
        const Elf64_Phdr *p = &app->phdr[i];
        if (p->p_type != PT_LOAD || p->p_memsz == 0) {
            continue;
        }
        uint64_t address = m->bias + p->p_vaddr, file_end = address + p->p_filesz;
        uint64_t start = address & -(uint64_t)IMAGE_PAGE;
        uint64_t middle = p->p_filesz == 0 ? start : round_up(file_end, IMAGE_PAGE);
        uint8_t prot =
            (uint8_t)((p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
                      (p->p_flags & PF_X ? PROT_EXEC : 0));
        m->brk = round_up(address + p->p_memsz, IMAGE_PAGE);
        put_area(b, &(struct image_area){
                        .start = start,
                        .end = middle,
                        .page = (uint32_t)(p->p_offset / IMAGE_PAGE),
                        .zeroes = (uint16_t)(p->p_memsz > p->p_filesz ? middle - file_end : 0),
                        .prot = prot,
                        .kind = IMAGE_AREA_FILE,
                    });
        put_area(b, &(struct image_area){
                        .start = middle, .end = m->brk, .prot = prot, .kind = IMAGE_AREA_ZERO});
    }
    uint64_t low = IMAGE_STACK_TOP - m->stack_size;
    put_area(
        b, &(struct image_area){.start = low - STACK_GUARD, .end = low, .kind = IMAGE_AREA_GUARD});
    put_area(b, &(struct image_area){
                    .start = low,
                    .end = IMAGE_STACK_TOP,
                    .prot = (uint8_t)(PROT_READ | PROT_WRITE | (app->stack_exec ? PROT_EXEC : 0)),
                    .kind = IMAGE_AREA_STACK,
                });
    return at;
}

/* The page table entries for what is touched soon of the areas, which end here. */
static void blob_pages(struct blob *b, struct image_manifest *m, uint64_t pool_paddr) {
    const struct image_area *areas = (const void *)(b->bytes.data + m->areas);
    struct page_table t;
    page_table_make(&t, areas, (b->bytes.len - m->areas) / sizeof *areas, m->app_paddr, pool_paddr);
    m->tables = t.tables;
    m->pages = t.pages;
    m->fills = (uint32_t)b->bytes.len;
    blob_put(b, t.fills.data, t.fills.len * sizeof *t.fills.data);
    m->copies = (uint32_t)b->bytes.len;
    blob_put(b, t.copies.data, t.copies.len * sizeof *t.copies.data);
}

/* The content of the first stack (abi/image.h), whose strings follow it; where
 * it begins. */
static uint32_t blob_stack(struct blob *b, const struct fuse *fuse, const struct loadable *app) {
    static const char platform[8] = "x86_64";
    size_t words = 1 + fuse->arg_count + 1 + fuse->env_count + 1 + (size_t)2 * IMAGE_AUX_PAIRS;
    size_t strings = strlen(fuse->name) + 1;
    for (size_t i = 0; i < fuse->arg_count; i++) {
        strings += strlen(fuse->args[i]) + 1;
    }
    for (size_t i = 0; i < fuse->env_count; i++) {
        strings += strlen(fuse->env[i]) + 1;
    }
    size_t random = words * sizeof(uint64_t);
    size_t name = random + 16 + sizeof platform + 1;
    size_t end = name + strings;
    size_t pad = (24 - end % 16) % 16; /* the stack pointer is a multiple of 16, 8 below its top */
    name += pad;
    end += pad;
    uint64_t top = IMAGE_STACK_TOP - 8, sp = top - end;
    uint64_t bias = bias_of(app);

    uint64_t *stack = xalloc(words * sizeof *stack), *at = stack;
    uint64_t string = sp + name + strlen(fuse->name) + 1;
    *at++ = fuse->arg_count;
    for (size_t i = 0; i < fuse->arg_count; i++) {
        *at++ = string;
        string += strlen(fuse->args[i]) + 1;
    }
    at++;
    for (size_t i = 0; i < fuse->env_count; i++) {
        *at++ = string;
        string += strlen(fuse->env[i]) + 1;
    }
    at++;
    const struct {
        uint64_t type, value;
    } aux[IMAGE_AUX_PAIRS] = {
        [IMAGE_AUX_HWCAP] = {AT_HWCAP, 0},
        [IMAGE_AUX_MINSIGSTKSZ] = {AT_MINSIGSTKSZ, 0},
        [IMAGE_AUX_RANDOM] = {AT_RANDOM, sp + random},
        [IMAGE_AUX_PLATFORM] = {AT_PLATFORM, sp + random + 16},
        [IMAGE_AUX_EXECFN] = {AT_EXECFN, sp + name - 1},
        {AT_PHDR, app->phdr_vaddr == 0 ? 0 : bias + app->phdr_vaddr},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, app->phdr_vaddr == 0 ? 0 : app->phnum},
        {AT_PAGESZ, IMAGE_PAGE},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, bias + app->entry},
        {AT_UID, 0},
        {AT_EUID, 0},
        {AT_GID, 0},
        {AT_EGID, 0},
        {AT_SECURE, 0},
        {AT_CLKTCK, 100},
        {AT_HWCAP2, 0},
        {AT_NULL, 0},
    };
    memcpy(at, aux, sizeof aux);

    uint32_t begin = (uint32_t)b->bytes.len;
    static const uint8_t zeroes[16];
    blob_put(b, stack, random);
    blob_put(b, zeroes, sizeof zeroes);
    blob_put(b, platform, sizeof platform);
    blob_put(b, zeroes, pad);
    blob_put(b, "/", 1);
    return begin;
}

/* With the app at app_paddr, which says nothing of how large the manifest is. */
static struct blob make_manifest(const struct fuse *fuse, const struct loadable *app,
                                 uint64_t paddr, uint64_t app_paddr, uint64_t app_size,
                                 uint64_t root_size) {
    struct image_manifest m = {
        .magic = IMAGE_MAGIC,
        .version = IMAGE_VERSION,
        .arch = IMAGE_X86_64,
        .default_policy = (uint16_t)fuse->default_policy,
        .app_paddr = app_paddr,
        .app_size = app_size,
        .end_paddr = app_paddr + app_size,
        .argc = (uint32_t)fuse->arg_count,
        .envc = (uint32_t)fuse->env_count,
        .policy_count = (uint32_t)fuse->policy_count,
        .stub_count = (uint32_t)fuse->stub_count,
        .kernel_id = fuse->kernel_id,
        .entry = bias_of(app) + app->entry,
        .bias = bias_of(app),
        .stack_size = app->stack_size == 0 ? STACK_DEFAULT : round_up(app->stack_size, IMAGE_PAGE),
    };
    struct blob b = {0};
    blob_put(&b, &m, sizeof m);
    m.policies = (uint32_t)b.bytes.len;
    blob_put(&b, fuse->policies, fuse->policy_count * sizeof *fuse->policies);
    blob_align(&b, sizeof(uint64_t));
    m.areas = blob_areas(&b, app, &m);
    blob_pages(&b, &m, paddr - IMAGE_POOL_PAGES * IMAGE_PAGE);
    m.stack = blob_stack(&b, fuse, app);
    m.name = blob_strings(&b, &fuse->name, 1);
    m.argv = blob_strings(&b, fuse->args, fuse->arg_count);
    m.envv = blob_strings(&b, fuse->env, fuse->env_count);
    m.stubs = blob_strings(&b, fuse->stubs, fuse->stub_count);
    m.options = blob_strings(&b, &fuse->options, 1);
    m.size = (uint32_t)b.bytes.len;
    if (root_size > 0) {
        m.root_paddr = round_up(m.end_paddr, IMAGE_PAGE);
        m.root_size = root_size;
        m.end_paddr = m.root_paddr + root_size;
    }
    memcpy(b.bytes.data, &m, sizeof m);
    return b;
}

/* --- writing ------------------------------------------------------------ */

/* A piece of the image: a segment and its bytes. */
struct piece {
    Elf64_Phdr header;
    const uint8_t *data;
};

struct layout {
    struct piece pieces[SEGMENTS_MAX + 3];
    size_t count;
    size_t manifest; /* its piece */
    struct note notes[2];
    struct {
        VEC(uint8_t) bytes;
    } more;         /* another note, or nothing */
    uint64_t entry; /* e_entry */
    uint64_t end;   /* physical end of the kernel */
};

static struct note make_note(const char *name, uint32_t type, uint64_t value) {
    struct note n = {.name_size = (uint32_t)strlen(name) + 1, .size = 8, .type = type};
    memcpy(n.name, name, n.name_size);
    memcpy(n.value, &value, sizeof value);
    return n;
}

/* The bill of materials, as a third note. */
static void add_sbom(struct layout *l, const char *text) {
    struct note n = make_note(IMAGE_NOTE_NAME, IMAGE_NOTE_SBOM, 0);
    n.size = (uint32_t)strlen(text);
    const uint8_t *head = (const uint8_t *)&n;
    for (size_t i = 0; i < offsetof(struct note, value); i++) {
        *vec_push(&l->more.bytes) = head[i];
    }
    for (size_t i = 0; i < (n.size + 3u) / 4 * 4; i++) {
        *vec_push(&l->more.bytes) = i < n.size ? (uint8_t)text[i] : 0;
    }
}

/* The kernel's segments and its PVH entry. */
static const char *take_kernel(const struct elf_file *f, struct layout *l) {
    if (f->header.e_machine != EM_X86_64 || f->header.e_type != ET_EXEC) {
        return "is not an executable for x86_64";
    }
    uint64_t end = 0;
    for (size_t i = 0; i < f->segment_count; i++) {
        Elf64_Phdr p = f->segments[i];
        if (p.p_type != PT_LOAD || p.p_memsz == 0) {
            continue;
        }
        const uint8_t *data = elf_file_bytes(f, p.p_offset, p.p_filesz);
        if (l->count == SEGMENTS_MAX) {
            return "has too many segments";
        }
        if (data == NULL || p.p_filesz > p.p_memsz || p.p_paddr < IMAGE_KERNEL_PADDR ||
            p.p_paddr >= IMAGE_END_MAX || p.p_memsz > IMAGE_END_MAX - p.p_paddr ||
            p.p_vaddr != IMAGE_KERNEL_BASE + p.p_paddr) {
            return "has a segment where the kernel cannot lie";
        }
        while (p.p_filesz > 0 && data[p.p_filesz - 1] == 0) {
            p.p_filesz--;
        }
        end = p.p_paddr + p.p_memsz > end ? p.p_paddr + p.p_memsz : end;
        l->pieces[l->count++] = (struct piece){p, data};
    }
    uint64_t symbol;
    if (!elf_file_symbol(f, "kernel_end", &symbol)) {
        return "has no symbol kernel_end";
    }
    if (symbol < IMAGE_KERNEL_BASE || symbol - IMAGE_KERNEL_BASE < end) {
        return "has segments past kernel_end";
    }
    l->end = symbol - IMAGE_KERNEL_BASE;
    size_t size;
    const uint8_t *desc = elf_file_note(f, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &size);
    if (desc == NULL || (size != 4 && size != 8)) {
        return "has no PVH entry note";
    }
    uint64_t entry = 0;
    memcpy(&entry, desc, size);
    l->notes[0] = make_note("Xen", XEN_ELFNOTE_PHYS32_ENTRY, entry);
    l->entry = f->header.e_entry != 0 ? f->header.e_entry : entry;
    return NULL;
}

static void add_piece(struct layout *l, uint64_t paddr, const void *data, uint64_t size) {
    l->pieces[l->count++] = (struct piece){
        {.p_type = PT_LOAD,
         .p_flags = PF_R,
         .p_paddr = paddr,
         .p_vaddr = IMAGE_KERNEL_BASE + paddr,
         .p_filesz = size,
         .p_memsz = size},
        data,
    };
}

static bool put_at(struct output *o, uint64_t *position, uint64_t offset, const void *data,
                   uint64_t size) {
    static const uint8_t zeros[FILE_ALIGN];
    bool ok = output_write(o, zeros, offset - *position) && output_write(o, data, size);
    *position = offset + size;
    return ok;
}

static bool write_image(struct layout *l, const char *path, uint64_t *size) {
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = l->entry,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)(l->count + 1),
    };
    Elf64_Phdr headers[SEGMENTS_MAX + 4] = {{
        .p_type = PT_NOTE,
        .p_flags = PF_R,
        .p_offset = sizeof header + header.e_phnum * sizeof(Elf64_Phdr),
        .p_filesz = sizeof l->notes + l->more.bytes.len,
        .p_memsz = sizeof l->notes + l->more.bytes.len,
        .p_align = 4,
    }};
    uint64_t offset = headers[0].p_offset + headers[0].p_filesz;
    for (size_t i = 0; i < l->count; i++) {
        Elf64_Phdr *p = &headers[i + 1];
        *p = l->pieces[i].header;
        offset += (p->p_vaddr - offset) % FILE_ALIGN; /* congruent, as p_align demands */
        p->p_offset = offset;
        p->p_align = FILE_ALIGN;
        offset += p->p_filesz;
    }
    l->notes[1] =
        make_note(IMAGE_NOTE_NAME, IMAGE_NOTE_MANIFEST, headers[l->manifest + 1].p_offset);
    struct output *o = output_open(path, 0777);
    if (o == NULL) {
        return false;
    }
    uint64_t position = 0;
    bool ok = put_at(o, &position, 0, &header, sizeof header) &&
              put_at(o, &position, position, headers, header.e_phnum * sizeof(Elf64_Phdr)) &&
              put_at(o, &position, position, l->notes, sizeof l->notes) &&
              put_at(o, &position, position, l->more.bytes.data, l->more.bytes.len);
    for (size_t i = 0; ok && i < l->count; i++) {
        ok = put_at(o, &position, headers[i + 1].p_offset, l->pieces[i].data,
                    headers[i + 1].p_filesz);
    }
    *size = position;
    if (!ok) {
        output_abandon(o);
        return false;
    }
    return output_commit(o);
}

/* The tree of files, mapped; false after diag_error. */
static bool map_root(const struct fuse *fuse, struct file_map *root) {
    *root = (struct file_map){NULL, 0};
    return fuse->root == 0 || file_map(xasprintf("/proc/self/fd/%d", fuse->root), root);
}

bool image_fuse(const struct fuse *fuse, uint64_t *overhead) {
    struct file_map kernel, app, root;
    if (!map_root(fuse, &root)) {
        return false;
    }
    if (!file_map(fuse->kernel, &kernel)) {
        return false;
    }
    if (!file_map(fuse->app, &app)) {
        file_unmap(&kernel);
        return false;
    }
    struct layout l = {0};
    struct elf_file f;
    const char *why = NULL;
    if (elf_file_open(kernel.data, kernel.size, &f, &why)) {
        why = take_kernel(&f, &l);
    }
    bool ok = why == NULL;
    if (!ok) {
        diag_error("the kernel %s %s", fuse->kernel, why);
    }
    struct loadable loadable;
    int error = ok ? loadable_check(app.data, app.size, EM_X86_64, &loadable) : 0;
    if (error) {
        diag_error("'%s' %s", fuse->app, loadable_why(error));
        ok = false;
    }
    if (ok) {
        uint64_t paddr = round_up(l.end, IMAGE_PAGE);
        struct blob manifest = make_manifest(fuse, &loadable, paddr, 0, app.size, root.size);
        uint64_t app_paddr = round_up(paddr + manifest.bytes.len, IMAGE_PAGE);
        manifest = make_manifest(fuse, &loadable, paddr, app_paddr, app.size, root.size);
        struct image_manifest m;
        memcpy(&m, manifest.bytes.data, sizeof m);
        if (m.stubs - m.stack > m.stack_size / 2) {
            diag_error(
                "arguments and environment (%u bytes) do not fit the stack of '%s' (%lu KiB)",
                m.stubs - m.stack, fuse->app, m.stack_size >> 10);
            diag_hint("give fewer of them, or link with a larger stack (zig: exe.stack_size; C: "
                      "-Wl,-z,stack-size=N)");
            ok = false;
        } else if (app_paddr >= IMAGE_END_MAX || app.size > IMAGE_END_MAX - app_paddr) {
            diag_error("'%s' is too large for an image (%zu MiB; below 2 GiB all told)", fuse->app,
                       app.size >> 20);
            diag_hint("--strip leaves the debug information out");
            ok = false;
        } else if (root.size + IMAGE_PAGE > IMAGE_END_MAX - app_paddr - app.size) {
            diag_error("the files of --rootfs are too large for an image (%zu MiB beside the "
                       "app's %zu; below 2 GiB all told)",
                       root.size >> 20, app.size >> 20);
            ok = false;
        } else {
            l.manifest = l.count;
            if (fuse->sbom != NULL) {
                add_sbom(&l, fuse->sbom);
            }
            add_piece(&l, paddr, manifest.bytes.data, manifest.bytes.len);
            add_piece(&l, app_paddr, app.data, app.size);
            if (root.size > 0) {
                add_piece(&l, round_up(app_paddr + app.size, IMAGE_PAGE), root.data, root.size);
            }
            ok = write_image(&l, fuse->output, overhead);
            *overhead -= app.size;
        }
    }
    file_unmap(&root);
    file_unmap(&app);
    file_unmap(&kernel);
    return ok;
}

/* --- reading ------------------------------------------------------------ */

static bool refuse(const char **why, const char *reason) {
    *why = reason;
    return false;
}

/* count strings at an offset of the manifest; NULL when they are not in it. */
static const char *const *read_strings(const struct elf_file *f, uint64_t manifest, uint32_t size,
                                       uint32_t offset, uint32_t count) {
    VEC(const char *) list = {0};
    uint64_t at = manifest + offset;
    for (uint32_t i = 0; i < count; i++) {
        const char *s = elf_file_string(f, at, manifest + size);
        if (s == NULL || offset < sizeof(struct image_manifest)) {
            return NULL;
        }
        *vec_push(&list) = xstrdup(s);
        at += strlen(s) + 1;
    }
    *vec_push(&list) = NULL;
    return list.data;
}

static const Elf64_Phdr *segment_at(const struct elf_file *f, uint64_t paddr, uint64_t size) {
    for (size_t i = 0; i < f->segment_count; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        if (p->p_type == PT_LOAD && p->p_paddr == paddr && p->p_filesz == size &&
            elf_file_bytes(f, p->p_offset, p->p_filesz) != NULL) {
            return p;
        }
    }
    return NULL;
}

bool image_parse(const uint8_t *data, size_t size, struct image_info *info, const char **why) {
    struct elf_file f;
    if (!elf_file_open(data, size, &f, why)) {
        return false;
    }
    size_t note_size;
    const uint8_t *note = elf_file_note(&f, IMAGE_NOTE_NAME, IMAGE_NOTE_MANIFEST, &note_size);
    if (note == NULL || note_size != sizeof(uint64_t)) {
        return refuse(why, "is not a zuk image");
    }
    uint64_t at;
    memcpy(&at, note, sizeof at);
    struct image_manifest m;
    const uint8_t *bytes = elf_file_bytes(&f, at, sizeof m);
    if (bytes == NULL) {
        return refuse(why, "is a damaged image: its manifest lies beyond its end");
    }
    memcpy(&m, bytes, sizeof m);
    if (m.magic != IMAGE_MAGIC) {
        return refuse(why, "is a damaged image: its manifest has no magic");
    }
    if (m.version != IMAGE_VERSION) {
        return refuse(why, "was made by another version of zuk: build it again");
    }
    if (m.arch != IMAGE_X86_64 || f.header.e_machine != EM_X86_64) {
        return refuse(why, "is an image for another architecture");
    }
    if (m.size < sizeof m || elf_file_bytes(&f, at, m.size) == NULL) {
        return refuse(why, "is a damaged image: its manifest is cut short");
    }
    const Elf64_Phdr *app = segment_at(&f, m.app_paddr, m.app_size);
    if (app == NULL || m.app_paddr % IMAGE_PAGE != 0 || m.app_paddr > IMAGE_END_MAX ||
        m.app_size > IMAGE_END_MAX ||
        (m.root_size == 0 && m.end_paddr != m.app_paddr + m.app_size)) {
        return refuse(why, "is a damaged image: the app is not where its manifest says");
    }
    if (m.root_size > 0 &&
        (segment_at(&f, m.root_paddr, m.root_size) == NULL || m.root_paddr % IMAGE_PAGE != 0 ||
         m.root_paddr < m.app_paddr + m.app_size || m.root_size > IMAGE_END_MAX ||
         m.end_paddr != m.root_paddr + m.root_size || m.end_paddr > IMAGE_END_MAX)) {
        return refuse(why, "is a damaged image: its files are not where its manifest says");
    }
    const char *const *args = read_strings(&f, at, m.size, m.argv, m.argc);
    const char *const *env = read_strings(&f, at, m.size, m.envv, m.envc);
    const char *const *stubs = read_strings(&f, at, m.size, m.stubs, m.stub_count);
    const char *const *name = read_strings(&f, at, m.size, m.name, 1);
    const char *const *options = read_strings(&f, at, m.size, m.options, 1);
    if (args == NULL || env == NULL || stubs == NULL || name == NULL || options == NULL ||
        m.stub_count > IMAGE_STUB_MAX || m.policies > m.size ||
        m.policy_count > (m.size - m.policies) / sizeof(struct image_call_policy)) {
        return refuse(why, "is a damaged image: its manifest points beyond itself");
    }
    struct image_call_policy *policies = xalloc((m.policy_count + (size_t)1) * sizeof *policies);
    if (m.policy_count > 0) { /* m.policies lies in the manifest, which lies in the file */
        memcpy(policies, elf_file_bytes(&f, at + m.policies, 0), m.policy_count * sizeof *policies);
    }
    const Elf64_Phdr *root = m.root_size == 0 ? NULL : segment_at(&f, m.root_paddr, m.root_size);
    size_t sbom_size = 0;
    const uint8_t *sbom = elf_file_note(&f, IMAGE_NOTE_NAME, IMAGE_NOTE_SBOM, &sbom_size);
    *info = (struct image_info){
        .sbom = sbom == NULL ? NULL : xstrndup((const char *)sbom, sbom_size),
        .args = args,
        .arg_count = m.argc,
        .env = env,
        .env_count = m.envc,
        .default_policy = m.default_policy,
        .policies = policies,
        .policy_count = m.policy_count,
        .manifest_size = m.size,
        .root_offset = root == NULL ? 0 : root->p_offset,
        .root_size = m.root_size,
        .path = info->path,
        .manifest_offset = at,
        .app_offset = app->p_offset,
        .app_size = m.app_size,
        .end_paddr = m.end_paddr,
        .kernel_id = m.kernel_id,
        .name = name[0],
        .stubs = stubs,
        .stub_count = m.stub_count,
        .options = options[0],
        .arg0 = m.argc > 0 ? args[0] : name[0],
    };
    return true;
}

bool image_is(const char *path) {
    struct file_map map;
    if (!is_file(path) || !file_map(path, &map)) {
        return false;
    }
    struct elf_file f;
    const char *why;
    size_t size;
    bool is = elf_file_open(map.data, map.size, &f, &why) &&
              elf_file_note(&f, IMAGE_NOTE_NAME, IMAGE_NOTE_MANIFEST, &size) != NULL;
    file_unmap(&map);
    return is;
}

bool image_open(const char *path, struct image_info *info) {
    struct file_map map;
    if (!file_map(path, &map)) {
        return false;
    }
    const char *why = "is empty";
    info->path = path;
    bool ok = image_parse(map.data, map.size, info, &why);
    if (!ok) {
        diag_error("'%s' %s", path, why);
    }
    file_unmap(&map);
    return ok;
}
