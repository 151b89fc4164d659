#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# --rootfs, --cwd-ro, --env-all: what a program sees of a folder and of archives
# is what it sees natively, and what it changes there changes as on Linux; the
# errors; the same bytes for the same folder.
# timeout: 600
set -eu
. tests/tool/expect.sh
c tree <<'C'
/* tree DIR: lists it; tree DIR change: changes it in many ways, and lists again. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#define renameat2(...) syscall(SYS_renameat2, __VA_ARGS__)
static int by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}
static void list(const char *path) {
    struct dirent **names;
    int n = scandir(path, &names, NULL, by_bytes);
    printf("%s: %d\n", path, n);
    for (int i = 0; i < n; i++) {
        char full[4096], target[4096];
        struct stat s;
        const char *name = names[i]->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "lost"))
            continue;
        snprintf(full, sizeof full, "%s/%s", path, name);
        if (lstat(full, &s)) { perror(full); continue; }
        int dir = S_ISDIR(s.st_mode);
        printf("%o %ld %lld %d", s.st_mode, (long)s.st_nlink, dir ? 0 : (long long)s.st_size,
               names[i]->d_type);
        for (const unsigned char *c = (void *)name; *c; c++)
            printf(*c > 32 && *c < 127 ? "%c" : "\\%x", *c);
        if (S_ISLNK(s.st_mode)) {
            ssize_t k = readlink(full, target, sizeof target);
            printf(" -> %.*s", (int)k, target);
        }
        if (S_ISREG(s.st_mode)) {
            FILE *f = fopen(full, "r");
            unsigned h = 0;
            for (int b; f && (b = getc(f)) != EOF;)
                h = h * 31 + (unsigned)b;
            if (f) fclose(f);
            printf(" %lld %x", (long long)s.st_mtime > 1000 && s.st_mtime < 1e9 ? (long long)s.st_mtime : 0, h);
        }
        puts("");
        if (dir)
            list(full);
    }
}
#define SHOW(call) do { errno = 0; long r_ = (long)(call); printf("%s: %ld %d\n", #call, r_, errno); } while (0)
static void change(void) {
    char b[8] = {0};
    SHOW(mkdir("a", 0755));
    SHOW(rmdir("a"));
    SHOW(unlink("a/x"));
    SHOW(open("a/x", O_RDONLY));
    SHOW(open("a/x", O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0);
    SHOW(open("a/x", O_CREAT | O_EXCL | O_WRONLY, 0600));
    SHOW(rename("a/b", "b2"));
    SHOW(mkdir("a/b", 0700));
    SHOW(rename("b2", "a/b"));
    SHOW(rename("a/many/7", "a/many/8"));
    SHOW(rename("a/many/5", "five"));
    SHOW(renameat2(AT_FDCWD, "a/many/1", AT_FDCWD, "a/y", 2));
    SHOW(renameat2(AT_FDCWD, "a/many", AT_FDCWD, "empty", 2));
    SHOW(link("big", "a/big2"));
    SHOW(chmod("a/hard", 0640));
    SHOW(symlink("nowhere", "a/to"));
    SHOW(rmdir("nest/in"));
    SHOW(unlink("nest/in/file"));
    SHOW(rmdir("nest/in"));
    SHOW(mkdir("nest/in", 0755));
    int fd = open("big", O_RDWR);
    SHOW(pwrite(fd, "CHANGED", 7, 5000));
    char *p = mmap(NULL, 12288, PROT_READ, MAP_PRIVATE, fd, 0);
    char *q = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    SHOW(p[0] == q[0] && p[9000] == q[9000]);
    SHOW(pwrite(fd, "new", 3, 0));
    SHOW(pwrite(fd, "end", 3, 9000));
    printf("%.3s %.3s %.3s\n", p, q, p + 9000);
    q[0] = 'Q';
    printf("%.3s %.3s\n", p, q);
    char *s = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memcpy(s + 4096, "shared", 6);
    printf("%.6s\n", p + 4096);
    SHOW(ftruncate(fd, 4100));
    SHOW(ftruncate(fd, 9999));
    SHOW(pread(fd, b, 7, 4097));
    printf("%d %d\n", b[2], b[3]);
    close(fd);
    fd = open("text", O_RDWR | O_APPEND);
    SHOW(write(fd, "more\n", 5));
    SHOW(unlink("text"));
    SHOW(pread(fd, b, 7, 2));
    printf("%.7s\n", b);
    SHOW(open("text", O_RDONLY));
    SHOW(truncate("cut", 1));
    SHOW(truncate("cut", 3));
    SHOW(unlink("a/b/link"));
}
int main(int argc, char **argv) {
    umask(022);
    if (chdir(argv[1])) { perror(argv[1]); return 9; }
    list(".");
    if (argc > 2) {
        change();
        list(".");
    }
    return 0;
}
C
c read_only <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#define SHOW(call) do { errno = 0; long r_ = (long)(call); printf("%s: %ld %s\n", #call, r_, strerror(errno)); } while (0)
int main(void) {
    char b[4096];
    struct statvfs v;
    printf("cwd %s\n", getcwd(b, sizeof b));
    SHOW(open("text", O_RDONLY) >= 0);
    SHOW(open("text", O_WRONLY));
    SHOW(open("text", O_RDONLY | O_TRUNC));
    SHOW(open("new", O_CREAT | O_WRONLY, 0600));
    SHOW(open("text", O_CREAT | O_EXCL, 0600));
    SHOW(mkdir("new", 0700));
    SHOW(unlink("text"));
    SHOW(rename("text", "text2"));
    SHOW(rename("text", "/tmp/text2"));
    SHOW(link("text", "text2"));
    SHOW(symlink("text", "text2"));
    SHOW(chmod("text", 0600));
    SHOW(truncate("text", 0));
    SHOW(statvfs(".", &v));
    SHOW(v.f_flag & ST_RDONLY);
    SHOW(open("/tmp/new", O_CREAT | O_WRONLY, 0600) >= 0);
    printf("%s %s\n", getenv("ROOTFS_ONE"), getenv("ROOTFS_TWO"));
    return 0;
}
C
cd "$TMP"
for p in tree read_only; do "$ZIG" cc -target x86_64-linux-musl -o $p $p.o; done
mkdir -p r/a/b r/a/many r/empty r/nest/in
echo hello >r/a/x
ln r/a/x r/a/hard
echo why >r/a/y
ln -s ../x r/a/b/link
: >r/zero
echo file >r/nest/in/file
echo text >r/text
echo abcdef >r/cut
head -c 10000 /dev/zero | tr '\0' z >r/big
chmod 4755 r/big
for i in 1 2 3 4 5 6 7 8 9; do echo $i >r/a/many/$i; done
: >"r/$(printf 'b\377y\ttes')"
find r -exec touch -h -d @5000000.25 {} +

# A folder, and archives of it.
./tree r >native.txt
mkdir top && cp -a r top/r
run "$ZUK" exec --rootfs top ./tree /r
status 0
check cmp out native.txt
tar -C top -cf r.tar r
tar -C top -czf r.tgz r
tar -C top -cJf r.txz --format=pax ./r
tar -C top -cf - r | zstd -q >r.tzst 2>/dev/null || cp r.tar r.tzst
for archive in r.tar r.tgz r.txz r.tzst; do
    run "$ZUK" exec --rootfs $archive ./tree /r
    status 0
    check cmp out native.txt
done
python3 - r >r.cpio <<'P'
import os, sys
out = sys.stdout.buffer
inodes = {}
def put(name, s, data, links=1):
    h = "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X" % (
        s.st_ino & 0xffffffff, s.st_mode, 0, 0, links, int(s.st_mtime), len(data), 0, 0, 0, 0, len(name) + 1, 0)
    rec = h.encode() + name + b"\0"
    rec += b"\0" * (-len(rec) % 4) + data
    out.write(rec + b"\0" * (-len(rec) % 4))
top = sys.argv[1].encode()
names = [top]
for d, dirs, files in os.walk(top):
    names += [os.path.join(d, x) for x in dirs + files]
last = {}
for n in names:
    last[os.lstat(n).st_ino] = n
for n in sorted(names):
    s = os.lstat(n)
    if os.path.islink(n):
        data = os.readlink(n)
    elif os.path.isdir(n) or last[s.st_ino] != n:
        data = b""
    else:
        data = open(n, "rb").read()
    put(n, s, data, s.st_nlink if not os.path.isdir(n) else 2)
class Z: st_ino = st_mode = st_mtime = 0
put(b"TRAILER!!!", Z, b"")
P
run "$ZUK" exec --rootfs r.cpio ./tree /r
status 0
check cmp out native.txt

# In an image.
run "$ZUK" build --rootfs top -o in.elf tree.o
status 0
cp in.elf in1.elf
run "$ZUK" run in.elf -- /r
status 0
check cmp out native.txt
rm in.elf
run "$ZUK" build --rootfs top -o in.elf tree.o
check cmp in.elf in1.elf
run "$ZUK" run --rootfs r.tar in.elf -- /r
check cmp out native.txt
run "$ZUK" build -o without.elf tree.o
run "$ZUK" run --rootfs top without.elf -- /r
status 1
says "without.elf"
says "build it again with --rootfs"

# Changes, and two sources of which the later wins.
cp -a r changed
./tree changed change >changed.txt
run "$ZUK" exec --rootfs top ./tree /r change
status 0
check cmp out changed.txt
mkdir -p more/r/a && echo second >more/r/a/x && echo extra >more/r/extra
run "$ZUK" exec --rootfs top --rootfs more ./tree /r
prints "extra"
cp -a r both && rm both/a/x && cp -a more/r/. both
touch -d @1 both && ./tree both >both.txt
check cmp out both.txt

# The working directory, read-only, and the environment.
cd r
ROOTFS_ONE=host ROOTFS_TWO=host run "$ZUK" exec --cwd-ro --env-all -e ROOTFS_TWO=given ../read_only
cd ..
status 0
cat >wanted.txt <<W
cwd $TMP/r
open("text", O_RDONLY) >= 0: 1 Success
open("text", O_WRONLY): -1 Read-only file system
open("text", O_RDONLY | O_TRUNC): -1 Read-only file system
open("new", O_CREAT | O_WRONLY, 0600): -1 Read-only file system
open("text", O_CREAT | O_EXCL, 0600): -1 File exists
mkdir("new", 0700): -1 Read-only file system
unlink("text"): -1 Read-only file system
rename("text", "text2"): -1 Read-only file system
rename("text", "/tmp/text2"): -1 Cross-device link
link("text", "text2"): -1 Read-only file system
symlink("text", "text2"): -1 Read-only file system
chmod("text", 0600): -1 Read-only file system
truncate("text", 0): -1 Read-only file system
statvfs(".", &v): 0 Success
v.f_flag & ST_RDONLY: 1 Success
open("/tmp/new", O_CREAT | O_WRONLY, 0600) >= 0: 1 Success
host given
W
sed -i 's/No error information/Success/' out
check cmp out wanted.txt
cd r
run "$ZUK" exec --cwd-ro ../tree .
cd ..
check cmp out native.txt
long=$(head -c 3000 /dev/zero | tr '\0' x)
run "$ZUK" exec --rootfs top -e LONG=$long ./tree /r
check cmp out native.txt
run "$ZUK" exec --dry-run --rootfs top ./tree /r
prints "-initrd"

# What cannot be.
run "$ZUK" exec --rootfs nowhere ./tree /
status 1
says "nowhere"
head -c 600 r.tgz >cut.tgz
run "$ZUK" exec --rootfs cut.tgz ./tree /
status 1
says "cut.tgz"
head -c 5000 r.txz >cut.txz && dd if=/dev/zero of=cut.txz bs=1 seek=400 count=40 conv=notrunc 2>/dev/null
run "$ZUK" exec --rootfs cut.txz ./tree /
status 1
says "cut.txz"
run "$ZUK" exec --rootfs tree.c ./tree /
status 1
says "tree.c"
mkdir bad && (cd bad && mkdir in && echo x >out && cd in && tar -cPf ../../outside.tar ../out)
run "$ZUK" exec --rootfs outside.tar ./tree /
status 1
says "zuk: error: 'outside.tar': the path '../out' leads outside"
python3 - <<'P'
import io
import tarfile
with tarfile.open("nameless.tar", "w") as t:
    t.addfile(tarfile.TarInfo("a"), io.BytesIO())
    link = tarfile.TarInfo(".")
    link.type, link.linkname = tarfile.LNKTYPE, "a"
    t.addfile(link)
P
run "$ZUK" exec --rootfs nameless.tar ./tree /
status 1
says "zuk: error: 'nameless.tar' is damaged: a link to 'a' has no name"
head -c 30000000 /dev/urandom >more/large
run "$ZUK" exec -m 16M --rootfs more ./tree /
status 5
says "the files for the guest take"
run "$ZUK" exec --rootfs more ./tree /r
status 0
mkfifo more/pipe
run "$ZUK" exec --rootfs more ./tree /r
status 0
says "a named pipe is left out"
if [ "$(id -u)" != 0 ]; then
    chmod 0 more/large
    run "$ZUK" exec --rootfs more ./tree /r
    status 1
    says "more/large"
fi
run "$ZUK" build --cwd-ro tree.o
status 2
done_or_fail
