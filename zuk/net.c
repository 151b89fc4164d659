/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The network of a run.  See net.h.
 *
 * QEMU's user networking is told of no addresses, so it has its defaults:
 * 10.0.2.0/24, the guest .15, the host .2, names .3.  The guest is given them
 * with ip= and need not ask.
 */
#include "zuk/net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zuk/diag.h"
#include "zuk/util.h"

/* ---- options ---- */

#define FORWARD_FORM "[HOSTIP:]HOSTPORT:GUESTPORT[/tcp|/udp]"

static bool take_port(const char *text, size_t length, uint16_t *out) {
    unsigned n = 0;
    if (length == 0 || length > 5) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        n = n * 10 + (unsigned)(text[i] - '0');
    }
    *out = (uint16_t)n;
    return n >= 1 && n <= 65535;
}

const char *net_parse_forward(const char *text, struct net_forward *out) {
    static const char form[] = FORWARD_FORM " with ports from 1 to 65535";
    struct in_addr ip;
    *out = (struct net_forward){.udp = false};
    const char *slash = strchr(text, '/');
    const char *end = slash == NULL ? text + strlen(text) : slash;
    if (slash != NULL) {
        out->udp = strcmp(slash, "/udp") == 0;
        if (!out->udp && strcmp(slash, "/tcp") != 0) {
            return form;
        }
    }
    const char *first = memchr(text, ':', (size_t)(end - text));
    if (first == NULL) {
        return form;
    }
    const char *second = memchr(first + 1, ':', (size_t)(end - first - 1));
    const char *host = text;
    if (second != NULL) {
        size_t length = (size_t)(first - text);
        if (length >= sizeof out->host_ip) {
            return form;
        }
        memcpy(out->host_ip, text, length);
        if (length > 0 && inet_pton(AF_INET, out->host_ip, &ip) != 1) {
            return form;
        }
        host = first + 1;
        first = second;
    }
    return take_port(host, (size_t)(first - host), &out->host) &&
                   take_port(first + 1, (size_t)(end - first - 1), &out->guest)
               ? NULL
               : form;
}

static bool take_ip(const char *text, uint32_t *out) {
    struct in_addr ip;
    if (inet_pton(AF_INET, text, &ip) != 1) {
        return false;
    }
    *out = ntohl(ip.s_addr);
    return true;
}

static bool take_cidr(char *text, struct net_config *n) {
    char *slash = strchr(text, '/');
    uint16_t bits;
    if (slash == NULL || !take_port(slash + 1, strlen(slash + 1), &bits) || bits > 32) {
        return false;
    }
    *slash = '\0';
    n->mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - bits));
    return take_ip(text, &n->ip);
}

#define NET_FORM "none, user, or tap=NAME[,ip=ADDRESS/BITS[,gw=ADDRESS][,dns=ADDRESS]]"

const char *net_parse(const char *text, struct net_config *out) {
    out->tap = NULL;
    out->ip = out->mask = out->gateway = out->dns = 0;
    if (strcmp(text, "none") == 0 || strcmp(text, "user") == 0) {
        out->mode = *text == 'n' ? NET_NONE : NET_USER;
        return NULL;
    }
    char *copy = xstrdup(text), *rest = copy;
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL || value[1] == '\0') {
            return NET_FORM;
        }
        *value++ = '\0';
        bool ok = false;
        if (strcmp(word, "tap") == 0) {
            out->tap = value;
            ok = strlen(value) < 16;
        } else if (strcmp(word, "ip") == 0) {
            ok = take_cidr(value, out);
        } else if (strcmp(word, "gw") == 0) {
            ok = take_ip(value, &out->gateway);
        } else if (strcmp(word, "dns") == 0) {
            ok = take_ip(value, &out->dns);
        }
        if (!ok) {
            return NET_FORM;
        }
    }
    out->mode = NET_TAP;
    bool sound = out->tap != NULL && (out->ip != 0 || (out->gateway == 0 && out->dns == 0));
    return sound ? NULL : NET_FORM;
}

bool net_on(const struct net_config *n) {
    return n->mode == NET_DEFAULT ? n->forward_count > 0 || n->pcap != NULL : n->mode != NET_NONE;
}

static const char *protocol(const struct net_forward *f) {
    return f->udp ? "udp" : "tcp";
}

bool net_check(const struct net_config *n) {
    if (n->forward_count > 0 && (n->mode == NET_NONE || n->mode == NET_TAP)) {
        diag_error("-p needs user networking, and --net says %s",
                   n->mode == NET_TAP ? "tap" : "none");
        diag_hint(n->mode == NET_TAP
                      ? "behind a tap interface the guest has an address of its own: no -p"
                      : "leave --net away: -p brings user networking");
        return false;
    }
    if (n->pcap != NULL && n->mode == NET_NONE) {
        diag_error("--pcap has nothing to write: --net says none");
        return false;
    }
    for (size_t i = 0; i < n->forward_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct net_forward *a = &n->forwards[i], *b = &n->forwards[j];
            if (a->udp == b->udp && a->host == b->host &&
                (*a->host_ip == '\0' || *b->host_ip == '\0' ||
                 strcmp(a->host_ip, b->host_ip) == 0)) {
                diag_error("-p: the host's port %u/%s is given twice", a->host, protocol(a));
                return false;
            }
        }
    }
    return true;
}

/* ---- the host's ports ---- */

/* The socket that has a port, from a table of /proc/net: its inode, or 0.
 * `ip` (network order) 0: whichever address. */
static unsigned long socket_inode(const char *table, uint16_t port, bool udp) {
    FILE *f = fopen(table, "re");
    char line[512];
    unsigned long found = 0;
    while (f != NULL && found == 0 && fgets(line, sizeof line, f) != NULL) {
        /* "sl local rem state tx:rx tr:when retr uid timeout inode ..." */
        char local[64];
        unsigned state, at;
        unsigned long inode;
        if (sscanf(line, " %*u: %63s %*s %x %*s %*s %*s %*s %*s %lu", local, &state, &inode) != 3) {
            continue;
        }
        const char *colon = strrchr(local, ':');
        if (colon != NULL && sscanf(colon + 1, "%x", &at) == 1 && at == port &&
            (udp || state == 0x0a)) { /* LISTEN */
            found = inode;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    return found;
}

static bool has_socket(const char *pid, unsigned long inode) {
    char *folder = xasprintf("/proc/%s/fd", pid), *wanted = xasprintf("socket:[%lu]", inode);
    DIR *dir = opendir(folder);
    bool found = false;
    for (const struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;) {
        char target[64];
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, wanted) == 0;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found;
}

static char *process_name(const char *pid) {
    char name[64] = "?";
    FILE *f = fopen(xasprintf("/proc/%s/comm", pid), "re");
    if (f != NULL) {
        if (fgets(name, sizeof name, f) != NULL) {
            name[strcspn(name, "\n")] = '\0';
        }
        fclose(f);
    }
    return xstrdup(name);
}

/* "'python3' (process 123)", or NULL: it is not to be seen. */
static char *port_holder(const struct net_forward *f) {
    const char *kind = protocol(f);
    unsigned long inode = socket_inode(xasprintf("/proc/net/%s", kind), f->host, f->udp);
    if (inode == 0) {
        inode = socket_inode(xasprintf("/proc/net/%s6", kind), f->host, f->udp);
    }
    DIR *dir = inode == 0 ? NULL : opendir("/proc");
    char *holder = NULL;
    for (const struct dirent *e; dir != NULL && holder == NULL && (e = readdir(dir)) != NULL;) {
        if (isdigit((unsigned char)e->d_name[0]) && has_socket(e->d_name, inode)) {
            holder = xasprintf("'%s' (process %s)", process_name(e->d_name), e->d_name);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return holder;
}

/* 0, or why QEMU will not get that port. */
static int try_port(const struct net_forward *f) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(f->host)};
    if (*f->host_ip != '\0') {
        inet_pton(AF_INET, f->host_ip, &a.sin_addr);
    }
    int on = 1;
    int fd = socket(AF_INET, (f->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return 0; /* QEMU will say what it thinks of that */
    }
    /* As QEMU does: connections that are gone do not hold the port. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int error = bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || (!f->udp && listen(fd, 1) != 0)
                    ? errno
                    : 0;
    close(fd);
    return error;
}

bool net_ports_free(const struct net_config *n) {
    bool ok = true;
    for (size_t i = 0; i < n->forward_count; i++) {
        const struct net_forward *f = &n->forwards[i];
        int error = try_port(f);
        if (error == 0) {
            continue;
        }
        ok = false;
        const char *holder = error == EADDRINUSE ? port_holder(f) : NULL;
        char *port = xasprintf("port %u/%s of %s", f->host, protocol(f),
                               *f->host_ip == '\0' ? "this host" : f->host_ip);
        if (error != EADDRINUSE) {
            diag_error("-p: %s cannot be had: %s", port, strerror(error));
        } else if (holder == NULL) {
            diag_error("-p: %s is in use", port);
        } else {
            diag_error("-p: %s is in use by %s", port, holder);
        }
        if (error == EADDRINUSE) {
            diag_hint("end that program, or take another port: -p %u:%u",
                      f->host == 65535 ? 65534u : f->host + 1u, f->guest);
        } else if (error == EACCES) {
            diag_hint("ports below 1024 need privileges; take another: -p %u:%u",
                      8000u + f->guest % 1000, f->guest);
        } else if (error == EADDRNOTAVAIL) {
            diag_hint("%s is no address of this host", f->host_ip);
        }
    }
    return ok;
}

/* ---- for QEMU and the kernel ---- */

/* A comma in a value is doubled for QEMU. */
static char *doubled(const char *value) {
    char *out = xalloc(2 * strlen(value) + 1), *p = out;
    for (; *value != '\0'; value++) {
        *p++ = *value;
        if (*value == ',') {
            *p++ = ',';
        }
    }
    *p = '\0';
    return out;
}

#define QUEUES_MOST 4 /* that the guest's driver uses */

/* Was the interface made for several queues?  Nobody says but by being one of them. */
static bool many_queues(const char *tap) {
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
    if (strlen(tap) >= sizeof r.ifr_name || if_nametoindex(tap) == 0) {
        return false; /* QEMU will make it, or say why not */
    }
    strcpy(r.ifr_name, tap);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    bool many = fd >= 0 && ioctl(fd, TUNSETIFF, &r) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return many;
}

bool net_set_queues(struct net_config *n, unsigned cpus) {
    n->queues = 1;
    if (n->mode != NET_TAP || !many_queues(n->tap)) {
        return true;
    }
    n->queues = cpus < 2 ? 2 : cpus > QUEUES_MOST ? QUEUES_MOST : cpus;
    if (n->pcap != NULL) {
        diag_error("--pcap: '%s' was made for several queues, which QEMU does not capture", n->tap);
        diag_hint("make it without multi_queue, or run on the host: tcpdump -i %s -w %s", n->tap,
                  n->pcap);
    }
    return n->pcap == NULL;
}

const char *const *net_words(const struct net_config *n) {
    VEC(const char *) w = {0};
    char *device = n->mode == NET_TAP
                       ? xasprintf("tap,id=net,ifname=%s,script=no,downscript=no%s", n->tap,
                                   /* or the dump has virtio's header before each frame */
                                   n->pcap != NULL ? ",vnet_hdr=off" : "")
                       : xstrdup("user,id=net");
    if (n->queues > 1) {
        device = xasprintf("%s,queues=%u", device, n->queues);
    }
    for (size_t i = 0; i < n->forward_count; i++) {
        const struct net_forward *f = &n->forwards[i];
        device = xasprintf("%s,hostfwd=%s:%s:%u-:%u", device, protocol(f), f->host_ip, f->host,
                           f->guest);
    }
    *vec_push(&w) = "-netdev";
    *vec_push(&w) = device;
    if (n->pcap != NULL) {
        *vec_push(&w) = "-object";
        *vec_push(&w) = xasprintf("filter-dump,id=dump,netdev=net,file=%s", doubled(n->pcap));
    }
    *vec_push(&w) = NULL;
    return w.data;
}

char *net_device(const struct net_config *n) {
    const char *queues = n->queues > 1 ? ",mq=on" : "";
    if (n->mode != NET_TAP || n->ip == 0) {
        return xasprintf("netdev=net%s", queues);
    }
    /* On a network of several guests each has a MAC of its own. */
    return xasprintf("netdev=net,mac=52:54:00:%02x:%02x:%02x%s", n->ip >> 16 & 255,
                     n->ip >> 8 & 255, n->ip & 255, queues);
}

static char *ip_text(uint32_t ip) {
    return ip == 0 ? xstrdup("")
                   : xasprintf("%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

/* A name as a host's may be: letters, digits, inner hyphens. */
static char *host_label(const char *name) {
    char *out = xstrdup(name);
    size_t n = 0;
    for (const char *s = name; *s != '\0' && n < 63; s++) {
        if (isalnum((unsigned char)*s)) {
            out[n++] = *s;
        } else if (n > 0) {
            out[n++] = '-';
        }
    }
    while (n > 0 && out[n - 1] == '-') {
        n--;
    }
    out[n] = '\0';
    return out;
}

char *net_kernel(const struct net_config *n, const char *host_name) {
    char *name = host_label(host_name);
    if (n->mode == NET_TAP) {
        return n->ip == 0 ? NULL
                          : xasprintf("%s::%s:%s:%s:eth0:off:%s", ip_text(n->ip),
                                      ip_text(n->gateway), ip_text(n->mask), name, ip_text(n->dns));
    }
    return xasprintf("10.0.2.15::10.0.2.2:255.255.255.0:%s:eth0:off:10.0.2.3", name);
}
