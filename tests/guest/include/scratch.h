/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A private directory for tests of files: scratch_enter() makes it below /tmp
 * and goes there, scratch_leave() removes it with all that lies in it.  Paths
 * in the tests are relative, so nothing prints the directory's name.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[] = "/tmp/guest-test-XXXXXX";

static inline void scratch_enter(void) {
    umask(022);
    if (mkdtemp(scratch_path) == NULL || chdir(scratch_path) != 0) {
        perror("no directory for the test");
        exit(99);
    }
}

/* Removes what lies in the working directory. */
static inline void scratch_empty(void) {
    DIR *dir = opendir(".");
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        struct stat s;
        if (lstat(entry->d_name, &s) == 0 && S_ISDIR(s.st_mode)) {
            chmod(entry->d_name, 0700);
            if (chdir(entry->d_name) == 0) {
                scratch_empty();
                if (chdir("..") != 0) {
                    exit(99);
                }
            }
            rmdir(entry->d_name);
        } else {
            unlink(entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static inline void scratch_leave(void) {
    if (chdir(scratch_path) == 0) {
        scratch_empty();
        chdir("/");
    }
    rmdir(scratch_path);
}

/* Makes a file that holds the text. */
static inline void scratch_file(const char *name, const char *text) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        printf("cannot make %s\n", name);
        exit(99);
    }
    close(fd);
}

/* Whether the file holds exactly the text. */
static inline int scratch_holds(const char *name, const char *text) {
    char bytes[256];
    int fd = open(name, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    close(fd);
    return size == (ssize_t)strlen(text) && memcmp(bytes, text, (size_t)size) == 0;
}

/* st_mode of what the name itself is (of a symlink, the link); 0: nothing. */
static inline unsigned scratch_mode(const char *name) {
    struct stat s;
    return lstat(name, &s) == 0 ? (unsigned)s.st_mode : 0;
}

static inline long scratch_links(const char *name) {
    struct stat s;
    return lstat(name, &s) == 0 ? (long)s.st_nlink : -1;
}

static inline long long scratch_size(const char *name) {
    struct stat s;
    return lstat(name, &s) == 0 ? (long long)s.st_size : -1;
}

#endif
