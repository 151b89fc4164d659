/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machines that `run -d` leaves behind: one folder each, in the state
 * folder, with
 *
 *     lock    held (fcntl) by the zuk that runs the machine, as long as it lives
 *     about   what it is, as JSON; written last: a folder without is half-made
 *     log     stdout, stderr and zuk's words; full at VMS_LOG_MAX, it becomes
 *     log.old and a new one begins, so that no more than twice that is kept
 *     end     how it ended, as JSON; without it, it was killed
 *
 * Whether one runs is asked of the kernel, by the lock, never of a file: a zuk
 * that is killed at any step leaves nothing that looks alive.  Folders appear
 * and go while `.lock` is held (flock), so that two zuks agree.
 */
#ifndef ZUK_VMS_H
#define ZUK_VMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct vms_entry {
    const char *name, *folder, *image;
    pid_t pid;      /* of the zuk that runs it; 0: it has ended */
    bool elsewhere; /* it runs, but where it is has no number here (another PID namespace) */
    time_t started;
    int status; /* how it ended; -1: it runs, or was killed */
};

enum { VMS_NAME_MAX = 64, VMS_LOG_MAX = 8 << 20 };

/* Letters, digits, - _ and . inside; false after diag_error. */
bool vms_check_name(const char *name);

/* Runs body(arg) in a process of its own, as the machine `name` (NULL: one made
 * of `like`, which is free), with its output in the log.  Returns when the
 * machine speaks (vms_spoke), has run for a second or ended: 0 after the name
 * was printed, body's status with its log on stderr when that is not 0. */
int vms_detach(const char *name, const char *like, const char *image, int (*body)(void *arg),
               void *arg);
void vms_spoke(void);
void vms_wrote(size_t bytes); /* the machine wrote that much: the log may be full */

/* `about` and `end`, whatever is in them; false: it is no such file. */
bool vms_read_about(const char *text, size_t size, struct vms_entry *entry);
void vms_read_end(const char *text, size_t size, struct vms_entry *entry);

/* All, by name.  False after diag_error. */
bool vms_list(struct vms_entry **entries, size_t *count);
/* One; NULL after diag_error. */
struct vms_entry *vms_find(const char *name);

/* Asks it to end (its app, where that handles SIGTERM), and after `patience_ms`
 * makes it.  True when it is gone. */
bool vms_stop(const struct vms_entry *entry, unsigned patience_ms);
/* Forgets it; refuses one that runs.  False after diag_error. */
bool vms_remove(const char *name);

#endif
