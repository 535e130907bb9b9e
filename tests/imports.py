"""What a piece of Python imports, for tests of the package and of exported code."""

import ast
from collections.abc import Iterator


def imported(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Yield the full name of everything that is imported anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)
