"""Calls and constructs that are forbidden, or allowed in one place only."""

import re

from module_table import DATA_PATH, PURE
from source import Finding


class Ban:
    """A pattern over code without comments and literals; `where(source)`: is it banned here?"""

    def __init__(self, rule, pattern, message, where=lambda source: True):
        self.rule = rule
        self.pattern = re.compile(pattern)
        self.message = message
        self.where = where


def _outside(*prefixes):
    return lambda source: not source.path.startswith(prefixes)


BANS = (
    Ban(
        "real_clock",
        r"\b(?:steady_clock|system_clock|high_resolution_clock|utc_clock)\s*::\s*now\b"
        r"|\b(?:clock_gettime|gettimeofday)\s*\(|(?:\bstd::|[^\w.>:]::)time\s*\(",
        "read lmb::Clock::now() or lmb::wall_now(); only src/base/clock_real.cpp asks the OS",
        # Tests with real sockets have real deadlines; those of pure code have none.
        lambda source: source.path.startswith(("tests/unit/", "tests/sim/"))
        or not source.path.startswith(("src/base/clock_real.cpp", "bench/peers/", "tests/")),
    ),
    Ban(
        "clock_in_pure_module",
        r"\bClock\s*::\s*now\s*\(|\bwall_now\s*\(",
        "a module that decides takes `now` as an argument",
        lambda source: source.module in PURE,
    ),
    Ban(
        "sleep",
        r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])(?:::)?sleep\s*\(",
        "never sleep: wait for the condition, with one deadline",
    ),
    Ban(
        "detached",
        r"\bdetached\b",
        "a coroutine needs an owner that can cancel and await it: spawn it in a session group",
        _outside("src/net/", "include/lmb/net/"),
    ),
    Ban(
        "stdout",
        r"\bstd::cout\b|(?<![\w.>:])(?:std::)?(?:printf|puts|putchar)\s*\(",
        "log through telemetry; only the command line and the bench write to stdout",
        _outside("src/app/", "bench/", "tests/"),
    ),
    Ban(
        "rand",
        r"(?<![\w.>:])(?:std::|::)?s?rand\s*\(",
        "take a seeded engine (std::mt19937_64&) as an argument",
    ),
    Ban(
        "unseeded_random",
        r"\brandom_device\b",
        "only app and bench choose seeds; elsewhere the engine or seed is an argument",
        _outside("src/app/", "bench/"),
    ),
    Ban(
        "using_namespace",
        r"\busing\s+namespace\s+(?!std\s*::\s*(?:\w+_)?literals\b)",
        "no using-directives in headers: name what you use",
        lambda source: source.is_header,
    ),
    Ban(
        "std_regex",
        r"\bstd::w?s?regex\w*",
        "write a scanner: std::regex is slow and recurses without bound",
        _outside("tests/"),
    ),
    Ban(
        "json_on_data_path",
        r"\bnlohmann\s*::",
        "use simdjson on-demand: 0.15 us where nlohmann takes 8.5 us",
        lambda source: source.module in DATA_PATH,
    ),
    Ban(
        "atomic_shared_ptr",
        r"\batomic\s*<\s*(?:std\s*::\s*)?shared_ptr\b",
        "libstdc++ 12's is racy (TSan): post the new pointer to each shard",
    ),
    Ban(
        "assert_macro",
        r"(?<![\w.>:])assert\s*\(",
        "LMB_ASSERT stays on in release builds; assert() does not",
        _outside("tests/"),
    ),
)
RULES = {ban.rule for ban in BANS} | {"pragma_once"}


def check(source):
    for ban in BANS:
        if not ban.where(source):
            continue
        for match in ban.pattern.finditer(source.code):
            start = match.start() + len(match.group(0)) - len(match.group(0).lstrip())
            yield Finding(
                source.path,
                source.line_of(start),
                ban.rule,
                f"`{match.group(0).strip()}`: {ban.message}",
            )
    if source.is_header and not re.search(r"^#pragma once$", source.code, re.MULTILINE):
        yield Finding(source.path, 0, "pragma_once", "a header begins with #pragma once")
