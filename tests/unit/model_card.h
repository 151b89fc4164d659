/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of the network card's driver, after its source is included: the kernel
 * below the driver but for the heap, and a bus with one card (model_virtio.h).  The
 * test defines what is only declared here, and frees `runs`.
 */
#ifndef TESTS_UNIT_MODEL_CARD_H
#define TESTS_UNIT_MODEL_CARD_H

#include <stdlib.h>

#include "tests/unit/model_virtio.h"

enum { CARD_LINE = 5 };
static struct thread here; /* on the CPU that runs */
static unsigned cpus = 1;
static struct irq_handler *attached;
static void *runs[64]; /* of frames */
static unsigned run_count;
static uint8_t card_config[16];

static uint64_t free_frames(void);

uint64_t frame_free_count(void) {
    return free_frames();
}
paddr_t frame_find_run(size_t count) {
    if (run_count == sizeof runs / sizeof runs[0])
        abort();
    return virt_to_phys(runs[run_count++] = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE));
}
void frame_free(paddr_t frame) {
    (void)frame; /* of a run that `runs` has */
}
void irq_attach(unsigned line, struct irq_handler *h) {
    if (line != CARD_LINE)
        abort();
    attached = h;
}
struct thread *arch_thread_current(void) {
    return &here;
}
unsigned sched_cpu_count(void) {
    return cpus;
}
paddr_t arch_mapped_phys(const void *v) {
    (void)v;
    abort();
}

static void received(struct netdev *dev, const struct net_part *parts, unsigned count,
                     bool checked);
static void sent(struct netdev *dev, void *token);
static void idle(struct netdev *dev) {
    (void)dev;
}
static const struct netdev_stack stack = {received, sent, idle, NULL};

static bool find(struct virtio_device *dev, uint32_t id, unsigned nth) {
    if (id != VIRTIO_ID_NET)
        abort();
    *dev = (struct virtio_device){.ops = &model_ops, .config = card_config, .line = CARD_LINE};
    return !nth;
}
static const struct virtio_bus bus = {find};
__attribute__((used)) static const struct virtio_bus *const buses[] = {&bus};
/* The linker script's, in the kernel. */
__asm__(".globl virtio_buses_start, virtio_buses_end\n"
        ".set virtio_buses_start, buses\n"
        ".set virtio_buses_end, buses + 8\n");

#endif
