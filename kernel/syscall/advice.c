/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What programs do with memory they have: mremap(2), madvise(2), msync(2),
 * mincore(2), mlock(2).
 *
 * There is no swap: locking memory is a matter of course.
 */
#include "lib/align.h"
#include "mm/area.h"
#include "mm/user.h"
#include "syscall/linux.h"
#include "syscall/process.h"
#include "syscall/syscall.h"

SYSCALL_HANDLER(mremap) {
    if (d & ~7ul || (d & MREMAP_FIXED && !(d & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (d & MREMAP_DONTUNMAP)
        return -EINVAL;
    return area_remap(a, b, c, d & MREMAP_MAYMOVE, d & MREMAP_FIXED, d & MREMAP_FIXED ? e : 0);
}

/* ---- the memory of a process by its number: there is one ------------------- */

/* A vector of the app's, taken piece by piece. */
struct vector {
    vaddr_t pieces;
    unsigned left; /* pieces that are not begun */
    vaddr_t base;  /* of the current one */
    size_t size;   /* what is left of it */
};

/* Checks it whole; its bytes, -EFAULT or -EINVAL. */
static long vector_begin(struct vector *v, vaddr_t pieces, unsigned long count, bool local) {
    if (count > IOV_MAX)
        return -EINVAL;
    *v = (struct vector){.pieces = pieces, .left = (unsigned)count};
    uint64_t all = 0;
    for (unsigned long i = 0; i < count; i++) {
        struct linux_iovec piece;
        if (user_read(&piece, pieces + i * sizeof piece, sizeof piece) < 0)
            return -EFAULT;
        if ((int64_t)piece.size < 0)
            return -EINVAL;
        if (local && !user_range(piece.base, piece.size))
            return -EFAULT;
        all = all + piece.size < INT64_MAX ? all + piece.size : INT64_MAX;
    }
    return (long)all;
}

/* Goes to the next piece that holds something; false behind the last. */
static bool vector_next(struct vector *v) {
    while (!v->size && v->left) {
        struct linux_iovec piece;
        if (user_read(&piece, v->pieces, sizeof piece) < 0)
            return false;
        v->base = piece.base;
        v->size = piece.size;
        v->pieces += sizeof piece;
        v->left--;
    }
    return v->size;
}

/* At most one page of either side at a time: what comes before a hole counts. */
static long copy_process(unsigned long pid, const unsigned long vectors[4], unsigned long flags,
                         bool write) {
    struct vector local, remote;
    if (flags)
        return -EINVAL;
    long size = vector_begin(&local, vectors[0], vectors[1], true);
    if (size <= 0)
        return size;
    size = vector_begin(&remote, vectors[2], vectors[3], false);
    if (size <= 0)
        return size;
    if (!thread_of((int)pid))
        return -ESRCH;
    long done = 0;
    while (vector_next(&local) && vector_next(&remote)) {
        char bytes[256];
        size_t n = MIN(MIN(local.size, remote.size), sizeof bytes);
        n = MIN(n, PAGE_SIZE - remote.base % PAGE_SIZE);
        n = MIN(n, PAGE_SIZE - local.base % PAGE_SIZE);
        vaddr_t from = write ? local.base : remote.base, to = write ? remote.base : local.base;
        if (user_read(bytes, from, n) < 0 || user_write(to, bytes, n) < 0)
            return done ? done : -EFAULT;
        done += (long)n;
        local.base += n;
        local.size -= n;
        remote.base += n;
        remote.size -= n;
    }
    return done;
}

SYSCALL_HANDLER(process_vm_readv) {
    return copy_process(a, (const unsigned long[]){b, c, d, e}, f, false);
}

SYSCALL_HANDLER(process_vm_writev) {
    return copy_process(a, (const unsigned long[]){b, c, d, e}, f, true);
}

/* ---- madvise and its kind ---------------------------------------------------- */

/* Start and size as madvise, msync, mincore and mlock take them; 0 or -errno. */
static long check_range(vaddr_t start, size_t *size) {
    if (start % PAGE_SIZE)
        return -EINVAL;
    size_t all = ALIGN_UP(*size, PAGE_SIZE);
    if (all < *size || start + all < start)
        return -EINVAL;
    *size = all;
    return area_covers(start, all) ? 0 : -ENOMEM;
}

/* Memory without a file, nobody's but ours; as far as it goes. */
static long free_range(vaddr_t start, vaddr_t end) {
    for (struct area *a = area_find_after(start); a && a->start < end;
         a = area_find_after(a->end)) {
        if (a->source || a->flags & AREA_SHARED)
            return -EINVAL;
        area_discard(MAX(a->start, start), MIN(a->end, end) - MAX(a->start, start));
    }
    return 0;
}

SYSCALL_HANDLER(madvise) {
    size_t size = b;
    long error = check_range(a, &size);
    if (error == -EINVAL)
        return error;
    switch (c) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        area_discard(a, size);
        return error;
    case MADV_FREE:
        return free_range(a, a + size) ? -EINVAL : error;
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        error = 0; /* whichever comes first: a hole, or a page without the right */
        for (vaddr_t at = a; !error && at < a + size; at += PAGE_SIZE)
            error = !area_find(at)
                        ? -ENOMEM
                        : area_fault(at, c == MADV_POPULATE_WRITE ? PROT_WRITE : PROT_READ);
        return error == -EFAULT ? -EINVAL : error == -EIO ? -EFAULT : error; /* rights */
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT:
        return error;
    default:
        return -EINVAL;
    }
}

SYSCALL_HANDLER(msync) {
    if (c & ~7ul || (c & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) || a % PAGE_SIZE)
        return -EINVAL;
    size_t size = ALIGN_UP(b, PAGE_SIZE); /* 0 when it is too much: nothing to do */
    return a + size < a ? -ENOMEM : check_range(a, &size);
}

static void mark_present(vaddr_t va, const struct page_entry *entry, void *arg) {
    (void)entry;
    vaddr_t *out = arg; /* out[0]: first address, out[1]: the app's vector */
    unsigned char one = 1;
    user_write(out[1] + (va - out[0]) / PAGE_SIZE, &one, 1);
}

SYSCALL_HANDLER(mincore) {
    size_t size = b;
    if (a % PAGE_SIZE)
        return -EINVAL;
    if (!user_range(a, b))
        return -ENOMEM;
    if (!user_range(c, ALIGN_UP(b, PAGE_SIZE) / PAGE_SIZE))
        return -EFAULT;
    vaddr_t out[2] = {a, c}, end = a + ALIGN_UP(size, PAGE_SIZE);
    for (vaddr_t at = a, next; at < end; at = next) { /* told as far as there is memory */
        const struct area *area = area_find(at);
        if (!area)
            return -ENOMEM;
        next = MIN(area->end, end);
        if (user_clear(c + (at - a) / PAGE_SIZE, (next - at) / PAGE_SIZE))
            return -EFAULT;
        arch_page_walk(at, next, mark_present, out);
    }
    return 0;
}

/* Whole pages that hold [at, at + size), which must be mapped; 0 or -errno.
 * A size that is too much by less than a page is none, as on Linux. */
static long check_lock(vaddr_t *at, size_t *size) {
    *size = ALIGN_UP(*size + *at % PAGE_SIZE, PAGE_SIZE);
    *at = ALIGN_DOWN(*at, PAGE_SIZE);
    return check_range(*at, size);
}

/* A page that is there stays there; those that are not are brought. */
static long lock(vaddr_t at, size_t size, bool on_fault) {
    long error = check_lock(&at, &size);
    for (vaddr_t end = at + size; !error && !on_fault && at < end; at += PAGE_SIZE) {
        if (area_fault(at, PROT_READ))
            error = -ENOMEM;
    }
    return error;
}

SYSCALL_HANDLER(mlock) {
    return lock(a, b, false);
}

#define MLOCK_ONFAULT 1u

SYSCALL_HANDLER(mlock2) {
    if ((unsigned)c & ~MLOCK_ONFAULT)
        return -EINVAL;
    return lock(a, b, c & MLOCK_ONFAULT);
}

SYSCALL_HANDLER(munlock) {
    vaddr_t at = a;
    size_t size = b;
    return check_lock(&at, &size);
}

#define MCL_ONFAULT 4u /* alone it says nothing */

SYSCALL_HANDLER(mlockall) {
    return !a || a & ~7ul || a == MCL_ONFAULT ? -EINVAL : 0;
}

SYSCALL_HANDLER(munlockall) {
    return 0;
}
