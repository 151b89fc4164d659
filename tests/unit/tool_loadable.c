/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/loadable.c: a good static program, then the same with one field wrong,
 * for every error that loadable.h names; and what loadable_check promises about any
 * file it accepts, on many files damaged at random.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zuk/loadable.h"

#define ALIGN_UP(x, to) (((x) + (to)-1) / (to) * (to))

/* Read-only, text, data+bss, TLS, RELRO, stack: what a linker makes. */
enum { RO, TEXT, DATA, TLS, RELRO, STACK, PHDRS, SIZE = 0x3200 };

struct file {
    Elf64_Ehdr h;
    Elf64_Phdr p[PHDRS];
    uint8_t rest[SIZE - sizeof(Elf64_Ehdr) - PHDRS * sizeof(Elf64_Phdr)];
};
_Static_assert(sizeof(struct file) == SIZE, "layout");

static struct file *make(void) {
    struct file *f = calloc(1, sizeof *f);
    f->h = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = 1,
        .e_entry = 0x401010,
        .e_phoff = 64,
        .e_ehsize = 64,
        .e_phentsize = 56,
        .e_phnum = PHDRS,
    };
    f->p[RO] = (Elf64_Phdr){PT_LOAD, PF_R, 0, 0x400000, 0, 0x800, 0x800, 0x1000};
    f->p[TEXT] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0, 0x1900, 0x1900, 0x1000};
    f->p[DATA] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x2900, 0x403900, 0, 0x900, 0x5000, 0x1000};
    f->p[TLS] = (Elf64_Phdr){PT_TLS, PF_R, 0x2900, 0x403900, 0, 0x10, 0x30, 8};
    f->p[RELRO] = (Elf64_Phdr){PT_GNU_RELRO, PF_R, 0x2900, 0x403900, 0, 0x700, 0x700, 1};
    f->p[STACK] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 16 << 20, 0};
    return f;
}

static void test_good(void **state) {
    (void)state;
    struct file *f = make();
    struct loadable info;
    assert_int_equal(loadable_check(f, SIZE, EM_X86_64, &info), 0);
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

    /* .tbss and RELRO may reach past the segment that holds their bytes */
    f->p[TLS].p_memsz = 0x9000;
    f->p[RELRO].p_memsz = 0x9000;
    assert_int_equal(loadable_check(f, SIZE, EM_X86_64, &info), 0);

    /* static-PIE from address 0, 2 MiB pages, program headers in no segment */
    f->h.e_type = ET_DYN;
    for (int i = RO; i <= RELRO; i++)
        f->p[i].p_vaddr -= 0x400000;
    f->h.e_entry -= 0x400000;
    f->p[TEXT].p_align = 0x200000;
    f->p[RO].p_filesz = 0x100;
    f->p[STACK].p_flags |= PF_X;
    assert_int_equal(loadable_check(f, SIZE, EM_X86_64, &info), 0);
    assert_true(info.dyn);
    assert_true(info.stack_exec);
    assert_int_equal(info.low, 0);
    assert_int_equal(info.high, 0x8900);
    assert_int_equal(info.align, 0x200000);
    assert_int_equal(info.phdr_vaddr, 0);

    /* no TLS, RELRO or stack header; an empty segment anywhere; pure .bss */
    f->h.e_phnum = TLS;
    f->p[RO] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = UINT64_MAX, .p_offset = UINT64_MAX};
    f->p[DATA].p_filesz = 0;
    f->p[DATA].p_offset = 0x123;
    assert_int_equal(loadable_check(f, SIZE, EM_X86_64, &info), 0);
    assert_null(info.tls);
    assert_int_equal(info.stack_size, 0);
    assert_int_equal(info.low, 0x1000);
    free(f);
}

/* `break_it` damages a good file; loadable_check must say `error`. */
#define CHECK(error, break_it)                                                                     \
    do {                                                                                           \
        struct file *f = make();                                                                   \
        struct loadable info;                                                                      \
        size_t size = SIZE;                                                                        \
        break_it;                                                                                  \
        assert_int_equal(loadable_check(f, size, EM_X86_64, &info), error);                        \
        free(f);                                                                                   \
    } while (0)

static void test_header(void **state) {
    (void)state;
    CHECK(-ENOEXEC, size = 0);
    CHECK(-ENOEXEC, size = 63);
    CHECK(-ENOEXEC, f->h.e_ident[0] = 0x7e);
    CHECK(-ENOEXEC, memcpy(f->h.e_ident, "#!/b", 4));
    CHECK(-EPROTO, f->h.e_ident[4] = 1);
    CHECK(-EPROTO, f->h.e_ident[5] = 2);
    CHECK(-EPROTO, f->h.e_ident[6] = 0);
    CHECK(-EPROTO, f->h.e_version = 0);
    CHECK(-EXDEV, f->h.e_machine = EM_AARCH64);
    CHECK(-EBADR, f->h.e_type = 1);
    CHECK(-EBADR, f->h.e_type = 4);
    CHECK(-ENODATA, f->h.e_phentsize = 32);
    CHECK(-ENODATA, f->h.e_phoff = 65);
    CHECK(-ENODATA, f->h.e_phoff = SIZE);
    CHECK(-ENODATA, f->h.e_phoff = UINT64_MAX - 7);
    CHECK(-ENODATA, f->h.e_phnum = 0xffff);
    CHECK(-ENODATA, size = 64 + PHDRS * 56 - 1);
    CHECK(-ENOENT, f->h.e_phnum = 0);
}

static void test_segments(void **state) {
    (void)state;
    CHECK(-ELIBEXEC, f->p[STACK].p_type = PT_INTERP);
    CHECK(-ENOENT, f->p[RO].p_type = f->p[TEXT].p_type = f->p[DATA].p_type = 0);
    CHECK(-EFBIG, size = SIZE - 1);
    CHECK(-EFBIG, f->p[DATA].p_offset = SIZE);
    CHECK(-EFBIG, f->p[DATA].p_offset = UINT64_MAX);
    CHECK(-EFBIG, f->p[TEXT].p_offset = UINT64_MAX - 0xfff);
    CHECK(-ERANGE, f->p[TEXT].p_filesz++);
    CHECK(-ERANGE, f->p[DATA].p_memsz = UINT64_MAX);
    CHECK(-ERANGE, f->p[DATA].p_vaddr = UINT64_MAX - 0xff);
    CHECK(-EADDRNOTAVAIL, f->p[RO].p_vaddr = 0);
    CHECK(-EADDRNOTAVAIL, f->p[RO].p_vaddr = 0xfff);
    CHECK(-EADDRNOTAVAIL, f->p[DATA].p_vaddr = LOADABLE_END - 0x4fff);
    CHECK(-EADDRNOTAVAIL, f->p[DATA].p_vaddr = UINT64_C(0xffffffff80100900));
    CHECK(-EADDRNOTAVAIL, f->p[DATA].p_memsz = LOADABLE_END);
    CHECK(-EINVAL, f->p[TEXT].p_align = 0x1800);
    CHECK(-EINVAL, f->p[TEXT].p_align = UINT64_C(1) << 63);
    CHECK(-EINVAL, f->p[DATA].p_vaddr++);
    CHECK(-EINVAL, f->p[DATA].p_offset--);
    CHECK(-ENOTUNIQ, f->p[TEXT].p_vaddr = 0x3ff000);
    CHECK(-ENOTUNIQ, f->p[DATA].p_vaddr = 0x402900); /* in text's last page */
    CHECK(-ENOTUNIQ, f->p[RO].p_memsz = 0x1001);
    CHECK(-EFAULT, f->h.e_entry = 0x400000);
    CHECK(-EFAULT, f->h.e_entry = 0x402900); /* the byte after text */
    CHECK(-EFAULT, f->h.e_entry = 0);
    CHECK(-EFAULT, f->p[TEXT].p_flags = PF_R);
    CHECK(0, f->h.e_entry = 0x4028ff);
    CHECK(0, f->p[DATA].p_vaddr = LOADABLE_END - 0x9000 + 0x900; f->h.e_phnum = TLS);
}

static void test_parts(void **state) {
    (void)state;
    CHECK(-ENOTBLK, f->p[TLS].p_filesz = 0x31);
    CHECK(-ENOTBLK, f->p[TLS].p_align = 3);
    CHECK(-ENOTBLK, f->p[TLS].p_vaddr = 0x500000);
    CHECK(-ENOTBLK, f->p[TLS].p_vaddr = UINT64_MAX);
    CHECK(-ENOTBLK, f->p[RELRO].p_type = PT_TLS);
    CHECK(-EOVERFLOW, f->p[STACK].p_memsz = UINT64_C(1) << 40);
    CHECK(0, f->p[STACK].p_memsz = (UINT64_C(1) << 40) - 1);
    CHECK(0, f->p[TLS].p_filesz = 0; f->p[TLS].p_vaddr = 0); /* only .tbss */
}

/* Damages one to three bytes of the headers; most files die, the rest must
 * keep what elf.h promises. */
static void test_damaged(void **state) {
    (void)state;
    struct loadable info;
    unsigned accepted = 0;
    srand(1);
    for (int round = 0; round < 200000; round++) {
        struct file *f = make();
        for (int n = 1 + rand() % 3; n--;)
            ((uint8_t *)f)[(size_t)rand() % (64 + PHDRS * 56)] ^= (uint8_t)(1 << rand() % 8);
        if (loadable_check(f, SIZE, EM_X86_64, &info) == 0) {
            uint64_t high = 0;
            bool entry = false;
            accepted++;
            for (unsigned i = 0; i < info.phnum; i++) {
                const Elf64_Phdr *p = &info.phdr[i];
                if (p->p_type != PT_LOAD || p->p_memsz == 0)
                    continue;
                assert_true(p->p_filesz <= p->p_memsz);
                assert_true(p->p_filesz <= SIZE && p->p_offset <= SIZE - p->p_filesz);
                assert_true(p->p_memsz <= LOADABLE_END);
                assert_true(p->p_vaddr <= LOADABLE_END - p->p_memsz);
                assert_true(p->p_vaddr / LOADABLE_PAGE * LOADABLE_PAGE >= high);
                if (p->p_filesz)
                    assert_int_equal(p->p_vaddr % LOADABLE_PAGE, p->p_offset % LOADABLE_PAGE);
                high = ALIGN_UP(p->p_vaddr + p->p_memsz, LOADABLE_PAGE);
                entry |= p->p_flags & PF_X && info.entry >= p->p_vaddr &&
                         info.entry < p->p_vaddr + p->p_memsz;
            }
            assert_true(entry);
            assert_int_equal(ALIGN_UP(info.high, LOADABLE_PAGE), high);
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
