# SPDX-License-Identifier: BSD-3-Clause
#
# Compares the two sides and looks for each difference's reason.
#
# tests/conform/reasons.txt: `reason: TEXT`, below it the tests it holds for, one
# a line and indented; `VERSION NAME` for one version alone.  A name may hold `*`,
# which stands for any text.
import fnmatch

from runner import core

REASONS = f"{core.TOP}/tests/conform/reasons.txt"


def reasons():
    """{(version or None, test): reason}."""
    found, text = {}, None
    with open(REASONS) as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("reason: "):
                text = line[len("reason: "):]
            elif line.startswith(" ") and text:
                word, _, rest = line.strip().partition(" ")
                key = (word, rest) if word[0].isdigit() else (None, line.strip())
                if key in found:
                    raise core.Failure(f"{REASONS}:{number}: a second reason for {line.strip()}")
                found[key] = text
            else:
                raise core.Failure(f"{REASONS}:{number}: neither a reason nor a test")
    return found


def key_of(known, version, test):
    """The key of the reason for a test of that version, or None."""
    return next((k for k in known if k[0] in (version, None)
                 and (k[1] == test or ("*" in k[1] and fnmatch.fnmatchcase(
                     test, k[1].replace("[", "[[]").replace("?", "[?]"))))), None)


def differences(linux, guest):
    """[(test, result on Linux, result in the guest)]; speed is no difference."""
    return [(name, linux[name][0], guest[name][0]) for name in linux
            if linux[name][0] != guest[name][0]]


def count(side, word):
    return sum(1 for result, *_ in side.values() if result.split(" ")[0] == word)


def judge(cells):
    """(differences without a reason, reasons without a difference) of results of cells."""
    known, used, bare = reasons(), set(), []
    for cell in cells:
        version = cell["name"].split(":")[0]
        for d in cell["differences"]:
            key = key_of(known, version, d[0])
            if key is None:
                bare.append((cell["name"], *d))
            else:
                used.add(key)
    return bare, sorted(" ".join(filter(None, k)) for k in known if k not in used)
