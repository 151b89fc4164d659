/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/lib/elf.c: a good static program, then the same with one field wrong,
 * for every error that elf.h names; and what elf_check promises about any
 * file it accepts, on many files damaged at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/align.h"
#include "lib/elf.h"
#include "lib/errno.h"

/* Read-only, text, data+bss, TLS, RELRO, stack: what a linker makes. */
enum { RO, TEXT, DATA, TLS, RELRO, STACK, PHDRS, SIZE = 0x3200 };

struct file {
    struct elf_header h;
    struct elf_phdr p[PHDRS];
    uint8_t rest[SIZE - sizeof(struct elf_header) - PHDRS * sizeof(struct elf_phdr)];
};
_Static_assert(sizeof(struct file) == SIZE, "layout");

static struct file *make(void) {
    struct file *f = calloc(1, sizeof *f);
    f->h = (struct elf_header){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = ET_EXEC,
        .machine = EM_X86_64,
        .version = 1,
        .entry = 0x401010,
        .phoff = 64,
        .ehsize = 64,
        .phentsize = 56,
        .phnum = PHDRS,
    };
    f->p[RO] = (struct elf_phdr){PT_LOAD, PF_R, 0, 0x400000, 0, 0x800, 0x800, 0x1000};
    f->p[TEXT] =
        (struct elf_phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0, 0x1900, 0x1900, 0x1000};
    f->p[DATA] =
        (struct elf_phdr){PT_LOAD, PF_R | PF_W, 0x2900, 0x403900, 0, 0x900, 0x5000, 0x1000};
    f->p[TLS] = (struct elf_phdr){PT_TLS, PF_R, 0x2900, 0x403900, 0, 0x10, 0x30, 8};
    f->p[RELRO] = (struct elf_phdr){PT_GNU_RELRO, PF_R, 0x2900, 0x403900, 0, 0x700, 0x700, 1};
    f->p[STACK] = (struct elf_phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 16 << 20, 0};
    return f;
}

static void test_good(void **state) {
    (void)state;
    struct file *f = make();
    struct elf_info info;
    assert_int_equal(elf_check(f, SIZE, EM_X86_64, &info), 0);
    assert_false(info.dyn);
    assert_int_equal(info.entry, 0x401010);
    assert_ptr_equal(info.phdr, f->p);
    assert_int_equal(info.phnum, PHDRS);
    assert_int_equal(info.phdr_vaddr, 0x400040);
    assert_int_equal(info.low, 0x400000);
    assert_int_equal(info.high, 0x408900);
    assert_int_equal(info.align, 0x1000);
    assert_int_equal(info.stack_size, 16 << 20);
    assert_false(info.stack_exec);
    assert_ptr_equal(info.tls, &f->p[TLS]);
    assert_ptr_equal(info.relro, &f->p[RELRO]);

    /* static-PIE from address 0, 2 MiB pages, program headers in no segment */
    f->h.type = ET_DYN;
    for (int i = RO; i <= RELRO; i++)
        f->p[i].vaddr -= 0x400000;
    f->h.entry -= 0x400000;
    f->p[TEXT].align = 0x200000;
    f->p[RO].filesz = 0x100;
    f->p[STACK].flags |= PF_X;
    assert_int_equal(elf_check(f, SIZE, EM_X86_64, &info), 0);
    assert_true(info.dyn);
    assert_true(info.stack_exec);
    assert_int_equal(info.low, 0);
    assert_int_equal(info.high, 0x8900);
    assert_int_equal(info.align, 0x200000);
    assert_int_equal(info.phdr_vaddr, 0);

    /* no TLS, RELRO or stack header; an empty segment anywhere; pure .bss */
    f->h.phnum = TLS;
    f->p[RO] = (struct elf_phdr){.type = PT_LOAD, .vaddr = UINT64_MAX, .offset = UINT64_MAX};
    f->p[DATA].filesz = 0;
    f->p[DATA].offset = 0x123;
    assert_int_equal(elf_check(f, SIZE, EM_X86_64, &info), 0);
    assert_null(info.tls);
    assert_null(info.relro);
    assert_int_equal(info.stack_size, 0);
    assert_int_equal(info.low, 0x1000);
    free(f);
}

/* `break_it` damages a good file; elf_check must say `error`. */
#define CHECK(error, break_it)                                                                     \
    do {                                                                                           \
        struct file *f = make();                                                                   \
        struct elf_info info;                                                                      \
        size_t size = SIZE;                                                                        \
        break_it;                                                                                  \
        assert_int_equal(elf_check(f, size, EM_X86_64, &info), error);                             \
        free(f);                                                                                   \
    } while (0)

static void test_header(void **state) {
    (void)state;
    CHECK(-ENOEXEC, size = 0);
    CHECK(-ENOEXEC, size = 63);
    CHECK(-ENOEXEC, f->h.ident[0] = 0x7e);
    CHECK(-ENOEXEC, memcpy(f->h.ident, "#!/b", 4));
    CHECK(-EPROTO, f->h.ident[4] = 1);
    CHECK(-EPROTO, f->h.ident[5] = 2);
    CHECK(-EPROTO, f->h.ident[6] = 0);
    CHECK(-EPROTO, f->h.version = 0);
    CHECK(-EXDEV, f->h.machine = EM_AARCH64);
    CHECK(-EBADR, f->h.type = 1);
    CHECK(-EBADR, f->h.type = 4);
    CHECK(-ENODATA, f->h.phentsize = 32);
    CHECK(-ENODATA, f->h.phoff = 65);
    CHECK(-ENODATA, f->h.phoff = SIZE);
    CHECK(-ENODATA, f->h.phoff = UINT64_MAX - 7);
    CHECK(-ENODATA, f->h.phnum = 0xffff);
    CHECK(-ENODATA, size = 64 + PHDRS * 56 - 1);
    CHECK(-ENOENT, f->h.phnum = 0);
}

static void test_segments(void **state) {
    (void)state;
    CHECK(-ELIBEXEC, f->p[STACK].type = PT_INTERP);
    CHECK(-ENOENT, f->p[RO].type = f->p[TEXT].type = f->p[DATA].type = 0);
    CHECK(-EFBIG, size = SIZE - 1);
    CHECK(-EFBIG, f->p[DATA].offset = SIZE);
    CHECK(-EFBIG, f->p[DATA].offset = UINT64_MAX);
    CHECK(-EFBIG, f->p[TEXT].offset = UINT64_MAX - 0xfff);
    CHECK(-ERANGE, f->p[TEXT].filesz++);
    CHECK(-ERANGE, f->p[DATA].memsz = UINT64_MAX);
    CHECK(-ERANGE, f->p[DATA].vaddr = UINT64_MAX - 0xff);
    CHECK(-EADDRNOTAVAIL, f->p[RO].vaddr = 0);
    CHECK(-EADDRNOTAVAIL, f->p[RO].vaddr = 0xfff);
    CHECK(-EADDRNOTAVAIL, f->p[DATA].vaddr = ELF_ADDRESS_MAX - 0x4fff);
    CHECK(-EADDRNOTAVAIL, f->p[DATA].vaddr = UINT64_C(0xffffffff80100900));
    CHECK(-EADDRNOTAVAIL, f->p[DATA].memsz = ELF_ADDRESS_MAX);
    CHECK(-EINVAL, f->p[TEXT].align = 0x1800);
    CHECK(-EINVAL, f->p[TEXT].align = UINT64_C(1) << 63);
    CHECK(-EINVAL, f->p[DATA].vaddr++);
    CHECK(-EINVAL, f->p[DATA].offset--);
    CHECK(-ENOTUNIQ, f->p[TEXT].vaddr = 0x3ff000);
    CHECK(-ENOTUNIQ, f->p[DATA].vaddr = 0x402900); /* in text's last page */
    CHECK(-ENOTUNIQ, f->p[RO].memsz = 0x1001);
    CHECK(-EFAULT, f->h.entry = 0x400000);
    CHECK(-EFAULT, f->h.entry = 0x402900); /* the byte after text */
    CHECK(-EFAULT, f->h.entry = 0);
    CHECK(-EFAULT, f->p[TEXT].flags = PF_R);
    CHECK(0, f->h.entry = 0x4028ff);
    CHECK(0, f->p[DATA].vaddr = ELF_ADDRESS_MAX - 0x9000 + 0x900; f->h.phnum = TLS);
}

static void test_parts(void **state) {
    (void)state;
    CHECK(-ENOTBLK, f->p[TLS].filesz = 0x31);
    CHECK(-ENOTBLK, f->p[TLS].align = 3);
    CHECK(-ENOTBLK, f->p[TLS].vaddr = 0x500000);
    CHECK(-ENOTBLK, f->p[TLS].vaddr = UINT64_MAX);
    CHECK(-ENOTBLK, f->p[RELRO].type = PT_TLS);
    CHECK(-ENOTBLK, f->p[TLS].type = PT_GNU_RELRO);
    CHECK(-ENOTBLK, f->p[RELRO].memsz = 0x5001);
    CHECK(-ENOTBLK, f->p[RELRO].vaddr = 0x3fffff);
    CHECK(-EOVERFLOW, f->p[STACK].memsz = UINT64_C(1) << 40);
    CHECK(0, f->p[STACK].memsz = (UINT64_C(1) << 40) - 1);
    CHECK(0, f->p[TLS].filesz = 0; f->p[TLS].vaddr = 0); /* only .tbss */
}

/* Damages one to three bytes of the headers; most files die, the rest must
 * keep what elf.h promises. */
static void test_damaged(void **state) {
    (void)state;
    struct elf_info info;
    unsigned accepted = 0;
    srand(1);
    for (int round = 0; round < 200000; round++) {
        struct file *f = make();
        for (int n = 1 + rand() % 3; n--;)
            ((uint8_t *)f)[(size_t)rand() % (64 + PHDRS * 56)] ^= (uint8_t)(1 << rand() % 8);
        if (elf_check(f, SIZE, EM_X86_64, &info) == 0) {
            uint64_t high = 0;
            bool entry = false;
            accepted++;
            for (unsigned i = 0; i < info.phnum; i++) {
                const struct elf_phdr *p = &info.phdr[i];
                if (p->type != PT_LOAD || p->memsz == 0)
                    continue;
                assert_true(p->filesz <= p->memsz);
                assert_true(p->filesz <= SIZE && p->offset <= SIZE - p->filesz);
                assert_true(p->memsz <= ELF_ADDRESS_MAX);
                assert_true(p->vaddr <= ELF_ADDRESS_MAX - p->memsz);
                assert_true(p->vaddr / ELF_PAGE * ELF_PAGE >= high);
                if (p->filesz)
                    assert_int_equal(p->vaddr % ELF_PAGE, p->offset % ELF_PAGE);
                high = ALIGN_UP(p->vaddr + p->memsz, ELF_PAGE);
                entry |=
                    p->flags & PF_X && info.entry >= p->vaddr && info.entry < p->vaddr + p->memsz;
            }
            assert_true(entry);
            assert_int_equal(ALIGN_UP(info.high, ELF_PAGE), high);
        }
        free(f);
    }
    assert_in_range(accepted, 1000, 190000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_header),
        cmocka_unit_test(test_segments), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
