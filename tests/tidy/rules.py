# SPDX-License-Identifier: BSD-2-Clause
"""The small rules: sizes, names, leftovers, first lines, files that no build mentions, documents, foreign paths."""

import posixpath
import re

import tree

FILE_LINES_MAX = 300
README_LINES_MAX = 200
# A file that may be longer: its path and why one story needs that many lines.
LONGER = {}

BANNED = {
    "util": "the noun it is about", "utils": "the noun it is about", "helper": "what it does", "helpers": "what they do",
    "common": "what they have in common", "misc": "one file per thing", "manager": "what it owns or decides",
    "factory": "a function named open_ or make_", "impl": "the difference between the two (file, ring, memory)",
}
TYPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?:\s+class)?|concept|namespace|using)\s+(\w+)")
LEFTOVER = re.compile(r"\b(TODO(?!\(#\d+\))|FIXME|XXX)\b")
FOREIGN = (
    (re.compile(r"(?<![\w.~])/(home|root|work|Users)/\w|/tmp/\w*jobs"), "a path of one developer's machine"),
    (re.compile(r"\b(pypi\.org|crates\.io|registry\.npmjs\.org|proxy\.golang\.org)\b"), "a package registry"),
)
BUILT = ("netstack", "virtif", "services", "hypercall", "tools", "tests", "examples")
SELF = "tests/tidy/"  # the rules may name what they forbid


def words(name):
    """The words of a snake_case or PascalCase name, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def banned(name):
    return next((f'"{word}" in "{name}" says nothing. Do instead: name {BANNED[word]}.'
                 for word in words(name) if word in BANNED), None)


def size_problems(root, name, lines):
    limit = README_LINES_MAX if name == "README.md" else FILE_LINES_MAX
    limited = name == "README.md" or name.endswith((*tree.CODE, ".py"))
    if limited and len(lines) > limit and name not in LONGER:
        yield (f"{name}: {len(lines)} lines, more than {limit}. Do instead: split it by what it tells; if it is one "
               f"story, list it with the reason under LONGER in tests/tidy/rules.py.")


def name_problems(root, name, lines):
    stem = name.rsplit("/", 1)[-1]
    problem = banned(stem)
    if problem:
        yield f"{name}: {problem}"
    for number, line in enumerate(lines if name.endswith(tree.CODE) else (), 1):
        declared = TYPE.match(line)
        problem = declared and banned(declared.group(1))
        if problem:
            yield f"{name}:{number}: {problem}"


def text_problems(root, name, lines):
    if name.startswith(SELF):
        return
    for number, line in enumerate(lines, 1):
        leftover = LEFTOVER.search(line)
        if leftover and not name.endswith(".md"):
            yield f"{name}:{number}: {leftover.group(1)}. Do instead: do it now, or open an issue and write TODO(#12)."
        for pattern, what in FOREIGN:
            if pattern.search(line):
                yield f"{name}:{number}: {what}. Do instead: say it relative to the repository, or in general words."


def told_elsewhere(root, name):
    """Whether the header beside it, or for a test its subject, says what the file is for."""
    return name.endswith("_test.cpp") or (name.endswith(".cpp") and (root / name).with_suffix(".hpp").exists())


# The licence line, the comment that follows it, and what keeps a header from being read twice.
FIRST = {
    (".hpp", ".cpp"): (r"// SPDX-License-Identifier: BSD-2-Clause", r"//", r"#pragma once"),
    (".h", ".c"): (r"(//|/\*) SPDX-License-Identifier: BSD-2-Clause( \*/)?", r"//|/\*| \*", r"#pragma once|#ifndef \w+_H_?"),
    (".py",): (r"# SPDX-License-Identifier: BSD-2-Clause", r"", r""),
}


def first_line_problems(root, name, lines):
    rule = next((rule for suffixes, rule in FIRST.items() if name.endswith(suffixes)), None)
    if rule is None or not lines:
        return
    licence, purpose, once = rule
    head = lines[1:] if lines[0].startswith("#!") else lines
    if not head or not re.fullmatch(licence, head[0]):
        yield f"{name}: no licence. Do instead: begin with a comment line SPDX-License-Identifier: BSD-2-Clause."
    elif not told_elsewhere(root, name) and not (len(head) > 1 and re.match(purpose, head[1])):
        yield f"{name}: no word on what the file is for. Do instead: say it in 2-6 comment lines after the licence line."
    # What is precompiled is a main file to g++, which has no word for its being read twice.
    if name.endswith((".hpp", ".h")) and "/pch/" not in name and not any(re.fullmatch(once, line) for line in lines):
        yield f"{name}: can be read twice. Do instead: add #pragma once."


def built_sources(root):
    """Every source that some meson.build names, or the install test (from the root), as a path from the root."""
    named = {word for script in tree.files(root, ".py", under=("tests",))
             for word in re.findall(r'"(examples/[^"\n]+)"', tree.text(root, script))}
    for build in tree.files(root, "meson.build"):
        folder = posixpath.dirname(build)
        for word in re.findall(r"'([^'\n]+)'", tree.text(root, build)):
            path = posixpath.normpath(posixpath.join(folder, word))
            named |= {path, path + ".cpp", path + ".c"}
    return named


def build_problems(root):
    named = built_sources(root)
    for name in tree.files(root, ".cpp", ".c", under=BUILT):
        if name not in named:
            yield (f"{name}: no meson.build mentions it. Do instead: add it to its folder's (an example: to "
                   f"tests/install), or delete it.")


def document_problems(root, name, lines):
    if not name.endswith(".md"):
        return
    titles, fenced = 0, False
    for line in lines:
        fenced ^= line.startswith("```")
        titles += not fenced and line.startswith("# ")
    if titles != 1:
        yield f"{name}: {titles} titles. Do instead: begin a document with its one `# Title` line."


RULES = (size_problems, name_problems, text_problems, first_line_problems, document_problems)
BINARY = (".pcap", ".pcapng", ".gz", ".json")


def check(root):
    problems = list(build_problems(root))
    for name in tree.files(root):
        if name.endswith(BINARY):
            continue
        lines = tree.text(root, name).splitlines()
        problems += [problem for rule in RULES for problem in rule(root, name, lines)]
    return problems


if __name__ == "__main__":
    tree.finish(check(tree.ROOT), f"{len(tree.files(tree.ROOT))} files")
