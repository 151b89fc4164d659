/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Several pairs of queues for a card (virtio 1.1, 5.1.6.5.5), as many as there are
 * CPUs: the device may then take frames of several CPUs at once, and hands over
 * those of a connection by the queue that it was last sent by.  Until the device
 * has said that it uses them, frames go by the first pair.
 */
#include "drivers/virtio/net_impl.h"
#include "lib/align.h"
#include "sched/thread.h"

enum { CTRL_MQ = 4, CTRL_MQ_PAIRS_SET = 0 };
enum { ACK_OK, ACK_NONE = 0xff };
enum { CONTROL_SIZE = 4 };
#define DEVICE_PAIRS_MOST 0x7fffu /* the control queue's number has 16 bits */

struct pairs_request {
    struct virtqueue control;
    struct { /* read by the device */
        uint8_t class, command;
    } header;
    uint16_t pairs;
    volatile uint8_t ack; /* written by it */
};

void net_pairs_init(struct card *c) {
    unsigned most = c->virtio.config ? *(volatile uint16_t *)(c->virtio.config + CONFIG_PAIRS) : 0;
    unsigned wanted = MIN(MIN(most, (unsigned)PAIRS), sched_cpu_total());
    struct pairs_request *r =
        wanted > 1 && most <= DEVICE_PAIRS_MOST ? net_memory(sizeof *r) : NULL;
    if (!r || !net_queue_init(c, &r->control, (uint16_t)(2 * most), CONTROL_SIZE))
        return;
    for (; c->count < wanted; c->count++) {
        struct pair *p = net_memory(sizeof *p);
        if (!p || !net_queue_init(c, &p->rx, (uint16_t)(2 * c->count), RX_SIZE) ||
            !net_queue_init(c, &p->tx, (uint16_t)(2 * c->count + 1), TX_SIZE))
            break;
        c->pairs[c->count] = p;
    }
    if (c->count > 1)
        c->asked = r;
}

void net_pairs_ask(struct card *c) {
    struct pairs_request *r = c->asked;
    r->header.class = CTRL_MQ;
    r->header.command = CTRL_MQ_PAIRS_SET;
    r->pairs = (uint16_t)c->count;
    r->ack = ACK_NONE;
    queue_begin(&r->control);
    queue_put(&r->control, virt_to_phys(&r->header), sizeof r->header, false);
    queue_put(&r->control, virt_to_phys(&r->pairs), sizeof r->pairs, false);
    queue_put(&r->control, virt_to_phys((const void *)&r->ack), sizeof r->ack, true);
    queue_end(&r->control);
    queue_interrupts(&r->control, true);
    queue_notify(&r->control);
}

void net_pairs_look(struct card *c) {
    struct pairs_request *r = c->asked;
    uint16_t head;
    uint32_t size;
    if (queue_take(&r->control, &head, &size) <= 0)
        return;
    c->asked = NULL;
    if (r->ack == ACK_OK)
        c->senders = c->count;
}
