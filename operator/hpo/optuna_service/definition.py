"""The definition of a study as it comes with every call, checked field by field."""

import json
import zlib
from dataclasses import dataclass

from .problems import BadRequest, Refused
from .space import parse_space

DIRECTIONS = ("minimize", "maximize")
MOST_OBJECTIVES = 16


@dataclass(frozen=True)
class Method:
    """An algorithm or a way of stopping early, with settings as text."""

    name: str
    settings: dict


@dataclass(frozen=True)
class Definition:
    name: str
    directions: tuple
    algorithm: Method
    early_stopping: Method | None
    space: object
    seed: int

    def key(self):
        """What must stay the same as long as the study lives."""
        return self._key


def parse_definition(body, name):
    """The definition in `body` of the study `name`; raises BadRequest or Refused."""
    fields = members(body, "study", ("name", "directions", "algorithm", "parameters"))
    if fields["name"] != name:
        raise BadRequest(f"study.name is {fields['name']!r}, the address says {name!r}")
    directions = fields["directions"]
    if not isinstance(directions, list) or not 1 <= len(directions) <= MOST_OBJECTIVES:
        raise BadRequest(f"study.directions must be a list of 1 to {MOST_OBJECTIVES}")
    if any(each not in DIRECTIONS for each in directions):
        raise BadRequest("study.directions: each must be minimize or maximize")
    stopping = fields.get("earlyStopping")
    algorithm = method(fields["algorithm"], "study.algorithm")
    definition = Definition(
        name=name,
        directions=tuple(directions),
        algorithm=algorithm,
        early_stopping=None if stopping is None else method(stopping, "study.earlyStopping"),
        space=parse_space(fields["parameters"]),
        seed=seed_of(fields, algorithm, name),
    )
    object.__setattr__(definition, "_key", key_of(fields))
    if definition.early_stopping is not None and len(directions) > 1:
        raise Refused.setting(
            "earlyStopping needs a single objective: no pruner of Optuna can weigh several; "
            "remove earlyStopping or the additional objectives"
        )
    return definition


def key_of(fields):
    kept = ("directions", "algorithm", "earlyStopping", "parameters", "seed")
    return json.dumps({name: fields.get(name) for name in kept}, sort_keys=True)


def members(value, where, required):
    """`value` as an object that has all of `required`."""
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must be an object")
    for name in required:
        if name not in value:
            raise BadRequest(f"{where}.{name} is missing")
    return value


def method(value, where):
    fields = members(value, where, ("name",))
    settings = members(fields.get("settings", {}), f"{where}.settings", ())
    if not isinstance(fields["name"], str):
        raise BadRequest(f"{where}.name must be text")
    if any(not isinstance(text, str) for text in settings.values()):
        raise BadRequest(f"{where}.settings: every value must be text")
    return Method(fields["name"], dict(settings))


def seed_of(fields, algorithm, name):
    """The study's seed; without one the name gives it, so that a draw made again is the same."""
    seed = fields.get("seed")
    if seed is None:
        text = algorithm.settings.get("seed", algorithm.settings.get("random_state"))
        if text is None:
            return zlib.crc32(name.encode())
        try:
            seed = int(text)
        except ValueError:
            raise Refused.setting(f"seed {text!r} must be a whole number") from None
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise Refused.setting(f"seed {seed!r} must be a whole number from 0 to 2^63-1")
    return seed
