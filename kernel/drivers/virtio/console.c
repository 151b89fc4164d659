/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The channel to the host: port 1 of a virtio-console (virtio 1.1, 5.3;
 * abi/report.h).
 *
 * Output copies nothing: the device reads the record where it lies.  One record
 * is on its way at a time, as one chain, so records never mix.  Interrupts stay
 * off until somebody has to sleep: under emulation the device is done when
 * notify returns.
 */
#include "console/console.h"
#include "abi/report.h"
#include "drivers/virtio/virtqueue.h"
#include "irq/irq.h"
#include "lib/align.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/user.h"
#include "sched/thread.h"

#define F_MULTIPORT (UINT64_C(1) << 1)
#define PORT 1

enum { QUEUE_CONTROL = 3, QUEUE_IN = 4, QUEUE_OUT = 5 };
enum { OUT_SIZE = 64, IN_SIZE = 16, CONTROL_SIZE = 4 };
_Static_assert(VIRTQUEUE_BYTES(OUT_SIZE) + VIRTQUEUE_BYTES(IN_SIZE) +
                       VIRTQUEUE_BYTES(CONTROL_SIZE) <=
                   PAGE_SIZE,
               "the three queues share a frame");

/* What the control queue carries (5.3.6.2). */
struct control {
    uint32_t port;
    uint16_t event;
    uint16_t value;
};
enum { CONTROL_OPEN = 6 };

#define IN_BUFFERS 2u /* a frame each */

static struct virtio_device device;
static struct virtqueue out, in, control;
static WAIT_QUEUE_EXTERNAL(out_done);
static bool attached;

static struct {
    bool on;
    bool held;               /* a buffer's bytes are being handed on: */
    uint16_t head;           /* its chain */
    uint32_t size, at;       /* how many they are, and how many are gone */
    paddr_t buffer[IN_SIZE]; /* of each chain */
} input;

static void input_pump(void);

static void interrupt(void *arg) {
    (void)arg;
    device.ops->irq_ack(&device);
    wake_all(&out_done);
    if (input.on)
        input_pump();
}

/* Interrupts are routed when they are needed first; false: there is no line. */
static bool attach(void) {
    static struct irq_handler handler = {.fn = interrupt};
    if (device.line == VIRTIO_NO_LINE)
        return false;
    if (!attached) {
        attached = true;
        irq_attach(device.line, &handler);
    }
    return true;
}

/* Apart: where there is no channel, nothing is paid for it. */
static __attribute__((noinline)) bool find(void) {
    extern const struct virtio_bus *const virtio_buses_start[], *const virtio_buses_end[];
    for (const struct virtio_bus *const *bus = virtio_buses_start; bus < virtio_buses_end; bus++) {
        for (unsigned nth = 0; (*bus)->find(&device, VIRTIO_ID_CONSOLE, nth); nth++) {
            if (device.ops->queue_max(&device, QUEUE_OUT) < OUT_SIZE)
                continue; /* somebody else's console */
            if (virtio_start(&device, F_MULTIPORT) != 0)
                continue;
            paddr_t frame = frame_alloc_zero();
            if (!frame)
                return false;
            uint8_t *p = phys_to_virt(frame);
            size_t at_in = VIRTQUEUE_BYTES(OUT_SIZE), at_control = at_in + VIRTQUEUE_BYTES(IN_SIZE);
            if ((device.features & F_MULTIPORT) &&
                virtqueue_init(&out, &device, QUEUE_OUT, OUT_SIZE, p, frame) &&
                virtqueue_init(&in, &device, QUEUE_IN, IN_SIZE, p + at_in, frame + at_in) &&
                virtqueue_init(&control, &device, QUEUE_CONTROL, CONTROL_SIZE, p + at_control,
                               frame + at_control)) {
                virtio_ready(&device);
                return true;
            }
            virtio_give_up(&device);
            frame_free(frame);
        }
    }
    return false;
}

static bool channel_probe(void) {
    if (!console_terminal.known)
        return false; /* zuk would have said what its streams are: this VM is another's */
    frame_reserve_open();
    bool found = find();
    frame_reserve_close();
    return found;
}

/* Waits until the device has taken record number `ticket` (out.given when it
 * was given) and all before it. */
static int out_wait(uint16_t ticket, bool poll) {
    for (;;) {
        uint16_t head;
        uint32_t length;
        int r = virtqueue_take(&out, &head, &length);
        if (r < 0 || (int16_t)(out.taken - ticket) >= 0) {
            wake_all(&out_done); /* who waits for its turn, or for what will not come */
            return MIN(r, 0);
        }
        if (r > 0 || poll)
            continue;
        if (!attach()) {
            thread_yield();
            continue;
        }
        virtqueue_interrupts(&out, true);
        if (out.used->index == out.taken) {
            /* The record lies in memory that its owner gets back: a signal has
             * to wait for the device. */
            if (wait_on(&out_done, UINT64_MAX) == -EINTR) {
                thread_yield();
                arch_irq_poll();
            }
        }
        virtqueue_interrupts(&out, false);
    }
}

/* Appends a piece, page by page. */
static int out_put(const struct io_piece *piece) {
    uint64_t at = piece->base;
    for (size_t left = piece->size, n; left; left -= n, at += n) {
        size_t offset = at % PAGE_SIZE;
        n = MIN(left, PAGE_SIZE - offset);
        paddr_t paddr;
        if (at < APP_END) {
            paddr = user_page(at - offset, PROT_READ);
            if (!paddr)
                return -EFAULT;
            paddr += offset;
        } else {
            paddr = virt_to_phys((const void *)at);
        }
        if (!virtqueue_put(&out, paddr, (uint32_t)n, false))
            return -E2BIG;
    }
    return 0;
}

static long channel_send(const struct io_piece *pieces, unsigned count, bool poll) {
    while (out.given != out.taken) {
        int r = out_wait(out.given, poll);
        if (r < 0)
            return r;
    }
    virtqueue_begin(&out);
    for (unsigned i = 0; i < count; i++) {
        int r = out_put(&pieces[i]);
        if (r < 0)
            return r;
    }
    virtqueue_end(&out);
    virtqueue_notify(&out);
    return out_wait(out.given, poll);
}

static void input_post(paddr_t buffer) {
    virtqueue_begin(&in);
    virtqueue_put(&in, buffer, PAGE_SIZE, true);
    input.buffer[virtqueue_end(&in)] = buffer;
}

/* Hands on what has come, until nobody takes more, and gives the device its
 * buffers back. */
static void input_pump(void) {
    bool posted = false;
    for (;;) {
        if (input.held) {
            paddr_t buffer = input.buffer[input.head];
            const uint8_t *bytes = phys_to_virt(buffer);
            if (input.at < input.size)
                input.at += (uint32_t)console_received(bytes + input.at, input.size - input.at);
            if (input.at < input.size)
                break;
            input_post(buffer);
            posted = true;
        }
        input.at = 0;
        int r = virtqueue_take(&in, &input.head, &input.size);
        input.held = r > 0;
        if (r < 0)
            console_input_ended();
        if (r <= 0)
            break;
    }
    if (posted)
        virtqueue_notify(&in);
}

static void channel_listen(void) {
    static struct control open = {.port = PORT, .event = CONTROL_OPEN, .value = 1};
    if (!input.on) {
        for (unsigned i = 0; i < IN_BUFFERS; i++) {
            paddr_t buffer = frame_alloc();
            if (buffer)
                input_post(buffer);
            else if (!i)
                return; /* no memory: the next call may have more luck */
        }
        input.on = true;
        virtqueue_begin(&control);
        virtqueue_put(&control, virt_to_phys(&open), sizeof(open), false);
        virtqueue_end(&control);
        virtqueue_notify(&control);
        virtqueue_interrupts(&in, true);
        virtqueue_notify(&in);
        attach();
    }
    input_pump();
}

static const struct transport channel = {
    .name = "virtio-console",
    .framed = true,
    .probe = channel_probe,
    .send = channel_send,
    .listen = channel_listen,
};
TRANSPORT(channel);
