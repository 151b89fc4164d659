/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The words that files are described with: how they were opened, what they
 * are, when they are ready.  The values are Linux's (asm-generic/fcntl.h,
 * linux/stat.h, asm-generic/poll.h; where architectures differ, x86_64's), so
 * that nothing is converted at the system call.
 */
#ifndef VFS_MODE_H
#define VFS_MODE_H

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NOCTTY 0400u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DSYNC 010000u
#define O_ASYNC 020000u
#define O_DIRECT 040000u     /* x86_64 */
#define O_LARGEFILE 0100000u /* x86_64 */
#define O_DIRECTORY 0200000u /* x86_64 */
#define O_NOFOLLOW 0400000u  /* x86_64 */
#define O_NOATIME 01000000u
#define O_CLOEXEC 02000000u
#define O_SYNC (04000000u | O_DSYNC)
#define O_PATH 010000000u
#define O_TMPFILE_BIT 020000000u

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define POLLIN 1u
#define POLLPRI 2u
#define POLLOUT 4u
#define POLLERR 8u
#define POLLHUP 16u
#define POLLNVAL 32u
#define POLLRDNORM 0x40u
#define POLLRDBAND 0x80u
#define POLLWRNORM 0x100u
#define POLLWRBAND 0x200u
#define POLLRDHUP 0x2000u

#define FS_PATH_MAX 4096u /* longest path, its NUL included */
#define FS_NAME_MAX 255u  /* longest name in a directory */

#endif
