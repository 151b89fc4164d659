/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /proc and /sys: what programs look up there; links to open files.
 * env: ONE=1 TWO=22
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "check.h"
#include "scratch.h"

static char text[65536];

/* Reads a file whole, with a NUL behind; its size or -1. */
static long slurp(const char *name) {
    int fd = open(name, O_RDONLY);
    long size = 0, done = fd < 0 ? -1 : 0;
    while (fd >= 0 && (done = read(fd, text + size, sizeof text - 1 - (size_t)size)) > 0) {
        size += done;
    }
    text[size] = 0;
    if (fd >= 0) {
        close(fd);
    }
    return done < 0 ? -1 : size;
}

static void the_program_itself(void) {
    int fd = open("/proc/self/exe", O_RDONLY);
    char start[4];
    struct stat s;
    CHECK_EQ(read(fd, start, 4), 4);
    CHECK(memcmp(start, "\177ELF", 4) == 0);
    CHECK_EQ(fstat(fd, &s), 0);
    CHECK(S_ISREG(s.st_mode) && s.st_size > 4096);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && memcmp(p, "\177ELF", 4) == 0);
    CHECK_EQ(munmap(p, 4096), 0);
    CHECK_ERRNO(open("/proc/self/exe", O_RDWR), ETXTBSY);
    CHECK_EQ(close(fd), 0);
    CHECK(slurp("/proc/self/comm") > 1);
    CHECK(slurp("/proc/self/cmdline") > 1);
    CHECK_EQ(slurp("/proc/self/environ"), 13);
    CHECK(memcmp(text, "ONE=1\0TWO=22", 13) == 0);
}

static void maps(void) {
    CHECK(slurp("/proc/self/maps") > 0);
    CHECK(strstr(text, "[stack]") != NULL);
    CHECK(strstr(text, " r-xp ") != NULL);
    CHECK(strstr(text, " rw-p ") != NULL);
    unsigned long low, high, here = (unsigned long)&low;
    int found = 0;
    for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (sscanf(line, "%lx-%lx", &low, &high) == 2 && here >= low && here < high) {
            found++;
        }
    }
    CHECK_EQ(found, 1);
}

static void numbers(void) {
    double up, idle;
    CHECK(slurp("/proc/uptime") > 0);
    CHECK_EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
    CHECK(up > 0);
    CHECK(slurp("/proc/meminfo") > 0);
    long total = 0;
    CHECK_EQ(sscanf(text, "MemTotal: %ld kB", &total), 1);
    CHECK(total > 1024);
    CHECK(strstr(text, "\nMemFree:") != NULL);
    CHECK(slurp("/proc/cpuinfo") > 0);
    CHECK(strstr(text, "processor\t: 0\n") != NULL);
    CHECK(slurp("/proc/stat") > 0);
    CHECK(memcmp(text, "cpu ", 4) == 0);
    CHECK(slurp("/proc/self/stat") > 0);
    int pid = 0;
    CHECK_EQ(sscanf(text, "%d (", &pid), 1);
    CHECK_EQ(pid, getpid());
    CHECK(slurp("/proc/self/status") > 0);
    CHECK(strstr(text, "\nVmRSS:") != NULL);
    CHECK(slurp("/sys/devices/system/cpu/online") > 0);
    CHECK_EQ(text[0], '0');
    CHECK(slurp("/sys/devices/system/cpu/possible") > 0);
}

static void links(void) {
    char name[64], target[256];
    CHECK(readlink("/proc/self", target, sizeof target) > 0);
    CHECK_EQ(target[0] >= '0' && target[0] <= '9', 1);
    CHECK_EQ(readlink("/proc/self/cwd", target, sizeof target), (long)strlen(scratch_path));
    CHECK(memcmp(target, scratch_path, strlen(scratch_path)) == 0);
    CHECK_EQ(readlink("/proc/self/root", target, sizeof target), 1);
    CHECK_EQ(target[0], '/');
    scratch_file("file", "text");
    int fd = open("file", O_RDONLY);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long length = readlink(name, target, sizeof target - 1);
    CHECK_EQ(length, (long)strlen(scratch_path) + 5);
    target[length > 0 ? length : 0] = 0;
    CHECK(strcmp(target + strlen(scratch_path), "/file") == 0);
    CHECK(scratch_holds(name, "text")); /* opens the file anew */
    CHECK_EQ(unlink("file"), 0);
    CHECK(scratch_holds(name, "text")); /* though its name is gone */
    CHECK_EQ(close(fd), 0);
    CHECK_ERRNO(open(name, O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/proc/self/fd/99", O_RDONLY), ENOENT);
    int pair[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", pair[0]);
    CHECK(readlink(name, target, sizeof target) > 9);
    CHECK(memcmp(target, "socket:[", 8) == 0);
    CHECK_ERRNO(open(name, O_RDONLY), ENXIO);
    close(pair[0]);
    close(pair[1]);
}

static void nothing_can_be_made(void) {
    CHECK_ERRNO(open("/proc/self/nope", O_RDONLY), ENOENT);
    CHECK_ERRNO(open("/proc/999999999", O_RDONLY), ENOENT);
    CHECK_EQ(chdir("/proc/self/task"), 0);
    CHECK_EQ(chdir("../fd"), 0);
    CHECK_EQ(chdir(scratch_path), 0);
    CHECK_EQ(mkdir("/proc/self/dir", 0700), -1);
    CHECK_EQ(open("/proc/file", O_CREAT | O_WRONLY, 0600), -1);
}

int main(void) {
    scratch_enter();
    the_program_itself();
    maps();
    numbers();
    links();
    nothing_can_be_made();
    scratch_leave();
    return check_done();
}
