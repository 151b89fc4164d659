# SPDX-License-Identifier: BSD-3-Clause
#
# make            the host tool build/zuk and the kernel's objects
# make test       everything CI runs (make test-quick: 2 minutes; make test-full: hours)
# make bench      the table of figures
# make conform    Zig's std tests on Linux and in the guest: docs/scoreboard.md
# make apps       programs of other people in the guest (tests/apps): docs/apps.md
# make fuzz       long fuzzing; FUZZ_SECONDS=N per target
# make lint       the rules of docs/style.md, as far as a program can check them
# make format     clang-format over every source
# make install    PREFIX=/usr/local, DESTDIR=
#
# V=1 shows the commands.  Everything made lies in build/.  ./bootstrap
# installs what is needed and puts the pinned Zig at build/zig.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

B := build
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n' $(1) $(2))

include mk/host.mk
include mk/kernel.mk
include mk/test.mk
include mk/install.mk

.PHONY: all clean
all: $(B)/zuk kernel

# The toolchain and the download cache stay: they are the set-up's.
clean:
	$(Q)rm -rf $(B)/obj $(B)/lib $(B)/tests $(B)/fuzz $(B)/zuk $(B)/*.flags
