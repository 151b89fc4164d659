/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Device initialisation, virtio 1.1, 3.1.1; for legacy devices, 3.1.2.
 */
#include "drivers/virtio/virtio.h"

#include "lib/errno.h"

enum status {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
};

#define RESET_READS 1000000 /* a device that needs more is dead */

int virtio_start(struct virtio_device *dev, uint64_t wanted) {
    const struct virtio_ops *ops = dev->ops;
    ops->set_status(dev, 0);
    for (unsigned i = 0; ops->status(dev) != 0; i++) {
        if (i == RESET_READS)
            goto fail;
    }
    ops->set_status(dev, STATUS_ACKNOWLEDGE);
    ops->set_status(dev, STATUS_ACKNOWLEDGE | STATUS_DRIVER);

    uint64_t offered = ops->features(dev, 0) | (uint64_t)ops->features(dev, 1) << 32;
    if (!dev->legacy)
        wanted |= VIRTIO_F_VERSION_1;
    dev->features = offered & wanted;
    ops->set_features(dev, 0, (uint32_t)dev->features);
    if (dev->legacy)
        return 0;
    ops->set_features(dev, 1, (uint32_t)(dev->features >> 32));
    ops->set_status(dev, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    if ((dev->features & VIRTIO_F_VERSION_1) && (ops->status(dev) & STATUS_FEATURES_OK))
        return 0;
fail:
    virtio_give_up(dev);
    return -EIO;
}

void virtio_ready(struct virtio_device *dev) {
    dev->ops->set_status(dev, dev->ops->status(dev) | STATUS_DRIVER_OK);
}

void virtio_give_up(struct virtio_device *dev) {
    dev->broken = true;
    dev->ops->set_status(dev, 0);
}
