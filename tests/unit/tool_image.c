/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/image.c: a made-up kernel and app are fused, the image is read back by
 * abi/image.h, and damaged images are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "zuk/build.h"
#include "zuk/diag.h"
#include "zuk/elf_file.h"
#include "zuk/image.h"
#include "zuk/page_table.h"
#include "zuk/util.h"

enum { TEXT = 300, DATA = 100, BSS = 9000, APP = 5001 };

static char folder[] = "/tmp/tool_image.XXXXXX";

struct kernel {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    struct {
        Elf64_Nhdr note;
        char name[4];
        uint64_t entry;
    } xen;
    uint8_t text[TEXT], data[DATA];
    char strings[16];
    Elf64_Sym symbols[2];
    Elf64_Shdr sections[3];
};

static struct kernel make_kernel(void) {
    const uint64_t at = IMAGE_KERNEL_PADDR, base = IMAGE_KERNEL_BASE;
    struct kernel k = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_entry = base + at,
                   .e_phoff = offsetof(struct kernel, segments),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 3,
                   .e_shoff = offsetof(struct kernel, sections),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = 3},
        .segments = {{PT_LOAD, PF_R | PF_X, offsetof(struct kernel, text), base + at, at, TEXT,
                      TEXT, 4096},
                     {PT_LOAD, PF_R | PF_W, offsetof(struct kernel, data), base + at + 4096,
                      at + 4096, DATA, DATA + BSS, 4096},
                     {PT_NOTE, PF_R, offsetof(struct kernel, xen), 0, 0, 24, 24, 4}},
        .xen = {{4, 8, 18}, "Xen", at + 16},
        .strings = "\0kernel_end",
        .symbols = {{0}, {.st_name = 1, .st_shndx = SHN_ABS, .st_value = base + at + 4 * 4096}},
        .sections = {{0},
                     {.sh_type = SHT_SYMTAB,
                      .sh_offset = offsetof(struct kernel, symbols),
                      .sh_size = 2 * sizeof(Elf64_Sym),
                      .sh_link = 2,
                      .sh_entsize = sizeof(Elf64_Sym)},
                     {.sh_type = SHT_STRTAB,
                      .sh_offset = offsetof(struct kernel, strings),
                      .sh_size = 16}},
    };
    for (size_t i = 0; i < TEXT; i++) {
        k.text[i] = (uint8_t)(i * 7 + 1);
    }
    memset(k.data, 5, 60); /* and 40 zeros, which need not be in the file */
    return k;
}

static const char *file_in(const char *name) {
    return path_join(folder, name);
}

static const char *const args[] = {"app", "one", ""};
static const char *const env[] = {"A=b"};
static const char *const stubs[] = {"missing_one", "missing_two"};
static const struct image_call_policy policies[] = {{57, IMAGE_POLICY_IGNORE}};

static struct fuse make_fuse(const char *output) {
    return (struct fuse){.kernel = file_in("kernel"),
                         .kernel_id = 0x1122334455667788,
                         .app = file_in("app"),
                         .name = "app",
                         .options = "CORE IO",
                         .args = args,
                         .arg_count = 3,
                         .env = env,
                         .env_count = 1,
                         .stubs = stubs,
                         .stub_count = 2,
                         .default_policy = IMAGE_POLICY_ENOSYS,
                         .policies = policies,
                         .policy_count = 1,
                         .output = file_in(output)};
}

static uint8_t app[APP];

static void write_inputs(const struct kernel *k) {
    for (size_t i = 0; i < APP; i++) {
        app[i] = (uint8_t)(i * 31 + i / 256);
    }
    const Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = 0x400100,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2};
    const Elf64_Phdr segments[] = {{.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_X,
                                    .p_vaddr = 0x400000,
                                    .p_filesz = APP,
                                    .p_memsz = APP,
                                    .p_align = 4096},
                                   {.p_type = PT_GNU_STACK, .p_memsz = 12345}};
    memcpy(app, &header, sizeof header);
    memcpy(app + sizeof header, segments, sizeof segments);
    assert_true(write_file(file_in("kernel"), k, sizeof *k));
    assert_true(write_file(file_in("app"), app, APP));
}

static struct file_map fused(const char *name) {
    struct kernel k = make_kernel();
    struct fuse fuse = make_fuse(name);
    uint64_t overhead;
    struct file_map map;
    write_inputs(&k);
    assert_true(image_fuse(&fuse, &overhead));
    assert_true(file_map(fuse.output, &map));
    assert_int_equal(map.size, overhead + APP);
    return map;
}

/* What a loader puts at a physical address; NULL beyond the file's bytes. */
static const uint8_t *physical(const struct elf_file *f, uint64_t paddr) {
    for (size_t i = 0; i < f->segment_count; i++) {
        const Elf64_Phdr *p = &f->segments[i];
        if (p->p_type == PT_LOAD && paddr - p->p_paddr < p->p_filesz) {
            return f->data + p->p_offset + (paddr - p->p_paddr);
        }
    }
    return NULL;
}

/* The app's file is mapped where it lies in memory. */
static void check_pages(const uint8_t *manifest, const struct image_manifest *m) {
    struct page_table t;
    page_table_make(&t, (const struct image_area *)(manifest + m->areas),
                    (m->fills - m->areas) / sizeof(struct image_area), m->app_paddr,
                    IMAGE_KERNEL_PADDR + 4 * 4096 - IMAGE_POOL_PAGES * 4096);
    assert_int_equal(m->copies - m->fills, t.fills.len * sizeof *t.fills.data);
    assert_memory_equal(manifest + m->fills, t.fills.data, m->copies - m->fills);
    assert_int_equal(m->stack - m->copies, 0); /* there are no writable bytes */
    assert_true(m->tables == t.tables && m->pages == 1);
}

/* What the app finds on its stack, as the ABI has it. */
static void check_stack(const uint8_t *manifest, const struct image_manifest *m) {
    uint64_t size = m->stubs - m->stack, sp = IMAGE_STACK_TOP - 8 - size;
    assert_int_equal(sp % 16, 0);
    uint64_t words[1 + 3 + 1 + 1 + 1 + 2 * IMAGE_AUX_PAIRS];
    memcpy(words, manifest + m->stack, sizeof words);
    const char *stack = (const char *)manifest + m->stack;
    assert_int_equal(words[0], 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(stack + (words[1 + i] - sp), args[i]);
    }
    assert_int_equal(words[4], 0);
    assert_string_equal(stack + (words[5] - sp), env[0]);
    assert_int_equal(words[6], 0);
    uint64_t found[64] = {0};
    unsigned pairs = 0;
    const uint64_t *aux = &words[7];
    for (; aux[0] != AT_NULL; aux += 2, pairs++) {
        found[aux[0]] = aux[1];
    }
    assert_true(pairs >= 18 && pairs < IMAGE_AUX_PAIRS);
    assert_true(words[7] == AT_HWCAP && words[9] == AT_MINSIGSTKSZ && words[11] == AT_RANDOM);
    assert_true(found[AT_RANDOM] == sp + sizeof words && found[AT_PAGESZ] == 4096);
    assert_string_equal(stack + (found[AT_PLATFORM] - sp), "x86_64");
    assert_string_equal(stack + (found[AT_EXECFN] - sp), "/app");
    assert_int_equal(found[AT_PHDR], 0x400000 + sizeof(Elf64_Ehdr));
    assert_true(found[AT_PHNUM] == 2 && found[AT_PHENT] == sizeof(Elf64_Phdr));
    assert_true(found[AT_ENTRY] == 0x400100 && found[AT_CLKTCK] == 100);
}

static void test_layout(void **state) {
    (void)state;
    struct file_map map = fused("image");
    struct elf_file f;
    const char *why;
    assert_true(elf_file_open(map.data, map.size, &f, &why));
    assert_int_equal(f.header.e_entry, IMAGE_KERNEL_BASE + IMAGE_KERNEL_PADDR);
    size_t size;
    const uint8_t *note = elf_file_note(&f, "Xen", 18, &size);
    assert_int_equal(size, 8);
    uint64_t entry;
    memcpy(&entry, note, 8);
    assert_int_equal(entry, IMAGE_KERNEL_PADDR + 16);
    struct kernel k = make_kernel();
    assert_memory_equal(physical(&f, IMAGE_KERNEL_PADDR), k.text, TEXT);
    assert_memory_equal(physical(&f, IMAGE_KERNEL_PADDR + 4096), k.data, 60);
    assert_null(physical(&f, IMAGE_KERNEL_PADDR + 4096 + 60));
    struct image_manifest m;
    const uint8_t *manifest = physical(&f, IMAGE_KERNEL_PADDR + 4 * 4096);
    memcpy(&m, manifest, sizeof m);
    assert_true(m.magic == IMAGE_MAGIC && m.version == IMAGE_VERSION && m.arch == IMAGE_X86_64);
    assert_int_equal(m.app_paddr, IMAGE_KERNEL_PADDR + 5 * 4096);
    assert_int_equal(m.app_size, APP);
    assert_int_equal(m.end_paddr, m.app_paddr + APP);
    assert_int_equal(m.kernel_id, 0x1122334455667788);
    assert_int_equal(m.default_policy, IMAGE_POLICY_ENOSYS);
    assert_int_equal(m.entry, 0x400100);
    assert_int_equal(m.bias, 0);
    assert_int_equal(m.brk, 0x402000);
    assert_int_equal(m.stack_size, 0x4000);
    struct image_area areas[3];
    assert_int_equal(m.fills - m.areas, sizeof areas);
    memcpy(areas, manifest + m.areas, sizeof areas);
    assert_true(areas[0].start == 0x400000 && areas[0].end == 0x402000 && areas[0].page == 0 &&
                areas[0].zeroes == 0 && areas[0].prot == (PROT_READ | PROT_EXEC) &&
                areas[0].kind == IMAGE_AREA_FILE);
    assert_true(areas[1].start == IMAGE_STACK_TOP - 0x4000 - (1 << 20) &&
                areas[1].end == areas[2].start && areas[1].prot == PROT_NONE &&
                areas[1].kind == IMAGE_AREA_GUARD);
    assert_true(areas[2].start == IMAGE_STACK_TOP - 0x4000 && areas[2].end == IMAGE_STACK_TOP &&
                areas[2].prot == (PROT_READ | PROT_WRITE) && areas[2].kind == IMAGE_AREA_STACK);
    check_pages(manifest, &m);
    check_stack(manifest, &m);
    assert_memory_equal(manifest + m.argv, "app\0one\0\0", 9);
    assert_memory_equal(manifest + m.policies, policies, sizeof policies);
    assert_memory_equal(physical(&f, m.app_paddr), app, APP);
    uint64_t memory = 0; /* the bytes of .bss are the loader's to clear */
    for (size_t i = 0; i < f.segment_count; i++) {
        const Elf64_Phdr *p = &f.segments[i];
        memory += p->p_type == PT_LOAD && p->p_paddr == IMAGE_KERNEL_PADDR + 4096 ? p->p_memsz : 0;
        assert_true(p->p_align <= 1 || (p->p_vaddr - p->p_offset) % p->p_align == 0 ||
                    p->p_type != PT_LOAD);
    }
    assert_int_equal(memory, DATA + BSS);
    assert_true(map.size - APP < 64 + 6 * 56 + 48 + TEXT + 60 + m.size + 5 * 16);
    file_unmap(&map);
}

static void test_read_back(void **state) {
    (void)state;
    struct file_map map = fused("image");
    struct image_info info;
    assert_true(image_is(file_in("image")));
    assert_true(image_open(file_in("image"), &info));
    assert_memory_equal(map.data + info.app_offset, app, APP);
    assert_int_equal(info.app_size, APP);
    assert_int_equal(info.kernel_id, 0x1122334455667788);
    assert_int_equal(info.stub_count, 2);
    assert_string_equal(info.stubs[1], "missing_two");
    assert_string_equal(info.name, "app");
    assert_string_equal(info.arg0, "app");
    assert_string_equal(info.options, "CORE IO");
    assert_int_equal(info.end_paddr, IMAGE_KERNEL_PADDR + 5 * 4096 + APP);
    file_unmap(&map);
}

static void test_reproducible(void **state) {
    (void)state;
    struct file_map a = fused("image"), b = fused("other");
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    file_unmap(&a);
    file_unmap(&b);
}

static void test_not_images(void **state) {
    (void)state;
    struct file_map map = fused("image");
    struct image_info info;
    file_unmap(&map);
    assert_false(image_is(file_in("kernel")));
    assert_false(image_is(file_in("app")));
    assert_false(image_is(folder));
    assert_false(image_is(file_in("nothing")));
    assert_false(image_open(file_in("app"), &info));
    assert_false(image_open(file_in("kernel"), &info));
    assert_true(write_file(file_in("empty"), "", 0));
    assert_false(image_is(file_in("empty")));
    assert_false(image_open(file_in("empty"), &info));
}

/* A changed field of the manifest is refused, each with its reason. */
static void test_damaged_manifest(void **state) {
    (void)state;
    struct file_map map = fused("image");
    struct image_info info = {0};
    const char *why = NULL;
    assert_true(image_parse(map.data, map.size, &info, &why));
    static const struct {
        size_t offset;
        uint32_t value;
        const char *why;
    } rows[] = {
        {offsetof(struct image_manifest, magic), 0, "no magic"},
        {offsetof(struct image_manifest, version), 99, "another version"},
        {offsetof(struct image_manifest, arch), IMAGE_AARCH64, "another architecture"},
        {offsetof(struct image_manifest, size), 50, "cut short"},
        {offsetof(struct image_manifest, size), UINT32_MAX, "cut short"},
        {offsetof(struct image_manifest, app_paddr), 0x200000, "not where"},
        {offsetof(struct image_manifest, app_size), APP + 1, "not where"},
        {offsetof(struct image_manifest, end_paddr), 0, "not where"},
        {offsetof(struct image_manifest, argc), UINT32_MAX, "beyond itself"},
        {offsetof(struct image_manifest, argv), UINT32_MAX, "beyond itself"},
        {offsetof(struct image_manifest, stubs), 0, "beyond itself"},
        {offsetof(struct image_manifest, policy_count), UINT32_MAX, "beyond itself"},
        {offsetof(struct image_manifest, name), 4000, "beyond itself"},
    };
    uint8_t *copy = malloc(map.size);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(copy, map.data, map.size);
        memcpy(copy + info.manifest_offset + rows[i].offset, &rows[i].value, 4);
        struct image_info bad = {0};
        if (image_parse(copy, map.size, &bad, &why) || strstr(why, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, why);
        }
    }
    for (size_t size = 0; size < map.size; size++) { /* the app stands last: every cut shows */
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, map.data, size);
        struct image_info bad = {0};
        assert_false(image_parse(cut, size, &bad, &why));
        free(cut);
    }
    free(copy);
    file_unmap(&map);
}

/* Kernels that cannot be an image's. */
static void test_bad_kernels(void **state) {
    (void)state;
    struct fuse fuse = make_fuse("none");
    uint64_t overhead;
    for (unsigned i = 0; i < 9; i++) {
        struct kernel k = make_kernel();
        switch (i) {
        case 0:
            k.header.e_machine = EM_AARCH64;
            break;
        case 1:
            k.header.e_type = ET_DYN;
            break;
        case 2:
            k.xen.note.n_type = 17;
            break;
        case 3:
            k.strings[1] = 'x';
            break;
        case 4:
            k.symbols[1].st_value = IMAGE_KERNEL_BASE + IMAGE_KERNEL_PADDR;
            break;
        case 5:
            k.segments[0].p_paddr = 0x1000;
            break;
        case 6:
            k.segments[0].p_filesz = 1 << 20;
            break;
        case 7:
            k.segments[1].p_memsz = UINT64_MAX;
            break;
        default:
            k.header.e_phoff = UINT64_MAX;
            break;
        }
        write_inputs(&k);
        unsigned before = diag_error_count();
        if (image_fuse(&fuse, &overhead) || diag_error_count() != before + 1) {
            fail_msg("kernel %u is taken", i);
        }
        assert_false(is_file(fuse.output));
    }
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"kernel", "app", "image", "other", "empty"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(file_in(names[i]));
    }
    return rmdir(folder); /* fails when something half-written was left */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),           cmocka_unit_test(test_read_back),
        cmocka_unit_test(test_reproducible),     cmocka_unit_test(test_not_images),
        cmocka_unit_test(test_damaged_manifest), cmocka_unit_test(test_bad_kernels),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
