/* SPDX-License-Identifier: BSD-3-Clause
 *
 * io_uring(7): rings, requests, completions; io_uring_setup and io_uring_enter.
 *
 * A request is tried at once, without waiting.  One that would wait watches its
 * file; when that wakes it is queued, and tried again by whoever is in the
 * kernel next: in io_uring_enter, in a poll of the ring, or any thread on its way
 * back to the app, where the one that submitted it is sent for.  Nothing is done behind the
 * app's back by a thread of the kernel's own, so SQPOLL and IOPOLL do not exist.
 *
 * The rings lie in memory that the app may change at any time: what is read
 * there is read once and checked.
 */
#include "app/app.h"
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/eventfd.h"
#include "syscall/linux.h"
#include "syscall/poll.h"
#include "syscall/syscall.h"
#include "syscall/time.h"
#include "syscall/uring_impl.h"

#define ENTRIES_MAX 32768u
#define CQ_ENTRIES_MAX (2 * ENTRIES_MAX)

#define SETUP_CQSIZE 8u
#define SETUP_CLAMP 16u
#define SETUP_ATTACH_WQ 32u
#define SETUP_R_DISABLED 64u
#define SETUP_SUBMIT_ALL 128u
#define SETUP_COOP_TASKRUN 256u
#define SETUP_TASKRUN_FLAG 512u
#define SETUP_SINGLE_ISSUER 4096u
#define SETUP_DEFER_TASKRUN 8192u
#define SETUP_NO_SQARRAY 65536u
#define SETUP_FLAGS                                                                                \
    (SETUP_CQSIZE | SETUP_CLAMP | SETUP_ATTACH_WQ | SETUP_R_DISABLED | SETUP_SUBMIT_ALL |          \
     SETUP_COOP_TASKRUN | SETUP_TASKRUN_FLAG | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN |         \
     SETUP_NO_SQARRAY)

/* SINGLE_MMAP, NODROP, RW_CUR_POS, CUR_PERSONALITY, FAST_POLL,
 * POLL_32BITS, EXT_ARG, NATIVE_WORKERS, RSRC_TAGS, CQE_SKIP, LINKED_FILE; not
 * SUBMIT_STABLE: a request that waits reads its vectors again. */
#define FEATURES 0x1f7bu

#define ENTER_GETEVENTS 1u
#define ENTER_SQ_WAKEUP 2u
#define ENTER_SQ_WAIT 4u
#define ENTER_EXT_ARG 8u
#define ENTER_FLAGS 15u

#define SQ_CQ_OVERFLOW 2u
#define CQ_EVENTFD_DISABLED 1u

#define OFF_CQ_RING 0x8000000ul
#define OFF_SQES 0x10000000ul

struct rings { /* shared with the app; cqes and array follow */
    uint32_t sq_head, sq_tail, cq_head, cq_tail;
    uint32_t sq_mask, cq_mask, sq_entries, cq_entries;
    uint32_t sq_dropped, sq_flags, cq_flags, cq_overflow;
    uint32_t pad[4];
};
_Static_assert(sizeof(struct rings) == 64, "completions are aligned");

struct params { /* struct io_uring_params */
    uint32_t sq_entries, cq_entries, flags, thread_cpu, thread_idle, features, wq_fd, resv[3];
    struct {
        uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
        uint64_t user_addr;
    } sq;
    struct {
        uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
        uint64_t user_addr;
    } cq;
};
_Static_assert(sizeof(struct params) == 120, "an ABI");

struct overflown {
    struct list node;
    struct cqe cqe;
};

static struct list rings = LIST_INIT(rings);

static uint32_t load(const uint32_t *p) {
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint32_t *p, uint32_t value) {
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* ---- completions -------------------------------------------------------------------------- */

static uint32_t completions(const struct uring *u) {
    return u->cq_tail - load(&u->shared->cq_head);
}

static bool has_room(const struct uring *u) {
    return list_empty(&u->overflow) && completions(u) < u->cq_entries;
}

static bool put(struct uring *u, const struct cqe *cqe) {
    if (completions(u) >= u->cq_entries)
        return false;
    u->cqes[u->cq_tail & (u->cq_entries - 1)] = *cqe;
    store(&u->shared->cq_tail, ++u->cq_tail);
    return true;
}

/* What had no room goes out, oldest first. */
static void flush_overflow(struct uring *u) {
    for (struct list *node; (node = list_first(&u->overflow));) {
        struct overflown *o = list_entry(node, struct overflown, node);
        if (!put(u, &o->cqe))
            return;
        list_remove(node);
        heap_free(o, sizeof *o);
    }
    store(&u->shared->sq_flags, u->shared->sq_flags & ~SQ_CQ_OVERFLOW);
}

static unsigned telling; /* rings of which others are being told */

/* Requests may wait for rings, their own too, and for what these wake: whoever is
 * told while all are told is told once, and the list of them stays as it is. */
static void tell(struct uring *u) {
    if (u->waking)
        return;
    u->waking = true;
    telling++;
    if (u->eventfd && eventfd_signal && !(load(&u->shared->cq_flags) & CQ_EVENTFD_DISABLED))
        eventfd_signal(u->eventfd);
    wake_events(&u->queue, POLLIN | POLLRDNORM);
    telling--;
    u->waking = false;
}

void uring_post(struct uring *u, uint64_t user_data, long result, uint32_t flags) {
    const struct cqe cqe = {user_data, (int32_t)result, flags};
    if (!list_empty(&u->overflow) || !put(u, &cqe)) {
        struct overflown *o = heap_alloc(sizeof *o);
        if (o) {
            o->cqe = cqe;
            list_push_back(&u->overflow, &o->node);
            store(&u->shared->sq_flags, u->shared->sq_flags | SQ_CQ_OVERFLOW);
        } else {
            store(&u->shared->cq_overflow, u->shared->cq_overflow + 1);
        }
    }
    tell(u);
}

static void make_ready(struct request *r) {
    if (list_linked(&r->node))
        return;
    list_push_back(&r->ring->ready, &r->node);
}

/* Timeouts that wait for completions count this one. */
static void count(struct uring *u) {
    u->posted++;
    if (!u->counting)
        return;
    list_for_each (node, &u->requests) {
        struct request *r = list_entry(node, struct request, all);
        if (r->target && r->started && u->posted >= r->target && !r->counted) {
            r->counted = true;
            make_ready(r);
        }
    }
}

static void disarm(struct request *r) {
    if (r->watching)
        wait_unwatch(&r->watcher);
    r->watching = false;
    if (r->timing)
        ticker_end(&r->ticker);
    r->timing = false;
}

static void request_free(struct request *r) {
    disarm(r);
    r->ring->counting -= r->target != 0;
    list_remove(&r->node);
    list_remove(&r->all);
    if (r->file)
        file_put(r->file);
    if (r->input)
        file_put(r->input);
    heap_free(r, sizeof *r);
}

static bool failed(const struct request *r, long result) {
    if (r->sqe.opcode == OP_TIMEOUT && result == -ETIME && r->sqe.op_flags & (1u << 5))
        return false; /* TIMEOUT_ETIME_SUCCESS */
    return result < 0 || r->fell_short;
}

/* Ends a chain none of which was done: `bad`, which may be NULL, with `error`. */
static void cancel_chain(struct request *r, const struct request *bad, long error, bool silent) {
    while (r) {
        struct request *next = r->next, *timeout = r->timeout;
        r->next = r->timeout = NULL;
        r->silent = silent;
        if (timeout) {
            timeout->limits = NULL;
            timeout->silent = silent;
            uring_complete(timeout, timeout == bad ? error : -ECANCELED);
        }
        uring_complete(r, r == bad ? error : -ECANCELED);
        r = next;
    }
}

void uring_complete(struct request *r, long result) {
    struct uring *u = r->ring;
    struct request *next = r->next, *timeout = r->timeout;
    bool broken = failed(r, result) && !(r->sqe.flags & SQE_HARDLINK);
    bool ended = r->sqe.opcode == OP_LINK_TIMEOUT && (result == -ETIME || result == -ECANCELED);
    bool skips = r->sqe.flags & SQE_SKIP_SUCCESS;
    bool silent = r->silent || (skips && (result >= 0 || ended));
    bool is_timeout = r->sqe.opcode == OP_TIMEOUT || r->sqe.opcode == OP_LINK_TIMEOUT;
    if (!silent)
        uring_post(u, r->sqe.user_data, result, r->cqe_flags);
    if (r->limits)
        r->limits->timeout = NULL;
    u->started -= r->started;
    request_free(r);
    if (!is_timeout && !silent)
        count(u);
    if (timeout) {
        timeout->limits = NULL;
        disarm(timeout);
        uring_complete(timeout, -ECANCELED);
    }
    if (next && broken)
        cancel_chain(next, NULL, 0, skips);
    else if (next)
        make_ready(next);
}

/* ---- trying ------------------------------------------------------------------------------- */

/* Something happened: whoever serves the ring is to try again. */
static void kick(struct request *r) {
    struct uring *u = r->ring;
    make_ready(r);
    tell(u);
    const struct thread *owner = u->owner ? thread_of(u->owner) : NULL;
    bool anyone = !owner || owner->state == THREAD_WAITING; /* it may sleep for long */
    list_for_each (node, &thread_all) {
        struct thread *t = list_entry(node, struct thread, all);
        t->work |= THREAD_WORK_RING;
        if (t->state != THREAD_WAITING && (anyone || t == owner))
            thread_wake(t); /* out of the app's code, if that is where it is */
    }
}

static void woken(struct watcher *w) {
    struct request *r = container_of(w, struct request, watcher);
    if (!watcher_concerned(w, uring_events(r) | POLLERR | POLLHUP))
        return;
    wait_unwatch(w);
    r->watching = false;
    if (telling && r->sqe.opcode == OP_POLL_ADD)
        r->sqe.len = 0; /* its completion may be what it waits for next: this is the last */
    kick(r);
}

static void timed_out(struct ticker *t) {
    struct request *r = container_of(t, struct request, ticker);
    ticker_end(t);
    r->timing = false;
    r->expired = true;
    kick(r);
}

void uring_start_timer(struct request *r) {
    if (r->end.at == UINT64_MAX || r->expired)
        return;
    r->ticker.clock = r->end.wall ? TICKER_REALTIME : TICKER_MONOTONIC;
    r->ticker.fn = timed_out;
    r->timing = true;
    ticker_set(&r->ticker, r->end.at, 0);
}

/* It has to wait.  False: there is nothing that would wake it. */
static bool arm(struct request *r) {
    struct file *f = r->waits_for_input ? r->input : r->file;
    struct wait_queue *q = f && f->ops->wait ? f->ops->wait(f) : NULL;
    if (!q)
        return false;
    wait_watch(q, &r->watcher, woken);
    r->watching = true;
    return true;
}

/* Would it wait if it was tried now? */
static bool would_wait(const struct request *r) {
    struct file *f = r->file;
    return f->ops->poll && !(f->ops->poll(f) & (uring_events(r) | POLLERR | POLLHUP));
}

static void issue(struct request *r) {
    struct uring *u = r->ring;
    if (!r->started) {
        r->started = true;
        u->started++;
    }
    if (r->watching)
        disarm(r);
    for (;;) {
        long result = r->cancelled ? -ECANCELED : uring_run(r);
        if (result == URING_PENDING) {
            uring_start_timer(r);
            break;
        }
        if (result == URING_WAIT) {
            if (arm(r) || r->sqe.opcode == OP_POLL_ADD)
                break; /* what nothing wakes is polled until it is cancelled */
            result = -EAGAIN;
        }
        bool more = r->multishot && !r->cancelled && has_room(u) &&
                    (result > 0 || (result == 0 && r->sqe.opcode == OP_ACCEPT));
        if (!more) {
            uring_complete(r, result);
            return;
        }
        /* What holds now is told, and the next change waited for. */
        if (r->sqe.opcode == OP_POLL_ADD && !arm(r)) {
            uring_complete(r, result);
            return;
        }
        uring_post(u, r->sqe.user_data, result, r->cqe_flags | CQE_MORE);
        count(u);
        r->cqe_flags = 0;
        if (r->sqe.opcode == OP_POLL_ADD || (would_wait(r) && arm(r)))
            break;
    }
    if (r->timeout && !r->timeout->started) {
        r->timeout->started = true;
        u->started++;
        uring_start_timer(r->timeout);
    }
}

/* Requests behind one that drains go on when all before them are done. */
static bool undefer(struct uring *u) {
    struct list *node = list_first(&u->deferred);
    struct request *r = node ? list_entry(node, struct request, node) : NULL;
    if (!r || (r->sqe.flags & SQE_DRAIN && u->started))
        return false;
    list_remove(node);
    make_ready(r);
    return true;
}

/* Tries all that is ready.  What is tried may sleep, and another thread close
 * the ring meanwhile: it stays until the end. */
void uring_pump(struct uring *u) {
    if (u->pumping)
        return;
    struct file *file = file_get(u->file);
    u->pumping = true;
    do {
        for (struct list *node; (node = list_pop_front(&u->ready));)
            issue(list_entry(node, struct request, node));
    } while (undefer(u));
    flush_overflow(u);
    u->pumping = false;
    file_put(file);
}

static struct uring *first_ready(void) {
    list_for_each (node, &rings) {
        struct uring *u = list_entry(node, struct uring, node);
        if (!u->pumping && !list_empty(&u->ready))
            return u;
    }
    return NULL;
}

void uring_work(void) {
    for (struct uring *u; (u = first_ready());)
        uring_pump(u);
}

/* ---- cancelling --------------------------------------------------------------------------- */

void uring_stop(struct request *r) {
    disarm(r);
    r->cancelled = true;
    make_ready(r);
}

static bool meant(const struct request *r, uint64_t key, const struct file *f, unsigned flags) {
    if (flags & CANCEL_ANY)
        return true;
    if (flags & CANCEL_FD && (r->file != f || !(flags & (CANCEL_USERDATA | CANCEL_OP))))
        return r->file == f;
    if (flags & CANCEL_OP)
        return r->sqe.opcode == key;
    return r->sqe.user_data == key;
}

static long cancel_those(struct uring *u, const struct request *by, uint64_t key,
                         const struct file *f, unsigned flags) {
    long found = 0;
    bool all = flags & (CANCEL_ALL | CANCEL_ANY);
    for (struct list *node = u->requests.next, *next; node != &u->requests; node = next) {
        struct request *r = list_entry(node, struct request, all);
        next = node->next;
        /* One whose turn has not come is none that can be found. */
        if (r == by || r->cancelled || !r->started || r->sqe.opcode == OP_LINK_TIMEOUT ||
            !meant(r, key, f, flags))
            continue;
        uring_stop(r);
        found++;
        if (!all)
            return 0;
    }
    return found ? found : all ? 0 : -ENOENT;
}

long uring_cancel(struct uring *u, const struct request *by, uint64_t key, int fd, unsigned flags) {
    bool fixed = flags & CANCEL_FD_FIXED;
    if (flags & ~CANCEL_FLAGS || (fixed && !(flags & CANCEL_FD)) ||
        (flags & CANCEL_ANY && flags & (CANCEL_FD | CANCEL_OP)))
        return -EINVAL;
    if (!(flags & CANCEL_FD))
        return cancel_those(u, by, key, NULL, flags);
    struct file *f = fixed ? uring_file(u, (uint32_t)fd) : fd_get(fd);
    long result = f ? cancel_those(u, by, key, f, flags) : -EBADF;
    if (f && !fixed)
        file_put(f);
    return result;
}

/* ---- tables ------------------------------------------------------------------------------- */

void *uring_table_new(size_t bytes) {
    size_t frames = ALIGN_UP(bytes, PAGE_SIZE) / PAGE_SIZE;
    paddr_t at = frames ? frame_find_run(frames) : 0;
    return at ? memset(phys_to_virt(at), 0, frames * PAGE_SIZE) : NULL;
}

void uring_table_free(void *table, size_t bytes) {
    for (size_t at = 0; table && at < bytes; at += PAGE_SIZE)
        frame_free(virt_to_phys(table) + at);
}

/* ---- as a file ---------------------------------------------------------------------------- */

static void uring_free(struct uring *u) {
    if (--u->refs)
        return;
    uring_table_free(u->shared, u->shared_size);
    uring_table_free(phys_to_virt(u->sqes), u->sq_entries * sizeof(struct sqe));
    heap_free(u, sizeof *u);
}

static void ring_close(struct file *f) {
    struct uring *u = f->data;
    u->pumping = true; /* nothing more is tried */
    list_remove(&u->node);
    for (struct list *node; (node = list_first(&u->requests));)
        request_free(list_entry(node, struct request, all));
    for (struct list *node; (node = list_pop_front(&u->overflow));)
        heap_free(list_entry(node, struct overflown, node), sizeof(struct overflown));
    uring_unregister(u);
    uring_free(u);
}

static unsigned ring_poll(struct file *f) {
    struct uring *u = f->data;
    uring_pump(u);
    uint32_t used = load(&u->shared->sq_tail) - u->sq_head;
    return (completions(u) || !list_empty(&u->overflow) ? POLLIN | POLLRDNORM : 0) |
           (used < u->sq_entries ? POLLOUT | POLLWRNORM : 0);
}

static struct wait_queue *ring_queue(struct file *f) {
    return &((struct uring *)f->data)->queue;
}

static int ring_info(struct file *f, struct file_info *out) {
    (void)f;
    *out = (struct file_info){.mode = 0600, .links = 1};
    return 0;
}

/* Mappings: the rings at 0 and OFF_CQ_RING, the submissions at OFF_SQES. */
struct ring_source {
    struct area_source source;
    struct uring *ring;
    uint32_t refs;
};

static paddr_t source_get(struct area_source *s, uint64_t index, enum area_use use, bool *owned) {
    const struct uring *u = container_of(s, struct ring_source, source)->ring;
    uint64_t at = index * PAGE_SIZE;
    *owned = use == AREA_COPY;
    paddr_t frame = 0;
    if (at >= OFF_SQES)
        frame = at - OFF_SQES < u->sq_entries * sizeof(struct sqe) ? u->sqes + (at - OFF_SQES) : 0;
    else if (at % OFF_CQ_RING < u->shared_size)
        frame = virt_to_phys(u->shared) + at % OFF_CQ_RING;
    if (!*owned || !frame)
        return frame;
    paddr_t copy = frame_alloc();
    if (copy)
        memcpy(phys_to_virt(copy), phys_to_virt(frame), PAGE_SIZE);
    return copy;
}

static void source_ref(struct area_source *s) {
    container_of(s, struct ring_source, source)->refs++;
}

static void source_unref(struct area_source *s) {
    struct ring_source *r = container_of(s, struct ring_source, source);
    if (--r->refs)
        return;
    uring_free(r->ring);
    heap_free(r, sizeof *r);
}

static uint64_t source_size(struct area_source *s) {
    const struct uring *u = container_of(s, struct ring_source, source)->ring;
    return OFF_SQES + u->sq_entries * sizeof(struct sqe);
}

static struct area_source *ring_source(struct file *f) {
    struct ring_source *s = heap_alloc(sizeof *s);
    if (!s)
        return NULL;
    s->source = (struct area_source){source_get, source_ref, source_unref, source_size};
    s->ring = f->data;
    s->ring->refs++;
    s->refs = 1;
    return &s->source;
}

static const struct file_ops ops = {
    .info = ring_info,
    .seek = file_seek_nowhere,
    .poll = ring_poll,
    .wait = ring_queue,
    .source = ring_source,
    .close = ring_close,
    .name = "anon_inode:[io_uring]",
};

struct uring *uring_of(const struct file *f) {
    return f->ops == &ops ? f->data : NULL;
}

/* ---- io_uring_setup ----------------------------------------------------------------------- */

static uint32_t power_of_two(uint32_t n) {
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static long check_params(uint32_t entries, struct params *p) {
    if (p->flags & ~SETUP_FLAGS || p->resv[0] || p->resv[1] || p->resv[2])
        return -EINVAL;
    if (p->flags & SETUP_TASKRUN_FLAG && !(p->flags & (SETUP_COOP_TASKRUN | SETUP_DEFER_TASKRUN)))
        return -EINVAL;
    if (p->flags & SETUP_DEFER_TASKRUN && !(p->flags & SETUP_SINGLE_ISSUER))
        return -EINVAL;
    if (!entries || (entries > ENTRIES_MAX && !(p->flags & SETUP_CLAMP)))
        return -EINVAL;
    p->sq_entries = power_of_two(MIN(entries, ENTRIES_MAX));
    if (!(p->flags & SETUP_CQSIZE)) {
        p->cq_entries = 2 * p->sq_entries;
        return 0;
    }
    if (!p->cq_entries || (p->cq_entries > CQ_ENTRIES_MAX && !(p->flags & SETUP_CLAMP)))
        return -EINVAL;
    p->cq_entries = power_of_two(MIN(p->cq_entries, CQ_ENTRIES_MAX));
    return p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

static struct uring *uring_new(struct params *p) {
    struct uring *u = heap_alloc(sizeof *u);
    if (!u)
        return NULL;
    bool array = !(p->flags & SETUP_NO_SQARRAY);
    size_t cqes = p->cq_entries * sizeof(struct cqe);
    u->shared_size = ALIGN_UP(sizeof(struct rings) + cqes + p->sq_entries * 4ul * array, PAGE_SIZE);
    u->shared = uring_table_new(u->shared_size);
    struct sqe *sqes = u->shared ? uring_table_new(p->sq_entries * sizeof *sqes) : NULL;
    if (!sqes) {
        uring_table_free(u->shared, u->shared_size);
        heap_free(u, sizeof *u);
        return NULL;
    }
    u->sqes = virt_to_phys(sqes);
    u->sq_entries = p->sq_entries;
    u->cq_entries = p->cq_entries;
    u->cqes = (struct cqe *)(u->shared + 1);
    u->array = array ? (uint32_t *)(u->cqes + p->cq_entries) : NULL;
    u->shared->sq_entries = p->sq_entries;
    u->shared->cq_entries = p->cq_entries;
    u->shared->sq_mask = p->sq_entries - 1;
    u->shared->cq_mask = p->cq_entries - 1;
    u->disabled = p->flags & SETUP_R_DISABLED;
    u->submit_all = p->flags & SETUP_SUBMIT_ALL;
    u->refs = 1;
    wait_queue_init(&u->queue, false);
    list_init(&u->requests);
    list_init(&u->ready);
    list_init(&u->deferred);
    list_init(&u->overflow);
    list_init(&u->groups);
    list_push_back(&rings, &u->node);
    return u;
}

static void tell_params(const struct uring *u, struct params *p) {
    p->features = FEATURES;
    p->sq.head = offsetof(struct rings, sq_head);
    p->sq.tail = offsetof(struct rings, sq_tail);
    p->sq.ring_mask = offsetof(struct rings, sq_mask);
    p->sq.ring_entries = offsetof(struct rings, sq_entries);
    p->sq.flags = offsetof(struct rings, sq_flags);
    p->sq.dropped = offsetof(struct rings, sq_dropped);
    p->sq.array = u->array ? (uint32_t)((char *)u->array - (char *)u->shared) : 0;
    p->cq.head = offsetof(struct rings, cq_head);
    p->cq.tail = offsetof(struct rings, cq_tail);
    p->cq.ring_mask = offsetof(struct rings, cq_mask);
    p->cq.ring_entries = offsetof(struct rings, cq_entries);
    p->cq.overflow = offsetof(struct rings, cq_overflow);
    p->cq.flags = offsetof(struct rings, cq_flags);
    p->cq.cqes = sizeof(struct rings);
}

SYSCALL_HANDLER(io_uring_setup) {
    struct params p;
    if (user_read(&p, b, sizeof p))
        return -EFAULT;
    long error = check_params((uint32_t)a, &p);
    if (!error && p.flags & SETUP_ATTACH_WQ) {
        struct file *wq = fd_get((int)p.wq_fd);
        error = !wq ? -EBADF : uring_of(wq) ? 0 : -EINVAL;
        if (wq)
            file_put(wq);
    }
    if (error)
        return error;
    struct uring *u = uring_new(&p);
    struct file *file = u ? file_new(&ops, O_RDWR, u) : NULL;
    if (!file) {
        if (u) {
            list_remove(&u->node);
            uring_free(u);
        }
        return -ENOMEM;
    }
    u->file = file;
    tell_params(u, &p);
    int fd = user_write(b, &p, sizeof p) ? -EFAULT : fd_install(file, 0, true);
    if (fd < 0)
        file_put(file);
    return fd;
}

/* ---- io_uring_enter ----------------------------------------------------------------------- */

/* The next submission, copied; false: there is none. */
static bool next_sqe(struct uring *u, struct sqe *out) {
    struct rings *s = u->shared;
    uint32_t mask = u->sq_entries - 1, left = MIN(load(&s->sq_tail) - u->sq_head, u->sq_entries);
    while (left--) {
        uint32_t at = u->sq_head++ & mask, index = u->array ? load(&u->array[at]) : at;
        store(&s->sq_head, u->sq_head);
        if (index < u->sq_entries) {
            memcpy(out, (struct sqe *)phys_to_virt(u->sqes) + index, sizeof *out);
            return true;
        }
        store(&s->sq_dropped, s->sq_dropped + 1);
    }
    return false;
}

static struct request *request_new(struct uring *u, const struct sqe *sqe) {
    struct request *r = heap_alloc(sizeof *r);
    if (!r)
        return NULL;
    r->ring = u;
    r->sqe = *sqe;
    r->end.at = UINT64_MAX;
    list_init(&r->node);
    list_push_back(&u->requests, &r->all);
    return r;
}

/* Adds one to the chain that is being collected. */
struct chain {
    struct request *first, *last, *bad;
    long error; /* of the bad one: nothing of the chain is done then */
};

static void chain_add(struct chain *c, struct request *r) {
    if (c->last && r->sqe.opcode == OP_LINK_TIMEOUT && !c->last->timeout) {
        c->last->timeout = r;
        r->limits = c->last;
        return;
    }
    if (c->last)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
}

static void chain_start(struct uring *u, struct chain *c) {
    struct request *r = c->first, *bad = c->bad;
    long error = c->error;
    *c = (struct chain){.first = NULL};
    if (bad) {
        cancel_chain(r, bad, error, false);
        return;
    }
    if (!r)
        return;
    bool drains = u->drain_next;
    u->drain_next = false;
    for (const struct request *n = r; n; n = n->next) { /* one makes all of the chain drain */
        drains = drains || n->sqe.flags & SQE_DRAIN;
        u->drain_next = u->drain_next || (n != r && n->sqe.flags & SQE_DRAIN);
    }
    r->sqe.flags |= drains ? SQE_DRAIN : 0;
    if (!list_empty(&u->deferred) || (r->sqe.flags & SQE_DRAIN && u->started))
        list_push_back(&u->deferred, &r->node);
    else
        make_ready(r);
    uring_pump(u);
}

static long submit(struct uring *u, uint32_t number) {
    struct chain c = {.first = NULL};
    struct sqe sqe;
    long done = 0;
    u->owner = thread_current()->id;
    while (done < (long)number && next_sqe(u, &sqe)) {
        struct request *r = request_new(u, &sqe);
        if (!r) {
            chain_start(u, &c);
            store(&u->shared->sq_head, --u->sq_head);
            return done ? done : -EAGAIN;
        }
        done++;
        bool links = sqe.flags & (SQE_LINK | SQE_HARDLINK);
        chain_add(&c, r);
        long error = uring_check(r);
        if (!error && sqe.opcode == OP_LINK_TIMEOUT)
            error = r->limits ? uring_link_end(r) : -EINVAL; /* of nothing, or a second one */
        if (error && !c.bad) {
            c.bad = r;
            c.error = error;
        }
        if (!links)
            chain_start(u, &c);
        if (error && !links && !u->submit_all)
            break;
    }
    chain_start(u, &c);
    return done;
}

struct enter_arg { /* struct io_uring_getevents_arg */
    uint64_t mask;
    uint32_t mask_size, min_wait_us;
    uint64_t timeout;
};

static long wait_completions(struct uring *u, uint32_t least, uint64_t deadline) {
    least = MIN(least, u->cq_entries);
    for (;;) {
        uring_pump(u);
        if (completions(u) >= least)
            return 0;
        int error = wait_on(&u->queue, deadline);
        if (error) {
            uring_pump(u);
            return completions(u) ? 0 : error == -ETIMEDOUT ? -ETIME : error;
        }
    }
}

static long enter(struct uring *u, uint32_t number, uint32_t least, uint32_t flags, vaddr_t arg,
                  size_t size) {
    struct enter_arg a = {.mask = arg, .mask_size = (uint32_t)size};
    uint64_t ns = 0, deadline = UINT64_MAX;
    if (u->disabled)
        return -EBADFD;
    long done = submit(u, number);
    /* Whoever submits less than was meant is told at once. */
    if (done != (long)number || !(flags & ENTER_GETEVENTS)) {
        uring_pump(u);
        return done;
    }
    long error = 0;
    if (flags & ENTER_EXT_ARG)
        error = size != sizeof a ? -EINVAL : user_read(&a, arg, sizeof a);
    if (!error && flags & ENTER_EXT_ARG && a.timeout)
        error = time_read(a.timeout, &ns);
    if (!error && flags & ENTER_EXT_ARG && a.timeout)
        deadline = time_deadline(ns);
    if (!error)
        error = poll_mask_set(a.mask, a.mask_size);
    if (!error) {
        error = wait_completions(u, least, deadline);
        poll_mask_back(error);
    }
    return done ? done : error;
}

SYSCALL_HANDLER(io_uring_enter) {
    if ((uint32_t)d & ~ENTER_FLAGS)
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    struct uring *u = uring_of(file);
    long result = u ? enter(u, (uint32_t)b, (uint32_t)c, (uint32_t)d, e, f) : -EOPNOTSUPP;
    file_put(file);
    return result;
}
