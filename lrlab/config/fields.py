"""Building blocks of the config models: the strict base model and numbers with their ranges."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A frozen config model: no unknown keys, no conversions, no NaN, no infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def identity(self) -> dict[str, Any]:
        """Return what tells this model from another: its values, defaults left out.

        A key that a later version adds does not change the identity of older configs.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


PositiveRate = Annotated[float, Field(gt=0)]
Rate = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
