/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtio devices, whatever bus they sit on (virtio 1.1, 2 to 4).
 *
 * A bus (mmio.c, pci.c) finds devices and gives each a struct virtio_ops; a
 * driver starts the device with virtio_start(), sets up its queues
 * (virtqueue.h), calls virtio_ready(), and never learns which bus it was.
 * Devices are not trusted: what they say is checked, and a device that lies is
 * `broken` for good.  Nothing here sleeps or allocates.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_ID_NET 1u
#define VIRTIO_ID_CONSOLE 3u
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)
#define VIRTIO_NO_LINE UINT32_MAX

struct virtio_ops;
struct virtqueue;

struct virtio_device {
    const struct virtio_ops *ops;
    volatile uint8_t *regs, *notify, *isr; /* the bus's */
    volatile uint8_t *config;              /* the device's own registers; NULL: none */
    uint32_t notify_step, notify_size;     /* the bus's */
    uint32_t line;                         /* interrupt line, or VIRTIO_NO_LINE */
    uint64_t features;                     /* negotiated */
    bool legacy; /* before virtio 1.0: no FEATURES_OK, one address for a ring */
    bool broken; /* it lied; it is not touched again */
};

struct virtio_ops {
    uint32_t (*features)(struct virtio_device *dev, unsigned word); /* 32 bits of them */
    void (*set_features)(struct virtio_device *dev, unsigned word, uint32_t features);
    uint8_t (*status)(struct virtio_device *dev);
    void (*set_status)(struct virtio_device *dev, uint8_t status); /* 0: reset */
    uint16_t (*queue_max)(struct virtio_device *dev,
                          uint16_t index);    /* entries; 0: no such queue */
    void (*queue_start)(struct virtqueue *q); /* tells the device where q's rings are */
    void (*notify)(struct virtqueue *q);
    void (*irq_ack)(struct virtio_device *dev); /* takes the interrupt request back */
};

struct virtio_bus {
    /* Fills *dev for the nth (from 0) device with that id; false: there are fewer. */
    bool (*find)(struct virtio_device *dev, uint32_t id, unsigned nth);
};
#define VIRTIO_BUS(b)                                                                              \
    __attribute__((                                                                                \
        used, section(".virtio_buses." #b))) static const struct virtio_bus *const b##_row = &(b)

/* Resets the device and settles its features: those it offers out of `wanted`
 * (VERSION_1 is added where it is due).  0, or -EIO with the device given up. */
int virtio_start(struct virtio_device *dev, uint64_t wanted);
/* All queues are set up: the device may run. */
void virtio_ready(struct virtio_device *dev);
/* Gives the device up: it is reset and marked broken. */
void virtio_give_up(struct virtio_device *dev);

#endif
