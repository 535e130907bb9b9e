"""What a user's function is called with: of what is offered, what its signature names."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lrlab.errors import CodeError
from lrlab.tasks.code import CodeReference, nearest


def arguments(
    reference: CodeReference,
    function: Callable[..., Any],
    offered: Mapping[str, Any],
    args: Mapping[str, Any],
) -> tuple[list[Any], dict[str, Any]]:
    """Return the positional and the named arguments that a signature asks for.

    A parameter `**kwargs` takes all of `args` and nothing of what is offered.

    Raises:
        CodeError: If `args` holds what the function does not take, or something is missing.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # Some functions written in C have none.
        return [], dict(args)
    names = [
        each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if not any(each.kind == each.VAR_KEYWORD for each in parameters):
        for name in args:
            if name not in names:
                raise _unknown(reference, name, names)
    given = {name: offered[name] for name in names if name in offered} | dict(args)
    positional: list[Any] = []
    for each in parameters:
        if each.name in names and each.name not in given and each.default is each.empty:
            raise CodeError(
                f"`{reference.text}` needs `{each.name}`, which nobody gives",
                f"state it in `args`; lrlab offers {', '.join(f'`{name}`' for name in offered)}",
            )
        if each.kind == each.POSITIONAL_ONLY:
            positional.append(given.pop(each.name, each.default))
    return positional, given


def _unknown(reference: CodeReference, name: str, names: list[str]) -> CodeError:
    listed = ", ".join(f"`{each}`" for each in names)
    return CodeError(
        f"`{reference.text}` has no parameter `{name}`{nearest(name, names)}",
        f"its parameters are {listed}" if names else "it has no parameters",
    )
