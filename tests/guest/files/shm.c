/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory and semaphores that have a name: two mappings of one object, what a
 * directory for them is, refusals.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define NAME "/zuk-test-of-shm"

static void memory(void) {
    struct stat s;
    CHECK_ERRNO(shm_open(NAME, O_RDWR, 0600), ENOENT);
    int fd = shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 3);
    CHECK_ERRNO(shm_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_EQ(ftruncate(fd, 10000), 0);
    int again = shm_open(NAME, O_RDONLY, 0);
    CHECK(again >= 0);
    CHECK_EQ(fstat(again, &s), 0);
    CHECK(s.st_size == 10000 && s.st_mode == (S_IFREG | 0640));
    char *a = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const char *b = mmap(NULL, 10000, PROT_READ, MAP_SHARED, again, 0);
    CHECK(a != MAP_FAILED && b != MAP_FAILED && a != b);
    CHECK(b[0] == 0 && b[9999] == 0);
    a[9999] = 'z';
    CHECK_EQ(b[9999], 'z');
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
    CHECK_EQ(shm_unlink(NAME), 0);
    CHECK_ERRNO(shm_unlink(NAME), ENOENT);
    a[1] = 'y'; /* it lives on while somebody has it */
    CHECK_EQ(b[1], 'y');
    close(fd);
    close(again);
}

static void semaphore(void) {
    CHECK(sem_open(NAME, 0) == SEM_FAILED && errno == ENOENT);
    sem_t *s = sem_open(NAME, O_CREAT | O_EXCL, 0600, 1);
    CHECK(s != SEM_FAILED);
    sem_t *t = sem_open(NAME, 0);
    CHECK(t != SEM_FAILED);
    CHECK_EQ(sem_wait(s), 0);
    CHECK_ERRNO(sem_trywait(t), EAGAIN);
    CHECK_EQ(sem_post(t), 0);
    CHECK_EQ(sem_trywait(s), 0);
    CHECK_EQ(sem_close(t), 0);
    CHECK_EQ(sem_unlink(NAME), 0);
    CHECK_ERRNO(sem_unlink(NAME), ENOENT);
}

int main(void) {
    struct stat dir, above;
    CHECK_EQ(stat("/dev/shm", &dir), 0);
    CHECK_EQ(stat("/dev", &above), 0);
    CHECK(S_ISDIR(dir.st_mode) && (dir.st_mode & 07777) == 01777 && dir.st_dev != above.st_dev);
    memory();
    semaphore();
    return 0;
}
