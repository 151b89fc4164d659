/* SPDX-License-Identifier: BSD-3-Clause
 *
 * getrandom.  The generator is ready from the start (mm/random.h), so no flag
 * makes a difference; wrong ones are refused as Linux does.
 */
#include "syscall/syscall.h"

#include "lib/align.h"
#include "lib/string.h"
#include "mm/random.h"
#include "mm/user.h"
#include "syscall/linux.h"

SYSCALL_HANDLER(getrandom) {
    unsigned flags = (unsigned)c;
    if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    if ((flags & (GRND_INSECURE | GRND_RANDOM)) == (GRND_INSECURE | GRND_RANDOM))
        return -EINVAL;
    size_t size = MIN(b, IO_MAX), done = 0, n = 0, got = 0;
    if (!user_range(a, size))
        return -EFAULT;
    uint8_t bytes[256];
    while (done < size && got == n) {
        n = MIN(size - done, sizeof(bytes));
        random_bytes(bytes, n);
        done += got = user_write_some(a + done, bytes, n);
    }
    memset(bytes, 0, sizeof(bytes));
    return done || !size ? (long)done : -EFAULT;
}
