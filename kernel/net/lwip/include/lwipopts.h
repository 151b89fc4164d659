/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lwIP as zuk uses it: no threads of its own, the raw API, memory from the
 * kernel's heap.  See lwip/opt.h for what each option means.
 */
#ifndef NET_LWIP_LWIPOPTS_H
#define NET_LWIP_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* the kernel is not preempted */
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_NETIF_API 0

#define MEM_ALIGNMENT 8
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_SIZE (64 * 1024 * 1024) /* a bound for one allocation's type, not memory */
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_ENCAPSULATION_HLEN 0
#define LWIP_TIMERS_CUSTOM 1 /* net/lwip/port.c */

#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_ARP 1
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 101 /* as Linux: what is sent while an address is asked for is not lost */
#define IP_REASSEMBLY 1
#define IP_FRAG 1
#define IPV6_FRAG_COPYHEADER                                                                       \
    1               /* pointers take more room than the header that they stand in for              \
                     */
#define LWIP_ICMP 1 /* without its icmp_dest_unreach: LWIP_FLAGS_core/ipv4/icmp */
#define LWIP_RAW 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_IGMP 1
#define LWIP_DHCP 1
#define LWIP_DHCP_GET_NTP_SRV 0
#define DHCP_DOES_ARP_CHECK 0 /* the reply is needed soon; the server knows its addresses */
#define LWIP_DNS 1            /* the servers only (net/lwip/names.c): libc asks for itself */
#define DNS_MAX_SERVERS 3
#define LWIP_DHCP_MAX_DNS_SERVERS 3
#define LWIP_IPV6_AUTOCONFIG 1
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 1
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 2
#define LWIP_IPV6_MLD 1 /* its messages go through LWIP_FLAGS_core/ipv6/mld6 */
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_LOOPIF_MULTICAST 1
#define LWIP_LOOPBACK_MAX_PBUFS 0
#define LWIP_SINGLE_NETIF 0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

#define TCP_MSS 1460
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN 1024
#define TCP_SNDLOWAT (32 * 1024)
#define TCP_LISTEN_BACKLOG 1
#define TCP_OVERSIZE TCP_MSS
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_BYTES (256 * 1024)
#define TCP_OOSEQ_MAX_PBUFS 192
/* ms: delayed acknowledgements; twice that is a tick of the other timeouts */
#define TCP_TMR_INTERVAL 50
#define LWIP_TCP_RTO_TIME 1000
#define TCP_MSL 30000
#define TCP_LOCAL_PORT_RANGE_START 32768
#define TCP_LOCAL_PORT_RANGE_END 60999
#define TCP_ENSURE_LOCAL_PORT_RANGE(port) (u16_t)(32768 + (u32_t)(port) % 28232)
#define UDP_LOCAL_PORT_RANGE_START 32768
#define UDP_LOCAL_PORT_RANGE_END 60999
#define UDP_ENSURE_LOCAL_PORT_RANGE(port) (u16_t)(32768 + (u32_t)(port) % 28232)
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) lwip_port_rand()
/* Before a pcb gets a segment. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, optlen, opt1len, opt2, p)                          \
    ((pcb)->state == ESTABLISHED && !(optlen) && !((pcb)->flags & TF_INFR)                         \
         ? ERR_OK                                                                                  \
         : lwip_port_segment(pcb, header, p, !(opt2)))
/* Before an IPv4 packet is looked at: true takes it. */
#define LWIP_HOOK_IP4_INPUT(p, netif)                                                              \
    (!((netif)->flags & NETIF_FLAG_ETHERNET) && lwip_port_loopback(p, netif))
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_TCP_KEEPALIVE 1
#define TCP_DEFAULT_LISTEN_BACKLOG 0xff
#define SO_REUSE 1
#define IP_SOF_BROADCAST 1
#define IP_SOF_BROADCAST_RECV 0
#define SO_REUSE_RXTOALL 1
#define IP_REASS_MAX_PBUFS 160 /* three datagrams of 64 KiB */

#define LWIP_STATS 0
#define LWIP_NOASSERT_ON_ERROR 1

#endif
