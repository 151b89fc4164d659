/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtio over PCI (virtio 1.1, 4.1), devices of version 1 on bus 0.
 * Capabilities name the registers; BARs stay where the firmware put them, and
 * get a place where it gave them none.  Interrupts come by INTx.
 *
 * PCI Local Bus 3.0: 3.2.2.3.2 (configuration mechanism), 6.2, 6.7.
 */
#include "arch/arch.h"
#include "arch/x86_64/io.h"
#include "drivers/virtio/virtqueue.h"
#include "lib/align.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_TRANSITIONAL 0x1000 /* to 0x103f: the subsystem id says what it is */
#define DEVICE_MODERN 0x1040       /* + virtio device id */
#define DEVICE_END 0x1080

enum config {
    CONFIG_ID = 0x00,
    CONFIG_COMMAND = 0x04, /* and status */
    CONFIG_HEADER = 0x0c,
    CONFIG_BAR = 0x10,
    CONFIG_SUBSYSTEM = 0x2c,
    CONFIG_CAPABILITIES = 0x34,
    CONFIG_INTERRUPT = 0x3c,
};
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u
#define COMMAND_NO_INTX 0x400u
#define STATUS_CAPABILITIES (0x10u << 16)
#define HEADER_FUNCTIONS (0x80u << 16)

/* The chipsets of q35 and pc, and how they join INTx to lines: the ICH9 joins
 * PIRQ E to H to the I/O APIC's lines 20 to 23 (10.1.4x of its data sheet), the
 * PIIX3 its four PIRQs to the lines that its registers name (2.2.5). */
#define ICH9 (31 * 8)
#define ICH9_ID 0x29188086u
#define ICH9_PIRQ_E_LINE 20u
#define PIIX3 (1 * 8)
#define PIIX3_ID 0x70008086u
#define PIIX3_PIRQ_A 0x60

/* Memory for BARs that the firmware forgot: below the I/O APIC, above what PC
 * chipsets map by themselves. */
#define FREE_START 0xfe000000u
#define FREE_END 0xfec00000u

#define CAPABILITY_VENDOR 9
enum capability { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAPS };
#define COMMON_SIZE 56u
#define REGS_MAX 0x10000u /* mapped of one capability at most */

/* struct virtio_pci_common_cfg (4.1.4.3) */
enum common {
    COMMON_DEVICE_FEATURES_SEL = 0,
    COMMON_DEVICE_FEATURES = 4,
    COMMON_DRIVER_FEATURES_SEL = 8,
    COMMON_DRIVER_FEATURES = 12,
    COMMON_STATUS = 20,
    COMMON_QUEUE_SEL = 22,
    COMMON_QUEUE_SIZE = 24,
    COMMON_QUEUE_ENABLE = 28,
    COMMON_QUEUE_NOTIFY_OFF = 30,
    COMMON_QUEUE_DESC = 32,
    COMMON_QUEUE_AVAIL = 40,
    COMMON_QUEUE_USED = 48,
};

static volatile uint16_t *reg16(struct virtio_device *dev, enum common reg) {
    return (volatile uint16_t *)(dev->regs + reg);
}

static volatile uint32_t *reg32(struct virtio_device *dev, enum common reg) {
    return (volatile uint32_t *)(dev->regs + reg);
}

static uint32_t pci_features(struct virtio_device *dev, unsigned word) {
    *reg32(dev, COMMON_DEVICE_FEATURES_SEL) = word;
    return *reg32(dev, COMMON_DEVICE_FEATURES);
}

static void pci_set_features(struct virtio_device *dev, unsigned word, uint32_t features) {
    *reg32(dev, COMMON_DRIVER_FEATURES_SEL) = word;
    *reg32(dev, COMMON_DRIVER_FEATURES) = features;
}

static uint8_t pci_status(struct virtio_device *dev) {
    return dev->regs[COMMON_STATUS];
}

static void pci_set_status(struct virtio_device *dev, uint8_t status) {
    dev->regs[COMMON_STATUS] = status;
}

static uint16_t pci_queue_max(struct virtio_device *dev, uint16_t index) {
    *reg16(dev, COMMON_QUEUE_SEL) = index;
    return *reg16(dev, COMMON_QUEUE_SIZE);
}

static void set_address(struct virtio_device *dev, enum common reg, uint64_t paddr) {
    *reg32(dev, reg) = (uint32_t)paddr;
    *reg32(dev, reg + 4) = (uint32_t)(paddr >> 32);
}

static void pci_queue_start(struct virtqueue *q) {
    struct virtio_device *dev = q->dev;
    *reg16(dev, COMMON_QUEUE_SEL) = q->index;
    *reg16(dev, COMMON_QUEUE_SIZE) = q->size;
    set_address(dev, COMMON_QUEUE_DESC, q->paddr);
    set_address(dev, COMMON_QUEUE_AVAIL, q->paddr + VIRTQUEUE_AVAIL(q->size));
    set_address(dev, COMMON_QUEUE_USED, q->paddr + VIRTQUEUE_USED(q->size));
    uint64_t at = (uint64_t)*reg16(dev, COMMON_QUEUE_NOTIFY_OFF) * dev->notify_step;
    if (at + 2 > dev->notify_size) {
        virtio_give_up(dev);
        return;
    }
    q->notify_at = (uint32_t)at;
    *reg16(dev, COMMON_QUEUE_ENABLE) = 1;
}

static void pci_notify(struct virtqueue *q) {
    *(volatile uint16_t *)(q->dev->notify + q->notify_at) = q->index;
}

static void pci_irq_ack(struct virtio_device *dev) {
    (void)*dev->isr; /* reading clears */
}

static const struct virtio_ops pci_ops = {
    .features = pci_features,
    .set_features = pci_set_features,
    .status = pci_status,
    .set_status = pci_set_status,
    .queue_max = pci_queue_max,
    .queue_start = pci_queue_start,
    .notify = pci_notify,
    .irq_ack = pci_irq_ack,
};

/* A function's configuration space: `function` is device * 8 + function.  Out
 * of line, because they have a dozen uses. */
static __attribute__((noinline)) uint32_t config_read(unsigned function, unsigned at) {
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | (at & 0xfc));
    return inl(CONFIG_DATA);
}

static __attribute__((noinline)) void config_write(unsigned function, unsigned at, uint32_t value) {
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | function << 8 | (at & 0xfc));
    outl(CONFIG_DATA, value);
}

/* Where a memory BAR lies; 0 when it is none. */
static uint64_t bar_address(unsigned function, unsigned bar) {
    static uint32_t next = FREE_START;
    if (bar > 5)
        return 0;
    unsigned at = CONFIG_BAR + 4 * bar;
    uint32_t low = config_read(function, at);
    bool wide = (low & 6) == 4 && bar < 5;
    if (low & 1)
        return 0;
    uint64_t address = (low & ~15u) | (wide ? (uint64_t)config_read(function, at + 4) << 32 : 0);
    if (address)
        return address;
    config_write(function, at, ~0u);
    uint32_t size = ~(config_read(function, at) & ~15u) + 1;
    uint32_t start = ALIGN_UP(next, size);
    if (!size || size > FREE_END - FREE_START || start > FREE_END - size)
        return 0;
    next = start + size;
    config_write(function, at, start);
    if (wide)
        config_write(function, at + 4, 0);
    return start;
}

/* Maps the registers of a capability; NULL when it lies about them. */
static volatile uint8_t *map(unsigned function, unsigned at, uint32_t *size) {
    uint64_t address = bar_address(function, config_read(function, at + 4) & 0xff);
    uint32_t offset = config_read(function, at + 8);
    *size = MIN(config_read(function, at + 12), REGS_MAX);
    if (!address || !*size || address + offset + *size < address)
        return NULL;
    return arch_map_device(address + offset, *size);
}

/* The interrupt line of a function's INTx pin (from 1).  The firmware's word
 * (CONFIG_INTERRUPT) comes last: qboot's is wrong. */
static uint32_t interrupt_line(unsigned function) {
    uint32_t interrupt = config_read(function, CONFIG_INTERRUPT);
    unsigned line = interrupt & 0xff, pin = interrupt >> 8 & 0xff;
    unsigned slot = function >> 3;
    if (!pin)
        return VIRTIO_NO_LINE;
    if (config_read(ICH9, CONFIG_ID) == ICH9_ID && slot < 25)
        return ICH9_PIRQ_E_LINE + ((slot + pin - 1) & 3);
    if (config_read(PIIX3, CONFIG_ID) == PIIX3_ID) {
        unsigned pirq = (slot + pin - 2) & 3;
        line = config_read(PIIX3, PIIX3_PIRQ_A) >> pirq * 8 & 0xff; /* bit 7: off */
    }
    return line && line < 16 ? line : VIRTIO_NO_LINE;
}

/* Finds a function's registers. */
static bool attach(struct virtio_device *dev, unsigned function) {
    volatile uint8_t *regs[CAPS] ALIGNED_WORD = {NULL};
    uint32_t size[CAPS] ALIGNED_WORD = {0};
    uint32_t command = config_read(function, CONFIG_COMMAND);
    if (!(command & STATUS_CAPABILITIES))
        return false;
    *dev = (struct virtio_device){.ops = &pci_ops};
    unsigned at = config_read(function, CONFIG_CAPABILITIES) & 0xfc;
    for (unsigned i = 0; at && i < 48; i++) {
        uint32_t head = config_read(function, at);
        unsigned type = head >> 24;
        if ((head & 0xff) == CAPABILITY_VENDOR && type >= CAP_COMMON && type < CAPS &&
            !regs[type]) {
            regs[type] = map(function, at, &size[type]);
            if (type == CAP_NOTIFY)
                dev->notify_step = config_read(function, at + 16);
        }
        at = head >> 8 & 0xfc;
    }
    if (!regs[CAP_COMMON] || size[CAP_COMMON] < COMMON_SIZE || !regs[CAP_NOTIFY] || !regs[CAP_ISR])
        return false;
    dev->regs = regs[CAP_COMMON];
    dev->notify = regs[CAP_NOTIFY];
    dev->notify_size = size[CAP_NOTIFY];
    dev->isr = regs[CAP_ISR];
    dev->config = regs[CAP_DEVICE];
    dev->line = interrupt_line(function);
    config_write(function, CONFIG_COMMAND,
                 ((command & 0xffff) | COMMAND_MEMORY | COMMAND_MASTER) & ~COMMAND_NO_INTX);
    return true;
}

static bool is_virtio(unsigned function, uint32_t id) {
    uint32_t v = config_read(function, CONFIG_ID), device = v >> 16;
    if ((v & 0xffff) != VENDOR_VIRTIO || device < DEVICE_TRANSITIONAL || device >= DEVICE_END)
        return false;
    if (device < DEVICE_MODERN)
        return config_read(function, CONFIG_SUBSYSTEM) >> 16 == id;
    return device - DEVICE_MODERN == id;
}

static bool pci_find(struct virtio_device *dev, uint32_t id, unsigned nth) {
    outl(CONFIG_ADDRESS, CONFIG_ENABLE);
    if (inl(CONFIG_ADDRESS) != CONFIG_ENABLE)
        return false; /* no PCI here */
    for (unsigned function = 0; function < 32 * 8; function++) {
        if (is_virtio(function, id) && attach(dev, function) && !nth--)
            return true;
        if (!(function & 7) && !(config_read(function, CONFIG_HEADER) & HEADER_FUNCTIONS))
            function |= 7; /* it has no more */
    }
    return false;
}

static const struct virtio_bus pci = {pci_find};
VIRTIO_BUS(pci);
