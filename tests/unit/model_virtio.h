/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of virtio drivers: the operations of a device that the test models.
 * The test defines the seven functions that are only declared here.
 */
#ifndef TESTS_UNIT_MODEL_VIRTIO_H
#define TESTS_UNIT_MODEL_VIRTIO_H

#include "drivers/virtio/virtqueue.h"

static uint32_t m_features(struct virtio_device *d, unsigned word);
static void m_set_features(struct virtio_device *d, unsigned word, uint32_t features);
static uint8_t m_status(struct virtio_device *d);
static void m_set_status(struct virtio_device *d, uint8_t status);
static uint16_t m_queue_max(struct virtio_device *d, uint16_t index);
static void m_queue_start(struct virtqueue *q);
static void m_notify(struct virtqueue *q);
static void m_irq_ack(struct virtio_device *d) {
    (void)d;
}

static const struct virtio_ops model_ops = {
    .features = m_features,
    .set_features = m_set_features,
    .status = m_status,
    .set_status = m_set_status,
    .queue_max = m_queue_max,
    .queue_start = m_queue_start,
    .notify = m_notify,
    .irq_ack = m_irq_ack,
};

#endif
