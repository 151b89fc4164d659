/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Device interrupts.  Handlers run with interrupts closed, on the kernel
 * stack of whoever was interrupted; they may wake threads, not sleep.
 */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

struct irq_handler {
    void (*fn)(void *arg);
    void *arg;
    struct irq_handler *next; /* lines can be shared */
};

#define IRQ_LINES 24
#define IRQ_VECTOR 32 /* of line 0; as the architecture's table of vectors has it */

/* h stays with the line for good; the line opens with its first handler.  arch/
 * calls irq_entry(line). */
void irq_attach(unsigned line, struct irq_handler *h);

#endif
