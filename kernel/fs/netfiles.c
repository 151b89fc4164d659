/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /etc/resolv.conf, /etc/hosts and /etc/hostname: links into /run/net, whose
 * files say what the network said.  Who brings such files keeps theirs.
 *
 * Linked with the network; without paths (option FILES) nobody calls this, and
 * the functions below are not there.
 */
#include "fs/table.h"
#include "lib/align.h"
#include "lib/string.h"
#include "netdev/netdev.h"

#define DEVICE 8 /* st_dev */

extern __typeof__(table_mount) table_mount __attribute__((weak));
extern __typeof__(text_format) text_format __attribute__((weak));
extern __typeof__(path_walk) path_walk __attribute__((weak));
extern __typeof__(path_put) path_put __attribute__((weak));
extern __typeof__(vfs_root) vfs_root __attribute__((weak));

static void resolv_text(struct text *t, uint64_t arg) {
    struct netdev_names n;
    (void)arg;
    netdev_names(&n);
    for (unsigned i = 0; i < n.server_count; i++)
        text_format(t, "nameserver %s\n", n.servers[i]);
}

static void hosts_text(struct text *t, uint64_t arg) {
    struct netdev_names n;
    (void)arg;
    netdev_names(&n);
    text_format(t, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    text_format(t, "%s %s\n", n.address[0] ? n.address : "127.0.1.1", n.host);
}

static void hostname_text(struct text *t, uint64_t arg) {
    (void)arg;
    text_format(t, "%s\n", netdev_host_name());
}

static const struct table_entry entries[] = {
    {.name = "resolv.conf", .mode = S_IFREG | 0444, .text = resolv_text},
    {.name = "hosts", .mode = S_IFREG | 0444, .text = hosts_text},
    {.name = "hostname", .mode = S_IFREG | 0444, .text = hostname_text},
    {.mode = 0},
};
static const struct table_entry top = {.mode = S_IFDIR | 0555, .children = entries};

/* Makes it unless it is there; its inode with a reference, or NULL. */
static struct inode *make(const char *path, uint32_t mode, const char *target) {
    struct path p;
    struct inode *made = NULL;
    if (path_walk(vfs_root(), path, WALK_NEW, &p))
        return NULL;
    if (p.inode)
        made = inode_get(p.inode);
    else if (p.dir->ops->create)
        p.dir->ops->create(p.dir, (struct name){p.name, p.length}, mode, target, 0, &made);
    path_put(&p);
    return made;
}

void vfs_populate(void) {
    static const char *const links[][2] = {{"/etc/resolv.conf", "/run/net/resolv.conf"},
                                           {"/etc/hosts", "/run/net/hosts"},
                                           {"/etc/hostname", "/run/net/hostname"}};
    inode_put(make("/run", S_IFDIR | 0755, NULL));
    inode_put(make("/etc", S_IFDIR | 0755, NULL));
    struct inode *at = make("/run/net", S_IFDIR | 0755, NULL);
    struct inode *root =
        at && inode_is(at, S_IFDIR) && !at->mounted ? table_mount(&top, DEVICE) : NULL;
    if (!root) {
        inode_put(at);
        return;
    }
    root->covers = at;
    at->mounted = root;
    for (unsigned i = 0; i < ARRAY_LEN(links); i++)
        inode_put(make(links[i][0], S_IFLNK | 0777, links[i][1]));
}
