/* SPDX-License-Identifier: BSD-3-Clause
 *
 * zuk/net.c: what -p and --net may be, which of them fit together, ports that
 * somebody has, and the words for QEMU and the kernel.
 */
#include "tests/unit/tool_scratch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "zuk/net.h"

/* ---- what is written ---- */

static void test_forwards(void **state) {
    (void)state;
    static const struct {
        const char *text, *host_ip;
        uint16_t host, guest;
        bool udp;
    } good[] = {
        {"8080:80", "", 8080, 80, false},
        {"1:65535", "", 1, 65535, false},
        {"53:5353/udp", "", 53, 5353, true},
        {"53:5353/tcp", "", 53, 5353, false},
        {"127.0.0.1:2222:22", "127.0.0.1", 2222, 22, false},
        {"0.0.0.0:9:10/udp", "0.0.0.0", 9, 10, true},
        {"255.255.255.255:9:10", "255.255.255.255", 9, 10, false},
        {":9:10", "", 9, 10, false}, /* as docker has it: every address */
        {"00080:00081", "", 80, 81, false},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct net_forward f;
        memset(&f, 0xee, sizeof f);
        assert_null(net_parse_forward(good[i].text, &f));
        assert_string_equal(f.host_ip, good[i].host_ip);
        assert_int_equal(f.host, good[i].host);
        assert_int_equal(f.guest, good[i].guest);
        assert_int_equal(f.udp, good[i].udp);
    }
    static const char *const bad[] = {
        "",
        "80",
        ":",
        "80:",
        ":80",
        "0:80",
        "80:0",
        "65536:80",
        "80:65536",
        "99999:1",
        "000080:80",
        "-1:80",
        "+80:80",
        " 80:80",
        "80:80 ",
        "80:80/",
        "80:80/UDP",
        "80:80/tcp/udp",
        "80/tcp:80",
        "a:80",
        "80:b",
        "host:80:80",
        "1.2.3:4:5",
        "1.2.3.256:4:5",
        "1.2.3.4:80",
        "1:2:3:4:5",
        "::1:80:80",
        "[::1]:80:80",
        "0x50:80",
        "80:80,hostfwd=x",
        "8\n0:80",
        "80:80/sctp",
        "255.255.255.2555:80:80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct net_forward f;
        const char *why = net_parse_forward(bad[i], &f);
        if (why == NULL) {
            fail_msg("-p '%s' was taken", bad[i]);
        }
        assert_non_null(strstr(why, "HOSTPORT:GUESTPORT"));
    }
}

static void test_modes(void **state) {
    (void)state;
    struct net_config n = {.mode = NET_DEFAULT};
    assert_null(net_parse("none", &n));
    assert_int_equal(n.mode, NET_NONE);
    assert_null(net_parse("user", &n));
    assert_int_equal(n.mode, NET_USER);
    assert_null(net_parse("tap=tap0", &n));
    assert_int_equal(n.mode, NET_TAP);
    assert_string_equal(n.tap, "tap0");
    assert_int_equal(n.ip, 0);
    assert_null(net_parse("ip=10.1.2.3/20,dns=9.9.9.9,tap=fifteen-letters,gw=10.1.0.1", &n));
    assert_string_equal(n.tap, "fifteen-letters");
    assert_int_equal(n.ip, 0x0a010203);
    assert_int_equal(n.mask, 0xfffff000);
    assert_int_equal(n.gateway, 0x0a010001);
    assert_int_equal(n.dns, 0x09090909);
    /* What one before said is forgotten. */
    assert_null(net_parse("tap=t", &n));
    assert_int_equal(n.ip | n.mask | n.gateway | n.dns, 0);
    assert_null(net_parse("tap=t,ip=1.2.3.4/32", &n));
    assert_int_equal(n.mask, 0xffffffff);
    assert_null(net_parse("tap=t,ip=1.2.3.4/1", &n));
    assert_int_equal(n.mask, 0x80000000);

    static const char *const bad[] = {
        "",
        "bridge",
        "None",
        "user,",
        "tap",
        "tap=",
        "tap=sixteen-letters-",
        "ip=10.0.0.2/24",
        "tap=t,",
        "tap=t,,ip=10.0.0.2/24",
        "tap=t,ip=10.0.0.2",
        "tap=t,ip=10.0.0.2/",
        "tap=t,ip=10.0.0.2/0",
        "tap=t,ip=10.0.0.2/33",
        "tap=t,ip=10.0.0.2/255.255.255.0",
        "tap=t,ip=10.0.0/24",
        "tap=t,ip=fe80::1/64",
        "tap=t,gw=10.0.0.1",
        "tap=t,dns=10.0.0.1",
        "tap=t,ip=10.0.0.2/24,gw=x",
        "tap=t,ip=10.0.0.2/24,dns=",
        "tap=t,mtu=9000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = net_parse(bad[i], &n);
        if (why == NULL) {
            fail_msg("--net '%s' was taken", bad[i]);
        }
        assert_non_null(strstr(why, "tap=NAME"));
    }
}

/* ---- what fits together ---- */

static struct net_forward forward(const char *text) {
    struct net_forward f;
    assert_null(net_parse_forward(text, &f));
    return f;
}

static void test_is_on(void **state) {
    (void)state;
    const struct net_forward f = forward("80:80");
    struct net_config n = {.mode = NET_DEFAULT};
    assert_false(net_on(&n));
    n.forwards = &f;
    n.forward_count = 1;
    assert_true(net_on(&n));
    n.mode = NET_NONE;
    assert_false(net_on(&n));
    n = (struct net_config){.mode = NET_DEFAULT, .pcap = "x"};
    assert_true(net_on(&n));
    n = (struct net_config){.mode = NET_USER};
    assert_true(net_on(&n));
    n.mode = NET_TAP;
    assert_true(net_on(&n));
}

static void refused(const struct net_config *n, const char *wanted) {
    said_begin();
    bool ok = net_check(n);
    const char *said = said_end();
    assert_false(ok);
    assert_said(said, wanted);
}

static void test_check(void **state) {
    (void)state;
    struct net_forward two[2] = {forward("80:80"), forward("81:80")};
    struct net_config n = {.forwards = two, .forward_count = 2};
    assert_true(net_check(&n));
    two[1] = forward("80:90/udp"); /* another protocol */
    assert_true(net_check(&n));
    two[0] = forward("127.0.0.1:80:80");
    two[1] = forward("127.0.0.2:80:80");
    assert_true(net_check(&n));
    two[1] = forward("127.0.0.1:80:81");
    refused(&n, "the host's port 80/tcp is given twice");
    two[1] = forward("80:81"); /* every address is that one too */
    refused(&n, "80/tcp is given twice");
    two[0] = forward("5:1/udp"), two[1] = forward("5:2/udp");
    refused(&n, "5/udp is given twice");
    n.forward_count = 1;
    n.mode = NET_TAP;
    refused(&n, "-p needs user networking, and --net says tap");
    n.mode = NET_NONE;
    refused(&n, "hint: leave --net away");
    n = (struct net_config){.mode = NET_NONE, .pcap = "x"};
    refused(&n, "--pcap has nothing to write");
}

/* ---- ports ---- */

/* A socket of ours at a port of 127.0.0.`host` (0: one that was free); which one. */
static uint16_t taken(int type, unsigned host, uint16_t port, int *fd) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof a;
    a.sin_addr.s_addr = htonl(0x7f000000 | host);
    *fd = socket(AF_INET, type, 0);
    assert_true(*fd >= 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(*fd, 1), 0);
    }
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &size), 0);
    return ntohs(a.sin_port);
}

static void test_ports(void **state) {
    (void)state;
    int tcp, udp;
    uint16_t tcp_port = taken(SOCK_STREAM, 1, 0, &tcp), udp_port = taken(SOCK_DGRAM, 1, 0, &udp);
    struct net_forward two[2] = {forward(xasprintf("127.0.0.1:%u:80", tcp_port)),
                                 forward(xasprintf("127.0.0.1:%u:53/udp", udp_port))};
    struct net_config n = {.forwards = two, .forward_count = 2};
    said_begin();
    bool free = net_ports_free(&n);
    const char *said = said_end();
    assert_false(free);
    /* Both are told, and that it is us. */
    const char *us = xasprintf("(process %d)", (int)getpid());
    assert_said(said, xasprintf("port %u/tcp of 127.0.0.1 is in use by '", tcp_port));
    assert_said(said, xasprintf("port %u/udp of 127.0.0.1 is in use by '", udp_port));
    assert_said(said, us);
    assert_said(said, xasprintf("-p %u:80", tcp_port + 1u));
    close(tcp);
    close(udp);
    said_begin();
    free = net_ports_free(&n);
    said = said_end();
    assert_true(free);
    assert_string_equal(said, "");
    two[0] = forward("192.0.2.1:8080:80"); /* of nobody: documentation */
    n.forward_count = 1;
    said_begin();
    free = net_ports_free(&n);
    said = said_end();
    assert_false(free);
    assert_said(said, "cannot be had");
    assert_said(said, "192.0.2.1 is no address of this host");
}

/* There is no port above 65535 to propose. */
static void test_last_port(void **state) {
    (void)state;
    int tcp;
    assert_int_equal(taken(SOCK_STREAM, 201, 65535, &tcp), 65535);
    struct net_forward one = forward("127.0.0.201:65535:80");
    struct net_config n = {.forwards = &one, .forward_count = 1};
    said_begin();
    bool free = net_ports_free(&n);
    const char *said = said_end();
    close(tcp);
    assert_false(free);
    assert_said(said, "-p 65534:80");
}

/* ---- words ---- */

static void assert_words(const struct net_config *n, const char *wanted) {
    char *all = xstrdup("");
    for (const char *const *w = net_words(n); *w != NULL; w++) {
        all = xasprintf("%s%s%s", all, *all == '\0' ? "" : " ", *w);
    }
    assert_string_equal(all, wanted);
}

static void test_words(void **state) {
    (void)state;
    const struct net_forward two[] = {forward("8080:80"), forward("127.0.0.1:53:5353/udp")};
    struct net_config n = {.mode = NET_USER};
    assert_words(&n, "-netdev user,id=net");
    n.forwards = two;
    n.forward_count = 2;
    assert_words(&n, "-netdev user,id=net,hostfwd=tcp::8080-:80,hostfwd=udp:127.0.0.1:53-:5353");
    n.mode = NET_DEFAULT;
    n.pcap = "a,b.pcap"; /* QEMU splits at commas */
    n.forward_count = 0;
    assert_words(&n, "-netdev user,id=net -object filter-dump,id=dump,netdev=net,file=a,,b.pcap");
    n = (struct net_config){.mode = NET_TAP, .tap = "tap0"};
    assert_words(&n, "-netdev tap,id=net,ifname=tap0,script=no,downscript=no");
    n.pcap = "x"; /* frames as a wire has them */
    assert_words(&n, "-netdev tap,id=net,ifname=tap0,script=no,downscript=no,vnet_hdr=off "
                     "-object filter-dump,id=dump,netdev=net,file=x");
    n = (struct net_config){.mode = NET_TAP, .tap = "tap0", .queues = 3};
    assert_words(&n, "-netdev tap,id=net,ifname=tap0,script=no,downscript=no,queues=3");
    assert_string_equal(net_device(&n), "netdev=net,mq=on");
    n.tap = "no-such-tap";
    assert_true(net_set_queues(&n, 4));
    assert_int_equal(n.queues, 1);
    n = (struct net_config){.mode = NET_USER};
    assert_true(net_set_queues(&n, 4));
    assert_int_equal(n.queues, 1);
}

static void test_device(void **state) {
    (void)state;
    struct net_config n = {.mode = NET_USER};
    assert_string_equal(net_device(&n), "netdev=net");
    n = (struct net_config){.mode = NET_TAP, .tap = "t"};
    assert_string_equal(net_device(&n), "netdev=net");
    n.ip = 0x0aff0102; /* the last three bytes tell guests apart */
    assert_string_equal(net_device(&n), "netdev=net,mac=52:54:00:ff:01:02");
}

static void test_kernel(void **state) {
    (void)state;
    struct net_config n = {.mode = NET_USER};
    assert_string_equal(net_kernel(&n, "app"),
                        "10.0.2.15::10.0.2.2:255.255.255.0:app:eth0:off:10.0.2.3");
    n = (struct net_config){.mode = NET_TAP, .tap = "t"};
    assert_null(net_kernel(&n, "app")); /* DHCP */
    n.ip = 0x0a000002;
    n.mask = 0xffffff00;
    assert_string_equal(net_kernel(&n, "app"), "10.0.0.2:::255.255.255.0:app:eth0:off:");
    n.gateway = 0x0a000001;
    n.dns = 0x08080404;
    assert_string_equal(net_kernel(&n, "app"),
                        "10.0.0.2::10.0.0.1:255.255.255.0:app:eth0:off:8.8.4.4");
    /* A host's name has no colon, no space, and no hyphen at its ends. */
    static const struct {
        const char *name, *label;
    } names[] = {
        {"my_app:v2", "my-app-v2"},
        {"--x--", "x"},
        {"", ""},
        {"a b", "a-b"},
        {"...", ""},
        {"\xc3\xa9t\xc3\xa9", "t"},
        {"a.elf", "a-elf"},
        {"1=2,3", "1-2-3"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_string_equal(
            net_kernel(&n, names[i].name),
            xasprintf("10.0.0.2::10.0.0.1:255.255.255.0:%s:eth0:off:8.8.4.4", names[i].label));
    }
    char longest[101];
    memset(longest, 'a', 100);
    longest[100] = '\0';
    assert_string_equal(
        net_kernel(&n, longest),
        xasprintf("10.0.0.2::10.0.0.1:255.255.255.0:%.63s:eth0:off:8.8.4.4", longest));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwards), cmocka_unit_test(test_modes),
        cmocka_unit_test(test_is_on),    cmocka_unit_test(test_check),
        cmocka_unit_test(test_ports),    cmocka_unit_test(test_last_port),
        cmocka_unit_test(test_words),    cmocka_unit_test(test_device),
        cmocka_unit_test(test_kernel),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
