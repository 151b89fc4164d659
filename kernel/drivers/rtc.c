/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The PC's real-time clock, MC146818 and its heirs.  It is taken to run in UTC.
 *
 * It counts on while it is read: the registers count only when two readings
 * outside an update are equal.
 */
#include "arch/x86_64/io.h"
#include "drivers/driver.h"
#include "lib/string.h"

enum reg {
    REG_SECONDS = 0x00,
    REG_MINUTES = 0x02,
    REG_HOURS = 0x04,
    REG_DAY = 0x07, /* of the month, from 1 */
    REG_MONTH = 0x08,
    REG_YEAR = 0x09,
    REG_A = 0x0a,
    REG_B = 0x0b,
    REG_CENTURY = 0x32, /* where there is one */
};

#define A_UPDATING 0x80
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define HOURS_PM 0x80

enum { SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, CENTURY, FIELDS };

static uint8_t get(uint8_t reg) {
    outb(0x70, reg);
    return inb(0x71);
}

/* One reading; false during an update. */
static bool read_fields(uint8_t fields[FIELDS]) {
    static const uint8_t regs[FIELDS] = {REG_SECONDS, REG_MINUTES, REG_HOURS,  REG_DAY,
                                         REG_MONTH,   REG_YEAR,    REG_CENTURY};
    if (get(REG_A) & A_UPDATING)
        return false;
    for (unsigned i = 0; i < FIELDS; i++)
        fields[i] = get(regs[i]);
    return true;
}

static unsigned from_bcd(unsigned v) {
    return (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 to that day of the Gregorian calendar: years are counted
 * from March, so that the leap day is a year's last. */
static uint64_t days(unsigned year, unsigned month, unsigned day) {
    unsigned y = month <= 2 ? year - 1 : year;
    unsigned m = (month + 9) % 12;
    return (uint64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static bool rtc_read(uint64_t *ns) {
    uint8_t raw[FIELDS], again[FIELDS];
    unsigned tries = 0;
    if (get(REG_A) == 0xff)
        return false; /* nobody there */
    do {
        if (tries++ == 100000)
            return false;
    } while (!read_fields(raw) || !read_fields(again) || memcmp(raw, again, sizeof(raw)) != 0);

    unsigned f[FIELDS], mode = get(REG_B), pm = raw[HOURS] & HOURS_PM;
    raw[HOURS] &= (uint8_t)~HOURS_PM;
    for (unsigned i = 0; i < FIELDS; i++)
        f[i] = mode & B_BINARY ? raw[i] : from_bcd(raw[i]);
    if (!(mode & B_24_HOURS))
        f[HOURS] = f[HOURS] % 12 + (pm ? 12 : 0);
    if (f[CENTURY] < 19 || f[CENTURY] > 29)
        f[CENTURY] = f[YEAR] < 70 ? 20 : 19;
    unsigned year = f[CENTURY] * 100 + f[YEAR];
    if (f[SECONDS] > 60 || f[MINUTES] > 59 || f[HOURS] > 23 || f[DAY] < 1 || f[DAY] > 31 ||
        f[MONTH] < 1 || f[MONTH] > 12 || f[YEAR] > 99 || year < 1970)
        return false;
    uint64_t seconds =
        days(year, f[MONTH], f[DAY]) * 86400 + f[HOURS] * 3600 + f[MINUTES] * 60 + f[SECONDS];
    *ns = seconds * 1000000000;
    return true;
}

static const struct rtc rtc = {rtc_read};
RTC(rtc);
