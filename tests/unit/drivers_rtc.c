/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel/drivers/rtc.c against a played MC146818: all four number formats,
 * checked with the C library's calendar, updates in the middle of a reading,
 * and no chip at all.
 */
#define ARCH_X86_64_IO_H /* its ports are ours */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static struct {
    time_t now;
    uint8_t mode; /* register B */
    uint8_t index;
    uint8_t century;         /* as register 0x32 shows it; 0: the right one */
    unsigned reads, tick_at; /* the clock moves on at that register read */
    unsigned updating;       /* so many readings of A show an update */
    int wrong;               /* -1, or the register that holds rubbish */
    uint8_t rubbish;
} chip;

static uint8_t encode(unsigned v) {
    return (uint8_t)(chip.mode & 4 ? v : v / 10 << 4 | v % 10);
}

static void outb(uint16_t port, uint8_t v) {
    assert_int_equal(port, 0x70);
    chip.index = v;
}

static uint8_t inb(uint16_t port) {
    assert_int_equal(port, 0x71);
    if (chip.now < 0)
        return 0xff;
    if (++chip.reads == chip.tick_at)
        chip.now++;
    struct tm tm;
    gmtime_r(&chip.now, &tm);
    if (chip.index == chip.wrong)
        return chip.rubbish;
    switch (chip.index) {
    case 0:
        return encode((unsigned)tm.tm_sec);
    case 2:
        return encode((unsigned)tm.tm_min);
    case 4:
        if (chip.mode & 2)
            return encode((unsigned)tm.tm_hour);
        return encode((unsigned)(tm.tm_hour % 12 ? tm.tm_hour % 12 : 12)) |
               (uint8_t)(tm.tm_hour >= 12 ? 0x80 : 0);
    case 7:
        return encode((unsigned)tm.tm_mday);
    case 8:
        return encode((unsigned)tm.tm_mon + 1);
    case 9:
        return encode((unsigned)tm.tm_year % 100);
    case 0x0a:
        return chip.updating ? chip.updating--, 0xa6 : 0x26;
    case 0x0b:
        return chip.mode;
    case 0x32:
        return chip.century ? chip.century : encode((unsigned)tm.tm_year / 100 + 19);
    default:
        fail_msg("register %#x", chip.index);
        return 0;
    }
}

#include "drivers/rtc.c"

static void set(time_t now, uint8_t mode) {
    chip.now = now;
    chip.mode = mode;
    chip.century = 0;
    chip.reads = chip.tick_at = chip.updating = 0;
    chip.wrong = -1;
}

static void expect(time_t seconds) {
    uint64_t ns;
    assert_true(rtc.read(&ns));
    assert_int_equal(ns, (uint64_t)seconds * 1000000000);
}

static const uint8_t modes[] = {0, 2, 4, 6};

static void calendar(void **state) {
    (void)state;
    /* Each day from 1970 to 2199 at another hour; all hours of one day. */
    for (time_t day = 0; day < 84000; day++) {
        time_t now = day * 86400 + day * 3607 % 86400;
        set(now, modes[day % 4]);
        expect(now);
    }
    for (unsigned i = 0; i < 4 * 24; i++) {
        time_t now = 951782400 + (time_t)(i / 4) * 3600; /* 2000-02-29 */
        set(now, modes[i % 4]);
        expect(now);
    }
}

static void century(void **state) {
    (void)state;
    static const uint8_t nonsense[] = {0xff, 0x01, 0x99};
    for (unsigned i = 0; i < 3; i++) {
        set(1800000000, 2); /* 2027 */
        chip.century = nonsense[i];
        expect(1800000000);
        set(800000000, 2); /* 1995 */
        chip.century = nonsense[i];
        expect(800000000);
    }
}

static void updates(void **state) {
    (void)state;
    time_t last = 946684799; /* 1999-12-31 23:59:59: every field changes */
    for (unsigned at = 1; at < 40; at++) {
        set(last, 2);
        chip.tick_at = at;
        chip.updating = at % 5;
        uint64_t ns;
        assert_true(rtc.read(&ns));
        assert_true(ns == (uint64_t)last * 1000000000 || ns == (uint64_t)(last + 1) * 1000000000);
    }
    set(last, 2);
    chip.updating = UINT32_MAX;
    uint64_t ns;
    assert_false(rtc.read(&ns)); /* hangs: no clock, but the kernel goes on */
}

static void nonsense(void **state) {
    (void)state;
    static const uint8_t rows[][2] = {{8, 0}, {8, 0x13}, {7, 0}, {7, 0x32}, {2, 0x60}, {4, 0x24}};
    uint64_t ns;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set(1800000000, 2);
        chip.wrong = rows[i][0];
        chip.rubbish = rows[i][1];
        assert_false(rtc.read(&ns));
    }
    set(-1, 0);
    assert_false(rtc.read(&ns)); /* nobody answers */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar),
        cmocka_unit_test(century),
        cmocka_unit_test(updates),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
