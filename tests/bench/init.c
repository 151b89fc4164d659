/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /init of the Linux micro-VM that the network rows compare with: mounts what a
 * program expects, loads the modules in /modules by name, gives eth0 its address,
 * and becomes the program.  Words: ADDRESS MASK PROGRAM ARGUMENT...; a step that
 * fails is named on the console and ends the machine.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(int result, const char *what) {
    if (result < 0) {
        printf("init: %s: %s\n", what, strerror(errno));
        fflush(stdout);
        reboot(RB_AUTOBOOT);
    }
}

static void load_modules(void) {
    struct dirent **names;
    int n = scandir("/modules", &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[300];
        if (names[i]->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/modules/%s", names[i]->d_name);
        int fd = open(path, O_RDONLY);
        must(fd, path);
        must((int)syscall(SYS_finit_module, fd, "", 0), path);
        close(fd);
    }
}

static void set_address(int s, unsigned long request, const char *name, const char *address) {
    struct ifreq r = {0};
    struct sockaddr_in a = {.sin_family = AF_INET};
    strcpy(r.ifr_name, name);
    inet_pton(AF_INET, address, &a.sin_addr);
    memcpy(&r.ifr_addr, &a, sizeof a);
    must(ioctl(s, request, &r), address);
}

static void bring_up(int s, const char *name) {
    struct ifreq r = {0};
    strcpy(r.ifr_name, name);
    must(ioctl(s, SIOCGIFFLAGS, &r), name);
    r.ifr_flags |= IFF_UP;
    must(ioctl(s, SIOCSIFFLAGS, &r), name);
}

int main(int argc, char **argv) {
    static const char *const folders[][3] = {{"proc", "/proc", ""},
                                             {"sysfs", "/sys", ""},
                                             {"devtmpfs", "/dev", ""},
                                             {"tmpfs", "/tmp", "mode=1777"}};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        mkdir(folders[i][1], 0755);
        must(mount(folders[i][0], folders[i][1], folders[i][0], 0, folders[i][2]), folders[i][1]);
    }
    if (argc < 4) {
        printf("init: no program\n");
        return 1;
    }
    load_modules();
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    must(s, "socket");
    bring_up(s, "lo");
    set_address(s, SIOCSIFADDR, "eth0", argv[1]);
    set_address(s, SIOCSIFNETMASK, "eth0", argv[2]);
    bring_up(s, "eth0");
    close(s);
    /* as many files as the guest of zuk may open */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){4096, 4096});
    execv(argv[3], argv + 3);
    must(-1, argv[3]);
    return 1;
}
