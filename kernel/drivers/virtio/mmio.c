/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtio over memory-mapped registers, version 2 and legacy version 1 (virtio
 * 1.1, 4.2).  There is no way to look for such devices: the kernel command
 * line names them, virtio_mmio.device=SIZE@ADDRESS:IRQ.
 */
#include "arch/arch.h"
#include "boot/bootinfo.h"
#include "drivers/virtio/virtqueue.h"
#include "lib/cmdline.h"

enum reg {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE_ID = 0x008,
    REG_DEVICE_FEATURES = 0x010,
    REG_DEVICE_FEATURES_SEL = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_FEATURES_SEL = 0x024,
    REG_GUEST_PAGE_SIZE = 0x028, /* legacy */
    REG_QUEUE_SEL = 0x030,
    REG_QUEUE_NUM_MAX = 0x034,
    REG_QUEUE_NUM = 0x038,
    REG_QUEUE_ALIGN = 0x03c, /* legacy */
    REG_QUEUE_PFN = 0x040,   /* legacy */
    REG_QUEUE_READY = 0x044,
    REG_QUEUE_NOTIFY = 0x050,
    REG_INTERRUPT_STATUS = 0x060,
    REG_INTERRUPT_ACK = 0x064,
    REG_STATUS = 0x070,
    REG_QUEUE_DESC = 0x080, /* each 64 bits in two registers */
    REG_QUEUE_AVAIL = 0x090,
    REG_QUEUE_USED = 0x0a0,
    REG_CONFIG = 0x100,
};

#define MAGIC 0x74726976u /* "virt" */

static uint32_t get(struct virtio_device *dev, enum reg reg) {
    return *(volatile uint32_t *)(dev->regs + reg);
}

static void set(struct virtio_device *dev, enum reg reg, uint32_t value) {
    *(volatile uint32_t *)(dev->regs + reg) = value;
}

static void set_address(struct virtio_device *dev, enum reg reg, uint64_t paddr) {
    set(dev, reg, (uint32_t)paddr);
    set(dev, reg + 4, (uint32_t)(paddr >> 32));
}

static uint32_t mmio_features(struct virtio_device *dev, unsigned word) {
    set(dev, REG_DEVICE_FEATURES_SEL, word);
    return get(dev, REG_DEVICE_FEATURES);
}

static void mmio_set_features(struct virtio_device *dev, unsigned word, uint32_t features) {
    set(dev, REG_DRIVER_FEATURES_SEL, word);
    set(dev, REG_DRIVER_FEATURES, features);
}

static uint8_t mmio_status(struct virtio_device *dev) {
    return (uint8_t)get(dev, REG_STATUS);
}

static void mmio_set_status(struct virtio_device *dev, uint8_t status) {
    set(dev, REG_STATUS, status);
}

static uint16_t mmio_queue_max(struct virtio_device *dev, uint16_t index) {
    set(dev, REG_QUEUE_SEL, index);
    uint32_t max = get(dev, REG_QUEUE_NUM_MAX);
    return max > UINT16_MAX ? UINT16_MAX : (uint16_t)max;
}

static void mmio_queue_start(struct virtqueue *q) {
    struct virtio_device *dev = q->dev;
    set(dev, REG_QUEUE_SEL, q->index);
    set(dev, REG_QUEUE_NUM, q->size);
    if (dev->legacy) {
        set(dev, REG_GUEST_PAGE_SIZE, VIRTQUEUE_ALIGN);
        set(dev, REG_QUEUE_ALIGN, VIRTQUEUE_USED_ALIGN);
        set(dev, REG_QUEUE_PFN, (uint32_t)(q->paddr / VIRTQUEUE_ALIGN));
    } else {
        set_address(dev, REG_QUEUE_DESC, q->paddr);
        set_address(dev, REG_QUEUE_AVAIL, q->paddr + VIRTQUEUE_AVAIL(q->size));
        set_address(dev, REG_QUEUE_USED, q->paddr + VIRTQUEUE_USED(q->size));
        set(dev, REG_QUEUE_READY, 1);
    }
}

static void mmio_notify(struct virtqueue *q) {
    set(q->dev, REG_QUEUE_NOTIFY, q->index);
}

static void mmio_irq_ack(struct virtio_device *dev) {
    set(dev, REG_INTERRUPT_ACK, get(dev, REG_INTERRUPT_STATUS));
}

static const struct virtio_ops mmio_ops = {
    .features = mmio_features,
    .set_features = mmio_set_features,
    .status = mmio_status,
    .set_status = mmio_set_status,
    .queue_max = mmio_queue_max,
    .queue_start = mmio_queue_start,
    .notify = mmio_notify,
    .irq_ack = mmio_irq_ack,
};

/* SIZE@ADDRESS:IRQ */
static bool parse(const struct cmdline *token, uint64_t *address, uint64_t *line) {
    const char *p = token->value, *end = p + token->value_len;
    uint64_t size;
    size_t n = cmdline_number(p, (size_t)(end - p), &size);
    p += n;
    if (!n || size < REG_CONFIG || p == end || *p++ != '@')
        return false;
    n = cmdline_number(p, (size_t)(end - p), address);
    p += n;
    if (!n || *address % 4 || p == end || *p++ != ':')
        return false;
    return cmdline_number(p, (size_t)(end - p), line) > 0;
}

static bool mmio_find(struct virtio_device *dev, uint32_t id, unsigned nth) {
    struct cmdline it;
    uint64_t address, line;
    cmdline_start(&it, bootinfo.cmdline, SIZE_MAX);
    while (cmdline_next(&it)) {
        if (!cmdline_is(&it, "virtio_mmio.device") || !parse(&it, &address, &line))
            continue;
        *dev = (struct virtio_device){
            .ops = &mmio_ops,
            .regs = arch_map_device(address, REG_CONFIG),
            .line = (uint32_t)line,
        };
        if (!dev->regs || get(dev, REG_MAGIC) != MAGIC)
            continue;
        uint32_t version = get(dev, REG_VERSION);
        if (version < 1 || version > 2 || get(dev, REG_DEVICE_ID) != id)
            continue;
        dev->legacy = version == 1;
        dev->config = dev->regs + REG_CONFIG;
        if (!nth--)
            return true;
    }
    return false;
}

static const struct virtio_bus mmio = {mmio_find};
VIRTIO_BUS(mmio);
