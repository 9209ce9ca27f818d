"""Module rules: who may include and link what, and where private headers stay."""

import pathlib
import re

from module_table import BROAD_HEADERS, DATA_PATH, HEAVY_IN_PUBLIC_HEADERS, LINUX_ONLY, MODULES
from source import Finding, Source

RULES = {
    "module_include",
    "module_link",
    "private_header",
    "third_party",
    "broad_header",
    "own_header_first",
    "platform_twin",
}
TABLE = "tests/tidy/module_table.py"
CLOCKS = ("lmb::clock_real", "lmb::clock_manual", "lmb_clock_real", "lmb_clock_manual")


def check(source, files=frozenset()):
    """Findings of one C++ file. `files`: paths of all files of the repository."""
    module = source.module
    if module != "tests" and module not in MODULES:
        yield Finding(
            source.path,
            0,
            "module_include",
            f"'{module}' is no module of the table in {TABLE}; put the file into one that is",
        )
        return
    for line, written in source.includes():
        yield from _broad(source, line, written[1:-1])
        if module == "tests":
            continue
        if written.startswith('"lmb/') or written.startswith("<lmb/"):
            yield from _module_include(source, line, written)
        elif written.startswith('"'):
            yield from _private_include(source, line, written[1:-1], files)
        else:
            yield from _outside_include(source, line, written[1:-1])
    if module != "tests":
        yield from _own_header_first(source, files)
        yield from _platform_twin(source, files)


def _broad(source, line, header):
    if header in BROAD_HEADERS and not (header == "regex" and source.module == "tests"):
        yield Finding(
            source.path, line, "broad_header", f"<{header}>: include {BROAD_HEADERS[header]}"
        )
    if source.is_public:
        for prefix, instead in HEAVY_IN_PUBLIC_HEADERS.items():
            if header.startswith(prefix):
                yield Finding(
                    source.path,
                    line,
                    "broad_header",
                    f"<{header}> in a public header costs every includer; use {instead}",
                )


def _module_include(source, line, written):
    target = written[len('"lmb/') : -1]
    rules = MODULES[source.module]
    other = target.split("/")[0]
    if "/" not in target or other not in MODULES:
        yield Finding(
            source.path, line, "module_include", f"lmb/{target} belongs to no module of {TABLE}"
        )
    elif other != source.module and other not in rules.uses and target not in rules.values:
        allowed = ", ".join(sorted(rules.uses + rules.values)) or "nothing"
        yield Finding(
            source.path,
            line,
            "module_include",
            f"{source.module} must not use {other} (it may use: {allowed}); pass a value in, "
            "or move the code to a module that may",
        )
    if written.startswith("<"):
        yield Finding(
            source.path, line, "module_include", 'write our own headers in quotes: "lmb/..."'
        )


def _private_include(source, line, header, files):
    folder = pathlib.PurePosixPath(source.path).parent
    if source.is_public:
        yield Finding(
            source.path,
            line,
            "private_header",
            f'"{header}" in a public header: public headers include "lmb/..." only',
        )
    elif ".." in header.split("/") or header.startswith("src/"):
        yield Finding(
            source.path,
            line,
            "private_header",
            f'"{header}" leaves the module; what others need belongs into include/lmb/',
        )
    elif files:
        roots = {folder, pathlib.PurePosixPath(*pathlib.PurePosixPath(source.path).parts[:2])}
        if source.path.startswith("bench/"):
            roots.add(pathlib.PurePosixPath("bench"))
        if not any(
            str(root / header) + suffix in files for root in roots for suffix in ("", ".in")
        ):
            yield Finding(
                source.path,
                line,
                "private_header",
                f'"{header}" is not in {folder}: private headers stay in their module',
            )


def _outside_include(source, line, header):
    rules = MODULES[source.module]
    name = source.module
    if "/" not in header and "." not in header:
        if header in rules.std_never:
            yield Finding(
                source.path,
                line,
                "third_party",
                f"{name} must do without <{header}>: it decides or serves a shard, it never blocks",
            )
        return
    if header.startswith(LINUX_ONLY) and not _is_platform_file(source.path):
        yield Finding(
            source.path,
            line,
            "platform_twin",
            f"<{header}> exists on Linux only: use it in a file *_linux.cpp with a macOS twin",
        )
    third_party = header.startswith(
        (
            "boost/",
            "openssl/",
            "spdlog/",
            "fmt/",
            "prometheus/",
            "nlohmann/",
            "simdjson",
            "zlib.h",
            "CLI/",
            "benchmark/",
            "gtest/",
            "gmock/",
        )
    )
    if not third_party:
        if not rules.system and not header.startswith(rules.third_party or "-"):
            yield Finding(
                source.path,
                line,
                "third_party",
                f"{name} must not include the system header <{header}>; see {TABLE}",
            )
        return
    if not header.startswith(rules.third_party) or (
        rules.never and header.startswith(rules.never)
    ):
        why = (
            " (data path: simdjson reads JSON here)"
            if header.startswith("nlohmann/") and name in DATA_PATH
            else ""
        )
        yield Finding(
            source.path,
            line,
            "third_party",
            f"{name} must not include <{header}>{why}; see {TABLE}",
        )


def _is_platform_file(path):
    """bench/peers compares with nginx and HAProxy from Debian: it has no macOS side."""
    return path.startswith("bench/peers/") or re.search(r"_(linux|macos)\.cpp$", path) is not None


def _own_header_first(source, files):
    """A .cpp includes its own header first: that proves the header self-contained without a second
    compilation (headers without a .cpp get a translation unit of their own, see CMakeLists.txt).
    """
    if source.is_header:
        return
    name = source.path.split("/")[-1].removesuffix(".cpp") + ".hpp"
    beside = source.path.removesuffix(".cpp") + ".hpp"
    folder = source.path.removeprefix("src/").rsplit("/", 1)[0]
    public = {f"include/lmb/{folder}/{name}", f"{folder}/include/lmb/bench/{name}"} & files
    own = None
    if public:
        own = "lmb/" + public.pop().split("include/lmb/")[1]
    elif beside in files:
        own = name
    if own is None:
        return
    first = next(source.includes(), (1, ""))
    if not (first[1].strip('<>"') == own or first[1].strip('"').endswith("/" + own)):
        yield Finding(
            source.path,
            first[0],
            "own_header_first",
            f'the first #include must be "{own}": it shows that the header stands alone',
        )


def _platform_twin(source, files):
    found = re.search(r"_(linux|macos)\.cpp$", source.path)
    if found and files:
        other = {"linux": "macos", "macos": "linux"}[found.group(1)]
        twin = source.path[: found.start()] + f"_{other}.cpp"
        if twin not in files:
            yield Finding(source.path, 0, "platform_twin", f"needs its twin {twin}")


# ---------------------------------------------------------------- what CMake links


def check_cmake(path, text):
    """Findings of a CMakeLists.txt below src or bench."""
    module = Source(path, "").module
    text = re.sub(r"#[^\n]*", lambda match: " " * len(match.group(0)), text)
    executables = set(re.findall(r"add_executable\s*\(\s*(\S+)", text))
    for call in re.finditer(r"\b(lmb_module|target_link_libraries)\s*\(([^()]*)\)", text):
        words = call.group(2).split()
        if not words:
            continue
        line = text.count("\n", 0, call.start()) + 1
        owner = _owner(call.group(1), words[0], module)
        if call.group(1) == "lmb_module" and owner != module:
            yield Finding(
                path, line, "module_link", f"this folder's module is {module}, not {owner}"
            )
        is_program = words[0] in executables
        for word in _linked(call.group(1), words):
            yield from _link(path, line, module, word, is_program)


def _owner(command, target, module):
    return target if command == "lmb_module" else module


def _linked(command, words):
    """The targets that a call links."""
    if command == "target_link_libraries":
        return [word for word in words[1:] if word not in ("PUBLIC", "PRIVATE", "INTERFACE")]
    linked, collecting = [], False
    for word in words[1:]:
        if word in ("SOURCES", "USES", "PRIVATE_USES"):
            collecting = word != "SOURCES"
        elif collecting:
            linked.append(word)
    return linked


def _link(path, line, module, target, is_program):
    rules = MODULES[module]
    name = re.sub(r"^lmb(::|_)", "", target)
    if target in CLOCKS:
        if module != "base" and not is_program:
            yield Finding(
                path,
                line,
                "module_link",
                f"{target}: only an executable chooses its clock; take it out of the library",
            )
    elif target == "lmb_flags" or name == module:
        return
    elif name != target:
        by_value = {value.split("/")[0] for value in rules.values}
        if name not in rules.uses and name not in by_value:
            yield Finding(
                path, line, "module_link", f"{module} must not link {target}; see {TABLE}"
            )
    elif not target.startswith(("$", "-")) and rules.links != ("",) and target not in rules.links:
        yield Finding(path, line, "module_link", f"{module} must not link {target}; see {TABLE}")
