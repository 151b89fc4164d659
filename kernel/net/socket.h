/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sockets, whatever their family.
 *
 * A family (net/unix.c, net/inet.c) makes struct sockets, embedded in its own,
 * and does what struct socket_ops says; syscall/socket.c speaks to the app: it
 * checks addresses and flags, copies them in and out, keeps the options of
 * SOL_SOCKET, and turns a socket into a file.  Ops may sleep, in s->changed;
 * whatever changes what poll says wakes it.  Errors are -errno.
 *
 * The numbers are Linux's (asm-generic/socket.h, linux/socket.h).
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sched/thread.h"
#include "vfs/file.h"

enum { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6 = 10, AF_NETLINK = 16, AF_MAX = 46 };
enum { SOCK_STREAM = 1, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_TYPES = 11 };
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

#define MSG_OOB 1u
#define MSG_PEEK 2u
#define MSG_DONTROUTE 4u
#define MSG_CTRUNC 8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_EOR 0x80u
#define MSG_WAITALL 0x100u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MORE 0x8000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

#define SOL_SOCKET 1
enum {
    SO_DEBUG = 1,
    SO_REUSEADDR,
    SO_TYPE,
    SO_ERROR,
    SO_DONTROUTE,
    SO_BROADCAST,
    SO_SNDBUF,
    SO_RCVBUF,
    SO_KEEPALIVE,
    SO_OOBINLINE,
    SO_NO_CHECK,
    SO_PRIORITY,
    SO_LINGER,
    SO_BSDCOMPAT,
    SO_REUSEPORT,
    SO_PASSCRED,
    SO_PEERCRED,
    SO_RCVLOWAT,
    SO_SNDLOWAT,
    SO_RCVTIMEO,
    SO_SNDTIMEO,
    SO_TIMESTAMP = 29,
    SO_ACCEPTCONN,
    SO_PEERSEC,
    SO_SNDBUFFORCE,
    SO_RCVBUFFORCE,
    SO_PROTOCOL = 38,
    SO_DOMAIN,
    SO_PEEK_OFF = 42,
    SO_BUSY_POLL = 46,
    SO_INCOMING_CPU = 49,
    SO_COOKIE = 57,
};
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS };

#define SOCKET_ADDRESS_MAX 128u /* struct sockaddr_storage */
struct socket_address {
    uint32_t size; /* bytes of it; 0: none */
    union {
        uint16_t family;
        uint8_t bytes[SOCKET_ADDRESS_MAX];
    } __attribute__((aligned(8)));
};

/* One send or receive. */
struct message {
    const struct io_piece *pieces; /* in the app's memory, checked to be in its range */
    unsigned count;
    size_t size;                /* of all pieces */
    size_t done;                /* bytes copied so far: message_get, message_put */
    unsigned flags;             /* MSG_*, as given */
    unsigned flags_out;         /* of a receive: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE */
    uint64_t deadline;          /* 0: do not wait; UINT64_MAX: for ever */
    struct socket_address peer; /* to whom; from whom */
    const void *control;        /* of a send: struct cmsghdrs, a kernel copy */
    size_t control_size;
    vaddr_t control_out; /* of a receive */
    size_t control_room, control_used;
};
/* The next `size` bytes of the message's data: into kernel memory, or out of
 * it; beyond the end nothing.  -EFAULT. */
int message_get(struct message *m, void *dst, size_t size);
int message_put(struct message *m, const void *src, size_t size);
static inline size_t message_left(const struct message *m) {
    return m->size - m->done;
}
/* Where the next bytes lie in the app's memory, and how many are in one piece
 * (0 at the end): for who copies them itself and counts them in `done`. */
size_t message_next(const struct message *m, vaddr_t *at);
/* Appends a control message; without room MSG_CTRUNC is set.  How many bytes
 * of data fitted. */
size_t message_put_control(struct message *m, int level, int type, const void *data, size_t size);
/* Walks m->control: false at the end; a control message that lies about its
 * size ends with *error -EINVAL. */
struct control {
    size_t at; /* 0 at first */
    int level, type;
    const void *data;
    size_t size;
};
bool message_next_control(const struct message *m, struct control *c, int *error);

#define CONTROL_HEADER 16u /* what stands before the data of a control message */

struct socket_credentials { /* Linux's struct ucred */
    int32_t pid;
    uint32_t uid, gid;
};
/* Of who calls; syscall/socket.c. */
struct socket_credentials socket_caller(void);

struct socket;

struct socket_ops {
    int (*bind)(struct socket *s, const struct socket_address *address);
    int (*listen)(struct socket *s, int backlog);
    /* *out is a new socket; its peer's name comes from `name`. */
    int (*accept)(struct socket *s, struct socket **out, uint64_t deadline);
    int (*connect)(struct socket *s, const struct socket_address *address, uint64_t deadline);
    /* Bytes, or -errno; -EPIPE raises SIGPIPE in the caller's hands. */
    long (*send)(struct socket *s, struct message *m);
    long (*receive)(struct socket *s, struct message *m);
    int (*shutdown)(struct socket *s, int how);
    int (*name)(struct socket *s, bool peer, struct socket_address *out);
    /* Options beyond those that syscall/socket.c keeps; also told of these
     * (after they were stored) so that they can be acted upon.  NULL or
     * -ENOPROTOOPT: there is no such option. */
    int (*set_option)(struct socket *s, int level, int name, const void *value, size_t size);
    int (*get_option)(struct socket *s, int level, int name, void *value, size_t *size);
    unsigned (*poll)(struct socket *s); /* POLLIN ... that hold now */
    long (*readable)(struct socket *s); /* FIONREAD */
    long (*ioctl)(struct socket *s, unsigned long request, vaddr_t arg); /* NULL: -ENOTTY */
    void (*close)(struct socket *s); /* the last reference went: frees it */
    bool peeks_ahead;                /* SO_PEEK_OFF; but not raw sockets */
};

struct socket {
    const struct socket_ops *ops;
    struct wait_queue changed;
    uint64_t number; /* inode */
    uint16_t family, type;
    int32_t protocol;
    int32_t error;                          /* SO_ERROR: positive errno, cleared when told */
    uint64_t receive_timeout, send_timeout; /* ns; 0: none */
    int32_t send_buffer, receive_buffer;    /* as getsockopt tells them */
    int32_t linger;                         /* seconds; -1: off */
    int32_t low_water;
    int32_t priority;
    int32_t peek_offset; /* SO_PEEK_OFF: where MSG_PEEK looks; below 0: at the start */
    /* The options that are on or off: */
    bool reuse_address, reuse_port, keep_alive, broadcast, pass_credentials, no_route, oob_inline,
        timestamps, debug;
    bool listening;
};
#define SOCKET_BUFFER 212992 /* Linux's default for SO_SNDBUF and SO_RCVBUF */

/* Fills in what all sockets begin with. */
void socket_init(struct socket *s, const struct socket_ops *ops, uint16_t family, uint16_t type,
                 int protocol);
/* Returns and clears the pending error: 0 or -errno. */
int socket_take_error(struct socket *s);
/* How far behind the first byte of what is queued a receive begins, and what it
 * makes of that: looking at `size` bytes goes on, taking them goes back. */
static inline size_t socket_peek_at(const struct socket *s, const struct message *m) {
    return m->flags & MSG_PEEK && s->peek_offset > 0 ? (size_t)s->peek_offset : 0;
}
void socket_peeked(struct socket *s, const struct message *m, size_t size);
/* The socket of a file; NULL: it is none. */
struct socket *socket_of(struct file *f);
/* Makes it a file; the file owns it.  NULL: no memory, the socket is closed. */
struct file *socket_file(struct socket *s, uint32_t flags);

/* The ioctls about network interfaces (SIOCGIFCONF ...), for every socket;
 * -ENOTTY.  Weak: without a network there are none. */
long interface_ioctl(unsigned long request, vaddr_t arg) __attribute__((weak));

struct socket_family {
    uint16_t family;
    int (*create)(int type, int protocol, struct socket **out);
    int (*pair)(int type, int protocol, struct socket *out[2]); /* NULL: -EOPNOTSUPP */
};
#define SOCKET_FAMILY(f)                                                                           \
    __attribute__((                                                                                \
        used, section(".socket_families." #f))) static const struct socket_family *const f##_row = \
        &(f)

#endif
