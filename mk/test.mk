# SPDX-License-Identifier: BSD-3-Clause
#
# Unit tests and fuzz targets, on the host, under ASan and UBSan.
#
# tests/unit/NAME.c -> build/tests/unit/NAME, with cmocka; tests/fuzz/NAME.c ->
# build/tests/fuzz/NAME, with libFuzzer.  Both link what they need of
# kernel/lib/ and, unless NAME begins with a room of the kernel, of zuk/
# (without main.c).  Anything else is named in the test's first comment:
# `links: kernel/mm/area.c kernel/vfs/pipe.c`.
#
# kernel/lib/string.c is compiled with its functions named lib_memcpy and so
# on: under the libc's names it would take the sanitizers' place.

TEST_CC := clang
TEST_CFLAGS := -std=c11 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize=fuzzer-no-link \
	-I. -Ikernel $(shell pkg-config --cflags $(HOST_PACKAGES) cmocka)
TEST_LIBS := $(HOST_LIBS) -lcmocka

TEST_ZUK := $(filter-out zuk/main.c,$(HOST_SRC))
TEST_KLIB := $(sort $(wildcard kernel/lib/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
UNIT := $(UNIT_SRC:tests/%.c=$(B)/tests/%)
FUZZ := $(FUZZ_SRC:tests/%.c=$(B)/tests/%)

$(B)/tests.flags: FORCE
	$(call flags_file,$(TEST_CC) $(TEST_CFLAGS) $(TEST_LIBS))

$(B)/tests/obj/%.o: %.c $(B)/tests.flags
	@mkdir -p $(@D)
	$(call say,TEST,$<)
	$(Q)$(TEST_CC) $(TEST_CFLAGS) $(TEST_FLAGS_$*) -MMD -MP -c -o $@ $<

TEST_FLAGS_kernel/lib/string := -fno-builtin $(foreach f,memcpy memmove memset memcmp memchr \
	strlen strnlen strcmp strncmp strchr,-D$(f)=lib_$(f))

# lwIP and who includes it; its own words about alignment are its own affair.
$(foreach f,$(LWIP_SRC),$(eval TEST_FLAGS_$(LWIP)/src/$f := $(LWIP_FLAGS) $(LWIP_FLAGS_$f) -w -fno-sanitize=alignment))
$(foreach f,$(basename $(wildcard kernel/net/lwip/*.c)),$(eval TEST_FLAGS_$f := $(LWIP_FLAGS)))
TEST_LWIP := tests/fuzz/net_frames tests/unit/net_output
$(foreach f,$(TEST_LWIP),$(eval TEST_FLAGS_$f := -idirafter kernel/net/lwip/include -I$(LWIP)/src/include))
$(patsubst %,$(B)/tests/obj/%.o,$(basename $(wildcard kernel/net/lwip/*.c)) $(TEST_LWIP)): $(LWIP)/.stamp
$(addprefix $(LWIP)/src/,$(addsuffix .c,$(LWIP_SRC))): $(LWIP)/.stamp ;

define test_archive
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)
endef

$(B)/tests/zuk.a: $(TEST_ZUK:%.c=$(B)/tests/obj/%.o)
	$(test_archive)

$(B)/tests/klib.a: $(TEST_KLIB:%.c=$(B)/tests/obj/%.o)
	$(test_archive)

# TEST_LINKS_tests/unit/x := objects of its `links:` line
$(B)/tests/links.mk: $(UNIT_SRC) $(FUZZ_SRC) mk/links
	@mkdir -p $(@D)
	$(Q)mk/links $(UNIT_SRC) $(FUZZ_SRC) > $@

ifeq ($(filter clean,$(MAKECMDGOALS)),)
-include $(B)/tests/links.mk
endif

TEST_ROOMS := lib mm irq clock sched arch diag boot drivers block netdev console net vfs fs syscall app
test_archives = $(if $(filter $(TEST_ROOMS),$(firstword $(subst _, ,$(notdir $(1))))),,$(B)/tests/zuk.a) $(B)/tests/klib.a

.SECONDEXPANSION:
$(UNIT) $(FUZZ): $(B)/tests/%: $(B)/tests/obj/tests/%.o $$(TEST_LINKS_tests/$$*) $$(call test_archives,$$*)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(TEST_CC) -fsanitize=address,undefined$(if $(filter fuzz/%,$*),$(COMMA)fuzzer) -o $@ \
		$(filter %.o,$^) $(filter %.a,$^) $(TEST_LIBS)
COMMA := ,

-include $(UNIT_SRC:%.c=$(B)/tests/obj/%.d) $(FUZZ_SRC:%.c=$(B)/tests/obj/%.d)
-include $(TEST_ZUK:%.c=$(B)/tests/obj/%.d) $(TEST_KLIB:%.c=$(B)/tests/obj/%.d)

.PHONY: unit fuzzers
unit: $(UNIT)
fuzzers: $(FUZZ)

.PHONY: test-quick test test-full fuzz lint format bench conform apps
test-quick:
	$(Q)tests/run --tier quick $(if $(V),-v)
test:
	$(Q)tests/run --tier test $(if $(V),-v)
test-full:
	$(Q)tests/run --tier full --page $(if $(V),-v)

bench: all
	$(Q)tests/bench/bench

# Writes docs/scoreboard.md.  Hours, the first time: it builds std's tests
# for every Zig and mode.
conform: all
	$(Q)tests/conform/conform --all --write

# Programs of other people, fetched and built when they are not there.
apps: all
	$(Q)tests/apps/apps test

FUZZ_SECONDS ?= 600
fuzz:
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run $(if $(V),-v) fuzz/
lint:
	$(Q)tests/run $(if $(V),-v) lint/

FORMAT = $(shell git ls-files -co --exclude-standard '*.c' '*.h' | xargs grep -LE '^[[:space:]]*\.macro')
format:
	$(Q)clang-format -i $(FORMAT)
