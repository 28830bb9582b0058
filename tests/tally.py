#!/usr/bin/env python3
"""Counts test results.

tally.py meson LOG EXIT NAME    the testlog.json of a `meson test` that ended with exit code EXIT
tally.py pytest XML EXIT NAME   the JUnit file of a pytest run
    print one line "N passed, N failed, N skipped: NAME".
tally.py sum FILE               adds up such lines, prints the total alone on the last line;
                                exit code 1 when a test failed or none was run.

A run that ended badly without naming a failed test counts as one failed test.
"""

import json
import re
import sys
import xml.etree.ElementTree as xml

TAP = re.compile(r"^(not )?ok\b[^#]*(#\s*SKIP)?", re.I)
MESON_GOOD = {"OK": (1, 0, 0), "EXPECTEDFAIL": (1, 0, 0), "SKIP": (0, 0, 1)}


def add(*counts):
    return tuple(map(sum, zip((0, 0, 0), *counts)))


def tap(text):
    """Passed, failed, skipped of a TAP stream."""
    counts = [0, 0, 0]
    for line in text.splitlines():
        found = TAP.match(line)
        if found:
            counts[1 if found[1] else 2 if found[2] else 0] += 1
    return tuple(counts)


def meson_test(entry):
    """The counts of one test program, which may hold many tests."""
    counts = tap(entry.get("stdout") or "")
    good = MESON_GOOD.get(entry["result"])
    if entry["result"] == "EXPECTEDFAIL":
        return good
    if not good:
        return counts if counts[1] else add(counts, (0, 1, 0))
    return counts if any(counts) else good


def meson(path):
    with open(path, encoding="utf-8") as log:
        return add(*(meson_test(json.loads(line)) for line in log))


def pytest(path):
    total = [0, 0, 0]
    for suite in xml.parse(path).getroot().iter("testsuite"):
        failed = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        total = add(total, (max(0, int(suite.get("tests")) - failed - skipped), failed, skipped))
    return tuple(total)


def collect(count, path, code, name):
    try:
        counts = count(path)
    except (OSError, ValueError, xml.ParseError, TypeError) as error:
        print(f"{name}: no results: {error}", file=sys.stderr)
        counts = (0, 0, 0)
    if counts[1] == 0 and (code != 0 or not any(counts)):
        counts = add(counts, (0, 1, 0))
    print("{} passed, {} failed, {} skipped: {}".format(*counts, name))


def total(path):
    with open(path, encoding="utf-8") as lines:
        text = lines.read()
    counts = add(*(tuple(map(int, re.findall(r"\d+", line)[:3])) for line in text.splitlines()))
    print(text)
    print("{} passed, {} failed, {} skipped".format(*counts))
    return 1 if counts[1] or not counts[0] else 0


def main(kind, path, code="0", name=""):
    if kind == "sum":
        return total(path)
    collect({"meson": meson, "pytest": pytest}[kind], path, int(code), name)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
