"""The JSON Schema of a config, for editors: derived from the models that check it.

It says what a schema can say: keys, types, ranges, forms of texts. How values go together, and what
is wrong in words, `lrlab` itself says.
"""

import copy
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from lrlab.config.experiment import Experiment
from lrlab.fields import Model
from lrlab.schedules.durations import Duration
from lrlab.tasks.optimizers import KINDS


class _Generator(GenerateJsonSchema):
    """Leaves out titles, which repeat the keys, and states defaults as a config would."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, default: Any) -> Any:
        if isinstance(default, Model):
            return default.model_dump(mode="json")
        return str(default) if isinstance(default, Duration) else super().encode_default(default)

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().model_schema(schema)
        return {key: value for key, value in found.items() if key != "title"}

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a config."""
    found: dict[str, Any] = Experiment.model_json_schema(schema_generator=_Generator)
    stated = copy.deepcopy(found)
    stated["title"] = "lrlab config"
    del stated["properties"]["name"]["default"]  # It is the file's stem.
    optimizer = stated["properties"]["optimizer"]
    names = [{"const": kind.named(), "description": kind.__doc__} for kind in KINDS]
    # Its `type` alone will do: the config's reader makes a mapping of it.
    optimizer["anyOf"] = [*optimizer.pop("oneOf"), {"oneOf": names}]
    return stated
