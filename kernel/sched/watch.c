/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Watching wait queues without sleeping in them.
 */
#include "sched/thread.h"

void wait_watch(struct wait_queue *q, struct watcher *w, void (*notify)(struct watcher *w)) {
    if (!q->watchers.next)
        list_init(&q->watchers);
    w->queue = q;
    w->notify = notify;
    list_push_front(&q->watchers, &w->node); /* the newest is told first, as on Linux */
    sched_external_waits += q->external;
}

void wait_unwatch(struct watcher *w) {
    list_remove(&w->node);
    sched_external_waits -= w->queue->external;
}
