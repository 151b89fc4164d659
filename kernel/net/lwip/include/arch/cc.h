/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lwIP wants to know of the compiler and the machine.
 */
#ifndef NET_LWIP_ARCH_CC_H
#define NET_LWIP_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

#include "diag/diag.h"

#define LWIP_NO_STDINT_H 1
typedef uint8_t u8_t;
typedef int8_t s8_t;
typedef uint16_t u16_t;
typedef int16_t s16_t;
typedef uint32_t u32_t;
typedef int32_t s32_t;
typedef uintptr_t mem_ptr_t;

#define LWIP_NO_INTTYPES_H 1
#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

#define LWIP_NO_LIMITS_H 0
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define SSIZE_MAX INTPTR_MAX
typedef long ssize_t;

#define BYTE_ORDER LITTLE_ENDIAN

#define LWIP_PLATFORM_DIAG(x)                                                                      \
    do {                                                                                           \
    } while (0)
/* The line says which: the words of all of them would be 10 KiB of an image. */
#define LWIP_PLATFORM_ASSERT(x) panic("lwip: the assertion of line %u", (unsigned)__LINE__)

uint16_t lwip_port_sum(const void *data, int size);
#define LWIP_CHKSUM lwip_port_sum

uint32_t lwip_port_rand(void);
#define LWIP_RAND() lwip_port_rand()

struct tcp_pcb;
struct tcp_hdr;
struct pbuf;
/* A segment for a connection that is not established, with options, or while a lost one
 * is sent again; `whole`: its header lies in one piece.  Other than 0: it is dealt with. */
int lwip_port_segment(struct tcp_pcb *pcb, struct tcp_hdr *h, struct pbuf *p, int whole);
struct netif;
int lwip_port_loopback(struct pbuf *p, struct netif *lo);

/* MEM_LIBC_MALLOC */
void *lwip_port_malloc(size_t size);
void *lwip_port_calloc(size_t count, size_t size);
void lwip_port_free(void *p);
#define mem_clib_malloc lwip_port_malloc
#define mem_clib_calloc lwip_port_calloc
#define mem_clib_free lwip_port_free

#endif
