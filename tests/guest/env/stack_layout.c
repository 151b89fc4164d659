/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The initial stack as the psABI has it: argc at a 16-byte boundary, argv,
 * NULL, envp, NULL, auxv, AT_NULL; strings above.
 * libc: no
 * args: a bb
 * env: X=1 Y=2
 * cflags: -fno-stack-protector -fno-sanitize=all
 * expect-status: 0
 */
static void leave(long status) {
    __asm__ volatile("syscall" : : "a"(231), "D"(status) : "rcx", "r11", "memory");
    __builtin_unreachable();
}

__attribute__((naked)) void _start(void) {
    __asm__("mov %rsp, %rdi; and $-16, %rsp; call begin; ud2");
}

void begin(long *sp) {
    if ((unsigned long)sp % 16 != 0) {
        leave(1);
    }
    if (sp[0] != 3 || sp[4] != 0) {
        leave(2);
    }
    char **argv = (char **)(sp + 1), **envp = (char **)(sp + 5);
    if (argv[1][0] != 'a' || argv[1][1] != 0 || argv[2][1] != 'b' || argv[2][2] != 0) {
        leave(3);
    }
    if (envp[0][0] != 'X' || envp[1][0] != 'Y' || envp[2] != 0) {
        leave(4);
    }
    long *aux = sp + 8;
    int n = 0;
    while (aux[0] != 0) {
        aux += 2;
        if (++n > 64) {
            leave(5);
        }
    }
    if ((char *)aux > argv[0] || (char *)aux > envp[0]) {
        leave(6);
    }
    /* the upper end is near: strings, then at most a page or two */
    if (argv[0] < (char *)sp || argv[2] < argv[1]) {
        leave(7);
    }
    leave(0);
}
