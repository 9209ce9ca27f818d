"""Reads C++ files for the checks: text, code without comments and literals, tokens, brackets."""

import dataclasses
import pathlib
import re

CPP_SUFFIXES = (".hpp", ".cpp")
CPP_FOLDERS = ("include", "src", "bench", "tests")
ALLOW = re.compile(r"lmb-tidy: allow (\w+)(?: \((.*)\))?")
# Literals are blank inside by now; a lone ' separates digits.
TOKEN = re.compile(r"\"\s*\"|'\s*'|[A-Za-z_]\w*|\d[\w.']*|::|->|\S")
LITERAL_OR_COMMENT = re.compile(
    r"""//(?:[^\\\n]|\\.|\\\n)*
      | /\*.*?\*/
      | \b(?:u8|u|U|L)?R"(?P<delimiter>[^()\s\\]{0,16})\(.*?\)(?P=delimiter)"
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9A-Za-z_])(?:u8|u|U|L)?'(?:[^'\\\n]|\\.)+'
    """,
    re.DOTALL | re.VERBOSE,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\\\n]|\\.|\\\n)*", re.MULTILINE | re.DOTALL)
BENCH_FOLDERS = (["bench", "micro"], ["bench", "peers"])  # programs beside the bench library
OPENERS = {")": "(", "]": "[", "}": "{"}
CONTROL = {"if", "while", "for", "switch", "constexpr", "catch"}
SCOPE = {"namespace", "class", "struct", "union", "enum", "extern"}
BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """One broken rule. `line` 0: the whole file. `message`: what is wrong and how to mend it."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{max(self.line, 1)}: [{self.rule}] {self.message}"


def _blank(match):
    """Same length and line breaks, nothing else; quotes stay, so a literal is still one token."""
    text = match.group(0)
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    quote = text[-1]
    body = re.sub(r"[^\n]", " ", text[:-1])
    return quote + body[1:] + quote


class Source:
    """A C++ file. `path` is relative to the root of the repository, with slashes."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.code = LITERAL_OR_COMMENT.sub(_blank, text)
        self.code_lines = self.code.split("\n")

    @property
    def is_header(self):
        return self.path.endswith(".hpp")

    @property
    def is_public(self):
        """True for headers that other modules see."""
        return self.path.startswith(("include/", "bench/core/include/"))

    @property
    def module(self):
        """The module's name; the folder's for bench and tests."""
        parts = self.path.split("/")
        if parts[:2] == ["include", "lmb"]:
            return parts[2] if len(parts) > 3 else ""
        if parts[0] == "src":
            return parts[1] if len(parts) > 2 else ""
        return "/".join(parts[:2]) if parts[:2] in BENCH_FOLDERS else parts[0]

    def includes(self):
        """(line, text as written, with its <> or "") of each #include."""
        for number, (code, raw) in enumerate(zip(self.code_lines, self.lines), start=1):
            if re.match(r"\s*#\s*include\b", code):
                found = re.search(r"[<\"][^>\"]+[>\"]", raw)
                if found:
                    yield number, found.group(0)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def allows(self):
        """(line it speaks of, rule, reason) of each allow comment."""
        for number, raw in enumerate(self.lines, start=1):
            found = ALLOW.search(raw)
            if not found:
                continue
            target = number
            while target < len(self.lines) and not self.code_lines[target - 1].strip():
                target += 1
            yield target, found.group(1), (found.group(2) or "").strip()


class Tokens:
    """The tokens of a file without its preprocessor lines, with brackets matched."""

    def __init__(self, source):
        code = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), source.code)
        found = list(TOKEN.finditer(code))
        self.text = [token.group(0) for token in found]
        self.line = []
        line, position = 1, 0
        for token in found:
            line += code.count("\n", position, token.start())
            position = token.start()
            self.line.append(line)
        self.match = {}  # index of each bracket -> index of its partner
        self.parent = []  # index of the innermost open bracket around each token, or None
        stack = []
        for index, token in enumerate(self.text):
            if token in OPENERS:
                if stack and self.text[stack[-1]] == OPENERS[token]:
                    opener = stack.pop()
                    self.match[opener] = index
                    self.match[index] = opener
                self.parent.append(stack[-1] if stack else None)
                continue
            self.parent.append(stack[-1] if stack else None)
            if token in "([{":
                stack.append(index)

    def at(self, index):
        return self.text[index] if 0 <= index < len(self.text) else ""

    def is_word(self, index):
        return bool(re.match(r"[A-Za-z_]", self.at(index)))

    def is_lambda_introducer(self, index):
        """`[` that begins a lambda: not a subscript, a structured binding or an attribute."""
        if self.at(index) != "[" or self.at(index + 1) == "[" or self.at(index - 1) == "[":
            return False
        before = self.at(index - 1)
        if before in ("&",):
            start = index - 1
            while self.at(start) == "&":
                start -= 1
            if self.at(start) == "auto":
                return False
        if self.is_word(index - 1):
            return before in ("return", "co_return", "co_await", "co_yield", "case", "else")
        return before not in (")", "]") and not before.startswith(('"', "'"))

    def lambda_of(self, brace):
        """Index of the `[` whose lambda has its body at `brace`, or None."""
        index = self._before_trailing_return(brace)
        while self.at(index) in ("mutable", "noexcept", "constexpr", "const"):
            index -= 1
        if self.at(index) == ")" and index in self.match:
            index = self.match[index] - 1
            if self.at(index) == "noexcept":
                return self.lambda_of(index)
        if self.at(index) == "]" and self.is_lambda_introducer(self.match.get(index, -1)):
            return self.match[index]
        return None

    def _before_trailing_return(self, brace):
        """Index of the last token before a trailing return type that ends at `brace`; without one,
        the token before the brace."""
        index = brace - 1
        while index >= 0:
            token = self.text[index]
            if token == "->":
                return (
                    index - 1
                    if self.at(index - 1) in (")", "]", "mutable", "noexcept")
                    else brace - 1
                )
            if token == ")" and index in self.match:
                index = self.match[index]
            elif not (
                self.is_word(index) or token in ("::", "<", ">", ",", "*", "&") or token.isdigit()
            ):
                break
            index -= 1
        return brace - 1

    def head_start(self, brace):
        """Index of the first token of the declaration or statement whose brace this is."""
        index = brace - 1
        while index >= 0:
            token = self.text[index]
            if token in (";", "{", "(", "["):
                break
            if token == "}" and self.is_block(self.match.get(index, index)):
                break
            index = self.match.get(index, index) - 1
        return index + 1

    def is_block(self, brace):
        """True for a body (function, lambda, control statement, class, namespace), false for an
        initialiser list."""
        if self.lambda_of(brace) is not None:
            return True
        parent = self.parent[brace]
        if parent is not None and (self.text[parent] != "{" or not self.is_block(parent)):
            return False
        before = self.at(brace - 1)
        if before in ("", ")", ";", "{", "}", ":") or before in BLOCK_WORDS:
            return True
        if self._before_trailing_return(brace) != brace - 1:
            return True
        return self.is_scope(brace)

    def is_scope(self, brace):
        """True for the braces of a namespace, class, enumeration or linkage block."""
        start = self.head_start(brace)
        head = self.text[start:brace]
        if not SCOPE.intersection(head) or "(" in head or "=" in head:
            return False
        return True


def cpp_sources(root):
    """All C++ files of the repository, in a stable order."""
    for folder in CPP_FOLDERS:
        for path in sorted(pathlib.Path(root, folder).rglob("*")):
            if path.suffix in CPP_SUFFIXES and path.is_file():
                yield Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def apply_allows(source, findings, rules):
    """Drops what an allow comment permits; adds allows that lack a reason or permit nothing.

    `rules` are the rules of the check that runs: allows of other rules are left to their checks.
    """
    findings = list(findings)
    kept = list(findings)
    for line, rule, reason in source.allows():
        if rule not in rules:
            continue
        if not reason:
            kept.append(
                Finding(source.path, line, rule, "an allow comment needs its reason in brackets")
            )
            continue
        permitted = [f for f in findings if f.rule == rule and f.line in (0, line)]
        if not permitted:
            kept.append(
                Finding(source.path, line, rule, "this allow comment permits nothing; remove it")
            )
        kept = [f for f in kept if f not in permitted]
    return kept
