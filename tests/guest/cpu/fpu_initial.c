/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The FPU as the psABI wants it at the start: all exceptions masked, rounding
 * to nearest, 64-bit mantissa; registers zero where it says so.
 */
#include <fenv.h>
#include <math.h>

#include "check.h"

int main(void) {
    unsigned short cw;
    unsigned mxcsr;
    __asm__("fnstcw %0" : "=m"(cw));
    __asm__("stmxcsr %0" : "=m"(mxcsr));
    CHECK_EQ(cw, 0x37f);
    CHECK_EQ(mxcsr & 0xffc0, 0x1f80);
    CHECK_EQ(fegetround(), FE_TONEAREST);
    volatile double zero = 0, x = 2;
    CHECK(isinf(1 / zero) && isnan(zero / zero));
    CHECK(sqrt(x) > 1.41421356 && sqrt(x) < 1.41421357);
    printf("%.17g %a %Lg\n", 0.1, sin(x), 1e4000L);
    return check_done();
}
