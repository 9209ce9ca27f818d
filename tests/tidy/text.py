"""Plain text rules for every kind of source file: tabs, trailing blanks, long lines, open marks."""

import pathlib
import re

from source import Finding

RULES = {"tab", "trailing_blank", "long_line", "final_newline", "open_mark", "carriage_return"}
LINE_LENGTH = 100
# Wire data in a test's string literals is read as it is sent, so it is not folded.
TEST_DATA_LINE_LENGTH = 120
FOLDERS = ("include", "src", "bench", "tests", "scripts", ".ci", "config", "docs")
CODE = {".hpp", ".cpp", ".py", ".mjs", ".cmake", ".sh", ""}
TEXT = CODE | {".txt", ".md", ".json", ".jsonc", ".service", ".yml", ".plist"}
OPEN_MARK = re.compile(r"\b(?:FIX" r"ME|XX" r"X|HA" r"CK)\b|\bTO" r"DO\b(?!\(\w+, #\d+\))")


def check(path, text):
    is_code = pathlib.PurePosixPath(path).suffix in CODE or path.endswith("CMakeLists.txt")
    if "\r" in text:
        yield Finding(path, 0, "carriage_return", "lines end with a line feed only")
    if text and not text.endswith("\n"):
        yield Finding(
            path, text.count("\n") + 1, "final_newline", "the last line lacks its line feed"
        )
    for number, line in enumerate(text.split("\n"), start=1):
        if "\t" in line:
            yield Finding(path, number, "tab", "indent with spaces")
        if line != line.rstrip():
            yield Finding(path, number, "trailing_blank", "blanks at the end of the line")
        test_data = path.startswith("tests/") and path.endswith(".cpp") and '"' in line
        limit = TEST_DATA_LINE_LENGTH if test_data else LINE_LENGTH
        if is_code and len(line) > limit:
            yield Finding(path, number, "long_line", f"{len(line)} columns, more than {limit}")
        if is_code and OPEN_MARK.search(line):
            yield Finding(path, number, "open_mark", "finish it, or write TO" "DO(name, #issue)")


def text_files(root):
    """(path, text) of every text file the rules speak of."""
    for folder in FOLDERS:
        for path in sorted(pathlib.Path(root, folder).rglob("*")):
            relative = path.relative_to(root).as_posix()
            skipped = {"node_modules", "__pycache__", "corpus", "data", "results"}.intersection(
                path.parts
            )
            if skipped or path.suffix not in TEXT or not path.is_file():
                continue
            try:
                yield relative, path.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                yield relative, "not UTF-8"
