/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What programs ask about the network's interfaces: the ioctls of
 * netdevice(7), and of rtnetlink(7) the two dumps that libc's getifaddrs and
 * if_nameindex are made from (RTM_GETLINK, RTM_GETADDR); other requests are
 * answered with -EOPNOTSUPP.  The loopback is lo, index 1; cards are eth0 ...
 */
#include <lwip/netif.h>

#include "lib/align.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "mm/user.h"
#include "net/lwip/inet.h"
#include "net/lwip/stack.h"

enum {
    IFF_UP = 1,
    IFF_BROADCAST = 2,
    IFF_LOOPBACK = 8,
    IFF_RUNNING = 0x40,
    IFF_MULTICAST = 0x1000
};
enum { IFF_LOWER_UP = 0x10000 };
enum { ARPHRD_ETHER = 1, ARPHRD_LOOPBACK = 772 };
#define LOOPBACK_MTU 65536u
#define NAME_SIZE 16u

static bool is_loopback(const struct netif *n) {
    return netif_get_index(n) == 1;
}

static void name_of(const struct netif *n, char out[NAME_SIZE]) {
    memset(out, 0, NAME_SIZE);
    if (is_loopback(n))
        format(out, NAME_SIZE, "lo");
    else
        format(out, NAME_SIZE, "eth%u", netif_get_index(n) - 2u);
}

static struct netif *named(const char *name) {
    for (unsigned i = 1; i <= UINT8_MAX; i++) {
        struct netif *n = inet_interface(i);
        char own[NAME_SIZE];
        if (!n)
            continue;
        name_of(n, own);
        if (!strcmp(own, name))
            return n;
    }
    return NULL;
}

static uint32_t flags_of(const struct netif *n) {
    uint32_t flags = is_loopback(n) ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST;
    if (netif_is_up(n))
        flags |= IFF_UP;
    if (netif_is_up(n) && netif_is_link_up(n))
        flags |= IFF_RUNNING;
    return flags;
}

static uint32_t mtu_of(const struct netif *n) {
    return is_loopback(n) ? LOOPBACK_MTU : n->mtu;
}

/* ---- ioctls -------------------------------------------------------------- */

enum {
    SIOCGIFNAME = 0x8910,
    SIOCGIFCONF = 0x8912,
    SIOCGIFFLAGS = 0x8913,
    SIOCSIFFLAGS = 0x8914,
    SIOCGIFADDR = 0x8915,
    SIOCGIFDSTADDR = 0x8917,
    SIOCGIFBRDADDR = 0x8919,
    SIOCGIFNETMASK = 0x891b,
    SIOCGIFMETRIC = 0x891d,
    SIOCGIFMTU = 0x8921,
    SIOCGIFHWADDR = 0x8927,
    SIOCGIFINDEX = 0x8933,
    SIOCGIFTXQLEN = 0x8942,
};

struct address { /* struct sockaddr_in */
    uint16_t family, port;
    uint32_t ip;
    uint8_t zero[8];
};

struct request { /* struct ifreq */
    char name[NAME_SIZE];
    union {
        struct address address;
        int32_t number;
        uint8_t bytes[24];
    };
};
_Static_assert(sizeof(struct request) == 40, "struct ifreq is an ABI");

struct list_request { /* struct ifconf */
    int32_t size, pad;
    uint64_t at;
};

/* The interfaces that have an IPv4 address. */
static long list_interfaces(vaddr_t arg) {
    struct list_request l;
    int32_t done = 0;
    if (user_read(&l, arg, sizeof l))
        return -EFAULT;
    for (unsigned i = 1; i <= UINT8_MAX; i++) {
        const struct netif *n = inet_interface(i);
        if (!n || ip4_addr_isany_val(*netif_ip4_addr(n)))
            continue;
        struct request r = {.address = {.family = AF_INET}};
        name_of(n, r.name);
        r.address.ip = ip4_addr_get_u32(netif_ip4_addr(n));
        if (l.at && l.size - done < (int32_t)sizeof r)
            break;
        if (l.at && user_write(l.at + (uint32_t)done, &r, sizeof r))
            return -EFAULT;
        done += (int32_t)sizeof r;
    }
    return user_write(arg, &done, sizeof done);
}

static long address_answer(struct request *r, uint32_t ip) {
    memset(r->bytes, 0, sizeof r->bytes);
    r->address.family = AF_INET;
    r->address.ip = ip;
    return ip ? 0 : -EADDRNOTAVAIL;
}

static long answer(unsigned long request, const struct netif *n, struct request *r) {
    uint32_t ip = ip4_addr_get_u32(netif_ip4_addr(n)),
             mask = ip4_addr_get_u32(netif_ip4_netmask(n));
    switch (request) {
    case SIOCGIFFLAGS:
        r->number = (int32_t)(flags_of(n) & 0xffff);
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        return address_answer(r, ip);
    case SIOCGIFBRDADDR:
        return address_answer(r, is_loopback(n) ? ip : ip | ~mask);
    case SIOCGIFNETMASK:
        return address_answer(r, mask);
    case SIOCGIFMETRIC:
        r->number = 0;
        return 0;
    case SIOCGIFMTU:
        r->number = (int32_t)mtu_of(n);
        return 0;
    case SIOCGIFTXQLEN:
        r->number = 1000;
        return 0;
    case SIOCGIFHWADDR:
        memset(r->bytes, 0, sizeof r->bytes);
        r->address.family = is_loopback(n) ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
        memcpy(r->bytes + sizeof r->address.family, n->hwaddr, n->hwaddr_len);
        return 0;
    case SIOCGIFINDEX:
        r->number = netif_get_index(n);
        return 0;
    default:
        return -ENOTTY;
    }
}

long interface_ioctl(unsigned long request, vaddr_t arg) {
    struct request r;
    const struct netif *n;
    net_up();
    switch (request) {
    case SIOCGIFCONF:
        return list_interfaces(arg);
    case SIOCSIFFLAGS:
        return -EPERM;
    case SIOCGIFNAME:
    case SIOCGIFFLAGS:
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFTXQLEN:
    case SIOCGIFHWADDR:
    case SIOCGIFINDEX:
        break;
    default:
        return -ENOTTY;
    }
    if (user_read(&r, arg, sizeof r))
        return -EFAULT;
    if (request == SIOCGIFNAME) {
        n = inet_interface((unsigned)r.number);
        if (!n)
            return -ENODEV;
        name_of(n, r.name);
        return user_write(arg, &r, sizeof r);
    }
    r.name[NAME_SIZE - 1] = 0;
    n = named(r.name);
    if (!n)
        return -ENODEV;
    long error = answer(request, n, &r);
    return error ? error : user_write(arg, &r, sizeof r);
}

/* ---- netlink ------------------------------------------------------------- */

enum { NLMSG_ERROR = 2, NLMSG_DONE };
enum { NLM_F_REQUEST = 1, NLM_F_MULTI = 2, NLM_F_ACK = 4, NLM_F_DUMP = 0x300 };
enum { RTM_NEWLINK = 16, RTM_GETLINK = 18, RTM_NEWADDR = 20, RTM_GETADDR = 22 };
enum { IFLA_ADDRESS = 1, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU };
enum { IFA_ADDRESS = 1, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST };
enum { SCOPE_GLOBAL = 0, SCOPE_LINK = 253, SCOPE_HOST = 254 };
enum { ADDRESS_PERMANENT = 0x80 };

struct nl_header { /* struct nlmsghdr */
    uint32_t size;
    uint16_t type, flags;
    uint32_t sequence, port;
};
struct nl_link { /* struct ifinfomsg */
    uint8_t family, pad;
    uint16_t type;
    int32_t index;
    uint32_t flags, change;
};
struct nl_address { /* struct ifaddrmsg */
    uint8_t family, prefix, flags, scope;
    uint32_t index;
};
struct nl_attribute {
    uint16_t size, type;
};
struct nl_name { /* struct sockaddr_nl */
    uint16_t family, pad;
    uint32_t port, groups;
};

struct answers { /* one answer: a frame of messages */
    struct list node;
    uint32_t size;
    uint8_t data[PAGE_SIZE - 24];
};
_Static_assert(sizeof(struct answers) == PAGE_SIZE, "answers fill a frame");

struct netlink_socket {
    struct socket socket;
    struct list queue;
    uint32_t port;
};

static struct netlink_socket *of(struct socket *s) {
    return container_of(s, struct netlink_socket, socket);
}

#define NL_ALIGN(n) ALIGN_UP(n, 4u)

/* A message that grows at the end of the last frame of answers. */
struct writer {
    struct netlink_socket *s;
    const struct nl_header *request;
    struct answers *at;
    struct nl_header *message;
    bool failed; /* memory is out */
};

static void append(struct writer *w, const void *data, size_t size) {
    memcpy(w->at->data + w->at->size, data, size);
    memset(w->at->data + w->at->size + size, 0, NL_ALIGN(size) - size);
    w->at->size += (uint32_t)NL_ALIGN(size);
    w->message->size = (uint32_t)((char *)w->at->data + w->at->size - (char *)w->message);
}

#define MESSAGE_MOST 256u /* bytes of one */

static bool begin(struct writer *w, uint16_t type, const void *body, size_t size) {
    if (!w->at || sizeof w->at->data - w->at->size < MESSAGE_MOST) {
        paddr_t frame = frame_alloc();
        if (!frame) {
            w->failed = true;
            return false;
        }
        w->at = phys_to_virt(frame);
        w->at->size = 0;
        list_push_back(&w->s->queue, &w->at->node);
    }
    struct nl_header h = {0, type, NLM_F_MULTI, w->request->sequence, w->s->port ? w->s->port : 1};
    w->message = (void *)(w->at->data + w->at->size);
    append(w, &h, sizeof h);
    append(w, body, size);
    return true;
}

static void attribute(struct writer *w, uint16_t type, const void *value, size_t size) {
    struct nl_attribute a = {(uint16_t)(sizeof a + size), type};
    append(w, &a, sizeof a);
    append(w, value, size);
}

static void put_link(struct writer *w, const struct netif *n) {
    static const uint8_t none[6], all[6] = {255, 255, 255, 255, 255, 255};
    struct nl_link l = {.type = is_loopback(n) ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
                        .index = netif_get_index(n),
                        .flags = flags_of(n)};
    char name[NAME_SIZE];
    uint32_t mtu = mtu_of(n);
    if (l.flags & IFF_RUNNING)
        l.flags |= IFF_LOWER_UP;
    if (!begin(w, RTM_NEWLINK, &l, sizeof l))
        return;
    name_of(n, name);
    attribute(w, IFLA_IFNAME, name, strlen(name) + 1);
    attribute(w, IFLA_MTU, &mtu, sizeof mtu);
    attribute(w, IFLA_ADDRESS, is_loopback(n) ? none : n->hwaddr, sizeof none);
    attribute(w, IFLA_BROADCAST, is_loopback(n) ? none : all, sizeof all);
}

static void put_address4(struct writer *w, const struct netif *n) {
    uint32_t ip = ip4_addr_get_u32(netif_ip4_addr(n)),
             mask = ip4_addr_get_u32(netif_ip4_netmask(n));
    struct nl_address a = {AF_INET, (uint8_t)__builtin_popcount(mask), ADDRESS_PERMANENT,
                           is_loopback(n) ? SCOPE_HOST : SCOPE_GLOBAL, netif_get_index(n)};
    char name[NAME_SIZE];
    if (!ip || !begin(w, RTM_NEWADDR, &a, sizeof a))
        return;
    name_of(n, name);
    attribute(w, IFA_ADDRESS, &ip, sizeof ip);
    attribute(w, IFA_LOCAL, &ip, sizeof ip);
    if (!is_loopback(n)) {
        uint32_t all = ip | ~mask;
        attribute(w, IFA_BROADCAST, &all, sizeof all);
    }
    attribute(w, IFA_LABEL, name, strlen(name) + 1);
}

static void put_addresses6(struct writer *w, const struct netif *n) {
    for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        const ip6_addr_t *ip = netif_ip6_addr(n, i);
        if (!ip6_addr_isvalid(netif_ip6_addr_state(n, i)))
            continue;
        bool host = ip6_addr_isloopback(ip), link = ip6_addr_islinklocal(ip);
        struct nl_address a = {AF_INET6, host ? 128 : 64, ADDRESS_PERMANENT,
                               host   ? SCOPE_HOST
                               : link ? SCOPE_LINK
                                      : SCOPE_GLOBAL,
                               netif_get_index(n)};
        if (!begin(w, RTM_NEWADDR, &a, sizeof a))
            return;
        attribute(w, IFA_ADDRESS, ip->addr, sizeof ip->addr);
    }
}

static void put_error(struct writer *w, int error) {
    struct {
        int32_t error;
        struct nl_header request;
    } e = {error, *w->request};
    if (begin(w, NLMSG_ERROR, &e, sizeof e))
        w->message->flags = 0;
}

static void put_dump(struct writer *w, uint8_t family) {
    int32_t none = 0;
    for (unsigned i = 1; i <= UINT8_MAX; i++) {
        const struct netif *n = inet_interface(i);
        if (!n)
            continue;
        if (w->request->type == RTM_GETLINK)
            put_link(w, n);
        else if (family != AF_INET6)
            put_address4(w, n);
    }
    for (unsigned i = 1; i <= UINT8_MAX && w->request->type == RTM_GETADDR && family != AF_INET;
         i++) {
        const struct netif *n = inet_interface(i);
        if (n)
            put_addresses6(w, n);
    }
    /* The end is a message of its own, as Linux has it. */
    w->at = NULL;
    begin(w, NLMSG_DONE, &none, sizeof none);
}

static long netlink_send(struct socket *socket, struct message *m) {
    struct netlink_socket *s = of(socket);
    struct {
        struct nl_header h;
        uint8_t family, rest[3];
    } r = {.family = 0};
    size_t size = MIN(m->size, sizeof r);
    if (message_get(m, &r, size))
        return -EFAULT;
    if (size < sizeof r.h || r.h.size < sizeof r.h || r.h.size > m->size)
        return (long)m->size; /* Linux ignores it too */
    struct writer w = {.s = s, .request = &r.h};
    bool known = r.h.type == RTM_GETLINK || r.h.type == RTM_GETADDR;
    if (known && (r.h.flags & NLM_F_DUMP) == NLM_F_DUMP)
        put_dump(&w, r.family);
    else
        put_error(&w, -EOPNOTSUPP);
    if (w.failed)
        return -ENOBUFS;
    wake_events(&socket->changed, READABLE);
    return (long)m->size;
}

static long netlink_receive(struct socket *socket, struct message *m) {
    struct netlink_socket *s = of(socket);
    struct list *node;
    struct nl_name from = {.family = 16};
    while (!(node = list_first(&s->queue))) {
        int error = m->deadline ? wait_on(&socket->changed, m->deadline) : -EAGAIN;
        if (error)
            return error == -ETIMEDOUT ? -EAGAIN : error;
    }
    struct answers *a = list_entry(node, struct answers, node);
    uint32_t size = a->size;
    int error = message_put(m, a->data, size);
    memcpy(m->peer.bytes, &from, m->peer.size = sizeof from);
    if (size > m->done)
        m->flags_out |= MSG_TRUNC;
    if (!(m->flags & MSG_PEEK)) {
        list_remove(&a->node);
        frame_free(virt_to_phys(a));
    }
    return error ? error : (long)(m->flags & MSG_TRUNC ? size : m->done);
}

static int netlink_bind(struct socket *socket, const struct socket_address *a) {
    struct nl_name name;
    if (a->size < sizeof name)
        return -EINVAL;
    memcpy(&name, a->bytes, sizeof name);
    if (name.family != socket->family)
        return -EINVAL;
    of(socket)->port = name.port ? name.port : 1;
    return 0;
}

static int netlink_name(struct socket *socket, bool peer, struct socket_address *out) {
    struct nl_name name = {.family = socket->family, .port = peer ? 0 : of(socket)->port};
    memcpy(out->bytes, &name, out->size = sizeof name);
    return 0;
}

static unsigned netlink_poll(struct socket *socket) {
    return list_empty(&of(socket)->queue) ? WRITABLE : WRITABLE | READABLE;
}

static int netlink_set_option(struct socket *socket, int level, int name, const void *value,
                              size_t size) {
    (void)socket, (void)name, (void)value, (void)size;
    return level == 270 ? 0 : -ENOPROTOOPT; /* SOL_NETLINK: strict checks, long answers */
}

static void netlink_close(struct socket *socket) {
    struct netlink_socket *s = of(socket);
    struct list *node;
    while ((node = list_pop_front(&s->queue)))
        frame_free(virt_to_phys(list_entry(node, struct answers, node)));
    heap_free(s, sizeof *s);
}

static const struct socket_ops netlink_ops = {
    .bind = netlink_bind,
    .send = netlink_send,
    .receive = netlink_receive,
    .name = netlink_name,
    .set_option = netlink_set_option,
    .poll = netlink_poll,
    .close = netlink_close,
};

static int create(int type, int protocol, struct socket **out) {
    if (type != SOCK_RAW && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol) /* NETLINK_ROUTE is the one that there is */
        return -EPROTONOSUPPORT;
    net_up();
    struct netlink_socket *s = heap_alloc(sizeof *s);
    if (!s)
        return -ENOBUFS;
    socket_init(&s->socket, &netlink_ops, AF_NETLINK, (uint16_t)type, protocol);
    list_init(&s->queue);
    *out = &s->socket;
    return 0;
}

static const struct socket_family netlink = {AF_NETLINK, create, NULL};
SOCKET_FAMILY(netlink);
