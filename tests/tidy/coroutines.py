"""Statements with co_await that g++ 12 miscompiles, or that come too near to such.

g++ 12 destroys some temporaries twice when they live in the same full expression as a co_await:
aggregates, closures, and whatever a conditional expression or a braced list makes. It also
crashes when a coroutine awaits in the bare conditions of two if, or of one switch. clang does not.
The cure is always the same: give the thing a name in a statement of its own.
"""

import re

from source import Finding, Tokens

RULES = {"co_await"}
NAME_IT = "name it in a statement of its own, then std::move it in (g++ 12 destroys it twice)"


def check(source, aggregates=frozenset()):
    """`aggregates`: names of aggregate types, see aggregate_names()."""
    tokens = Tokens(source)
    seen = set()
    for index, token in enumerate(tokens.text):
        if token != "co_await":
            continue
        first, last, in_braces = _statement(tokens, index)
        problems = list(_problems(tokens, first, last, aggregates))
        if _is_bare_condition(tokens, index, first, last):
            problems.append(
                "in the condition of if/switch: name the result in a statement of its own first"
                " (two such in a coroutine, or one switch, crash when compiled by g++ 12)"
            )
        if in_braces:
            problems.insert(
                0, "inside braces: await into a named value first, then build the object"
            )
        line = tokens.line[index]
        for problem in dict.fromkeys(problems):
            if (first, problem) not in seen:
                seen.add((first, problem))
                yield Finding(source.path, line, "co_await", problem)


def _is_control_head(tokens, opener):
    return tokens.at(opener) == "(" and tokens.at(opener - 1) in (
        "if",
        "while",
        "for",
        "switch",
        "constexpr",
    )


def _is_bare_condition(tokens, index, first, last):
    """True for `if (co_await f())` and `switch (co_await f())`, false for
    `if (auto r = co_await f())` and `if (auto r = co_await f(); r)`."""
    opener = tokens.parent[index]
    while opener is not None and tokens.at(opener) != "{":
        if _is_control_head(tokens, opener):
            break
        opener = tokens.parent[opener]
    if opener is None or tokens.at(opener - 1) not in ("if", "switch"):
        return False
    is_declaration = any(
        tokens.text[i] == "=" and tokens.at(i + 1) != "=" and tokens.is_word(i - 1)
        for i in range(first + 2, index)
    )
    return last == tokens.match.get(opener) and not is_declaration


def _statement(tokens, index):
    """(first, end, inside braces) of the full expression around the co_await at `index`."""
    in_braces = False
    first = index
    position = index - 1
    while position >= 0:
        token = tokens.text[position]
        partner = tokens.match.get(position)
        if token == ";" or token in ("else", "do"):
            break
        if token in (")", "]") and partner is not None:
            if _is_control_head(tokens, partner):
                break
            position = partner
        elif token == "}" and partner is not None:
            if tokens.is_block(partner) and tokens.lambda_of(partner) is None:
                break
            position = partner
        elif token == "{":
            if tokens.is_block(position):
                break
            in_braces = True
        elif _is_control_head(tokens, position):
            break
        first = position
        position -= 1
    return first, _end(tokens, index), in_braces


def _end(tokens, index):
    """Index after the last token of the full expression around `index`."""
    position = index + 1
    while position < len(tokens.text):
        token = tokens.text[position]
        partner = tokens.match.get(position)
        if token == ";":
            break
        if token in ("(", "[") and partner is not None:
            position = partner
        elif token == "{" and partner is not None:
            if tokens.is_block(position) and tokens.lambda_of(position) is None:
                break
            position = partner
        elif token == ")" and partner is not None and _is_control_head(tokens, partner):
            break
        elif token == "}" and (partner is None or tokens.is_block(partner)):
            break
        position += 1
    return position


def _problems(tokens, first, last, aggregates):
    awaits = 0
    position = first
    while position < last:
        token = tokens.text[position]
        if token == "co_await":
            awaits += 1
            if awaits == 2:
                yield "twice in one statement: one co_await a statement, at its outermost place"
        elif token == "?":
            yield f"beside `?:`: {NAME_IT}, or use if/else"
        elif tokens.is_lambda_introducer(position):
            if tokens.at(position + 1) != "]":
                yield f"beside a capturing lambda: {NAME_IT}"
        elif token == "{":
            if tokens.lambda_of(position) is not None:
                position = tokens.match.get(
                    position, position
                )  # a body has statements of its own
            else:
                yield f"beside braces `{tokens.at(position - 1)}{{...}}`: {NAME_IT}"
        elif token in aggregates and tokens.at(position + 1) == "(":
            yield f"beside a temporary of the aggregate {token}: {NAME_IT}"
        position += 1


def aggregate_names(sources):
    """Names of structs without constructors, base classes and private members."""
    names = set()
    for source in sources:
        tokens = Tokens(source)
        for index, token in enumerate(tokens.text):
            if token != "struct" or not tokens.is_word(index + 1):
                continue
            name = tokens.text[index + 1]
            brace = index + 3 if tokens.at(index + 2) == "final" else index + 2
            if (
                tokens.at(brace) != "{"
                or brace not in tokens.match
                or not re.match(r"[A-Z]", name)
            ):
                continue
            body = range(brace + 1, tokens.match[brace])
            own = [i for i in body if tokens.parent[i] == brace]
            has_constructor = any(
                tokens.text[i] == name and tokens.at(i + 1) == "(" and tokens.at(i - 1) != "~"
                for i in own
            )
            is_closed = any(tokens.text[i] in ("private", "protected", "virtual") for i in own)
            has_data = any(tokens.text[i] == ";" for i in own)
            if has_data and not has_constructor and not is_closed:
                names.add(name)
    return frozenset(names)
