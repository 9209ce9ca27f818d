"""Words that say nothing in names of files and types, and words that the glossary replaces."""

import re

from source import Finding, Tokens

RULES = {"empty_name", "glossary"}
EMPTY = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "utility",
    "utilities",
    "common",
    "misc",
    "impl",
}
GLOSSARY = {
    "backend": "worker",
    "backends": "workers",
    "downstream": "client",
    "frontend": "client",
}
DECLARES = {"class", "struct", "union", "enum", "namespace", "concept", "using"}


def words_of(name):
    """The words of a snake_case or PascalCase name, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def check_path(path):
    for part in path.split("/"):
        for word in words_of(part.split(".")[0]):
            if word in EMPTY:
                yield Finding(
                    path,
                    0,
                    "empty_name",
                    f"'{word}' says nothing: name the file after its main noun or verb",
                )
            if word in GLOSSARY:
                yield Finding(
                    path, 0, "glossary", f"the glossary's word for '{word}' is '{GLOSSARY[word]}'"
                )


def check(source):
    yield from check_path(source.path)
    tokens = Tokens(source)
    for index, token in enumerate(tokens.text):
        if not tokens.is_word(index):
            continue
        for word in words_of(token):
            if word in GLOSSARY:
                yield Finding(
                    source.path,
                    tokens.line[index],
                    "glossary",
                    f"{token}: the glossary's word for '{word}' is '{GLOSSARY[word]}'",
                )
            elif word in EMPTY and _declares(tokens, index):
                yield Finding(
                    source.path,
                    tokens.line[index],
                    "empty_name",
                    f"{token}: '{word}' says nothing; name the noun it stands for",
                )


def _declares(tokens, index):
    before = tokens.at(index - 1)
    if before == "using":
        return tokens.at(index + 1) == "="
    if before in ("class", "struct") and tokens.at(index - 2) == "enum":
        return True
    return before in DECLARES
