/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Network interfaces, as a driver offers them and a stack uses them.
 *
 * A driver fills a struct netdev and hands it to the stack that the table
 * netdev_stacks names; it is looked for when the stack asks (netdev_probe), not
 * at boot.  Frames are Ethernet's, without the check sequence.  Nothing here
 * sleeps.
 */
#ifndef NETDEV_NETDEV_H
#define NETDEV_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

struct netdev;

struct net_piece { /* of a frame on its way out; one run of physical memory */
    paddr_t paddr;
    uint32_t size;
};
#define NETDEV_PIECES 64 /* most that one frame has */

/* What the device does to a frame, in bytes; 0: nothing. */
struct net_offload {
    /* The checksum of a TCP or UDP packet: the sum goes to `start + offset`; it
     * covers what follows `start`. */
    uint16_t start, offset;
    /* The data behind `headers` bytes is several TCP segments', each but the last
     * with `segment` of it; over IPv6: `six`.  With a checksum. */
    uint16_t segment, headers;
    bool six;
};

struct netdev_ops {
    /* How many pieces the next frame may have; with fewer than `wanted`, sent() will
     * come when there is room again. */
    unsigned (*room)(struct netdev *dev, unsigned wanted);
    /* Takes a frame, of no more pieces than that: 0, and `token` comes back with the
     * stack's sent() when its memory is free again; -EIO. */
    int (*send)(struct netdev *dev, const struct net_piece *pieces, unsigned count,
                const struct net_offload *offload, void *token);
    void (*flush)(struct netdev *dev); /* tells the device of what send() took */
    /* A received buffer is no longer used. */
    void (*release)(struct netdev *dev, void *buffer);
    bool (*link)(struct netdev *dev); /* is it up? */
    void (*poll)(struct netdev *dev); /* looks for what has come, without an interrupt */
};

struct netdev {
    const struct netdev_ops *ops;
    /* The stack's, set before start: */
    const struct netdev_stack *stack;
    void *data;
    uint8_t mac[6];
    uint16_t mtu;       /* without the Ethernet header */
    bool checksums_out; /* what send() does of `offload` */
    bool segments4, segments6;
};

struct net_part { /* of a received frame */
    void *buffer; /* the driver's, until release(buffer) */
    const void *data;
    size_t size; /* bytes, not 0 */
};

/* Called with interrupts closed, also from interrupts. */
struct netdev_stack {
    /* A frame, in `count` parts; the headers are in the first.  It may be longer
     * than the MTU: several TCP segments as one.  `checked`: its TCP or UDP
     * checksum is known to be right, or does not matter. */
    void (*received)(struct netdev *dev, const struct net_part *parts, unsigned count,
                     bool checked);
    void (*sent)(struct netdev *dev, void *token);
    void (*idle)(struct netdev *dev); /* after a run of received() and sent() */
    void (*link)(struct netdev *dev); /* it changed */
};

/* What the network said, for the files that tell programs (fs/netfiles.c); the
 * stack fills it in.  Waits for an address that is still to come. */
struct netdev_names {
    const char *host;
    char address[16]; /* IPv4; "": none */
    unsigned server_count;
    char servers[3][48]; /* DNS */
};
void netdev_names(struct netdev_names *out);
/* The stack's as well: the program has ended, and what it sent is to arrive. */
void netdev_end(void) __attribute__((weak));
/* The host's name, "zuk" where nobody said another. */
const char *netdev_host_name(void) __attribute__((weak));

struct netdev_driver {
    /* The nth interface, not started; NULL: there are fewer. */
    struct netdev *(*find)(unsigned nth);
    /* From now on frames come.  -errno. */
    int (*start)(struct netdev *dev);
};
#define NETDEV_DRIVER(d)                                                                           \
    __attribute__((                                                                                \
        used, section(".netdev_drivers." #d))) static const struct netdev_driver *const d##_row =  \
        &(d)

#endif
