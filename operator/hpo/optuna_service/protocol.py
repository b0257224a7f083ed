"""The bodies of the protocol: JSON in, JSON out, numbers beyond JSON as text."""

import json
import math

from optuna.trial import TrialState

from .definition import members, parse_definition
from .problems import BadRequest

# JSON has no words for these; the same three as in ECMAScript.
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
LARGEST_STEP = 2**31 - 1
OUTCOMES = {
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


def read_body(raw):
    """The JSON in `raw`; its text is such that PostgreSQL can keep it."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON; write it as text")

    try:
        body = json.loads(raw, parse_constant=refuse)
        # Lone halves of surrogate pairs can be written in JSON, but not in UTF-8.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON that can be read: {error}") from error
    refuse_null(body)
    return body


def refuse_null(value):
    if isinstance(value, str) and "\0" in value:
        raise BadRequest("the body holds a character of code 0, which PostgreSQL can't keep")
    if isinstance(value, dict):
        for name, each in value.items():
            refuse_null(name)
            refuse_null(each)
    elif isinstance(value, list):
        for each in value:
            refuse_null(each)


def read_ask(body, name):
    """(definition, assignments by name or None)"""
    definition = parse_definition(body, name)
    given = body.get("assignments")
    if given is None:
        return definition, None
    if not isinstance(given, list):
        raise BadRequest("assignments must be a list of {name, value}")
    texts = {}
    for each in given:
        fields = members(each, "assignments[]", ("name", "value"))
        if not isinstance(fields["name"], str) or not isinstance(fields["value"], str):
            raise BadRequest("assignments: name and value must be text")
        texts[fields["name"]] = fields["value"]
    return definition, texts


def read_report(body, name):
    """(definition, [(step, value)])"""
    fields = members(body, "the body", ("study", "values"))
    if not isinstance(fields["values"], list):
        raise BadRequest("values must be a list of {step, value}")
    return parse_definition(fields["study"], name), [point(each) for each in fields["values"]]


def point(value):
    fields = members(value, "values[]", ("step", "value"))
    step = fields["step"]
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step <= LARGEST_STEP:
        raise BadRequest(f"values[].step: {step!r} is no whole number from 0 to {LARGEST_STEP}")
    return step, number(fields["value"], "values[].value")


def read_tell(body, name):
    """(definition, state, values or None)"""
    fields = members(body, "the body", ("study", "outcome"))
    outcome = members(fields["outcome"], "outcome", ("state",))
    state = OUTCOMES.get(outcome["state"]) if isinstance(outcome["state"], str) else None
    if state is None:
        raise BadRequest(f"outcome.state must be one of {', '.join(OUTCOMES)}")
    definition = parse_definition(fields["study"], name)
    if state is not TrialState.COMPLETE:
        return definition, state, None
    values = outcome.get("values")
    if not isinstance(values, list) or not values:
        raise BadRequest("outcome.values must be a list of numbers, one for each objective")
    return definition, state, [number(each, "outcome.values[]") for each in values]


def number(value, where):
    if isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise BadRequest(f"{where}: {value!r} is no number, nor one of {', '.join(NOT_FINITE)}")


def write_number(value):
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def write_drawn(pairs):
    if pairs is None:
        return {"state": "exhausted"}
    return {
        "state": "drawn",
        "assignments": [{"name": name, "value": value} for name, value in pairs],
    }
