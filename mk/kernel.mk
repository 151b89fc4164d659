# SPDX-License-Identifier: BSD-3-Clause
#
# The kernel: every kernel/**/*.c and *.S -> build/lib/zuk/<arch>/<room>/<file>.o,
# compiled once, with the pinned Zig.  zuk links the objects that an image
# needs.  Files under arch/<a>/ are compiled for that architecture only.
# `stamp` holds a hash of all of them: images are rebuilt when it changes.

ZIG := $(B)/zig
ZIG_LIB = $(dir $(realpath $(ZIG)))lib
ARCHES := x86_64

# One -m flag more or less changes what the compiler may emit: no FPU or SIMD
# register is saved on entry, so none may be used (make lint looks); for the same
# reason the stack need not be aligned to more than a word.
KERNEL_TARGET_x86_64 := -target x86_64-freestanding-none -mcpu=x86_64-mmx-sse-sse2-x87+soft_float \
	-mcmodel=kernel -mno-red-zone -mstack-alignment=8
KERNEL_TARGET_aarch64 := -target aarch64-freestanding-none -mcpu=generic-neon-fp_armv8

# Paths are mapped so that the same sources give the same objects everywhere.
KERNEL_CFLAGS = -std=c11 -ffreestanding -fno-stack-protector -fno-pic -g \
	-ffunction-sections -fdata-sections -fno-sanitize=all -fomit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(ZIG_LIB)=/zig \
	-Wall -Wextra -Werror -Wno-unused-command-line-argument -Ikernel -I.

KERNEL_GENERIC := $(sort $(shell find kernel -path kernel/arch -prune -o \( -name '*.c' -o -name '*.S' \) -print))

# `zig cc` takes -Oz for -Os; -Xclang insists, and saves a tenth.  A file on a
# hot path has its own line here.
KERNEL_SMALL := -Os -Xclang -Oz
KERNEL_OPT_lib/string := -Os
# Every program runs through these at least once, when an emulator has to translate
# them: to it a push, a call or an access to memory is worth several moves.
KERNEL_QUICK := app/load arch/x86_64/cpu drivers/serial mm/area mm/frame mm/user syscall/io
$(foreach f,$(KERNEL_QUICK),$(eval KERNEL_OPT_$f := -Os))
KERNEL_OPT_mm/frame += -mllvm -inline-threshold=5

# lwIP, as the distribution has it (mk/sources.txt), compiled as the kernel is;
# kernel/net/lwip/ alone sees its headers.
LWIP := $(B)/source/lwip
LWIP_SRC := $(addprefix core/,def inet_chksum init ip mem memp netif pbuf raw tcp tcp_in tcp_out timeouts udp) \
	$(addprefix core/ipv4/,dhcp etharp icmp igmp ip4 ip4_addr ip4_frag) \
	$(addprefix core/ipv6/,ethip6 icmp6 ip6 ip6_addr ip6_frag mld6 nd6) netif/ethernet
LWIP_FLAGS := -Ikernel/net/lwip/include -I$(LWIP)/src/include
# net/lwip/icmp.c has its own of these:
LWIP_FLAGS_core/ipv4/icmp := -Dicmp_dest_unreach=lwip_icmp_dest_unreach
LWIP_FLAGS_core/ipv6/mld6 := -Dip6_output_if=lwip_port_mld_output
$(foreach f,$(notdir $(basename $(shell find kernel/net/lwip -name '*.c'))),$(eval KERNEL_FLAGS_net/lwip/$f := $(LWIP_FLAGS)))

$(LWIP)/.stamp: mk/sources.txt mk/fetch-source
	$(Q)mk/fetch-source lwip >/dev/null
	$(Q)touch $@

# String functions must not become calls to themselves.
KERNEL_FLAGS_lib/string := -fno-builtin

.PHONY: kernel

# $(1): architecture
define kernel_rules
KERNEL_SRC_$(1) := $$(KERNEL_GENERIC) $$(sort $$(shell find kernel/arch/$(1) -name '*.c' -o -name '*.S'))
KERNEL_OBJ_$(1) := $$(patsubst kernel/%,$$(B)/lib/zuk/$(1)/%.o,$$(basename $$(KERNEL_SRC_$(1))))

$$(B)/kernel-$(1).flags: FORCE
	$$(call flags_file,$$(KERNEL_TARGET_$(1)) $$(KERNEL_CFLAGS) $$(KERNEL_SMALL) $$(foreach f,$$(KERNEL_QUICK) syscall/io,$$(KERNEL_OPT_$$f)) $$(realpath $$(ZIG)))

$$(B)/lib/zuk/$(1)/%.o: kernel/%.c $$(B)/kernel-$(1).flags
	@mkdir -p $$(@D)
	$$(call say,ZIGCC,$$<)
	$$(Q)$$(ZIG) cc $$(KERNEL_TARGET_$(1)) $$(KERNEL_CFLAGS) $$(or $$(KERNEL_OPT_$$*),$$(KERNEL_SMALL)) $$(KERNEL_FLAGS_$$*) -MMD -MP -c -o $$@ $$<

LWIP_OBJ_$(1) := $$(patsubst %,$$(B)/lib/zuk/$(1)/lwip/%.o,$$(notdir $$(LWIP_SRC)))
$$(filter $$(B)/lib/zuk/$(1)/net/lwip/%,$$(KERNEL_OBJ_$(1))): $$(LWIP)/.stamp

define lwip_rule_$(1)
$$(B)/lib/zuk/$(1)/lwip/$$(notdir $$(f)).o: $$(LWIP)/.stamp $$(wildcard kernel/net/lwip/include/*.h kernel/net/lwip/include/arch/*.h) $$(B)/kernel-$(1).flags
	@mkdir -p $$$$(@D)
	$$$$(call say,ZIGCC,lwip/$$(f).c)
	$$$$(Q)$$$$(ZIG) cc $$$$(KERNEL_TARGET_$(1)) $$$$(KERNEL_CFLAGS) -Wno-tautological-constant-out-of-range-compare $$$$(KERNEL_SMALL) $$$$(LWIP_FLAGS) $$(LWIP_FLAGS_$$(f)) -c -o $$$$@ $$(LWIP)/src/$$(f).c
endef
$$(foreach f,$$(LWIP_SRC),$$(eval $$(lwip_rule_$(1))))

$$(B)/lib/zuk/$(1)/%.o: kernel/%.S $$(B)/kernel-$(1).flags
	@mkdir -p $$(@D)
	$$(call say,ZIGCC,$$<)
	$$(Q)$$(ZIG) cc $$(KERNEL_TARGET_$(1)) $$(KERNEL_CFLAGS) -MMD -MP -c -o $$@ $$<

$$(B)/lib/zuk/$(1)/kernel.ld: $$(wildcard kernel/arch/$(1)/kernel.ld)
	@mkdir -p $$(@D)
	$$(call say,COPY,$$@)
	$$(Q)cp $$< $$@

# Objects whose source is gone go too.
$$(B)/lib/zuk/$(1)/stamp: $$(KERNEL_OBJ_$(1)) $$(LWIP_OBJ_$(1)) $$(if $$(wildcard kernel/arch/$(1)/kernel.ld),$$(B)/lib/zuk/$(1)/kernel.ld) mk/stamp
	$$(Q)mk/stamp $$@ $$(filter %.o %.ld,$$^)

# The abi/ that they were compiled with (zuk/kernel.c).
$$(B)/lib/zuk/$(1)/abi: $$(KERNEL_OBJ_$(1)) $$(wildcard abi/*)
	$$(Q)echo $$(ABI_ID) > $$@

kernel: $$(B)/lib/zuk/$(1)/stamp $$(B)/lib/zuk/$(1)/abi
-include $$(KERNEL_OBJ_$(1):.o=.d)
endef

$(foreach arch,$(ARCHES),$(eval $(call kernel_rules,$(arch))))

# What goes into images from elsewhere, as set-up found it: for the bill of
# materials (zuk/sbom.c).
LWIP_PART = $$(sed -n 's/^.define LWIP_VERSION_$(1) *\([0-9]*\).*/\1/p' $(LWIP)/src/include/lwip/init.h)
$(B)/lib/zuk/sources: $(LWIP)/.stamp $(B)/kernel-$(firstword $(ARCHES)).flags mk/kernel.mk
	@mkdir -p $(@D)
	$(Q)zig=$$($(ZIG) version) && printf '%s;\n' "zig $$zig" \
		"lwip $(call LWIP_PART,MAJOR).$(call LWIP_PART,MINOR).$(call LWIP_PART,REVISION)" > $@

kernel: $(B)/lib/zuk/sources
