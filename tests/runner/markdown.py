# SPDX-License-Identifier: BSD-3-Clause
#
# Tables of the pages that tests write, and read again: what is not measured
# anew keeps its row.
import re


def escape(text):
    return re.sub(r"[\\|<*_]", r"\\\g<0>", text)


def plain(text):
    return re.sub(r"\\(.)", r"\1", text)


def row(words):
    return f"| {' | '.join(map(str, words))} |"


def words_of(line):
    """The cells of a table's row, escaped as they stand; [] of another line."""
    return [w.strip() for w in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("| ") else []


def table(head, rows, right=0):
    """Lines; the last `right` columns hold numbers."""
    return [row(head), row(("---",) * (len(head) - right) + ("--:",) * right), *map(row, rows)]
