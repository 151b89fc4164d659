/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames on their way out of an interface, and what the device does for us:
 * checksums, and cutting TCP segments out of a longer one.
 *
 * lwIP cuts what TCP sends.  Segments of one connection that follow each other
 * are joined here again, for a device that cuts them itself: one frame for it
 * and for everyone behind it that takes such frames as they are.  So the last
 * frame is held back until the next, or output_flush, shows what becomes of it;
 * the device has room for it all the while.
 */
#ifndef NET_LWIP_OUTPUT_H
#define NET_LWIP_OUTPUT_H

#include <lwip/pbuf.h>

#include "netdev/netdev.h"

struct output_segment {     /* a frame as a TCP segment */
    uint16_t ip, tcp, data; /* where its headers and its data begin */
    uint16_t size;          /* bytes of data */
    uint32_t number;        /* of the first */
    uint8_t flags;
};

struct output_train;

struct output {
    struct netdev *dev;
    struct pbuf *held;                      /* not given to the device yet, or NULL */
    struct output_segment segment;          /* the held frame; size 0: nothing joins it */
    struct output_train *train;             /* those that have joined it, or NULL */
    struct net_piece pieces[NETDEV_PIECES]; /* of it all */
    unsigned count, room;
    size_t joined; /* bytes of data in it all */
    uint16_t last; /* in the last one */
};

/* Sends a frame, whose pbufs are kept until the device is done.  ERR_MEM: no room. */
err_t output_frame(struct output *o, struct pbuf *p);
/* Nothing follows for now. */
void output_flush(struct output *o);
/* The device is done with what send() was given as `token`. */
void output_done(struct netdev *dev, void *token);
/* Frames that the devices have not sent yet. */
unsigned output_in_flight(void);

#endif
