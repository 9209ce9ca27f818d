#!/usr/bin/env python3
"""The project's lint. ctest runs each check as a test with the label "tidy".

  python3 tests/tidy/tidy.py CHECK...      CHECK: modules calls coroutines limits names text format
  python3 tests/tidy/tidy.py all

A rule is broken on purpose by a comment on the same line or the line above:
  // lmb-tidy: allow RULE (reason)
An allow without a reason, or one that permits nothing any more, is itself an error.
Exit code 0: clean; 1: findings, one a line as file:line: [rule] what and how to mend it; 2: usage;
77: the check cannot run here (ctest shows it as skipped).
"""

import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import calls
import coroutines
import formatting
import limits
import modules
import names
import text
from source import apply_allows, cpp_sources

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_modules(root, sources):
    files = frozenset(
        path.relative_to(root).as_posix()
        for folder in ("include", "src", "bench")
        for path in pathlib.Path(root, folder).rglob("*")
        if path.is_file()
    )
    for source in sources:
        yield from apply_allows(source, modules.check(source, files), modules.RULES)
    for path in sorted(
        [*root.glob("src/*/CMakeLists.txt"), *root.glob("bench/**/CMakeLists.txt")]
    ):
        if path.exists():
            yield from modules.check_cmake(path.relative_to(root).as_posix(), path.read_text())


def run_per_file(check):
    def run(_root, sources):
        for source in sources:
            yield from apply_allows(source, check.check(source), check.RULES)

    return run


def run_coroutines(_root, sources):
    aggregates = coroutines.aggregate_names(sources)
    for source in sources:
        yield from apply_allows(source, coroutines.check(source, aggregates), coroutines.RULES)


def run_text(root, _sources):
    for path, content in text.text_files(root):
        yield from text.check(path, content)


def run_format(root, sources):
    yield from formatting.check(root, [source.path for source in sources])


CHECKS = {
    "modules": run_modules,
    "calls": run_per_file(calls),
    "coroutines": run_coroutines,
    "limits": run_per_file(limits),
    "names": run_per_file(names),
    "text": run_text,
    "format": run_format,
}
ALL_RULES = modules.RULES | calls.RULES | coroutines.RULES | limits.RULES | names.RULES


def unknown_allows(sources):
    """Allow comments for rules that no check has: a spelling mistake would else pass unseen."""
    known = ", ".join(sorted(ALL_RULES))
    for source in sources:
        for line, rule, _reason in source.allows():
            if rule not in ALL_RULES:
                yield f"{source.path}:{line}: [{rule}] no such rule; known: {known}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checks", nargs="+", choices=[*CHECKS, "all"], metavar="CHECK")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    arguments = parser.parse_args()
    wanted = list(CHECKS) if "all" in arguments.checks else arguments.checks

    sources = list(cpp_sources(arguments.root))
    if not sources:
        sys.exit(f"tidy: no C++ file under {arguments.root}, which cannot be right")
    if "format" in wanted and formatting.program() is None:
        print(
            f"tidy: {formatting.NEEDED} is not here, so the style cannot be checked",
            file=sys.stderr,
        )
        wanted.remove("format")
        if not wanted:
            sys.exit(77)
    findings = [
        str(finding) for name in wanted for finding in CHECKS[name](arguments.root, sources)
    ]
    findings += unknown_allows(sources)
    for finding in findings:
        print(finding)
    print(f"tidy: {', '.join(wanted)}: {len(findings)} findings in {len(sources)} C++ files")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
