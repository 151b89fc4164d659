/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The channel's first bytes: QEMU's debug console (isa-debugcon), a port that
 * takes a byte each and has nothing to start, so that a program of few words
 * does not wait for virtio.  zuk puts one where nobody else has it.
 */
#include "abi/report.h"
#include "arch/x86_64/io.h"
#include "console/console.h"
#include "lib/errno.h"

#define READ_BACK 0xe9 /* what the port says when it is read */

static bool debugcon_probe(void) {
    console_terminal.known = inb(REPORT_PORT_X86) == READ_BACK;
    return console_terminal.known;
}

static long debugcon_send(const struct io_piece *pieces, unsigned count, bool poll) {
    static uint8_t record[TRANSPORT_FEW_BYTES];
    size_t size = 0;
    (void)poll;
    for (; count; pieces++, count--) {
        if (arch_copy_user(record + size, (const void *)pieces->base, pieces->size))
            return -EFAULT;
        size += pieces->size;
    }
    outsb(REPORT_PORT_X86, record, size);
    return 0;
}

/* Its name puts it before the channel. */
static const struct transport brief = {
    .name = "debugcon",
    .framed = true,
    .probe = debugcon_probe,
    .send = debugcon_send,
};
TRANSPORT(brief);
