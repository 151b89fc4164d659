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

void irq_attach(unsigned line, struct irq_handler *h); /* h stays with the line for good */
void irq_dispatch(unsigned line);                      /* from arch/ */

#endif
