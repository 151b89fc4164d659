# SPDX-License-Identifier: BSD-3-Clause
#
# The host tool: zuk/*.c -> build/zuk, with the system's compiler.

CC := cc
CFLAGS ?= -O2 -g
HOST_PACKAGES := libelf libdw yaml-0.1 libarchive jansson capstone
HOST_WARNINGS := -Wall -Wextra -Werror
HOST_CFLAGS := -std=c11 -D_GNU_SOURCE $(HOST_WARNINGS) -I. $(shell pkg-config --cflags $(HOST_PACKAGES))
HOST_LIBS := $(shell pkg-config --libs $(HOST_PACKAGES))

# The tool itself takes the libraries from their archives where there are any:
# loading them at every start costs more than all else that `zuk run` does.
# A library that the tool starts to use goes here as well.
HOST_ARCHIVES := -no-pie -Wl,-Bstatic -ldw -lelf -ljansson -lcapstone -lyaml -larchive -lzstd -lz -llzma -lbz2 -Wl,-Bdynamic
HOST_LINK := $(shell echo 'int main(void) { return 0; }' | $(CC) -x c - -o /dev/null $(HOST_ARCHIVES) \
	2> /dev/null && echo '$(HOST_ARCHIVES)' || echo '$(HOST_LIBS)')

HOST_SRC := $(sort $(wildcard zuk/*.c))
HOST_OBJ := $(HOST_SRC:%.c=$(B)/obj/host/%.o)

# A file that changes when the flags do, so that objects follow.
define flags_file
	@mkdir -p $(@D)
	@printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
endef

.PHONY: FORCE
FORCE:

$(B)/host.flags: FORCE
	$(call flags_file,$(CC) $(HOST_CFLAGS) $(CFLAGS) $(HOST_LINK))

$(B)/obj/host/%.o: %.c $(B)/host.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(HOST_CFLAGS) $(CFLAGS) $(HOST_FLAGS_$*) -MMD -MP -c -o $@ $<

$(B)/zuk: $(HOST_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(HOST_OBJ) $(HOST_LINK)

# Which abi/ the tool was built with: the kernel's objects must be of the same.
ABI_ID := $(shell cat $(sort $(wildcard abi/*)) | sha256sum | cut -c 1-16)
HOST_FLAGS_zuk/kernel := -DZUK_ABI='"$(ABI_ID)"'
$(B)/obj/host/zuk/kernel.o: $(wildcard abi/*)

-include $(HOST_OBJ:.o=.d)

# The Zig package, for `zuk new`.
$(B)/lib/zuk/zig/%: %
	@mkdir -p $(@D)
	$(call say,COPY,$@)
	$(Q)cp $< $@
all: $(B)/lib/zuk/zig/build.zig $(B)/lib/zuk/zig/build.zig.zon
