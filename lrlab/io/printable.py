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
