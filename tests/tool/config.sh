#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk config, --set, --config, .config: who wins, what is kept, what a call does
# whose option was turned off.
# timeout: 300
set -eu
. tests/tool/expect.sh

c app <<'C'
#include <stdio.h>
#include <sys/random.h>
static int dial(void) { char c; return getrandom(&c, 1, 0) != 1; }
int main(int argc, char **argv) {
    (void)argv;
    puts("begin");
    fflush(stdout);
    return argc > 1 ? dial() : 0;
}
C
cd "$TMP"

# the reason, with the source line
run "$ZUK" config why RANDOM app.o
status 0
prints "CONFIG_RANDOM=y  because getrandom() is called by"
prints "app.c:3)"
run "$ZUK" config show app.o
status 0
prints "CONFIG_CORE=y  because in every image"
prints "CONFIG_POLL=n  no call asks for it"
prints 'CONFIG_MACHINE="microvm"'

# set keeps what differs, in .config beside the input, and nothing else
run "$ZUK" config set RANDOM=n MACHINE=q35 IO=y app.o
status 0
says "CONFIG_IO=y is what the app asks for: nothing is kept of it"
check [ "$(cat .config)" = '# CONFIG_RANDOM is not set
CONFIG_MACHINE="q35"' ]
run "$ZUK" config diff app.o
status 0
prints "CONFIG_RANDOM: y -> n  (.config:1 says so)"
prints 'CONFIG_MACHINE: "microvm" -> "q35"  (.config:2 says so)'
says "CONFIG_RANDOM=n (.config:1 says so), but the app can make its calls: getrandom()"

# the build uses it and writes the whole result; the call traps, and says why
run "$ZUK" build app.o -o app.elf
status 0
says "CONFIG_RANDOM=n (.config:1 says so)"
check grep -qx '# CONFIG_RANDOM is not set' app.elf.config
check grep -qx 'CONFIG_MACHINE="q35"' app.elf.config
check grep -qx 'CONFIG_IO=y' app.elf.config
run "$ZUK" run app.elf -- dial
status 3
says "system call getrandom (318) is not provided"
says "the image was made without CONFIG_RANDOM"
run "$ZUK" run app.elf
status 0
run "$ZUK" run --machine pc app.o # the command line wins, and it is another machine
status 0
prints begin

# the command line wins over .config, and the loser is named
run "$ZUK" config why RANDOM --set RANDOM=y app.o
status 0
prints "CONFIG_RANDOM=y  because --set says so"
prints ".config:1 says n, which --set overrules"
: >empty
run "$ZUK" config show --config empty app.o # another file, no .config
status 0
prints "CONFIG_RANDOM=y  because getrandom() is called by"
run "$ZUK" build --set CORE=n app.o -o core.elf
status 0
says "CONFIG_CORE=n (--set) did not stick: it is in every image"

# an image has its options
run "$ZUK" run --set FILES=y app.elf
status 1
says "CONFIG_FILES is chosen when an image is made"
run "$ZUK" run --set MEMORY_SIZE=16M app.elf
status 0

# the network: not for sockets of AF_UNIX alone, as far as that can be seen
network() { # PREFIX-OF-THE-REASON; the program's source on stdin
    c net
    run "$ZUK" config why INET net.o
    status 0
    prints "$1"
}
network "CONFIG_INET=n  the app's sockets are of AF_UNIX" <<'C'
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = 0, s = socket(AF_UNIX, argc > 1 ? SOCK_STREAM : SOCK_DGRAM, 0);
    (void)argv;
    return ioctl(s, FIONREAD, &n) + bind(s, (struct sockaddr *)&a, sizeof a.sun_family);
}
C
run "$ZUK" run net.o
status 0
network "CONFIG_INET=y  because ioctl() is called by main" <<'C'
#include <net/if.h>
int main(void) { return if_nametoindex("lo") != 1; }
C
run "$ZUK" run net.o
status 0
network "with a family that cannot be known" <<'C'
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(int argc, char **argv) {
    return argc > 1 && socket(atoi(argv[1]), SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT ? 7 : 0;
}
C
run "$ZUK" run --set INET=n net.o -- 1
status 0
lacks "no network"
run "$ZUK" run --set INET=n net.o -- 10
status 7
says "there is no network in the image: socket(AF_INET6, SOCK_STREAM, 0) fails with EAFNOSUPPORT"
says "--set INET=y brings it"
network "CONFIG_INET=y  because socket() is called by main" <<'C'
#include <sys/socket.h>
int main(void) { return socket(AF_INET, SOCK_DGRAM, 0) < 0; }
C
run "$ZUK" run --set INET=n net.o
status 1
says "CONFIG_INET=n (--set says so), but the app asks for the network: socket() is called by main"

# unset: back to what the app asks for; an empty file goes
run "$ZUK" config unset RANDOM MACHINE app.o
status 0
check [ ! -e .config ]

# a changed option is another image, of the same app
run "$ZUK" build -v app.o -o app.elf
status 0
run "$ZUK" build -v app.o -o app.elf --set POLL=y
status 0
says "app.elf.zuk/app.elf is up to date"
check grep -qx 'CONFIG_POLL=y' app.elf.config
run "$ZUK" build -v app.o -o app.elf --set POLL=y
says "app.elf is up to date"
lacks "app.elf.zuk/app.elf is up to date"

# refused
refused() { # STATUS TEXT ARGUMENT...
    wanted=$1 text=$2
    shift 2
    run "$ZUK" "$@"
    status "$wanted"
    says "$text"
    check [ ! -s out ]
}
refused 2 "did you mean CONFIG_FILES?" build --set FLIES=y app.o
refused 2 "CONFIG_FILES is y or n, not 'maybe'" run --set FILES=maybe app.o
refused 2 "'FILES' is not OPTION=VALUE" run --set FILES app.o
refused 2 "what about it?" config
refused 2 "did you mean 'show'?" config shwo
refused 2 "which option?" config why
refused 2 "there is no option CONFIG_FLIES" config why FLIES app.o
refused 2 "set what?" config set
refused 1 "cannot open" build --config nothing app.o
echo 'CONFIG_FILES=perhaps' >.config
refused 1 ".config:1: CONFIG_FILES is y or n, not 'perhaps'" build app.o
echo 'CONFIG_64BIT=y' >.config # of another program: a warning
run "$ZUK" build app.o -o app.elf
status 0
says ".config:1: there is no option CONFIG_64BIT: the line does nothing"
rm .config
mkdir .config # as in a home folder
run "$ZUK" build app.o -o app.elf
status 0
done_or_fail
