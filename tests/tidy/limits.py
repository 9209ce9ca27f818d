"""Sizes that keep code readable: lines of a file, of a header, of a function; parameters."""

from source import Finding, Tokens

RULES = {"long_file", "long_function", "many_parameters"}
FILE_LINES = 400
HEADER_LINES = 200
FUNCTION_LINES = 70
PARAMETERS = 5


def check(source):
    lines = len(source.lines) - (1 if source.text.endswith("\n") else 0)
    limit = HEADER_LINES if source.is_header else FILE_LINES
    if lines > limit:
        yield Finding(
            source.path,
            0,
            "long_file",
            f"{lines} lines, more than {limit}: split it along its nouns",
        )
    tokens = Tokens(source)
    for name, first, last, parameters in functions(tokens):
        length = last - first + 1
        if length > FUNCTION_LINES:
            yield Finding(
                source.path,
                first,
                "long_function",
                f"{name} has {length} lines, more than {FUNCTION_LINES}: make its steps functions",
            )
        if parameters > PARAMETERS:
            yield Finding(
                source.path,
                first,
                "many_parameters",
                f"{name} takes {parameters} parameters, more than {PARAMETERS}: pass a struct",
            )


def functions(tokens):
    """(name, first line, last line, parameters) of each function at namespace or class scope."""
    for brace, token in enumerate(tokens.text):
        if token != "{" or brace not in tokens.match or not tokens.is_block(brace):
            continue
        if tokens.is_scope(brace) or not _only_scopes_around(tokens, brace):
            continue
        start = tokens.head_start(brace)
        opener = _parameter_list(tokens, start, brace)
        if opener is None:
            continue
        yield (
            _name(tokens, opener),
            tokens.line[start],
            tokens.line[tokens.match[brace]],
            _parameter_count(tokens, opener),
        )


def _only_scopes_around(tokens, brace):
    parent = tokens.parent[brace]
    while parent is not None:
        if tokens.text[parent] != "{" or not tokens.is_scope(parent):
            return False
        parent = tokens.parent[parent]
    return True


def _parameter_list(tokens, start, brace):
    position = start
    while position < brace:
        token = tokens.text[position]
        if token == "(":
            if tokens.at(position - 1) == "operator":  # operator()(...)
                position = tokens.match[position] + 1
                continue
            if tokens.at(position - 1) not in (
                "noexcept",
                "explicit",
                "requires",
                "decltype",
                "alignas",
            ):
                return position
        position = tokens.match.get(position, position) + 1 if token in "([{" else position + 1
    return None


def _name(tokens, opener):
    words = []
    position = opener - 1
    while position >= 0 and (tokens.is_word(position) or tokens.text[position] in ("::", "~")):
        if tokens.is_word(position) and words and tokens.is_word(position + 1):
            break
        words.insert(0, tokens.text[position])
        position -= 1
    name = "".join(words) or "operator"
    if name.isupper() or name in ("TEST", "TEST_F", "TEST_P"):
        inside = tokens.text[opener + 1 : tokens.match[opener]]
        return f"{name}({' '.join(inside[:3])})".replace(" ,", ",")
    return name


def _parameter_count(tokens, opener):
    closer = tokens.match[opener]
    if closer == opener + 1 or tokens.text[opener + 1 : closer] == ["void"]:
        return 0
    count, angle, position = 1, 0, opener + 1
    while position < closer:
        token = tokens.text[position]
        if token in ("(", "[", "{"):
            position = tokens.match.get(position, position)
        elif token == "<":
            angle += 1
        elif token == ">":
            angle = max(0, angle - 1)
        elif token == "," and angle == 0:
            count += 1
        position += 1
    return count
