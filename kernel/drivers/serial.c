/* SPDX-License-Identifier: BSD-3-Clause
 *
 * COM1, a 16550: text for people when there is no channel.  Output is polled,
 * as fast as the host takes it; input comes by interrupt, and what nobody
 * takes stays in the device, which holds the host back.
 *
 * PC16550D data sheet.
 */
#include "arch/x86_64/io.h"
#include "console/console.h"
#include "irq/irq.h"
#include "lib/align.h"
#include "lib/errno.h"

#define LINE 4

enum port {
    PORT_DATA = 0x3f8, /* and the divisor's low byte while LCR_DIVISOR is set */
    PORT_INTERRUPTS = 0x3f9,
    PORT_FIFO = 0x3fa,
    PORT_LINE_CONTROL = 0x3fb,
    PORT_MODEM_CONTROL = 0x3fc,
    PORT_LINE_STATUS = 0x3fd,
};

#define INTERRUPT_RECEIVED 0x01
#define FIFO_ON 0x07 /* and cleared */
#define FIFO_BYTES 16
#define LCR_DIVISOR 0x80
#define LCR_8N1 0x03
#define MODEM_READY 0x0b /* DTR, RTS, and OUT2, which lets interrupts out */
#define STATUS_RECEIVED 0x01
#define STATUS_ALL_SENT 0x40

static unsigned fifo = 1; /* bytes that it takes at a time */
static int pending = -1;  /* a byte that nobody had room for */

static bool serial_probe(void) {
    uint8_t status = inb(PORT_LINE_STATUS);
    if (status == 0xff)
        return false;
    outb(PORT_LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
    outb(PORT_DATA, 1); /* 115200 */
    outb(PORT_INTERRUPTS, 0);
    outb(PORT_LINE_CONTROL, LCR_8N1);
    outb(PORT_MODEM_CONTROL, MODEM_READY);
    if (!(status & STATUS_RECEIVED)) { /* switching it on would lose what is there */
        outb(PORT_FIFO, FIFO_ON);
        fifo = FIFO_BYTES;
    }
    return true;
}

static long serial_send(const struct io_piece *pieces, unsigned count, bool poll) {
    long sent = 0;
    (void)poll;
    do {
        const uint8_t *from = (const uint8_t *)pieces->base, *end = from + pieces->size;
        while (from < end) {
            uint8_t part[FIFO_BYTES] ALIGNED_WORD;
            size_t n = MIN((size_t)(end - from), (size_t)fifo);
            n -= arch_copy_user(part, from, n);
            if (!n)
                return sent ? sent : -EFAULT;
            outsb(PORT_DATA, part, n);
            from += n;
            sent += (long)n;
            while (!(inb(PORT_LINE_STATUS) & STATUS_ALL_SENT)) {
            } /* the machine may stop next */
        }
        pieces++;
    } while (--count);
    return sent;
}

static void receive(void *arg) {
    (void)arg;
    for (;;) {
        if (pending < 0) {
            if (!(inb(PORT_LINE_STATUS) & STATUS_RECEIVED))
                break;
            pending = inb(PORT_DATA);
        }
        /* Enter on a terminal in raw mode is a carriage return. */
        uint8_t byte = pending == '\r' ? '\n' : (uint8_t)pending;
        if (!console_received(&byte, 1)) {
            outb(PORT_INTERRUPTS, 0);
            return;
        }
        pending = -1;
    }
    outb(PORT_INTERRUPTS, INTERRUPT_RECEIVED);
}

static void serial_listen(void) {
    static struct irq_handler handler = {.fn = receive};
    static bool attached;
    if (!attached) {
        attached = true;
        irq_attach(LINE, &handler);
    }
    receive(NULL);
}

static const struct transport serial = {
    .name = "serial",
    .probe = serial_probe,
    .send = serial_send,
    .listen = serial_listen,
};
TRANSPORT(serial);
