/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What libc and programs ask about the interfaces: getifaddrs, if_nameindex,
 * SIOCGIFCONF and kind.  Only the loopback is the same everywhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void addresses(void) {
    struct ifaddrs *all;
    CHECK_EQ(getifaddrs(&all), 0);
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        char text[64] = "", mask[64] = "";
        if (strcmp(i->ifa_name, "lo") != 0 || !i->ifa_addr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, text, sizeof text);
            inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_netmask)->sin_addr, mask,
                      sizeof mask);
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, text,
                      sizeof text);
            inet_ntop(AF_INET6, &((struct sockaddr_in6 *)i->ifa_netmask)->sin6_addr, mask,
                      sizeof mask);
        }
        printf("%s: family %d, flags %x, %s %s\n", i->ifa_name, i->ifa_addr->sa_family,
               i->ifa_flags, text, mask);
    }
    freeifaddrs(all);
}

static void names(void) {
    struct if_nameindex *all = if_nameindex();
    CHECK(all != NULL);
    for (struct if_nameindex *i = all; i && i->if_index; i++)
        if (strcmp(i->if_name, "lo") == 0)
            printf("%u: %s\n", i->if_index, i->if_name);
    if_freenameindex(all);
}

int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r = {0}, list[16];
    struct ifconf c = {.ifc_len = sizeof list, .ifc_req = list};
    struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;
    addresses();
    names();
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    CHECK(c.ifc_len >= (int)sizeof *list && c.ifc_len % sizeof *list == 0);
    CHECK(strcmp(list[0].ifr_name, "lo") == 0);
    int whole = c.ifc_len;
    c.ifc_req = NULL;
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    CHECK_EQ(c.ifc_len, whole);
    c = (struct ifconf){.ifc_len = sizeof *list - 1, .ifc_req = list};
    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &c), 0);
    CHECK_EQ(c.ifc_len, 0);
    strcpy(r.ifr_name, "lo");
    CHECK_EQ(ioctl(fd, SIOCGIFINDEX, &r), 0);
    CHECK_EQ(r.ifr_ifindex, 1);
    CHECK_EQ(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    CHECK_EQ(r.ifr_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    CHECK_EQ(ioctl(fd, SIOCGIFADDR, &r), 0);
    CHECK_EQ(in->sin_family, AF_INET);
    CHECK_EQ(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CHECK_EQ(ioctl(fd, SIOCGIFNETMASK, &r), 0);
    CHECK_EQ(in->sin_addr.s_addr, htonl(0xff000000));
    CHECK_EQ(ioctl(fd, SIOCGIFMTU, &r), 0);
    CHECK_EQ(r.ifr_mtu, 65536);
    CHECK_EQ(ioctl(fd, SIOCGIFHWADDR, &r), 0);
    CHECK_EQ(r.ifr_hwaddr.sa_family, 772);
    memset(r.ifr_name, 0, sizeof r.ifr_name);
    r.ifr_ifindex = 1;
    CHECK_EQ(ioctl(fd, SIOCGIFNAME, &r), 0);
    CHECK(strcmp(r.ifr_name, "lo") == 0);
    r.ifr_ifindex = 4711;
    CHECK_ERRNO(ioctl(fd, SIOCGIFNAME, &r), ENODEV);
    strcpy(r.ifr_name, "nosuch");
    CHECK_ERRNO(ioctl(fd, SIOCGIFADDR, &r), ENODEV);
    CHECK_ERRNO(ioctl(fd, SIOCGIFINDEX, 16), EFAULT);
    CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
    close(fd);
    return check_done();
}
