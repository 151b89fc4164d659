# SPDX-License-Identifier: BSD-3-Clause
#
# make install PREFIX=/usr/local: bin/zuk, lib/zuk (the kernel's objects, and
# zig-path: where the pinned Zig lies), share/man/man1/zuk.1.

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
	$(call say,INST,'$(DESTDIR)$(PREFIX)/bin/zuk')

uninstall:
	$(Q)rm -rf '$(DESTDIR)$(PREFIX)/lib/zuk'
	$(Q)rm -f '$(DESTDIR)$(PREFIX)/bin/zuk' '$(DESTDIR)$(PREFIX)/share/man/man1/zuk.1'
