"""Text from files and file names, escaped where it leaves lrlab so that no terminal obeys it.

A name may hold escape codes that clear a screen, or marks that turn the order of letters around.
"""


def printable(text: str) -> str:
    r"""Return text with every character that cannot be seen shown as an escape.

    Example:
        >>> printable("a\x1b[2Jb\n")
        'a\\x1b[2Jb\\n'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    r"""Return text as `printable` does, its line ends kept.

    Example:
        >>> printable_lines("1\n\x1b2")
        '1\n\\x1b2'
    """
    return "\n".join(map(printable, text.split("\n")))


def no_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that could be has a `'` before.

    Example:
        >>> no_formula("=1+1"), no_formula("cosine")
        ("'=1+1", 'cosine')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
