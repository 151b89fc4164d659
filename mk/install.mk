# SPDX-License-Identifier: BSD-3-Clause
#
# make install PREFIX=/usr/local: bin/zuk, lib/zuk (the kernel's objects, and
# zig-path: where the pinned Zig lies), share/man/man1/zuk.1, completions for
# bash, zsh and fish.  make deb: build/zuk_VERSION_ARCH.deb, with all of it and
# the pinned Zig.

PREFIX ?= /usr/local
INSTALL := install

.PHONY: install uninstall
install: all
	$(Q)$(INSTALL) -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/lib/zuk' '$(DESTDIR)$(PREFIX)/share/man/man1'
	$(Q)$(INSTALL) -m 755 $(B)/zuk '$(DESTDIR)$(PREFIX)/bin/zuk'
	$(Q)(cd $(B)/lib/zuk && find . -type f ! -name '*.d' -print) | while read -r f; do \
		$(INSTALL) -D -m 644 "$(B)/lib/zuk/$$f" "$(DESTDIR)$(PREFIX)/lib/zuk/$$f" || exit 1; done
	$(Q)printf '%s\n' '$(realpath $(ZIG))' > '$(DESTDIR)$(PREFIX)/lib/zuk/zig-path'
	$(Q)if [ -e docs/zuk.1 ]; then $(INSTALL) -m 644 docs/zuk.1 '$(DESTDIR)$(PREFIX)/share/man/man1/zuk.1'; fi
	$(Q)for shell in bash:bash-completion/completions/zuk zsh:zsh/site-functions/_zuk fish:fish/vendor_completions.d/zuk.fish; do \
		$(INSTALL) -d "$(DESTDIR)$(PREFIX)/share/$$(dirname "$${shell#*:}")" && \
		$(B)/zuk completion "$${shell%%:*}" > "$(DESTDIR)$(PREFIX)/share/$${shell#*:}" || exit 1; done
	$(call say,INST,'$(DESTDIR)$(PREFIX)/bin/zuk')

uninstall:
	$(Q)rm -rf '$(DESTDIR)$(PREFIX)/lib/zuk'
	$(Q)rm -f '$(DESTDIR)$(PREFIX)/bin/zuk' '$(DESTDIR)$(PREFIX)/share/man/man1/zuk.1' \
		'$(DESTDIR)$(PREFIX)/share/bash-completion/completions/zuk' \
		'$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_zuk' \
		'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/zuk.fish'

VERSION := $(shell sed -n 's/^.define ZUK_VERSION "\(.*\)"/\1/p' zuk/cmd.h)
DEB_ARCH = $(shell dpkg --print-architecture)
DEB = $(B)/zuk_$(VERSION)_$(DEB_ARCH).deb

# Zig goes to lib/zuk/zig, where zuk finds it.
.PHONY: deb
deb: all
	$(Q)mk/deb $(DEB) $(VERSION) $(DEB_ARCH) '$(dir $(realpath $(ZIG)))'
	$(call say,DEB,$(DEB))
