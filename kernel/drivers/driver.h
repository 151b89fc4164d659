/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How a driver makes itself known.  The kernel calls no driver by name:
 * classes (console/, clock/, block/, netdev/) hold section tables that linked
 * drivers fill: TRANSPORT in console/console.h, VIRTIO_BUS in
 * drivers/virtio/virtio.h, RTC here.
 */
#ifndef DRIVERS_DRIVER_H
#define DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

/* A wall clock: seconds since 1970, false when there is none. */
struct rtc {
    bool (*read)(uint64_t *ns);
};
#define RTC(t)                                                                                     \
    __attribute__((used, section(".rtcs." #t))) static const struct rtc *const t##_row = &(t)

#endif
