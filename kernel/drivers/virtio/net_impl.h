/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Network cards: what their driver's files share.
 */
#ifndef DRIVERS_VIRTIO_NET_IMPL_H
#define DRIVERS_VIRTIO_NET_IMPL_H

#include "drivers/virtio/queue.h"
#include "irq/irq.h"
#include "netdev/netdev.h"

enum {
    F_CSUM = 1 << 0,
    F_GUEST_CSUM = 1 << 1,
    F_MAC = 1 << 5,
    F_GUEST_TSO4 = 1 << 7,
    F_GUEST_TSO6 = 1 << 8,
    F_HOST_TSO4 = 1 << 11,
    F_HOST_TSO6 = 1 << 12,
    F_MRG_RXBUF = 1 << 15,
    F_STATUS = 1 << 16,
    F_CTRL_VQ = 1 << 17,
    F_MQ = 1 << 22,
};
enum { CONFIG_STATUS = 6, CONFIG_PAIRS = 8 }; /* struct virtio_net_config, 5.1.4 */
enum { RX_SIZE = 128, TX_SIZE = 256 };

struct header { /* struct virtio_net_hdr, 5.1.6; `buffers` with F_MRG_RXBUF or 1.0 */
    uint8_t flags, gso_type;
    uint16_t header_size, gso_size, csum_start, csum_offset, buffers;
};
#define PARTS 34 /* buffers that a frame of 64 KiB and its headers need */

struct pair { /* of queues */
    struct virtqueue rx, tx;
    bool posted;                    /* receive buffers were given that the device was not told of */
    bool queued;                    /* the same, of frames to send */
    bool full;                      /* somebody was told that there is no room */
    paddr_t received[RX_SIZE];      /* by chain: the buffer */
    void *tokens[TX_SIZE];          /* by chain */
    struct header headers[TX_SIZE]; /* by the number of the frame, modulo */
};
#define PAIRS 4 /* most that are used */

struct card {
    struct netdev dev;
    struct virtio_device virtio;
    struct irq_handler irq;
    uint32_t header_size;
    struct pair *pairs[PAIRS];
    unsigned count;               /* of them, that may receive */
    unsigned senders;             /* the first of them, that may send */
    struct pair *sender;          /* which has room for the next frame */
    struct pairs_request *asked;  /* the device has not said that it uses them all */
    struct net_part parts[PARTS]; /* of the frame that is being received */
    struct pair first;
};

/* Zeroed memory of its own, and of a queue of the card's; frames stay for good. */
void *net_memory(size_t bytes);
bool net_queue_init(struct card *c, struct virtqueue *q, uint16_t index, uint16_t size);

/* More pairs, for several CPUs (net_pairs.c); weak.  Sets up the queues, before
 * virtio_ready(). */
void net_pairs_init(struct card *c) __attribute__((weak));
/* Asks the device to use them, and looks whether it says so. */
void net_pairs_ask(struct card *c) __attribute__((weak));
void net_pairs_look(struct card *c) __attribute__((weak));

#endif
