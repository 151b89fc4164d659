/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Interfaces: between netdev/ and lwIP.
 *
 * Received frames go into the stack where they lie; a frame to send is the
 * device's until it says that it is done, so its pbufs are kept as long.  The
 * command line's ip= (as Linux writes it: client:server:gateway:netmask:host:
 * device:method:dns0:dns1, or just dhcp) says how the first interface gets its
 * address; without one it asks by DHCP.
 */
#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/timeouts.h>

#include "boot/bootinfo.h"
#include "clock/clock.h"
#include "lib/align.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "net/lwip/output.h"
#include "net/lwip/stack.h"
#include "netdev/netdev.h"

WAIT_QUEUE(net_changed);

struct interface {
    struct netif netif;
    struct netdev *dev;
    struct output output;
    struct interface *next;
    int (*start)(struct netdev *dev); /* the driver's */
};

/* A received frame on its way through the stack. */
struct frame {
    struct pbuf_custom pbuf;
    struct netdev *dev;
    void *buffer;
};

static struct interface *interfaces;
static struct interface *found; /* not started yet */
static char host_name[65] = "zuk";

/* ---- receiving ----------------------------------------------------------- */

static void frame_free_pbuf(struct pbuf *p) {
    struct frame *f = (struct frame *)p;
    f->dev->ops->release(f->dev, f->buffer);
    heap_free(f, sizeof *f);
}

#define CHECKS (NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP)

/* IPv6's extension headers, too, and a byte behind their last option. */
static bool is_whole6(const uint8_t *ip, size_t size) {
    if (size < IP6_HLEN)
        return false;
    uint8_t next = ip[6];
    size_t at = IP6_HLEN;
    while (next == IP6_NEXTH_HOPBYHOP || next == IP6_NEXTH_ROUTING || next == IP6_NEXTH_FRAGMENT ||
           next == IP6_NEXTH_DESTOPTS) {
        if (size - at < 8)
            return false;
        size_t header = next == IP6_NEXTH_FRAGMENT ? 8 : 8 * (1u + ip[at + 1]);
        if (header >= size - at)
            return false;
        next = ip[at];
        at += header;
    }
    return true;
}

/* lwIP reads the headers of ARP and IP before it looks whether they are there. */
static bool is_whole(const uint8_t *frame, size_t size) {
    if (size < SIZEOF_ETH_HDR)
        return false;
    switch (frame[12] << 8 | frame[13]) {
    case ETHTYPE_ARP:
        return size >= SIZEOF_ETH_HDR + SIZEOF_ETHARP_HDR;
    case ETHTYPE_IP:
        return size >= SIZEOF_ETH_HDR + IP_HLEN;
    case ETHTYPE_IPV6:
        return is_whole6(frame + SIZEOF_ETH_HDR, size - SIZEOF_ETH_HDR);
    default:
        return true;
    }
}

static struct pbuf *part_pbuf(struct netdev *dev, const struct net_part *part) {
    struct frame *f = heap_alloc_dirty(sizeof *f);
    if (!f)
        return NULL;
    *f = (struct frame){
        .pbuf.custom_free_function = frame_free_pbuf, .dev = dev, .buffer = part->buffer};
    /* The stack may write to what it was given. */
    return pbuf_alloced_custom(PBUF_RAW, (u16_t)part->size, PBUF_REF, &f->pbuf,
                               (void *)(uintptr_t)part->data, (u16_t)part->size);
}

static void received(struct netdev *dev, const struct net_part *parts, unsigned count,
                     bool checked) {
    struct interface *i = dev->data;
    struct pbuf *p = NULL, *before;
    size_t total = 0;
    unsigned left = count;
    for (unsigned n = 0; n < count; n++)
        total += parts[n].size;
    bool sound = total <= UINT16_MAX && is_whole(parts[0].data, parts[0].size);
    /* From the last to the first: pbuf_cat would look for the end each time. */
    for (; sound && left && (before = part_pbuf(dev, &parts[left - 1])); left--) {
        before->next = p;
        before->tot_len = (u16_t)(before->len + (p ? p->tot_len : 0));
        p = before;
    }
    if (left) { /* wrong, or no memory */
        if (p)
            pbuf_free(p);
        while (left)
            dev->ops->release(dev, parts[--left].buffer);
        return;
    }
    if (checked)
        i->netif.chksum_flags &= (u16_t)~CHECKS;
    else
        i->netif.chksum_flags |= CHECKS;
    if (i->netif.input(p, &i->netif) != ERR_OK)
        pbuf_free(p);
}

/* All of 127.0.0.0/8 is the loopback's, and lwIP knows one address of it: for as
 * long as it looks at a packet that is the packet's. */
int lwip_port_loopback(struct pbuf *p, struct netif *lo) {
    const struct ip_hdr *h = p->payload;
    ip4_addr_t own = *netif_ip4_addr(lo), to;
    if (p->len < IP_HLEN)
        return 0;
    ip4_addr_copy(to, h->dest);
    if (!ip4_addr_isloopback(&to) || ip4_addr_cmp(&to, &own))
        return 0;
    ip4_addr_copy(*ip_2_ip4(&lo->ip_addr), to);
    ip4_input(p, lo);
    ip4_addr_copy(*ip_2_ip4(&lo->ip_addr), own);
    return 1;
}

/* ---- sending ------------------------------------------------------------- */

static err_t link_output(struct netif *netif, struct pbuf *p) {
    struct interface *i = netif->state;
    return output_frame(&i->output, p);
}

/* ---- bringing up --------------------------------------------------------- */

static void changed(struct netif *netif) {
    (void)netif;
    wake_all(&net_changed);
}

static void link_changed(struct netdev *dev) {
    struct interface *i = dev->data;
    if (dev->ops->link(dev))
        netif_set_link_up(&i->netif);
    else
        netif_set_link_down(&i->netif);
}

static void idle(struct netdev *dev) {
    (void)dev;
    net_settle();
}

static const struct netdev_stack stack = {received, output_done, idle, link_changed};

static err_t interface_init(struct netif *netif) {
    struct interface *i = netif->state;
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->mtu = i->dev->mtu;
    netif->hwaddr_len = sizeof i->dev->mac;
    memcpy(netif->hwaddr, i->dev->mac, sizeof i->dev->mac);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
                   NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = link_output;
    netif->hostname = host_name;
    if (i->dev->checksums_out)
        NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_ENABLE_ALL &
                                           ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP));
    return ERR_OK;
}

enum ip_field {
    IP_CLIENT,
    IP_SERVER,
    IP_GATEWAY,
    IP_NETMASK,
    IP_HOST,
    IP_DEVICE,
    IP_METHOD,
    IP_DNS0,
    IP_DNS1,
    IP_FIELDS
};

/* The same in one piece of the command line. */
static bool ip_field_in(const char *text, size_t text_size, enum ip_field n, char *out,
                        size_t size) {
    struct cmdline it;
    cmdline_start(&it, text, text_size);
    while (cmdline_next(&it)) {
        if (!cmdline_is(&it, "ip"))
            continue;
        const char *p = it.value, *end = p + it.value_len;
        for (unsigned i = 0; i < n && p < end; p++)
            i += *p == ':';
        const char *stop = p;
        while (stop < end && *stop != ':')
            stop++;
        size_t length = (size_t)(stop - p);
        if (p >= end || !length || length >= size)
            return false;
        memcpy(out, p, length);
        out[length] = 0;
        return true;
    }
    return false;
}

/* Copies field `n` of the command line's ip=; false: empty or not there. */
static bool ip_field(enum ip_field n, char *out, size_t size) {
    return ip_field_in(bootinfo.cmdline, SIZE_MAX, n, out, size) ||
           (bootinfo.module &&
            ip_field_in((const char *)bootinfo.module, bootinfo.module_size, n, out, size));
}

const char *netdev_host_name(void) {
    ip_field(IP_HOST, host_name, sizeof host_name);
    return host_name;
}

static bool ip_address(enum ip_field n, ip4_addr_t *out) {
    char text[16];
    return ip_field(n, text, sizeof text) && ip4addr_aton(text, out);
}

static void configure(struct interface *i, bool first) {
    ip4_addr_t address, gateway = {0}, mask;
    netif_create_ip6_linklocal_address(&i->netif, 1);
    netif_set_ip6_autoconfig_enabled(&i->netif, 1);
    netif_set_up(&i->netif);
    link_changed(i->dev);
    if (!first || !ip_address(IP_CLIENT, &address)) {
        dhcp_start(&i->netif);
        return;
    }
    if (!ip_address(IP_NETMASK, &mask))
        IP4_ADDR(&mask, 255, 255, 255, 0);
    ip_address(IP_GATEWAY, &gateway);
    netif_set_addr(&i->netif, &address, &mask, &gateway);
    for (unsigned n = 0; n < 2; n++) {
        ip_addr_t server;
        IP_SET_TYPE_VAL(server, IPADDR_TYPE_V4);
        if (ip_address(IP_DNS0 + n, ip_2_ip4(&server)))
            dns_setserver((u8_t)n, &server);
    }
}

void net_start(void) {
    extern const struct netdev_driver *const netdev_drivers_start[], *const netdev_drivers_end[];
    static bool started;
    if (started)
        return;
    started = true;
    lwip_init();
    netdev_host_name();
    struct interface **last = &found;
    for (const struct netdev_driver *const *d = netdev_drivers_start; d < netdev_drivers_end; d++) {
        struct netdev *dev;
        for (unsigned nth = 0; (dev = (*d)->find(nth)); nth++) {
            struct interface *i = heap_alloc(sizeof *i);
            if (!i)
                return;
            *i = (struct interface){.dev = dev, .output.dev = dev, .start = (*d)->start};
            dev->stack = &stack;
            dev->data = i;
            *last = i;
            last = &i->next;
        }
    }
}

void net_up(void) {
    struct interface *i, **last = &interfaces;
    net_start();
    if (!found)
        return;
    while ((i = found)) {
        found = i->next;
        i->next = NULL;
        if (i->start(i->dev) ||
            !netif_add(&i->netif, NULL, NULL, NULL, i, interface_init, netif_input)) {
            heap_free(i, sizeof *i);
            continue;
        }
        netif_set_status_callback(&i->netif, changed);
        *last = i;
        last = &i->next;
        if (i == interfaces)
            netif_set_default(&i->netif);
        configure(i, i == interfaces);
    }
    net_settle();
}

bool net_devices(void) {
    return interfaces || found;
}

bool net_addressed(void) {
    bool waits = false;
    for (const struct interface *i = interfaces; i; i = i->next) {
        if (!ip4_addr_isany_val(*netif_ip4_addr(&i->netif)))
            return true;
        waits = waits || netif_is_link_up(&i->netif);
    }
    return !waits;
}

/* DHCP's first tries take no longer. */
#define ADDRESS_WAIT (10 * 1000000000ull)

int net_wait_address(void) {
    uint64_t deadline = clock_monotonic() + ADDRESS_WAIT;
    net_up();
    while (!net_addressed()) {
        int error = wait_on(&net_changed, deadline);
        if (error)
            return error == -ETIMEDOUT ? 0 : error;
    }
    return 0;
}

void netdev_names(struct netdev_names *out) {
    memset(out, 0, sizeof *out);
    net_wait_address();
    out->host = netdev_host_name();
    if (interfaces && !ip4_addr_isany_val(*netif_ip4_addr(&interfaces->netif)))
        ip4addr_ntoa_r(netif_ip4_addr(&interfaces->netif), out->address, sizeof out->address);
    for (u8_t i = 0; i < DNS_MAX_SERVERS && out->server_count < ARRAY_LEN(out->servers); i++) {
        const ip_addr_t *server = dns_getserver(i);
        char *text = out->servers[out->server_count];
        if (!ip_addr_isany(server) && ipaddr_ntoa_r(server, text, sizeof out->servers[0]))
            out->server_count++;
    }
}

void net_settle(void) {
    netif_poll_all();
    for (struct interface *i = interfaces; i; i = i->next) {
        output_flush(&i->output);
        i->dev->ops->flush(i->dev);
    }
    net_arm();
}

void net_look(void) {
    for (struct interface *i = interfaces; i; i = i->next)
        i->dev->ops->poll(i->dev);
}

/* ---- the end ------------------------------------------------------------- */

/* What Linux does once a process has ended goes on for as long as something
 * arrives now and then. */
#define END_QUIET (10 * 1000000000ull)

void netdev_end(void) {
    uint64_t deadline = 0;
    size_t least = SIZE_MAX;
    if (!interfaces)
        return;
    for (tcp_end();;) {
        net_settle();
        size_t left = tcp_unsent() + output_in_flight();
        uint64_t now = clock_monotonic();
        if (left < least) {
            least = left;
            deadline = now + END_QUIET;
        }
        if (!left || now >= deadline)
            return;
        net_look();
        sys_check_timeouts();
    }
}
