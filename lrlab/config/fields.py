"""Building blocks of the config models: the strict base model and numbers with their ranges."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Model(BaseModel):
    """A frozen config model: no unknown keys, no conversions, no NaN, no infinity.

    A key that is a word of Python's, as `for` and `from`, is a field with `_` behind it.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """Return the fields by the keys that a config gives them by."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}

    def identity(self) -> dict[str, Any]:
        """Return what tells this model from another: its values, defaults left out.

        A key that a later version adds does not change the identity of older configs.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


PositiveRate = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
