/* SPDX-License-Identifier: BSD-3-Clause
 *
 * io_uring_register(2): what a ring knows by number, that is fixed files,
 * buffers and groups of them, and the ring's other settings.
 */
#include "lib/align.h"
#include "lib/string.h"
#include "mm/area.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "syscall/eventfd.h"
#include "syscall/syscall.h"
#include "syscall/uring_impl.h"

#define FILES_MAX 32768u
#define BUFFERS_MAX 16384u

struct file *uring_file(const struct uring *u, uint32_t index) {
    return index < u->file_count ? u->files[index] : NULL;
}

long uring_install(struct uring *u, struct file *f, uint32_t index) {
    bool any = index == FILE_INDEX_ALLOC;
    for (index = any ? 0 : index; any && index < u->file_count && u->files[index];)
        index++;
    if (index >= u->file_count) {
        if (f)
            file_put(f);
        return !u->file_count ? -ENXIO : any ? -ENFILE : -EINVAL;
    }
    struct file *old = u->files[index];
    u->files[index] = f;
    if (old)
        file_put(old);
    return any ? (long)index : 0;
}

static void files_free(struct uring *u) {
    for (uint32_t i = 0; i < u->file_count; i++) {
        if (u->files[i])
            file_put(u->files[i]);
    }
    uring_table_free(u->files, u->file_count * sizeof *u->files);
    u->files = NULL;
    u->file_count = 0;
}

#define SKIP_FILE (-2)

/* How many were changed, or -errno when not even one could be. */
long uring_files_update(struct uring *u, uint32_t offset, vaddr_t fds, uint32_t number,
                        bool first) {
    uint32_t done = 0;
    long error = u->file_count ? 0 : -ENXIO;
    if (!error && (!number || offset > u->file_count || number > u->file_count - offset))
        error = -EINVAL;
    for (; !error && done < number; done++) {
        int fd;
        if (user_read(&fd, fds + done * sizeof fd, sizeof fd)) {
            error = -EFAULT;
            break;
        }
        if (fd == SKIP_FILE && !first)
            continue;
        struct file *f = fd >= 0 ? fd_get(fd) : NULL;
        if (!f && fd != -1) {
            error = -EBADF;
            break;
        }
        if (f && uring_of(f)) { /* it would keep itself */
            file_put(f);
            error = -EBADF;
            break;
        }
        uring_install(u, f, offset + done);
    }
    return done ? (long)done : error;
}

static long register_files(struct uring *u, vaddr_t fds, uint32_t number, bool sparse) {
    if (u->files)
        return -EBUSY;
    if (!number)
        return -EINVAL;
    if (number > FILES_MAX)
        return -EMFILE;
    u->files = uring_table_new(number * sizeof *u->files);
    if (!u->files)
        return -ENOMEM;
    u->file_count = number;
    long done = sparse ? number : uring_files_update(u, 0, fds, number, true);
    if (done == (long)number)
        return 0;
    files_free(u);
    return done < 0 ? done : -EBADF;
}

static void buffers_free(struct uring *u) {
    uring_table_free(u->buffers, u->buffer_count * sizeof *u->buffers);
    u->buffers = NULL;
    u->buffer_count = 0;
}

static long buffers_set(struct uring *u, uint32_t offset, vaddr_t at, uint32_t number) {
    for (uint32_t i = 0; i < number; i++) {
        struct fixed_buffer b;
        if (user_read(&b, at + i * sizeof b, sizeof b))
            return -EFAULT;
        if (!b.addr && b.size)
            return -EFAULT;
        if (b.addr && (!b.size || b.size > 1ul << 30 || !area_covers(b.addr, b.size)))
            return -EFAULT;
        u->buffers[offset + i] = b;
    }
    return 0;
}

static long register_buffers(struct uring *u, vaddr_t at, uint32_t number, bool sparse) {
    if (u->buffers)
        return -EBUSY;
    if (!number || number > BUFFERS_MAX)
        return -EINVAL;
    u->buffers = uring_table_new(number * sizeof *u->buffers);
    if (!u->buffers)
        return -ENOMEM;
    u->buffer_count = number;
    long error = sparse ? 0 : buffers_set(u, 0, at, number);
    if (error)
        buffers_free(u);
    return error;
}

struct buffer_group *uring_group(struct uring *u, uint16_t id) {
    list_for_each (node, &u->groups) {
        struct buffer_group *g = list_entry(node, struct buffer_group, node);
        if (g->id == id)
            return g;
    }
    return NULL;
}

void uring_group_free(struct buffer_group *g) {
    list_remove(&g->node);
    for (struct list *node; (node = list_pop_front(&g->buffers));)
        heap_free(list_entry(node, struct provided, node), sizeof(struct provided));
    heap_free(g, sizeof *g);
}

struct buffer_ring { /* struct io_uring_buf_reg */
    uint64_t addr;
    uint32_t entries;
    uint16_t id, flags;
    uint64_t resv[3];
};
#define RING_PIECEMEAL 2u

static long register_buffer_ring(struct uring *u, vaddr_t at) {
    struct buffer_ring b;
    if (user_read(&b, at, sizeof b))
        return -EFAULT;
    if (b.flags & ~RING_PIECEMEAL || !b.addr || b.addr % PAGE_SIZE || !b.entries ||
        b.entries & (b.entries - 1) || b.entries >= 65536)
        return -EINVAL;
    struct buffer_group *g = uring_group(u, b.id);
    if (g && (g->ring || !list_empty(&g->buffers)))
        return -EEXIST;
    if (!area_covers(b.addr, b.entries * 16ul))
        return -EFAULT;
    if (!g) {
        g = heap_alloc(sizeof *g);
        if (!g)
            return -ENOMEM;
        g->id = b.id;
        list_init(&g->buffers);
        list_push_back(&u->groups, &g->node);
    }
    g->ring = b.addr;
    g->entries = b.entries;
    g->head = 0;
    g->piecemeal = b.flags & RING_PIECEMEAL;
    return 0;
}

static long unregister_buffer_ring(struct uring *u, vaddr_t at) {
    struct buffer_ring b;
    if (user_read(&b, at, sizeof b))
        return -EFAULT;
    struct buffer_group *g = uring_group(u, b.id);
    if (!g || !g->ring)
        return g ? -EINVAL : -ENOENT;
    uring_group_free(g);
    return 0;
}

void uring_unregister(struct uring *u) {
    while (!list_empty(&u->groups))
        uring_group_free(list_entry(u->groups.next, struct buffer_group, node));
    files_free(u);
    buffers_free(u);
    if (u->eventfd)
        file_put(u->eventfd);
}

/* ---- the call ----------------------------------------------------------------------------- */

enum {
    REGISTER_BUFFERS,
    UNREGISTER_BUFFERS,
    REGISTER_FILES,
    UNREGISTER_FILES,
    REGISTER_EVENTFD,
    UNREGISTER_EVENTFD,
    REGISTER_FILES_UPDATE,
    REGISTER_EVENTFD_ASYNC,
    REGISTER_PROBE,
    REGISTER_PERSONALITY,
    UNREGISTER_PERSONALITY,
    REGISTER_ENABLE_RINGS = 12,
    REGISTER_FILES2,
    REGISTER_FILES_UPDATE2,
    REGISTER_BUFFERS2,
    REGISTER_BUFFERS_UPDATE,
    REGISTER_IOWQ_MAX_WORKERS = 19,
    REGISTER_PBUF_RING = 22,
    UNREGISTER_PBUF_RING,
    REGISTER_SYNC_CANCEL,
};

struct resources { /* struct io_uring_rsrc_register */
    uint32_t number, flags;
    uint64_t resv, data, tags;
};
struct update { /* struct io_uring_rsrc_update2; the old one is its first half */
    uint32_t offset, resv;
    uint64_t data, tags;
    uint32_t number, resv2;
};
#define REGISTER_SPARSE 1u

static long register_resources(struct uring *u, vaddr_t at, uint32_t size, bool files) {
    struct resources r;
    if (size != sizeof r)
        return -EINVAL;
    if (user_read(&r, at, sizeof r))
        return -EFAULT;
    bool sparse = r.flags & REGISTER_SPARSE;
    if (r.flags & ~REGISTER_SPARSE || r.resv || (sparse && r.data) || !r.number)
        return -EINVAL;
    if (r.tags)
        return -EOPNOTSUPP;
    return files ? register_files(u, r.data, r.number, sparse)
                 : register_buffers(u, r.data, r.number, sparse);
}

static long update_buffers(struct uring *u, const struct update *v) {
    if (!u->buffers)
        return -ENXIO;
    if (v->offset > u->buffer_count || v->number > u->buffer_count - v->offset)
        return -EINVAL;
    long error = buffers_set(u, v->offset, v->data, v->number);
    return error ? error : (long)v->number;
}

static long register_update(struct uring *u, vaddr_t at, uint32_t size, bool files, bool old) {
    struct update v = {.offset = 0};
    if (!old && size != sizeof v)
        return -EINVAL;
    if (user_read(&v, at, old ? 16 : sizeof v))
        return -EFAULT;
    if (old)
        v.number = size;
    if (v.resv || v.resv2 || !v.number)
        return -EINVAL;
    if (v.tags)
        return -EOPNOTSUPP;
    return files ? uring_files_update(u, v.offset, v.data, v.number, false) : update_buffers(u, &v);
}

static long register_eventfd(struct uring *u, vaddr_t at, uint32_t number) {
    int fd;
    if (number != 1)
        return -EINVAL;
    if (u->eventfd)
        return -EBUSY;
    if (user_read(&fd, at, sizeof fd))
        return -EFAULT;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    if (!eventfd_is || !eventfd_is(f)) {
        file_put(f);
        return -EINVAL;
    }
    u->eventfd = f;
    return 0;
}

struct probe_op {
    uint8_t op, resv;
    uint16_t flags;
    uint32_t resv2;
};

/* struct io_uring_probe: 16 bytes and one entry for each operation. */
static long probe(vaddr_t at, uint32_t number) {
    struct {
        uint8_t last, count;
        uint16_t resv;
        uint32_t resv2[3];
    } head;
    if (number > 256)
        return -EINVAL;
    if (user_read(&head, at, sizeof head))
        return -EFAULT;
    number = MIN(number, (uint32_t)OPS);
    memset(&head, 0, sizeof head);
    head.last = OPS - 1;
    head.count = (uint8_t)number;
    for (unsigned i = 0; i < number; i++) {
        struct probe_op p = {(uint8_t)i, 0, uring_supported(i), 0};
        if (user_write(at + sizeof head + i * sizeof p, &p, sizeof p))
            return -EFAULT;
    }
    return user_write(at, &head, sizeof head);
}

static long cancel_now(struct uring *u, vaddr_t at) {
    struct {
        uint64_t key;
        int32_t fd;
        uint32_t flags;
        uint64_t timeout[2];
        uint8_t op, pad[7];
        uint64_t pad2[3];
    } c;
    if (user_read(&c, at, sizeof c))
        return -EFAULT;
    uint64_t key = c.flags & CANCEL_OP ? c.op : c.key;
    long result = uring_cancel(u, NULL, key, c.fd, c.flags);
    uring_pump(u);
    return result;
}

static long unregister_eventfd(struct uring *u) {
    if (!u->eventfd)
        return -ENXIO;
    file_put(u->eventfd);
    u->eventfd = NULL;
    return 0;
}

static long workers(vaddr_t at) {
    uint32_t limits[2], was[2] = {0, 0}; /* there are none */
    return user_read(limits, at, sizeof limits) || user_write(at, was, sizeof was) ? -EFAULT : 0;
}

static long do_register(struct uring *u, unsigned op, vaddr_t at, uint32_t number) {
    switch (op) {
    case REGISTER_BUFFERS:
        return register_buffers(u, at, number, false);
    case UNREGISTER_BUFFERS:
        if (!u->buffers)
            return -ENXIO;
        buffers_free(u);
        return 0;
    case REGISTER_FILES:
        return register_files(u, at, number, false);
    case UNREGISTER_FILES:
        if (!u->files)
            return -ENXIO;
        files_free(u);
        return 0;
    case REGISTER_EVENTFD:
    case REGISTER_EVENTFD_ASYNC:
        return register_eventfd(u, at, number);
    case UNREGISTER_EVENTFD:
        return unregister_eventfd(u);
    case REGISTER_FILES_UPDATE:
        return register_update(u, at, number, true, true);
    case REGISTER_PROBE:
        return probe(at, number);
    case REGISTER_PERSONALITY: /* there is one: who calls */
        return at || number ? -EINVAL : 1;
    case UNREGISTER_PERSONALITY:
        return at || number != 1 ? -EINVAL : 0;
    case REGISTER_ENABLE_RINGS:
        if (!u->disabled)
            return -EBADFD;
        u->disabled = false;
        return 0;
    case REGISTER_FILES2:
        return register_resources(u, at, number, true);
    case REGISTER_FILES_UPDATE2:
        return register_update(u, at, number, true, false);
    case REGISTER_BUFFERS2:
        return register_resources(u, at, number, false);
    case REGISTER_BUFFERS_UPDATE:
        return register_update(u, at, number, false, false);
    case REGISTER_IOWQ_MAX_WORKERS:
        return !at || number != 2 ? -EINVAL : workers(at);
    case REGISTER_PBUF_RING:
        return number != 1 ? -EINVAL : register_buffer_ring(u, at);
    case UNREGISTER_PBUF_RING:
        return number != 1 ? -EINVAL : unregister_buffer_ring(u, at);
    case REGISTER_SYNC_CANCEL:
        return number != 1 ? -EINVAL : cancel_now(u, at);
    default:
        return -EINVAL;
    }
}

SYSCALL_HANDLER(io_uring_register) {
    if ((int)a == -1) /* what needs no ring, of which there is nothing here */
        return -EINVAL;
    struct file *file = fd_get((int)a);
    if (!file)
        return -EBADF;
    struct uring *u = uring_of(file);
    long result = u ? do_register(u, (unsigned)b, c, (uint32_t)d) : -EOPNOTSUPP;
    file_put(file);
    return result;
}
