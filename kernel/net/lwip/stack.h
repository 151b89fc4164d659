/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lwIP in the kernel: what its files here share.  All of it runs with
 * interrupts closed, from system calls, timers and device interrupts, never
 * two at once; lwIP's functions do not sleep.
 */
#ifndef NET_LWIP_STACK_H
#define NET_LWIP_STACK_H

#include <stdbool.h>

#include "sched/thread.h"

/* Brings the stack and its loopback up, once, and looks for devices. */
void net_start(void);
/* Starts the devices, once; addresses come later.  Not before the app asks for
 * something that needs them: a server listens by then, and whoever waited for
 * it to come up is not refused. */
void net_up(void);
/* After lwIP was called: packets to ourselves are delivered, devices told of
 * what was sent, the timer set. */
void net_settle(void);
void net_look(void);    /* at what the cards have received and sent */
void net_arm(void);     /* the timer alone */
bool net_devices(void); /* are there interfaces beside the loopback? */
/* Is there an address beside the loopback's, or nothing to wait for?  Woken
 * when that changes. */
bool net_addressed(void);
extern struct wait_queue net_changed;
/* Waits for it, a while: 0, also when there is none then; -EINTR. */
int net_wait_address(void);

/* The program has ended: its connections are closed (aborted, when bytes that
 * came were not read). */
void tcp_end(void);
struct tcp_pcb;
/* A segment comes while lwIP sends a lost one again (TF_INFR). */
void tcp_recovers(struct tcp_pcb *pcb);
size_t tcp_unsent(void); /* bytes of connections that are not acknowledged yet */

#endif
