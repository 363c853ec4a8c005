"""The idea: typed artifacts in, one typed artifact out, each sealed with the evidence of how it was made."""

from septet.core.artifact import Artifact
from septet.core.config import Config, External, Externals, field
from septet.core.errors import (
    AccessDenied,
    ConfigError,
    GateRefused,
    MissingExtra,
    SeptetError,
    StepFailed,
    StoreError,
    nearest,
)
from septet.core.recipe import Node, Recipe, Sealed
from septet.core.run import Run
from septet.core.step import Cost, step

__all__ = [
    "AccessDenied",
    "Artifact",
    "Config",
    "ConfigError",
    "Cost",
    "External",
    "Externals",
    "GateRefused",
    "MissingExtra",
    "Node",
    "Recipe",
    "Run",
    "Sealed",
    "SeptetError",
    "StepFailed",
    "StoreError",
    "field",
    "nearest",
    "step",
]
