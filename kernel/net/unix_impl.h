/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What unix.c (names, connections) and unix_data.c (messages) share.
 */
#ifndef NET_UNIX_IMPL_H
#define NET_UNIX_IMPL_H

#include "lib/list.h"
#include "net/socket.h"

enum unix_state { UNIX_IDLE, UNIX_LISTENING, UNIX_CONNECTED };

struct unix_socket {
    struct socket socket;
    uint32_t refs;
    enum unix_state state;
    bool closed; /* its file is gone */
    bool read_closed, write_closed;
    struct unix_socket *peer;    /* with a reference; of datagrams: where they go by default */
    struct socket_address *name; /* NULL: none */
    struct inode *inode;         /* of a path, with a reference */
    struct list named;           /* among those that are bound */
    /* Listening: connections that wait for accept. */
    struct list pending;
    uint32_t pending_count, backlog; /* also: datagrams that may queue up here */
    struct wait_queue room;          /* for one connection or datagram more */
    struct list waits;               /* in a listener's pending */
    /* Datagram sockets that have this one as their peer. */
    struct list senders, sends_to;
    struct socket_credentials owner, peer_owner;
    struct list queue; /* of messages that are not read */
    uint32_t queued;   /* how many */
    size_t sent;       /* memory that messages from here take, until they are read */
};

static inline struct unix_socket *unix_of(struct socket *s) {
    return container_of(s, struct unix_socket, socket);
}
static inline struct unix_socket *unix_get(struct unix_socket *u) {
    u->refs++;
    return u;
}
void unix_put(struct unix_socket *u);
/* Who wants credentials has a name. */
int unix_autobind(struct unix_socket *u);
void unix_disconnect(struct unix_socket *u); /* a datagram socket, from its peer */
bool unix_may_send(const struct unix_socket *u, const struct unix_socket *to);
/* Who a datagram's address means, with a reference; NULL: *error. */
struct unix_socket *unix_find(const struct socket_address *a, uint16_t type, long *error);

long unix_send(struct socket *s, struct message *m);
long unix_receive(struct socket *s, struct message *m);
long unix_readable(struct socket *s);
long unix_ioctl(struct socket *s, unsigned long request, vaddr_t arg);
bool unix_writable(const struct unix_socket *u);
void unix_purge(struct unix_socket *u); /* throws away what was not read */

#endif
