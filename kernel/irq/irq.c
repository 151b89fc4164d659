/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers by line.  A line is routed to the CPU when its first handler comes.
 */
#include "irq/irq.h"

#include <stddef.h>

#include "arch/arch.h"

static struct irq_handler *handlers[IRQ_LINES];

void irq_attach(unsigned line, struct irq_handler *h) {
    if (line >= IRQ_LINES)
        return; /* the device lied: its driver is left to poll */
    struct irq_handler *first = handlers[line];
    h->next = first;
    handlers[line] = h;
    if (!first)
        arch_irq_enable_line(line, IRQ_VECTOR + line);
}

void irq_entry(unsigned line) {
    for (struct irq_handler *h = line < IRQ_LINES ? handlers[line] : NULL; h; h = h->next)
        h->fn(h->arg);
}
