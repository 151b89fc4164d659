/* SPDX-License-Identifier: BSD-3-Clause
 *
 * memcpy and memset in place of lib/string's: by `rep` from 64 bytes on, below
 * which its start takes longer than the words.  The direction flag is clear
 * wherever C runs (entry.S).
 */
    .section .text.memcpy, "ax", @progbits
    .globl memcpy
    .type memcpy, @function
memcpy:
    movq %rdi, %rax
    movq %rdx, %rcx
    shrq $3, %rcx
    jz 3f
    cmpq $8, %rcx
    jae 2f
1:  movsq
    decl %ecx
    jnz 1b
    jmp 3f
2:  rep movsq
3:  andl $7, %edx
    jz 5f
4:  movsb
    decl %edx
    jnz 4b
5:  ret
    .size memcpy, . - memcpy

    .section .text.memset, "ax", @progbits
    .globl memset
    .type memset, @function
memset:
    movq %rdi, %r8
    movzbl %sil, %esi
    movabsq $0x0101010101010101, %rax
    imulq %rsi, %rax
    movq %rdx, %rcx
    shrq $3, %rcx
    jz 3f
    cmpq $8, %rcx
    jae 2f
1:  stosq
    decl %ecx
    jnz 1b
    jmp 3f
2:  rep stosq
3:  andl $7, %edx
    jz 5f
4:  stosb
    decl %edx
    jnz 4b
5:  movq %r8, %rax
    ret
    .size memset, . - memset

    .section .note.GNU-stack, "", @progbits
