/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes that look like the channel's records (an exit report, a crash) are
 * only bytes.
 * expect-status: 4
 * expect-stderr-lacks: zuk:
 */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    for (uint16_t type = 0; type < 40; type++) {
        struct {
            uint32_t length;
            uint16_t type, cpu;
            uint8_t payload[4];
        } r = {4, type, 0, {0, 0, 0, 0}};
        write(1, &r, sizeof r);
        write(2, &r, sizeof r);
    }
    puts("end");
    return 4;
}
