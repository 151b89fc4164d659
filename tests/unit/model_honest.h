/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For tests of virtio drivers: a device (model_virtio.h) that takes what features and
 * status it is told.
 */
#ifndef TESTS_UNIT_MODEL_HONEST_H
#define TESTS_UNIT_MODEL_HONEST_H

#include "tests/unit/model_virtio.h"

static struct {
    uint64_t offered;
    uint8_t status;
    unsigned resets;
} honest;

static uint32_t m_features(struct virtio_device *d, unsigned word) {
    (void)d;
    return (uint32_t)(honest.offered >> 32 * word);
}
static void m_set_features(struct virtio_device *d, unsigned word, uint32_t f) {
    (void)d, (void)word, (void)f;
}
static uint8_t m_status(struct virtio_device *d) {
    (void)d;
    return honest.status;
}
static void m_set_status(struct virtio_device *d, uint8_t s) {
    (void)d;
    honest.resets += s == 0;
    honest.status = s;
}

#endif
