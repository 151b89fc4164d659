/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What uring.c (rings, requests, completions), uring_register.c (what they know
 * by number) and uring_ops.c (what requests do) share.  Numbers and layouts are Linux's
 * (linux/io_uring.h).
 */
#ifndef SYSCALL_URING_IMPL_H
#define SYSCALL_URING_IMPL_H

#include "clock/clock.h"
#include "lib/list.h"
#include "sched/thread.h"
#include "sched/ticker.h"
#include "vfs/file.h"

enum uring_op {
    OP_NOP,
    OP_READV,
    OP_WRITEV,
    OP_FSYNC,
    OP_READ_FIXED,
    OP_WRITE_FIXED,
    OP_POLL_ADD,
    OP_POLL_REMOVE,
    OP_SYNC_FILE_RANGE,
    OP_SENDMSG,
    OP_RECVMSG,
    OP_TIMEOUT,
    OP_TIMEOUT_REMOVE,
    OP_ACCEPT,
    OP_ASYNC_CANCEL,
    OP_LINK_TIMEOUT,
    OP_CONNECT,
    OP_FALLOCATE,
    OP_OPENAT,
    OP_CLOSE,
    OP_FILES_UPDATE,
    OP_STATX,
    OP_READ,
    OP_WRITE,
    OP_FADVISE,
    OP_MADVISE,
    OP_SEND,
    OP_RECV,
    OP_OPENAT2,
    OP_EPOLL_CTL,
    OP_SPLICE,
    OP_PROVIDE_BUFFERS,
    OP_REMOVE_BUFFERS,
    OP_TEE,
    OP_SHUTDOWN,
    OP_RENAMEAT,
    OP_UNLINKAT,
    OP_MKDIRAT,
    OP_SYMLINKAT,
    OP_LINKAT,
    OP_MSG_RING,
    OP_FSETXATTR,
    OP_SETXATTR,
    OP_FGETXATTR,
    OP_GETXATTR,
    OP_SOCKET,
    OP_URING_CMD,
    OP_SEND_ZC,
    OP_SENDMSG_ZC,
    OP_READ_MULTISHOT,
    OP_WAITID,
    OP_FUTEX_WAIT,
    OP_FUTEX_WAKE,
    OP_FUTEX_WAITV,
    OP_FIXED_FD_INSTALL,
    OP_FTRUNCATE,
    OP_BIND,
    OP_LISTEN,
    OPS,
};

/* sqe.flags */
#define SQE_FIXED_FILE 1u
#define SQE_DRAIN 2u
#define SQE_LINK 4u
#define SQE_HARDLINK 8u
#define SQE_ASYNC 16u
#define SQE_BUFFER_SELECT 32u
#define SQE_SKIP_SUCCESS 64u
#define SQE_FLAGS 127u

/* cqe.flags */
#define CQE_BUFFER 1u
#define CQE_MORE 2u
#define CQE_NOTIF 8u
#define CQE_BUFFER_MORE 16u
#define CQE_BUFFER_SHIFT 16u

#define FILE_INDEX_ALLOC UINT32_MAX

struct sqe {
    uint8_t opcode, flags;
    uint16_t ioprio;
    int32_t fd;
    uint64_t off;  /* also: addr2, a second address */
    uint64_t addr; /* also: splice's offset of the input */
    uint32_t len;
    uint32_t op_flags; /* of the operation */
    uint64_t user_data;
    uint16_t buffer; /* index of a fixed one, or a group */
    uint16_t personality;
    uint32_t file_index; /* also: splice's input, an address's length */
    uint64_t addr3, pad;
};
_Static_assert(sizeof(struct sqe) == 64, "an ABI");

struct cqe {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

enum request_state { REQUEST_QUEUED, REQUEST_ARMED };

struct request {
    struct list node; /* in ready, deferred, or by itself */
    struct list all;  /* in the ring's requests */
    struct uring *ring;
    struct sqe sqe;    /* as it was when it was submitted */
    struct file *file; /* what fd or index named, with a reference; or NULL */
    struct watcher watcher;
    struct ticker ticker; /* its timeout, while `timing` */
    bool watching, timing;
    bool started;   /* has been issued once */
    bool multishot; /* goes on after a completion */
    bool expired;   /* its timer is over */
    bool counted;   /* timeouts: as many completions as it waited for */
    bool connecting;
    bool cancelled;          /* it is not tried again */
    bool silent;             /* nobody is told how it ended */
    bool fell_short;         /* less than all: what is linked behind it comes to nothing */
    bool waits_for_input;    /* of a splice: not for its output */
    struct file *input;      /* of a splice, with a reference; or NULL */
    struct request *next;    /* linked: starts when this one has succeeded */
    struct request *timeout; /* a linked timeout of this one */
    struct request *limits;  /* of a linked timeout: what it is for; NULL: that is done */
    uint64_t target;         /* timeouts: the number of completions */
    struct request_end {
        uint64_t at; /* ns; UINT64_MAX: never */
        bool wall;   /* by the wall clock, not the monotonic one */
    } end;
    size_t done; /* bytes so far, where all are wanted */
    uint32_t cqe_flags;
    uint64_t buffer_addr; /* selected, or 0 */
    uint32_t buffer_size;
};

struct fixed_buffer {
    uint64_t addr, size;
};

struct buffer_group {
    struct list node;
    uint16_t id;
    struct list buffers; /* that were provided */
    uint64_t ring;       /* or a ring in the app's memory */
    uint32_t entries;
    uint16_t head;
    bool piecemeal; /* a buffer is used up bit by bit */
};

struct uring {
    struct wait_queue queue; /* who waits for completions, or polls */
    struct list node;        /* among all rings */
    struct file *file;       /* it is the ring's, which lives as long; no reference */
    struct list requests;    /* not completed yet */
    struct list ready;       /* to be issued */
    struct list deferred;    /* behind a request that drains */
    struct list overflow;    /* completions without room */
    struct list groups;
    uint32_t started;  /* requests that are issued and not completed */
    uint64_t posted;   /* completions but of timeouts */
    uint32_t counting; /* timeouts that wait for completions */
    uint32_t owner;    /* thread id of who submitted last */
    bool disabled;
    bool drain_next; /* the next request or chain waits for all before it */
    bool submit_all; /* one bad request does not end a submission */
    bool pumping;
    bool waking; /* its queue is being woken */

    struct rings *shared;
    size_t shared_size; /* bytes */
    uint32_t sq_entries, cq_entries;
    uint32_t sq_head, cq_tail; /* what counts, whatever stands in the shared ones */
    struct cqe *cqes;
    uint32_t *array; /* NULL: in order */
    paddr_t sqes;
    uint32_t refs; /* the file, and mappings */
    struct file *eventfd;

    struct file **files;
    uint32_t file_count;
    struct fixed_buffer *buffers;
    uint32_t buffer_count;
};

/* Can it be a request at all?  0 or -errno. */
long uring_check(const struct request *r);
/* What it says, -errno, or URING_WAIT: it will be ready at `events`. */
#define URING_WAIT (-100000l)
#define URING_PENDING (-100001l) /* somebody else will complete it */
long uring_run(struct request *r);
/* Poll bits that a request which waits waits for. */
unsigned uring_events(const struct request *r);
bool uring_supported(unsigned op);

void uring_post(struct uring *u, uint64_t user_data, long result, uint32_t flags);
void uring_complete(struct request *r, long result);
void uring_start_timer(struct request *r); /* anew, when its end has changed */
/* Of a linked timeout: reads when it is over; -errno. */
long uring_link_end(struct request *r);
void uring_stop(struct request *r); /* it is cancelled the next time it is tried */
/* Cancels by ASYNC_CANCEL's rules: how many, or -ENOENT. */
long uring_cancel(struct uring *u, const struct request *by, uint64_t key, int fd, unsigned flags);
#define CANCEL_ALL 1u
#define CANCEL_FD 2u
#define CANCEL_ANY 4u
#define CANCEL_FD_FIXED 8u
#define CANCEL_USERDATA 16u
#define CANCEL_OP 32u
#define CANCEL_FLAGS 63u
void uring_pump(struct uring *u); /* tries all that is ready */
/* The ring of a file, or NULL. */
struct uring *uring_of(const struct file *f);
/* Whole pages of zeros that neighbour each other, or NULL. */
void *uring_table_new(size_t bytes);
void uring_table_free(void *table, size_t bytes);
/* A fixed file's slot: takes over the reference (NULL: empties it). */
long uring_install(struct uring *u, struct file *f, uint32_t index);
struct file *uring_file(const struct uring *u, uint32_t index); /* no reference taken */
/* `first`: nothing stands there yet. */
long uring_files_update(struct uring *u, uint32_t offset, vaddr_t fds, uint32_t count, bool first);
struct buffer_group *uring_group(struct uring *u, uint16_t id);
void uring_group_free(struct buffer_group *g);
void uring_unregister(struct uring *u); /* all of it, as the ring goes */

struct provided {
    struct list node;
    uint64_t addr;
    uint32_t size;
    uint16_t id;
};

#endif
