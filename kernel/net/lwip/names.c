/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The network's DNS servers, as the command line, DHCP and router
 * advertisements name them, for /etc/resolv.conf.  lwIP's own resolver is not
 * linked: these are the functions of it that the rest of lwIP calls.
 */
#include <lwip/dns.h>

static ip_addr_t servers[DNS_MAX_SERVERS];

void dns_init(void) {}

void dns_tmr(void) {}

void dns_setserver(u8_t number, const ip_addr_t *server) {
    if (number < DNS_MAX_SERVERS) {
        if (server)
            servers[number] = *server;
        else
            ip_addr_set_any(0, &servers[number]);
    }
}

const ip_addr_t *dns_getserver(u8_t number) {
    return number < DNS_MAX_SERVERS ? &servers[number] : IP_ADDR_ANY;
}
