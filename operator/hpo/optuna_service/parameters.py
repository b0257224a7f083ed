"""One parameter: what its text means, and how Optuna draws it."""

import math
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from statistics import NormalDist

import optuna

from .problems import BadRequest, Refused

TYPES = ("double", "int", "discrete", "categorical")
DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal")
MOST_CHOICES = 1000
# Beyond it neighbouring whole numbers are the same double, which is what Optuna stores.
LARGEST_INT = 2**53

# Katib draws from a normal with its mean in the middle and min and max three deviations away; here
# the two tails outside are cut off.
STANDARD = NormalDist()
TAIL = STANDARD.cdf(-3)


@dataclass(frozen=True)
class Choice:
    """One of a list, as text."""

    name: str
    choices: tuple

    def distribution(self):
        return optuna.distributions.CategoricalDistribution(self.choices)

    def draw(self, trial):
        return trial.suggest_categorical(self.name, self.choices)

    def internal(self, text):
        if text not in self.choices:
            raise BadRequest(f"assignments: {self.name} is never {text!r}")
        return text

    def points(self):
        return list(self.choices)


@dataclass(frozen=True)
class Number:
    """A number between two others.

    Optuna draws it as it stands where it can: uniform, with step or logarithmic. What it has no
    distribution for (normal, logNormal; a step together with a logarithm) is drawn as a position
    between 0 and 1 or on the logarithm and put through the quantile function, then on the step.
    """

    name: str
    low: Decimal
    high: Decimal
    step: Decimal | None
    whole: bool
    kind: str
    choices: None = field(default=None)

    @property
    def log(self):
        return self.kind in ("logUniform", "logNormal")

    @property
    def normal(self):
        return self.kind in ("normal", "logNormal")

    @property
    def native(self):
        """Optuna has this very distribution."""
        stepped = self.step is not None and not (self.whole and self.step == 1)
        return not self.normal and not (self.log and stepped)

    def distribution(self):
        distributions = optuna.distributions
        if self.normal:
            return distributions.FloatDistribution(0.0, 1.0)
        low, high = float(self.low), float(self.top())
        if not self.native:
            return distributions.FloatDistribution(low, high, log=True)
        if self.whole:
            return distributions.IntDistribution(
                int(self.low), int(self.top()), log=self.log, step=int(self.step or 1)
            )
        return distributions.FloatDistribution(
            low, high, log=self.log, step=None if self.step is None else float(self.step)
        )

    def top(self):
        """The largest value that can be drawn: `high`, or the last step below it."""
        if self.step is None or self.log:
            return self.high
        return self.low + (self.high - self.low) // self.step * self.step

    def draw(self, trial):
        wanted = self.distribution()
        if isinstance(wanted, optuna.distributions.IntDistribution):
            drawn = trial.suggest_int(
                self.name, wanted.low, wanted.high, step=wanted.step, log=wanted.log
            )
        else:
            drawn = trial.suggest_float(
                self.name, wanted.low, wanted.high, step=wanted.step, log=wanted.log
            )
        return self.text(self.quantile(drawn) if self.normal else drawn)

    def quantile(self, position):
        """The value below which the fraction `position` of the cut normal lies."""
        deviations = STANDARD.inv_cdf(TAIL + position * (1 - 2 * TAIL))
        low, high = (float(self.low), float(self.high))
        if self.log:
            low, high = math.log(low), math.log(high)
        value = (low + high) / 2 + deviations * (high - low) / 6
        return math.exp(value) if self.log else value

    def text(self, value):
        """Shortest text; on the step exactly, where binary fractions would be off a little."""
        if self.step is not None or self.whole:
            step = self.step or Decimal(1)
            exact = self.low + round((Decimal(value) - self.low) / step) * step
            last = self.low + (self.high - self.low) // step * step
            exact = min(max(exact, self.low), last)
            return str(int(exact)) if self.whole else plain(exact)
        return repr(min(max(float(value), float(self.low)), float(self.high)))

    def internal(self, text):
        value = decimal(text, f"assignments: {self.name}", BadRequest)
        if not self.low <= value <= self.high:
            raise BadRequest(f"assignments: {self.name} is never {text}")
        if self.normal:
            return self.position(value)
        wanted = self.distribution()
        if isinstance(wanted, optuna.distributions.IntDistribution):
            return int(value)
        return min(max(float(value), wanted.low), wanted.high)

    def position(self, value):
        """The inverse of `quantile`, always within 0 and 1."""
        at, low, high = float(value), float(self.low), float(self.high)
        if self.log:
            at, low, high = math.log(at), math.log(low), math.log(high)
        deviations = 0.0 if high == low else (at - (low + high) / 2) * 6 / (high - low)
        position = (STANDARD.cdf(deviations) - TAIL) / (1 - 2 * TAIL)
        return min(max(position, 0.0), 1.0)

    def points(self):
        """All values, as a lazy sequence of text, or None when there are infinitely many."""
        step = self.step or (Decimal(1) if self.whole else None)
        if step is None:
            return [plain(self.low)] if self.low == self.high else None
        return Steps(self, step)


@dataclass(frozen=True)
class Steps:
    """`low`, `low` + `step`, … as text."""

    of: Number
    step: Decimal

    def __len__(self):
        return int((self.of.high - self.of.low) // self.step) + 1

    def __getitem__(self, index):
        value = self.of.low + index * self.step
        return str(int(value)) if self.of.whole else plain(value)


def parse_parameter(value):
    """A parameter of the definition; raises BadRequest for a wrong form, Refused for a wrong space."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise BadRequest("study.parameters: each must be an object with a name")
    name, kind = value["name"], value.get("type")
    if kind not in TYPES:
        raise BadRequest(f"parameter {name}: type must be one of {', '.join(TYPES)}")
    if len(name) > 512:
        raise Refused.space(f"parameter {name[:60]}…: the name is longer than 512 letters")
    return choice(value) if kind in ("discrete", "categorical") else number(value)


def choice(value):
    name, among = value["name"], value.get("list")
    if not isinstance(among, list) or any(not isinstance(each, str) for each in among):
        raise BadRequest(f"parameter {name}: list must be a list of text")
    if not among:
        raise Refused.space(f"parameter {name}: list is empty; give the values to choose from")
    if len(among) > MOST_CHOICES:
        raise Refused.space(f"parameter {name}: {len(among)} values; at most {MOST_CHOICES}")
    if len(set(among)) < len(among):
        raise Refused.space(f"parameter {name}: list holds a value twice")
    if value["type"] == "discrete":
        for each in among:
            decimal(each, f"parameter {name}: list")
    return Choice(name, tuple(among))


def number(value):
    name, kind = value["name"], value.get("distribution") or "uniform"
    if kind not in DISTRIBUTIONS:
        raise BadRequest(f"parameter {name}: distribution must be one of {DISTRIBUTIONS}")
    where = f"parameter {name}"
    for limit in ("min", "max"):
        if value.get(limit) is None:
            raise Refused.space(f"{where}: {limit} is missing")
    low = decimal(value["min"], f"{where}: min")
    high = decimal(value["max"], f"{where}: max")
    step = decimal(value["step"], f"{where}: step") if value.get("step") is not None else None
    whole = value["type"] == "int"
    check_range(where, low, high, step)
    if whole:
        check_whole(where, low, high, step)
    if kind.startswith("log") and low <= 0:
        raise Refused.space(f"{where}: min {low} must be above 0 for {kind}")
    return Number(name, low, high, step, whole, kind)


def check_range(where, low, high, step):
    if low > high:
        raise Refused.space(f"{where}: min {low} is above max {high}; swap them")
    if step is not None and step <= 0:
        raise Refused.space(f"{where}: step {step} must be above 0")
    if step is not None and (high - low) / step > LARGEST_INT:
        raise Refused.space(f"{where}: step {step} is too small for the range {low} to {high}")


def check_whole(where, low, high, step):
    for each in (low, high, step):
        if each is not None and each != each.to_integral_value():
            raise Refused.space(f"{where}: {each} is no whole number, but the type is int")
        if each is not None and abs(each) > LARGEST_INT:
            raise Refused.space(f"{where}: {each} is beyond 2^53, where doubles skip whole numbers")


def decimal(text, where, fault=Refused.space):
    """`text` as a finite number that a double can hold."""
    try:
        value = Decimal(text) if isinstance(text, str) else None
        if value is not None and value.is_finite() and math.isfinite(float(value)):
            return value
    except (InvalidOperation, OverflowError):
        pass
    raise fault(f"{where}: {text!r} is no finite number")


def plain(value):
    """`0.10` → `0.1`, `1E+2` → `100`."""
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text
