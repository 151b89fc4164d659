/* SPDX-License-Identifier: BSD-3-Clause
 *
 * getrandom: full lengths, differing bytes, known flags.
 */
#include <sys/random.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    static unsigned char a[70000], b[70000];
    CHECK_EQ(getrandom(a, 16, 0), 16);
    CHECK_EQ(getrandom(b, 16, 0), 16);
    CHECK(memcmp(a, b, 16) != 0);
    CHECK_EQ(getrandom(a, 256, GRND_NONBLOCK), 256);
    CHECK_EQ(getrandom(a, sizeof a, 0), sizeof a);
    CHECK_EQ(getrandom(b, sizeof b, GRND_RANDOM), sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    unsigned count[256] = {0};
    for (unsigned i = 0; i < sizeof a; i++) {
        count[a[i]]++;
    }
    for (int i = 0; i < 256; i++) {
        CHECK(count[i] > 150 && count[i] < 420); /* 273 on average */
    }
    CHECK_EQ(getrandom(a, 0, 0), 0);
    CHECK_ERRNO(getrandom(a, 4, 0x80), EINVAL);
    CHECK_ERRNO(getrandom(a, 4, GRND_RANDOM | GRND_INSECURE), EINVAL);
    return check_done();
}
