# SPDX-License-Identifier: Apache-2.0
"""Reading C, C++, Solidity and JavaScript text well enough to find its functions: no parser, a brace matcher."""

import re

# Comments, string and character literals, and C++ digit separators, which look like the start of a character.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<tag>\w*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])"""
    r"""|'(?:\\.|[^'\\\n])*'""", re.DOTALL)

# One row of a table that is written as a switch, so that the compiler checks that no enumerator is missing.
TABLE_ROW = re.compile(r"^\s*case [\w:]+: return [^;{}]*;\s*$")

SCOPE = re.compile(r"\b(namespace|class|struct|union|extern|contract|library|interface)\b")
CALL_LIKE = re.compile(r"\b([A-Za-z_]\w*|operator\s*\S+)\s*\(")
NOT_FUNCTIONS = {"if", "for", "while", "switch", "catch", "return", "sizeof", "alignas", "decltype", "requires"}


def blank_literals(text):
    """The text with comments and literals replaced by spaces; line breaks stay, so line numbers do."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(blank, text)


def blank_preprocessor(text):
    """Without preprocessor lines and their continuations: their braces need not match."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text,
                  flags=re.MULTILINE)


def _kind(head):
    """What the brace after `head` opens: a scope that may hold functions, a function, a value inside a function's
    head (a default argument, a member's initialiser), or something else."""
    if head.count("(") > head.count(")") or re.search(r"\)\s*(noexcept\s*)?:[^:].*[\w>]\s*$", head, re.DOTALL):
        return "value"
    call = CALL_LIKE.search(head)
    if call and call.group(1) not in NOT_FUNCTIONS and not re.search(r"=\s*$|\breturn\b", head):
        return "function"
    if SCOPE.search(head):
        return "scope"
    return "other"


def functions(text):
    """Yields (name, first line, line count) of each function that stands in a file, namespace, class or contract.

    The rows of a switch that is a table are not counted."""
    code = blank_preprocessor(blank_literals(text))
    stack = []
    head_start = 0
    for position, char in enumerate(code):
        if char == "{":
            head = code[head_start:position]
            inside = not stack or stack[-1][0] == "scope"
            kind = _kind(head) if inside else "other"
            first = head_start + len(head) - len(head.lstrip())
            stack.append((kind, first, head))
            if kind != "value":
                head_start = position + 1
        elif char == "}":
            kind, first, head = stack.pop() if stack else ("other", 0, "")
            if kind == "value":
                continue
            if kind == "function":
                lines = code[first:position + 1].splitlines()
                rows = sum(1 for line in lines if TABLE_ROW.match(line))
                yield CALL_LIKE.search(head).group(1), code.count("\n", 0, first) + 1, len(lines) - rows
            head_start = position + 1
        elif char == ";":
            head_start = position + 1
