"""Search spaces: which parameters a trial has, and what Optuna draws for each.

Values go in and out as text. Numbers are the shortest text that reads back as the same number,
values of lists are given back letter for letter.
"""

from dataclasses import dataclass

from .parameters import parse_parameter
from .problems import BadRequest, Refused

MOST_PARAMETERS = 1000


@dataclass(frozen=True)
class Condition:
    """A parameter with it is drawn only when `parameter` was drawn as one of `values`."""

    parameter: str
    values: frozenset


@dataclass(frozen=True)
class Space:
    """Parameters in an order in which each comes after the one its condition names."""

    parameters: tuple
    conditions: dict

    def active(self, parameter, values):
        condition = self.conditions.get(parameter.name)
        return condition is None or values.get(condition.parameter) in condition.values

    def draw(self, trial):
        """Draws from an optuna.Trial; text by name, only parameters that take part."""
        values = {}
        for parameter in self.parameters:
            if self.active(parameter, values):
                values[parameter.name] = parameter.draw(trial)
        return values

    def read(self, values):
        """Optuna's values for text drawn before; the inverse of `draw`."""
        known = {parameter.name for parameter in self.parameters}
        for name in values:
            if name not in known:
                raise BadRequest(f"assignments: there is no parameter {name!r}")
        return {
            parameter.name: parameter.internal(values[parameter.name])
            for parameter in self.parameters
            if parameter.name in values
        }


def parse_space(value):
    """The space in a definition's `parameters`; raises BadRequest or Refused."""
    if not isinstance(value, list):
        raise BadRequest("study.parameters must be a list")
    if not value:
        raise Refused.space("there are no parameters to search; give at least one")
    if len(value) > MOST_PARAMETERS:
        raise Refused.space(f"{len(value)} parameters are too many; at most {MOST_PARAMETERS}")
    parameters, conditions = {}, {}
    for each in value:
        parameter = parse_parameter(each)
        if parameter.name in parameters:
            raise Refused.space(f"parameter {parameter.name} is there twice")
        parameters[parameter.name] = parameter
        if each.get("when") is not None:
            conditions[parameter.name] = parse_condition(each["when"], parameter.name)
    return Space(in_order(parameters, conditions), conditions)


def parse_condition(value, name):
    fields = value if isinstance(value, dict) else {}
    parent, among = fields.get("parameter"), fields.get("in")
    if not isinstance(parent, str) or not isinstance(among, list) or not among:
        raise BadRequest(f"parameter {name}: when needs parameter, and in with at least one value")
    if any(not isinstance(each, str) for each in among):
        raise BadRequest(f"parameter {name}: when.in must hold text")
    return Condition(parent, frozenset(among))


def in_order(parameters, conditions):
    """As given, but never before the parameter a condition names; refuses circles."""
    ordered, waiting = {}, list(parameters)
    for name, condition in conditions.items():
        check_condition(name, condition, parameters)
    while waiting:
        ready = next(
            (
                name
                for name in waiting
                if name not in conditions or conditions[name].parameter in ordered
            ),
            None,
        )
        if ready is None:
            raise Refused.space(f"the conditions of {', '.join(waiting)} go round in a circle")
        ordered[ready] = parameters[ready]
        waiting.remove(ready)
    return tuple(ordered.values())


def check_condition(name, condition, parameters):
    parent = parameters.get(condition.parameter)
    if parent is None:
        raise Refused.space(
            f"parameter {name}: when names {condition.parameter}, which is no parameter"
        )
    choices = parent.choices
    if choices is None:
        raise Refused.space(
            f"parameter {name}: when names {condition.parameter}, which has no list of values; "
            "only discrete and categorical parameters can be asked for"
        )
    for each in sorted(condition.values):
        if each not in choices:
            raise Refused.space(
                f"parameter {name}: when asks for {each!r}, which {condition.parameter} never is"
            )
