/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The floor: the smallest image that a PVH loader boots and that does what
 * hello does, printing a line on COM1 and leaving through isa-debug-exit.
 * What QEMU and the firmware cost is what this costs.
 */
    .section .note.pvh, "a", @note
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl start
start:
    mov $text, %esi
    mov $0x3fd, %edx /* line status */
1:  in (%dx), %al
    test $0x20, %al /* room for a byte */
    jz 1b
    mov $0x3f8, %dl
    lodsb
    test %al, %al
    jz 2f
    out %al, (%dx)
    mov $0x3fd, %dl
    jmp 1b
2:  mov $0x501, %dx
    xor %eax, %eax
    out %ax, (%dx)
3:  hlt
    jmp 3b
text:
    .asciz "hello, world\n"
