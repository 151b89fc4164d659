#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run -d, ps, logs, stop, rm and run --watch.
# needs: python3
# timeout: 300
set -eu
. tests/tool/expect.sh
cd "$TMP"
export XDG_STATE_HOME="$TMP/state"
c tick <<'C'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    (void)argv;
    for (int i = 0; argc < 2 || i < 5; i++) {
        printf("tick %d\n", i);
        fflush(stdout);
        fprintf(stderr, "tock %d\n", i);
        usleep(20000);
    }
    return 7;
}
C
c fault <<'C'
#include <unistd.h>
int main(void) { write(1, "soon\n", 5); usleep(300000); return *(volatile int *)8; }
C
run "$ZUK" build tick.o -o tick.elf
status 0
run "$ZUK" build fault.o -o fault.elf
status 0

run "$ZUK" ps
status 0
prints NAME
check [ "$(wc -l <out)" = 1 ]

run "$ZUK" run -d --name first tick.elf
status 0
check [ "$(cat out)" = first ]
check [ ! -s err ]
run "$ZUK" ps
prints "running"
run "$ZUK" ps --json
check python3 -c '
import json, os
(vm,) = json.load(open("out"))
assert vm["name"] == "first" and vm["running"] and vm["image"] == os.path.realpath("tick.elf"), vm
assert os.readlink("/proc/%d/exe" % vm["pid"]) == os.path.realpath(os.environ["ZUK"]), vm
assert "status" not in vm'
# it is no child of ours and has a session of its own
check [ "$(ps -o sid= -p "$(python3 -c 'import json; print(json.load(open("out"))[0]["pid"])')" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ]

# a name is free or refused; without --name one is made
run "$ZUK" run -d --name first tick.elf
status 1
says "'first' already, and it runs"
run "$ZUK" run -d tick.elf
check [ "$(cat out)" = tick ]
run "$ZUK" run -d tick.elf -- five
status 0
check [ "$(cat out)" = tick-2 ]

# logs: both streams in order; -f until the end
run "$ZUK" logs -f tick-2
status 0
check [ "$(head -n 4 out | tr '\n' ' ')" = "tick 0 tock 0 tick 1 tock 1 " ]
check [ "$(tail -n 2 out | tr '\n' ' ')" = "tick 4 tock 4 " ]
run "$ZUK" ps
prints "exited 7"
run sh -c "'$ZUK' logs first >/dev/full"
status 1
says "zuk: error: cannot write the log: No space left on device"
run "$ZUK" logs first
prints "tick 0"

run "$ZUK" rm first
status 1
says "'first' runs"
says "zuk stop first"
run "$ZUK" stop first tick
status 0
run "$ZUK" stop first
status 0
run "$ZUK" ps
check [ "$(grep -c running out)" = 0 ]
prints "exited 143"
run "$ZUK" run -d --name first tick.elf
status 1
says "zuk rm first"
run "$ZUK" stop -t 0 first tick
status 0
run "$ZUK" rm first tick tick-2
status 0
check [ "$(ls -A state/zuk)" = .lock ]

# who follows a machine that is removed has seen its end
run "$ZUK" run -d --name brief tick.elf
"$ZUK" logs -f brief >followed 2>followed.err &
run "$ZUK" stop -t 0 brief
run "$ZUK" rm brief
status 0
check wait $!
check [ ! -s followed.err ]

# a report goes to the log; status and report are there afterwards
run "$ZUK" run -d fault.elf
status 0
run "$ZUK" logs -f fault
prints "null pointer"
prints "fault.c:2"
run "$ZUK" ps
prints "exited 139"

# a log that is full goes on as a new one: the end is there, in order, the size bounded
c lines <<'C'
#include <stdio.h>
int main(void) { for (int i = 0; i < 1500000; i++) printf("line %07d\n", i); return 0; }
C
run "$ZUK" run -d --name lines lines.o
status 0
run "$ZUK" logs -f lines
status 0
# 19.5 MB in lines of 13 bytes; what zuk logs -f had no time for may be missing in the middle
check [ "$(tail -n 1 out)" = "line 1499999" ]
run "$ZUK" logs lines
status 0
check [ "$(tail -n 1 out)" = "line 1499999" ]
check python3 -c '
lines = open("out").read().split("\n")[1:-1] # the first may be cut
assert lines == ["line %07d" % i for i in range(1500000 - len(lines), 1500000)]
assert 8 << 20 <= 13 * len(lines) + 13 <= (16 << 20) + (1 << 18), len(lines)'
check [ "$(ls state/zuk/lines | tr '\n' ' ')" = "about end lock log log.old " ]
run "$ZUK" rm lines
status 0

# what is damaged in the state is not believed
printf '{"status": 99999}' >state/zuk/fault/end
run "$ZUK" ps
status 0
prints "killed"
printf '\377{' >state/zuk/fault/end
run "$ZUK" ps
prints "killed"
cp state/zuk/fault/about about
printf '{"image": 3}' >state/zuk/fault/about
run "$ZUK" ps
status 0
check [ "$(wc -l <out)" = 1 ]
run "$ZUK" logs fault
status 1
says "no machine 'fault'"
cp about state/zuk/fault/about

# one that does not start says so at once
printf '#!/bin/sh\necho no such machine >&2\nexit 2\n' >qemu
chmod +x qemu
run env ZUK_QEMU=./qemu "$ZUK" run -d --name bad tick.elf
status 5
says "no such machine"
says "ended at once"
run env ZUK_QEMU=./none "$ZUK" run -d --name worse tick.elf
status 5
says "which is not a program"
run "$ZUK" rm bad worse fault
status 0

for name in nope; do
    for verb in logs stop rm; do
        run "$ZUK" $verb $name
        status 1
        says "no machine 'nope'"
    done
done
run "$ZUK" run -d --name ../x tick.elf
status 2
run "$ZUK" run -d --name .lock tick.elf
status 2
run "$ZUK" stop
status 2
run "$ZUK" stop -t never x
status 2
run "$ZUK" logs a b
status 2
run "$ZUK" run -d --watch tick.elf
status 2

# where the state lies: XDG_STATE_HOME, HOME, XDG_RUNTIME_DIR
mkdir home runtime
run env -u XDG_STATE_HOME HOME="$TMP/home" "$ZUK" ps
status 0
check [ -d home/.local/state/zuk ]
check [ "$(stat -c %a home/.local/state/zuk)" = 700 ]
run env -u XDG_STATE_HOME -u HOME XDG_RUNTIME_DIR="$TMP/runtime" "$ZUK" ps
status 0
check [ -d runtime/zuk ]
mkdir -m 777 open
mkdir -m 777 open/zuk
chmod 777 open/zuk
run env XDG_STATE_HOME="$TMP/open" HOME="$TMP/home" "$ZUK" ps # anybody's: not taken
status 0
check [ ! -e open/zuk/.lock ]

# ten at once, with one name: one of them has it
for i in 1 2 3 4 5 6 7 8 9 10; do
    "$ZUK" run -d --name one tick.elf >"won.$i" 2>/dev/null </dev/null &
done
wait
check [ "$(cat won.* | grep -c one)" = 1 ]
for i in 1 2 3 4; do
    "$ZUK" run -d tick.elf >"many.$i" 2>/dev/null </dev/null &
done
wait
check [ "$(cat many.* | sort | tr '\n' ' ')" = "tick tick-2 tick-3 tick-4 " ]
run "$ZUK" stop -t 5 one tick tick-2 tick-3 tick-4
status 0
run "$ZUK" rm one tick tick-2 tick-3 tick-4
status 0

# --watch: again at each change, and what ran before is gone
version() { printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { puts("version %s"); fflush(stdout); for (;;) sleep(1); }\n' "$1" | c watched; }
version 1
"$ZUK" run --watch watched.o >w.out 2>w.err </dev/null &
watcher=$!
seen() { for _ in $(seq 300); do grep -q "$1" "$2" && return; sleep 0.1; done; return 1; }
check seen "version 1" w.out
version 2
check seen "version 2" w.out
one_machine() {
    for _ in $(seq 100); do
        child=$(pgrep -P $watcher) && [ "$(pgrep -c -P "$child" qemu)" = 1 ] && return
        sleep 0.1
    done
    return 1
}
check one_machine
printf 'broken' >watched.o
check seen "waiting for a change" w.err
version 3
check seen "version 3" w.out
children=$(pgrep -P $watcher)
kill -INT $watcher 2>/dev/null || :
kill -TERM $watcher
command=watch
set +e
wait $watcher
status=$?
set -e
case $status in 130 | 143) ;; *) status 143 ;; esac
for child in $children; do
    check [ ! -e "/proc/$child" ]
done
done_or_fail
