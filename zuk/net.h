/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The network of a run: -p, --net and --pcap -> QEMU's devices and what the
 * kernel is told (ip= on its command line, as Linux writes it).
 */
#ifndef ZUK_NET_H
#define ZUK_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -p [HOSTIP:]HOST:GUEST[/tcp|/udp] */
struct net_forward {
    bool udp;
    char host_ip[16]; /* IPv4; "": every address of the host */
    uint16_t host, guest;
};

enum net_mode { NET_DEFAULT, NET_NONE, NET_USER, NET_TAP };

struct net_config {
    enum net_mode mode; /* DEFAULT: user when there are forwards or a capture, else none */
    const struct net_forward *forwards;
    size_t forward_count;
    const char *pcap; /* a file for all frames, or NULL */
    /* NET_TAP: */
    const char *tap;       /* the host's interface */
    uint32_t ip, mask;     /* host byte order; ip 0: by DHCP */
    uint32_t gateway, dns; /* 0: none */
    unsigned queues;       /* pairs of the card; 0, 1: one */
};

/* One -p, one --net.  NULL: taken; otherwise what is wrong with it, for
 * "option: 'value' is not ...". */
const char *net_parse_forward(const char *text, struct net_forward *out);
const char *net_parse(const char *text, struct net_config *out);

/* Is there a network card? */
bool net_on(const struct net_config *n);
/* Do they fit together (-p needs user networking, no port twice)?  False after
 * diag_error: exit status 2. */
bool net_check(const struct net_config *n);
/* Are the host's ports free?  False after diag_error, which names who has
 * them: exit status 5. */
bool net_ports_free(const struct net_config *n);

/* Settles n->queues for a guest of so many CPUs: one, or several where the host's
 * interface was made for that (ip tuntap add ... multi_queue), which then takes no
 * card with one.  False after diag_error: what else is wanted needs one. */
bool net_set_queues(struct net_config *n, unsigned cpus);
/* QEMU's words but for -device (arena): -netdev ..., -object ...; NULL-terminated. */
const char *const *net_words(const struct net_config *n);
/* What stands behind the device's name in -device (arena). */
char *net_device(const struct net_config *n);
/* The value of the kernel's ip= (arena), or NULL: it asks by DHCP. */
char *net_kernel(const struct net_config *n, const char *host_name);

#endif
