/* SPDX-License-Identifier: BSD-3-Clause
 *
 * inotify: what files and directories tell of each operation, moves, what goes
 * away, masks, small buffers, refusals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "scratch.h"

static int n;

static const char *const names[] = {"access", "modify", "attrib",      "close_write",
                                    "close",  "open",   "moved_from",  "moved_to",
                                    "create", "delete", "delete_self", "move_self"};

/* "what: 1 create f, 2 ..." with cookies in the order of their coming. */
static void show(const char *what) {
    static _Alignas(8) char b[8192];
    static unsigned cookies[16], cookie_count;
    ssize_t size = read(n, b, sizeof b);
    printf("%s:", what);
    for (char *at = b; size > 0 && at < b + size;) {
        struct inotify_event *e = (struct inotify_event *)at;
        printf(" [%d", e->wd);
        for (unsigned i = 0; i < 12; i++) {
            if (e->mask >> i & 1)
                printf(" %s", names[i]);
        }
        if (e->mask & IN_ISDIR)
            printf(" dir");
        if (e->mask & IN_IGNORED)
            printf(" ignored");
        if (e->len)
            printf(" %s/%u", e->name, e->len);
        if (e->cookie) {
            unsigned i = 0;
            while (i < cookie_count && cookies[i] != e->cookie)
                i++;
            if (i == cookie_count)
                cookies[cookie_count++] = e->cookie;
            printf(" #%u", i);
        }
        printf("]");
        at += sizeof *e + e->len;
    }
    printf("\n");
}

static void *later(void *arg) {
    (void)arg;
    usleep(10000);
    scratch_file("d/late", "");
    return NULL;
}

int main(void) {
    char b[64];
    int fd, k = 0;
    pthread_t t;
    scratch_enter();
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(mkdir("e", 0755), 0);
    scratch_file("d/f", "text");
    n = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(n >= 3);
    CHECK_EQ(fcntl(n, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(inotify_add_watch(n, "d", IN_ALL_EVENTS), 1);
    CHECK_EQ(inotify_add_watch(n, "d/f", IN_ALL_EVENTS), 2);
    CHECK_EQ(inotify_add_watch(n, "e", IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM), 3);
    CHECK_ERRNO(read(n, b, sizeof b), EAGAIN);
    fd = open("d/f", O_RDWR);
    show("open");
    CHECK_EQ(read(fd, b, 2), 2);
    CHECK_EQ(read(fd, b, 1), 1); /* the same once more */
    show("read");
    CHECK_EQ(write(fd, "x", 1), 1);
    show("write");
    CHECK_EQ(read(fd, b, 9), 0); /* nothing was read */
    CHECK_EQ(ftruncate(fd, 2), 0);
    show("cut");
    CHECK_EQ(fchmod(fd, 0600), 0);
    show("mode");
    close(fd);
    show("close");
    fd = open("d/f", O_RDONLY | O_TRUNC);
    close(fd);
    show("truncating open");
    CHECK_EQ(chmod("d/f", 0644), 0);
    CHECK_EQ(utimensat(AT_FDCWD, "d/f", NULL, 0), 0);
    show("by path");
    CHECK_EQ(truncate("d/f", 1), 0);
    show("truncate");
    scratch_file("d/new", "abc");
    show("new file");
    CHECK_EQ(mkdir("d/sub", 0700), 0);
    CHECK_EQ(symlink("f", "d/link"), 0);
    CHECK_EQ(mkfifo("d/fifo", 0600), 0);
    show("others");
    CHECK_EQ(link("d/f", "d/twin"), 0);
    show("link");
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "d/sock"};
    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof a), 0);
    show("bind");
    close(s);
    CHECK_EQ(rename("d/new", "d/newer"), 0);
    show("rename");
    CHECK_EQ(rename("d/newer", "e/elsewhere"), 0);
    show("move");
    CHECK_EQ(rename("d/f", "d/g"), 0);
    show("the file itself");
    CHECK_EQ(rename("d/sub", "e/sub"), 0);
    show("a directory");
    CHECK_EQ(unlink("d/twin"), 0);
    show("one of two names");
    fd = open("d/g", O_RDONLY);
    show("opened");
    CHECK_EQ(unlink("d/g"), 0);
    show("unlinked, open");
    close(fd);
    show("and closed");
    CHECK_EQ(unlink("d/fifo"), 0);
    show("another");
    scratch_file("d/one", "1");
    scratch_file("d/two", "2");
    CHECK_EQ(inotify_add_watch(n, "d/two", IN_ALL_EVENTS), 4);
    show("two files");
    CHECK_EQ(rename("d/one", "d/two"), 0);
    show("replaced");
    /* Masks. */
    CHECK_EQ(inotify_add_watch(n, "d", IN_DELETE), 1);
    scratch_file("d/quiet", "");
    CHECK_EQ(inotify_add_watch(n, "d", IN_CREATE | IN_MASK_ADD), 1);
    CHECK_EQ(unlink("d/quiet"), 0);
    scratch_file("d/loud", "");
    show("masks");
    CHECK_EQ(inotify_add_watch(n, "d", IN_CREATE | IN_ONESHOT), 1);
    scratch_file("d/first", "");
    scratch_file("d/second", "");
    show("one shot");
    CHECK_EQ(inotify_add_watch(n, "d", IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ISDIR), 5);
    /* Small buffers. */
    scratch_file("d/a_name_of_some_length", "");
    CHECK_EQ(ioctl(n, FIONREAD, &k), 0);
    CHECK_EQ(k, 16 + 32);
    CHECK_ERRNO(read(n, b, 40), EINVAL);
    CHECK_EQ(read(n, b, 48), 48);
    /* Waiting. */
    struct pollfd p = {n, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 0);
    pthread_create(&t, NULL, later, NULL);
    CHECK_EQ(poll(&p, 1, -1), 1);
    CHECK_EQ(p.revents, POLLIN);
    pthread_join(t, NULL);
    show("waited");
    CHECK_EQ(inotify_rm_watch(n, 3), 0);
    show("removed");
    CHECK_ERRNO(inotify_rm_watch(n, 3), EINVAL);
    CHECK_ERRNO(inotify_rm_watch(0, 3), EINVAL);
    CHECK_ERRNO(inotify_rm_watch(99, 3), EBADF);
    CHECK_EQ(chdir("d"), 0);
    scratch_empty();
    CHECK_EQ(chdir(".."), 0);
    while (read(n, b, sizeof b) > 0)
        continue;
    CHECK_EQ(rmdir("d"), 0);
    show("directory gone");
    /* Refusals. */
    CHECK_ERRNO(inotify_init1(1), EINVAL);
    CHECK_ERRNO(inotify_add_watch(n, "e", 0), EINVAL);
    CHECK_ERRNO(inotify_add_watch(n, "none", IN_CREATE), ENOENT);
    CHECK_ERRNO(inotify_add_watch(0, "e", IN_CREATE), EINVAL);
    CHECK_ERRNO(inotify_add_watch(99, "e", IN_CREATE), EBADF);
    CHECK_ERRNO(inotify_add_watch(n, "e/elsewhere", IN_CREATE | IN_ONLYDIR), ENOTDIR);
    CHECK_ERRNO(inotify_add_watch(n, "e", IN_CREATE | IN_MASK_ADD | IN_MASK_CREATE), EINVAL);
    CHECK(inotify_add_watch(n, "e", IN_CREATE | IN_MASK_CREATE) > 0);
    CHECK_ERRNO(inotify_add_watch(n, "e", IN_CREATE | IN_MASK_CREATE), EEXIST);
    CHECK_ERRNO(write(n, b, 1), EBADF);
    CHECK_EQ(lseek(n, 0, SEEK_SET), 0);
    int old = (int)syscall(SYS_inotify_init);
    CHECK(old > n);
    close(old);
    close(n);
    scratch_file("e/after", "");
    scratch_leave();
    return check_done();
}
