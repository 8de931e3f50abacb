# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with an OpenMetrics exposition: the specification's rules for text, and promtool's for names.

`problems(text)` gives sentences. https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=[a-zA-Z_])|$)')
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)( [0-9.]+)?')
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.+)")
SUFFIX = {"counter": "_total", "info": "_info", "gauge": ""}
ABBREVIATED = re.compile(r"_(ms|us|ns|sec|secs|kb|kib|mb|mib|pkts|bits|msec)(_|$)")


def labels_of(text):
    """A tuple of (name, value) pairs as written, or None when the text is no list of labels."""
    at, found = 0, []
    while at < len(text):
        label = LABEL.match(text, at)
        if not label:
            return None
        found.append(label.groups())
        at = label.end()
    return tuple(found)


def name_problems(name, kind, unit):
    if kind not in SUFFIX:
        yield f"{name}: type {kind} is none that virtifd has"
    if name.endswith(("_total", "_info", "_count", "_sum", "_bucket", "_created")):
        yield f"{name}: a family's name has no suffix of its samples"
    if unit and not name.endswith("_" + unit):
        yield f"{name}: does not end in its unit, {unit}"
    if name != name.lower() or ABBREVIATED.search(name) or (kind and kind in name.split("_")):
        yield f"{name}: lower case, whole words for units, and no type in a name"
    for word in ("bytes", "seconds", "frames"):
        if name.endswith("_" + word) and unit != word:
            yield f"{name}: says {word} without a UNIT"


class Lint:
    def __init__(self):
        self.problems, self.seen, self.series = [], {}, set()
        self.name, self.meta = None, {}

    def close(self):
        if self.name is None:
            return
        self.problems += name_problems(self.name, self.meta.get("TYPE"), self.meta.get("UNIT"))
        for needed in ("TYPE", "HELP"):
            if needed not in self.meta:
                self.problems.append(f"{self.name}: no {needed}")
        if not self.meta.get("HELP", ".").endswith("."):
            self.problems.append(f"{self.name}: HELP is no sentence")

    def begin(self, name):
        self.close()
        if name in self.seen:
            self.problems.append(f"{name}: comes twice, or not in one piece")
        self.seen[name] = True
        self.name, self.meta = name, {}

    def meta_line(self, kind, name, value):
        if name != self.name:
            self.begin(name)
        elif kind in self.meta or "samples" in self.meta:
            self.problems.append(f"{name}: {kind} twice, or behind samples")
        self.meta[kind] = value

    def sample_line(self, line, name, labels, value):
        kind = self.meta.get("TYPE")
        if self.name is None or name != self.name + SUFFIX.get(kind, ""):
            return self.problems.append(f"{line}: is no sample of {self.name}, a {kind}")
        self.meta["samples"] = True
        found = labels_of(labels or "")
        if found is None or len({label for label, _ in found}) != len(found):
            return self.problems.append(f"{line}: labels are wrong, or twice")
        if (name, frozenset(found)) in self.series:
            self.problems.append(f"{line}: the same series twice")
        self.series.add((name, frozenset(found)))
        if (kind == "counter" and not re.fullmatch("[0-9]+", value)) or (kind == "info" and value != "1"):
            self.problems.append(f"{line}: no value of a {kind}")
        return None


def problems(text):
    if not text.endswith("\n# EOF\n") or text.count("# EOF") != 1:
        return ["does not end, once, with # EOF and a newline"]
    lint = Lint()
    for line in text.split("\n")[:-2]:
        meta, sample = META.fullmatch(line), SAMPLE.fullmatch(line)
        if meta:
            lint.meta_line(*meta.groups())
        elif sample and sample[4] is None:
            lint.sample_line(line, *sample.groups()[:3])
        else:
            lint.problems.append(f"{line!r}: neither metadata nor a sample without a time")
    lint.close()
    return lint.problems
