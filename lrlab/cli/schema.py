"""`lrlab schema`."""


def schema() -> None:
    """Print the JSON Schema of a config, for editors.

    An editor that reads it from a file completes keys and marks mistakes while you type.

    Example: lrlab schema
    """
    import json

    from lrlab import console
    from lrlab.config.json_schema import json_schema

    console.print_json(json.dumps(json_schema(), indent=2) + "\n")
