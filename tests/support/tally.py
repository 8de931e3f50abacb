# SPDX-License-Identifier: BSD-2-Clause
"""Counts what one `meson test` run did, test by test, and shows what failed or was skipped.

usage: tally.py TESTLOG_JSON: prints to stderr the full log of each failure and a line for each skipped test, to stdout
the one line "PASSED FAILED SKIPPED". A program of gtest, of Python's unittest or of TAP counts by its single tests,
everything else (scripts, fuzz targets) as one.
"""

import json
import re
import sys

DONE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+?)(?:,.*)? \(\d+ ms\)$", re.MULTILINE)
BEGUN = re.compile(r"^\[ RUN +\] (\S+)$", re.MULTILINE)
DISABLED = re.compile(r"^ *YOU HAVE (\d+) DISABLED TEST", re.MULTILINE)
UNITTEST = re.compile(r"^(test_\w+) \(.*\) \.\.\. (?:.*\n)*?(ok|FAIL|ERROR|skipped '(.*)')$", re.MULTILINE)
TAP = re.compile(r"^(ok|not ok)\b[ \d]*(?:- )?(.*?)(?:# SKIP ?(.*))?$", re.MULTILINE)
PLAN = re.compile(r"^1\.\.\d+$", re.MULTILINE)
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def reason(output, name):
    """Why gtest skipped `name`: the line(s) between its RUN and its SKIPPED, without the place in the source."""
    between = output.split(f"[ RUN      ] {name}\n", 1)[-1].split("[  SKIPPED ]", 1)[0]
    return " ".join(line for line in between.splitlines() if line and not line.endswith(": Skipped")) or "no reason given"


def gtest_counts(output, result):
    """{"OK": n, "FAILED": n, "SKIPPED": n} and the lines to say about skipped tests."""
    done = DONE.findall(output)
    counts = {word: sum(1 for found, _ in done if found == word) for word in ("OK", "FAILED", "SKIPPED")}
    unfinished = set(BEGUN.findall(output)) - {name for _, name in done}
    counts["FAILED"] += len(unfinished)
    if result != "OK" and counts["FAILED"] == 0:  # it died outside a test: a leak, an abort in a destructor, a timeout
        counts["FAILED"] = 1
    lines = [f"{name}: {reason(output, name)}" for found, name in done if found == "SKIPPED"]
    for number in DISABLED.findall(output):
        counts["SKIPPED"] += int(number)
        lines.append(f"{number} disabled in the source")
    return counts, lines


def unittest_counts(output, result):
    done = UNITTEST.findall(output)
    words = [{"ok": "OK", "FAIL": "FAILED", "ERROR": "FAILED"}.get(word, "SKIPPED") for _, word, _ in done]
    counts = {word: words.count(word) for word in ("OK", "FAILED", "SKIPPED")}
    if result != "OK" and counts["FAILED"] == 0:
        counts["FAILED"] = 1
    return counts, [f"{name}: {reason}" for name, word, reason in done if word.startswith("skipped")]


def tap_counts(output, result):
    done = TAP.findall(output)
    failed = sum(1 for word, _, _ in done if word == "not ok")
    skipped = [f"{name.strip()}: {why}" for word, name, why in done if word == "ok" and why]
    counts = {"OK": len(done) - failed - len(skipped), "FAILED": failed, "SKIPPED": len(skipped)}
    if result != "OK" and counts["FAILED"] == 0:
        counts["FAILED"] = 1
    return counts, skipped


def script_counts(output, result):
    word = {"OK": "OK", "EXPECTEDFAIL": "OK", "SKIP": "SKIPPED"}.get(result, "FAILED")
    last = output.strip().splitlines()[-1:] or ["no reason given"]
    return {"OK": 0, "FAILED": 0, "SKIPPED": 0, word: 1}, last if word == "SKIPPED" else []


def main():
    total = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    with open(sys.argv[1], encoding="utf-8") as log:
        entries = [json.loads(line) for line in log]
    for entry in entries:
        output, words = ESCAPES.sub("", entry.get("stdout", "")), entry.get("stderr", "")
        if BEGUN.search(output):
            counts, skipped = gtest_counts(output, entry["result"])
        elif UNITTEST.search(words):
            counts, skipped = unittest_counts(words, entry["result"])
        elif PLAN.search(output):
            counts, skipped = tap_counts(output, entry["result"])
        else:
            counts, skipped = script_counts(output, entry["result"])
        for word in total:
            total[word] += counts[word]
        for line in skipped:
            print(f"  skipped: {entry['name']}: {line}", file=sys.stderr)
        if counts["FAILED"]:
            print(f"---- {entry['name']}: {entry['result']}, exit status {entry.get('returncode')}: "
                  f"{' '.join(entry.get('command', []))}\n{output}{words}\n----", file=sys.stderr)
    print(total["OK"], total["FAILED"], total["SKIPPED"])


if __name__ == "__main__":
    main()
