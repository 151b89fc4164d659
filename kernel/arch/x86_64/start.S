/* SPDX-License-Identifier: BSD-3-Clause
 *
 * PVH entry: 32-bit protected mode, paging off, %ebx = physical address of
 * struct hvm_start_info (Xen, docs/misc/pvh.pandoc).  Builds the kernel's page
 * tables, enters long mode, drops the identity map and calls boot_start.
 *
 * The tables stand in .bss, which the loader cleared.
 */
#include "arch/x86_64/offsets.h"

#define PHYS(x) ((x) - 0xffffffff80000000)
#define PTE_P 1
#define PTE_W 2
#define NO_EXECUTION 0x80000000 /* in the high half of an entry */

    .section .note.pvh, "a", @note
    .long 4, 8, 18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad PHYS(pvh_start)

    .section .text.start, "ax"
    .code32
    .globl pvh_start
pvh_start:
    cld
    movl $PHYS(boot_stack_top), %esp

    /* pml4[0] (for the next few instructions) and pml4[511] -> pdpt;
     * pdpt[0] and pdpt[510] -> pd -> pt, which maps the kernel. */
    movl $PHYS(kernel_pdpt) + PTE_P + PTE_W, %eax
    movl %eax, PHYS(kernel_pml4)
    movl %eax, PHYS(kernel_pml4 + 511 * 8)
    movl $PHYS(kernel_pd) + PTE_P + PTE_W, %eax
    movl %eax, PHYS(kernel_pdpt)
    movl %eax, PHYS(kernel_pdpt + 510 * 8)
    movl $PHYS(kernel_pt) + PTE_P + PTE_W, %eax
    movl %eax, PHYS(kernel_pd)
    /* The direct map begins with tables of its own: frames are out of reach before
     * it stands.  Its first 2 MiB share the kernel's table, and have the same rights
     * but for execution. */
    movl %eax, PHYS(direct_pd)
    movl $PHYS(direct_pd) + PTE_P + PTE_W, PHYS(direct_pdpt)
    movl $PHYS(direct_pdpt) + PTE_P + PTE_W, PHYS(kernel_pml4 + 256 * 8)
    movl $NO_EXECUTION, PHYS(kernel_pml4 + 256 * 8) + 4

    /* What the loader left in low memory, the kernel, the image behind it. */
    xorl %eax, %eax
    movl $PHYS(kernel_start), %edx
    movl $PTE_P, %ecx
    movl $NO_EXECUTION, %esi
    call map
    movl $PHYS(rodata_start), %edx
    xorl %esi, %esi
    call map
    movl $PHYS(data_start), %edx
    movl $NO_EXECUTION, %esi
    call map
    movl $PHYS(kernel_end), %edx
    movl $PTE_P + PTE_W, %ecx
    call map
    movl PHYS(kernel_end) + MANIFEST_END, %edx
    cmpl $KERNEL_PT_END, %edx
    jbe 1f
    movl $KERNEL_PT_END, %edx   /* arch_map_image maps the rest */
1:  movl $PTE_P, %ecx
    call map

    movl $PHYS(kernel_pml4), %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x6a0, %eax            /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx      /* EFER: system calls, long mode, no-execute */
    rdmsr
    orl $0x901, %eax
    wrmsr
    movl $0x80010033, %eax      /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdtl PHYS(boot_gdt_pointer)
    ljmpl $SELECTOR_CODE, $PHYS(long_mode)

/* Maps the pages from physical eax to edx, which is behind it, with the flags ecx
 * and (high half) esi. */
map:
    movl %eax, %edi
    shrl $9, %edi
    leal (%eax, %ecx), %ebp
    movl %ebp, PHYS(kernel_pt)(%edi)
    movl %esi, PHYS(kernel_pt) + 4(%edi)
    addl $4096, %eax
    cmpl %edx, %eax
    jb map
    ret

    .code64
long_mode:
    movabsq $high, %rax
    jmp *%rax
high:
    xorl %eax, %eax
    movl %eax, %ss              /* as in a trap's handler: TCG translates by SS */
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    movq %rbp, kernel_pml4
    movq %rbp, kernel_pdpt
    movq %rbp, boot_stack_guard_entry
    movq %rbp, trap_stack_guard_entry
    movq $PHYS(kernel_pml4), %rax
    movq %rax, %cr3
    lgdt gdt_pointer(%rip)

    /* The interrupt table: vectors[i], interrupts closed, on stack IST 1; 2 for
     * what has no way back, and int3 is for everybody. */
    movabsq $VECTORS_ADDRESS >> 16 << 48 | 0x8e01 << 32 | SELECTOR_CODE << 16, %rax
    movq $idt, %rdi
    movl $VECTORS, %ecx
1:  movq %rax, (%rdi)
    movl $VECTORS_ADDRESS >> 32, 8(%rdi)
    addq $VECTOR_SIZE, %rax
    addq $16, %rdi
    loop 1b
    movb $2, idt + 2 * 16 + 4
    movb $2, idt + 8 * 16 + 4
    movb $2, idt + 18 * 16 + 4
    movb $0xee, idt + 3 * 16 + 5
    lidt idt_pointer(%rip)
    call arch_init
    movl %ebx, %edi
    call boot_start
    ud2

    .section .rodata.gdt, "a"
    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer:
    .word 23
    .long PHYS(boot_gdt)

    .section .data.gdt, "aw"
    .balign 8
    .globl gdt
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* SELECTOR_CODE */
    .quad 0x00cf93000000ffff    /* SELECTOR_DATA */
    .quad tss_descriptor, 0xffffffff /* SELECTOR_TSS */
    .quad 0x00cff3000000ffff    /* SELECTOR_APP_DATA */
    .quad 0x00affb000000ffff    /* SELECTOR_APP_CODE */
gdt_pointer:
    .word 55
    .quad gdt
idt_pointer:
    .word VECTORS * 16 - 1
    .quad idt

    .section .bss.idt, "aw", @nobits
    .balign 16
    .globl idt
idt: .skip VECTORS * 16

    .section .bss_pages, "aw", @nobits
    .balign 4096
    .globl kernel_pml4, kernel_pd, kernel_pdpt, kernel_pt
kernel_pdpt: .skip 4096
kernel_pd:   .skip 4096
kernel_pt:   .skip 4096
direct_pdpt: .skip 4096
direct_pd:   .skip 4096
    /* A page stays unmapped below each stack. */
    .globl boot_stack_guard, boot_stack_top, trap_stack_guard, trap_stack_top
    .globl fault_stack_top
boot_stack_guard: .skip 4096
    .skip 8192
boot_stack_top:
trap_stack_guard: .skip 4096
    .skip 2048
fault_stack_top:
    .skip 2048
trap_stack_top:
    .section .bss_pool, "aw", @nobits
    /* abi/image.h: zuk knows these by their place. */
    .globl zero_pool_start, zero_pool_end
kernel_pml4: .skip 4096
zero_pool_start: .skip POOL_PAGES * 4096
zero_pool_end:

    .section .note.GNU-stack, "", @progbits
