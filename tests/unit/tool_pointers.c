/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/pointers.c, by what zuk/scan.c says of small programs that call a function
 * through the GOT and through registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tool_scan.h"

enum got { GOT_READ_ONLY, GOT_RELRO, GOT_WRITABLE, GOT_RELOCATED, GOT_UNWOUND };

/* make(), and the first `slots` words of data are the .got, the others .data.  With
 * GOT_RELOCATED it is position-independent, and the words after the slots are .rela.dyn;
 * with GOT_UNWOUND they are .eh_frame_hdr. */
static struct elf make_got(const uint8_t *start, const uint8_t *end, const uint64_t *data,
                           size_t words, size_t slots, const struct function *functions,
                           enum got got) {
    static const char names[] = "\0.got\0.shstrtab\0.rela.dyn";
    struct elf elf = make(start, end, data, words, functions);
    Elf64_Ehdr h;
    memcpy(&h, elf.bytes, sizeof h);
    size_t at = (elf.size + 7) & ~(size_t)7, names_at = at + 7 * sizeof(Elf64_Shdr);
    uint8_t *b = calloc(1, names_at + sizeof names);
    memcpy(b, elf.bytes, elf.size);
    free(elf.bytes);
    const Elf64_Shdr more[3] = {
        {.sh_name = 1,
         .sh_type = SHT_PROGBITS,
         .sh_flags = SHF_ALLOC | SHF_WRITE,
         .sh_addr = DATA,
         .sh_offset = (Elf64_Off)0x200,
         .sh_size = slots * 8},
        {.sh_name = 6, .sh_type = SHT_STRTAB, .sh_offset = names_at, .sh_size = sizeof names},
        {.sh_name = 16,
         .sh_type = got == GOT_RELOCATED ? SHT_RELA : SHT_PROGBITS,
         .sh_flags = SHF_ALLOC,
         .sh_addr = DATA + slots * 8,
         .sh_offset = (Elf64_Off)0x200,
         .sh_size = (words - slots) * 8}};
    if (h.e_shnum > 0) {
        memcpy(b + at, b + h.e_shoff, 4 * sizeof(Elf64_Shdr));
    }
    memcpy(b + at + 4 * sizeof(Elf64_Shdr), more, sizeof more);
    memcpy(b + names_at, names, sizeof names);
    h.e_shoff = at;
    h.e_shnum = 7;
    h.e_shstrndx = 5;
    h.e_type = got == GOT_RELOCATED ? ET_DYN : ET_EXEC;
    h.e_phnum = 4;
    memcpy(b, &h, sizeof h);
    Elf64_Phdr p[4];
    memcpy(p, b + sizeof h, 2 * sizeof p[0]);
    p[2] = p[1];
    p[2].p_type = got == GOT_WRITABLE ? PT_NULL : PT_GNU_RELRO;
    p[1].p_flags = got == GOT_READ_ONLY ? PF_R : PF_R | PF_W;
    p[3] = p[1];
    p[3].p_type = got == GOT_UNWOUND ? PT_GNU_EH_FRAME : PT_NULL;
    p[3].p_offset += slots * 8;
    p[3].p_vaddr += slots * 8;
    p[3].p_filesz -= slots * 8;
    memcpy(b + sizeof h, p, sizeof p);
    return (struct elf){b, names_at + sizeof names};
}

/* Main and a function that makes any call; in the text, 8b is main and 9f that function. */
#define SLOT "8b + 0x200000(%rip)"
#define GOT_PROGRAM(name, text)                                                                    \
    extern const uint8_t name##_inner[], name##_other[];                                           \
    PROGRAM(name, ".globl " #name "_inner, " #name "_other; 8: push %rbx; push %r12; push %rbp;"   \
                  "mov $3, %edi; call *" SLOT ";" text "; pop %rbp; pop %r12; pop %rbx; ret;"      \
                  "9: " #name "_inner: mov %rdi, %rax; syscall; ret;" #name "_other: ret")

struct got_program {
    const uint8_t *start, *end, *inner, *other;
};
#define GOT(name)                                                                                  \
    { name##_start, name##_end, name##_inner, name##_other }

/* words: what follows the slot; 0 of them is inner's address, 1 the slot's. */
static struct scan scan_got(const struct got_program *p, size_t slots, size_t words,
                            const uint64_t *more, enum got got) {
    uint64_t inner = BASE + (uint64_t)(p->inner - p->start);
    uint64_t data[16] = {got == GOT_RELOCATED ? 0 : inner};
    for (size_t i = 1; i < words; i++) {
        data[i] = more[i - 1] == 0 && got != GOT_UNWOUND ? inner : more[i - 1];
    }
    const struct function functions[] = {
        {"main", p->start}, {"inner", p->inner}, {"other", p->other}, {NULL, NULL}};
    struct elf elf = make_got(p->start, p->end, data, words, slots, functions, got);
    struct scan scan;
    assert_true(scan_elf("test", elf.bytes, elf.size, &scan));
    free(elf.bytes);
    return scan;
}

/* Called, loaded into registers that calls destroy and keep, taken by lea (what a
 * linker makes of the load); a tail call, a trap and dead code. */
GOT_PROGRAM(through_got,
            "mov $5, %edi; mov " SLOT ", %rax; xor %esi, %esi; call *%rax;"
            "mov " SLOT ", %r12; cmpq $0, " SLOT "; lea 9f(%rip), %rbx;"
            "1: mov $102, %edi; call *%r12; test %rax, %rax; je 1b; js 2f;"
            "jp 3f; .byte 0x67, 0x0f, 0xb9, 0x44, 0x24, 8; 3:"
            "mov $39, %edi; call *%rbx; mov 0(%rsi), %rbx; pop %rbp; pop %r12;"
            "pop %rbx; mov $60, %edi; jmp *" SLOT "; mov $24, %edi; mov %r12, (%rsi); ud2;"
            "2: mov $41, %edi; call *%r12");
static void test_through_got(void **state) {
    (void)state;
    const struct got_program p = GOT(through_got);
    struct scan scan = scan_got(&p, 1, 1, NULL, GOT_READ_ONLY);
    CALLS(&scan, 3, 5, 102, 39, 60, 41);
    scan = scan_got(&p, 1, 1, NULL, GOT_RELRO);
    CALLS(&scan, 3, 5, 102, 39, 60, 41);
    const uint64_t rela[] = {DATA, R_X86_64_RELATIVE, 0};
    scan = scan_got(&p, 1, 4, rela, GOT_RELOCATED);
    CALLS(&scan, 3, 5, 102, 39, 60, 41);
    scan = scan_got(&p, 1, 1, NULL, GOT_WRITABLE);
    assert_unknown(&scan, "address stands in data");
    assert_true(scan.calls[5] && scan.calls[60]); /* what is known is told */
}

/* .eh_frame_hdr with one function, at an offset in the code, its CIE and FDE, and one call
 * site, whose landing pad lies at an offset in the function; as they lie at `at`, in words. */
enum { UNWIND_WORDS = 11 };
static void make_unwind(uint64_t at, long offset, long size, uint8_t pad, const char *augmentation,
                        uint64_t *words) {
    uint8_t b[UNWIND_WORDS * 8] = {
        1, 0x1b, 0x03, 0x3b, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0,
        /* CIE */
        16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0x78, 16, 2, 0x1b, 0x1b, 0,
        /* FDE */
        20, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        /* handlers */
        0xff, 0xff, 1, 4, 0, 9, pad, 0};
    const int32_t start = (int32_t)(BASE - at + (uint64_t)offset), code = start - 52,
                  length = (int32_t)size, handlers = 68 - 61;
    memcpy(b + 12, &start, 4);
    memcpy(b + 33, augmentation, strlen(augmentation) + 1);
    memcpy(b + 52, &code, 4);
    memcpy(b + 56, &length, 4);
    memcpy(b + 61, &handlers, 4);
    memcpy(words, b, sizeof b);
}

/* The register is only called behind the call, but the landing pad stores it. */
GOT_PROGRAM(padded, "mov " SLOT ", %r12; mov $5, %edi; call *%r12; jmp 1f;"
                    "padded_pad: mov $7, %edi; call *%r12; 1:");
GOT_PROGRAM(padded_badly, "mov " SLOT ", %r12; mov $5, %edi; call *%r12; jmp 1f;"
                          "padded_badly_pad: mov %r12, (%rsi); 1:");
extern const uint8_t padded_pad[], padded_badly_pad[];
static void test_landing_pads(void **state) {
    (void)state;
    const struct got_program good = GOT(padded), bad = GOT(padded_badly);
    uint64_t words[UNWIND_WORDS];
    make_unwind(DATA + 8, 0, 64, (uint8_t)(padded_pad - padded_start), "zLR", words);
    struct scan scan = scan_got(&good, 1, 1 + UNWIND_WORDS, words, GOT_UNWOUND);
    CALLS(&scan, 3, 5, 7);
    make_unwind(DATA + 8, 0, 64, (uint8_t)(padded_badly_pad - padded_badly_start), "zLR", words);
    scan = scan_got(&bad, 1, 1 + UNWIND_WORDS, words, GOT_UNWOUND);
    assert_unknown(&scan, "address is taken");
    make_unwind(DATA + 8, 0, 64, 0, "zLR", words); /* there is none */
    scan = scan_got(&bad, 1, 1 + UNWIND_WORDS, words, GOT_UNWOUND);
    CALLS(&scan, 3, 5);
    make_unwind(DATA + 8, 0, 64, 127, "zLR", words); /* in another function */
    scan = scan_got(&bad, 1, 1 + UNWIND_WORDS, words, GOT_UNWOUND);
    assert_unknown(&scan, "address is taken");
    make_unwind(DATA + 8, 0, 64, 0, "zLX", words); /* not understood */
    scan = scan_got(&bad, 1, 1 + UNWIND_WORDS, words, GOT_UNWOUND);
    assert_unknown(&scan, "address is taken");
}

/* Written by hand, without symbols: glibc's clone(), whose entry ends before the call, and
 * __restore_rt, whose entry begins a byte early. */
extern const uint8_t cut_clone[], cut_rest[], signal_return[], signal_after[];
PROGRAM(cut, ".globl cut_clone, cut_rest; call cut_clone; mov $60, %eax; syscall; ud2; .balign 16;"
             "cut_clone: mov $56, %eax; cut_rest: syscall; ret");
PROGRAM(signal, ".globl signal_return, signal_after; lea signal_return(%rip), %rsi; mov $13, %eax;"
                "syscall; mov $60, %eax; syscall; ud2; nop;"
                "signal_return: mov $15, %eax; syscall; ud2; signal_after: nop");
static void test_written_by_hand(void **state) {
    (void)state;
    uint64_t words[1 + UNWIND_WORDS] = {0};
    struct scan scan;
    make_unwind(DATA + 8, cut_clone - cut_start, cut_rest - cut_clone, 0, "zLR", words + 1);
    struct elf elf = make_got(cut_start, cut_end, words, 1 + UNWIND_WORDS, 1, NULL, GOT_UNWOUND);
    assert_true(scan_elf("test", elf.bytes, elf.size, &scan));
    free(elf.bytes);
    CALLS(&scan, 56, 60);
    make_unwind(DATA + 8, signal_return - 1 - signal_start, signal_after - signal_return + 1, 0,
                "zRS", words + 1);
    elf = make_got(signal_start, signal_after, words, 1 + UNWIND_WORDS, 1, NULL, GOT_UNWOUND);
    assert_true(scan_elf("test", elf.bytes, elf.size, &scan));
    free(elf.bytes);
    CALLS(&scan, 13, 15, 60);
}

/* The address stands elsewhere too, or the slot's does. */
GOT_PROGRAM(plain_got, "mov " SLOT ", %r12; mov $5, %edi; call *%r12");
static void test_got_is_not_all(void **state) {
    (void)state;
    const struct got_program p = GOT(plain_got);
    const uint64_t address = 0, slot = DATA, integer = 7;
    struct scan scan = scan_got(&p, 1, 2, &integer, GOT_RELRO);
    CALLS(&scan, 3, 5);
    scan = scan_got(&p, 1, 2, &address, GOT_RELRO);
    assert_unknown(&scan, "address stands in data");
    assert_true(scan.calls[3] && scan.calls[5]);
    scan = scan_got(&p, 1, 2, &slot, GOT_RELRO);
    assert_unknown(&scan, "address stands in data");
    scan = scan_got(&p, 2, 2, &address, GOT_RELRO); /* a slot that nobody names */
    assert_unknown(&scan, "address stands in data");
    const uint64_t elsewhere[] = {DATA + 8, R_X86_64_RELATIVE, 0};
    scan = scan_got(&p, 1, 4, elsewhere, GOT_RELOCATED);
    assert_unknown(&scan, "address stands in data");
    const uint64_t resolver[] = {DATA, R_X86_64_IRELATIVE, 0};
    scan = scan_got(&p, 1, 4, resolver, GOT_RELOCATED);
    assert_unknown(&scan, "address stands in data");
}

/* What else can be done with the slot, and with a register that was loaded. */
GOT_PROGRAM(got_pushed, "push " SLOT "; call *(%rsp)");
GOT_PROGRAM(got_added, "mov $5, %eax; add " SLOT ", %rax; call *%rsi");
GOT_PROGRAM(got_half, "mov " SLOT ", %eax; call *%rax");
GOT_PROGRAM(got_written, "mov %rsi, " SLOT);
GOT_PROGRAM(got_argument, "mov " SLOT ", %rdi; call *%rsi");
GOT_PROGRAM(got_copied, "mov " SLOT ", %r12; mov %r12, %rdi; call *%rsi");
GOT_PROGRAM(got_stored, "mov " SLOT ", %r12; mov %r12, (%rsi); call *%r12");
GOT_PROGRAM(got_stacked, "mov " SLOT ", %r12; push %r12; call *%rsi");
GOT_PROGRAM(got_vector, "mov " SLOT ", %r12; movq %r12, %xmm0; call *%r12");
GOT_PROGRAM(got_indexed, "mov " SLOT ", %r12; mov %rax, (%rsi,%r12); call *%r12");
GOT_PROGRAM(got_summed, "mov " SLOT ", %r12; lea 1(%r12), %rax; call *%r12");
GOT_PROGRAM(got_jumped, "mov " SLOT ", %r12; test %esi, %esi; jne 9f; call *%r12");
GOT_PROGRAM(got_branched, "mov " SLOT ", %rax; test %esi, %esi; jne 1f; call *%rax; 1: nop");
GOT_PROGRAM(got_through, "mov " SLOT ", %rax; call *%rsi; call *%rax");
GOT_PROGRAM(got_kept, "mov " SLOT ", %rax; mov %rax, (%rsi); call *%rax");
GOT_PROGRAM(got_looped, "1: nop; push %rbx; mov " SLOT ", %rbx; call *%rbx; jmp 1b");
GOT_PROGRAM(got_returned, "mov " SLOT ", %rax");
GOT_PROGRAM(got_left, "mov " SLOT ", %r12; call *%r12; test %eax, %eax; jne got_left_other");
GOT_PROGRAM(got_system, "mov " SLOT ", %r11; mov $7, %eax; syscall; call *%r11");
static void test_got_is_lost(void **state) {
    (void)state;
    static const struct got_program programs[] = {
        GOT(got_pushed), GOT(got_added),    GOT(got_half),     GOT(got_written), GOT(got_argument),
        GOT(got_copied), GOT(got_stored),   GOT(got_stacked),  GOT(got_vector),  GOT(got_indexed),
        GOT(got_summed), GOT(got_jumped),   GOT(got_branched), GOT(got_through), GOT(got_kept),
        GOT(got_looped), GOT(got_returned), GOT(got_left),     GOT(got_system)};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        struct scan scan = scan_got(&programs[i], 1, 1, NULL, GOT_RELRO);
        if (!scan.unknown) {
            fail_msg("program %zu: all its calls are said to be known", i);
        }
        assert_unknown(&scan, "address is taken");
        assert_true(scan.calls[3]);
    }
}

/* The slot's address, or that of one beside it, is taken: all may be read. */
GOT_PROGRAM(exposed_here, "lea " SLOT ", %rax; call *(%rax)");
GOT_PROGRAM(exposed_beside, "lea 8 + " SLOT ", %rax; call *-8(%rax)");
GOT_PROGRAM(exposed_number, "mov $0x600008, %eax; call *-8(%rax)");
GOT_PROGRAM(exposed_table, "call *0x600000(,%rsi,8)");
static void test_got_is_exposed(void **state) {
    (void)state;
    static const struct got_program programs[] = {GOT(exposed_here), GOT(exposed_beside),
                                                  GOT(exposed_number), GOT(exposed_table)};
    const uint64_t integer = 7;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        struct scan scan = scan_got(&programs[i], 2, 2, &integer, GOT_RELRO);
        if (!scan.unknown) {
            fail_msg("program %zu: all its calls are said to be known", i);
        }
        assert_unknown(&scan, "address stands in data");
        assert_true(scan.calls[3]);
    }
}

/* Made to be slow: each use is looked at for each other one. */
GOT_PROGRAM(got_calls, ".rept 60000; call *" SLOT "; .endr");
GOT_PROGRAM(got_loads, ".rept 30000; mov " SLOT ", %rbx; jmp 1f; .endr;"
                       "1: .rept 30000; mov %eax, %ecx; .endr");
static void test_made_to_be_slow(void **state) {
    (void)state;
    alarm(60); /* takes a second, or minutes */
    const struct got_program calls = GOT(got_calls), loads = GOT(got_loads);
    struct scan scan = scan_got(&calls, 1, 1, NULL, GOT_RELRO);
    assert_unknown(&scan, "too much code");
    scan = scan_got(&loads, 1, 1, NULL, GOT_RELRO);
    assert_unknown(&scan, "address is taken");
    alarm(0);
}

static void test_damaged(void **state) {
    (void)state;
    const struct function two[] = {
        {"main", through_got_start}, {"inner", through_got_inner}, {NULL, NULL}};
    uint64_t inner = BASE + (uint64_t)(through_got_inner - through_got_start);
    const uint64_t data[] = {0, DATA, R_X86_64_RELATIVE, inner};
    bend(make_got(through_got_start, through_got_end, data, 4, 1, two, GOT_RELOCATED));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_through_got),     cmocka_unit_test(test_got_is_not_all),
        cmocka_unit_test(test_got_is_lost),     cmocka_unit_test(test_got_is_exposed),
        cmocka_unit_test(test_landing_pads),    cmocka_unit_test(test_written_by_hand),
        cmocka_unit_test(test_made_to_be_slow), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
