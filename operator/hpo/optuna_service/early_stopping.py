"""Optuna's pruners by our names."""

import warnings

import optuna

from .problems import Refused
from .settings import number, read_settings, whole, whole_or_auto, word

pruners = optuna.pruners

PERCENTILE = {
    "n_startup_trials": whole(),
    "n_warmup_steps": whole(),
    "interval_steps": whole(1),
    "n_min_trials": whole(1),
}
# Katib's medianstop.
KATIB = {"min_trials_required": "n_startup_trials", "start_step": "n_warmup_steps"}
ETA = {"eta": "reduction_factor"}

ALLOWED = {
    "median": (pruners.MedianPruner, PERCENTILE, KATIB),
    "percentile": (
        pruners.PercentilePruner,
        {"percentile": number(0, 100), **PERCENTILE},
        KATIB,
    ),
    "asha": (
        pruners.SuccessiveHalvingPruner,
        {
            "min_resource": whole_or_auto,
            "reduction_factor": whole(2),
            "min_early_stopping_rate": whole(),
            "bootstrap_count": whole(),
        },
        ETA,
    ),
    "hyperband": (
        pruners.HyperbandPruner,
        {
            "min_resource": whole(1),
            "max_resource": whole_or_auto,
            "reduction_factor": whole(2),
            "bootstrap_count": whole(),
        },
        {**ETA, "r_l": "max_resource"},
    ),
    "wilcoxon": (
        pruners.WilcoxonPruner,
        {"p_threshold": number(0, 1), "n_startup_steps": whole()},
        {},
    ),
}
WRAPPED = ("median", "percentile", "asha")
PATIENT = {"patience": whole(), "min_delta": number(0, 1e300), "wrapped": word(*WRAPPED)}
NEEDED = {"percentile": "percentile", "patient": "patience"}


def make_pruner(definition):
    """The study's pruner, as good as new; raises Refused for names and settings that are wrong."""
    method = definition.early_stopping
    if method is None:
        return pruners.NopPruner()
    if method.name != "patient" and method.name not in ALLOWED:
        known = ", ".join([*ALLOWED, "patient"])
        raise Refused.missing(f"there is no early stopping {method.name!r}; there are: {known}")
    needed = NEEDED.get(method.name)
    if needed is not None and needed not in method.settings:
        raise Refused.setting(f"{method.name} needs the setting {needed}")
    try:
        with warnings.catch_warnings():
            # Optuna calls some experimental, for years now; its version is pinned here.
            warnings.simplefilter("ignore")
            return patient(method) if method.name == "patient" else plain(method)
    except ValueError as error:
        raise Refused.setting(f"{method.name}: {error}") from error


def plain(method):
    kind, allowed, aliases = ALLOWED[method.name]
    return kind(**read_settings(method, allowed, aliases))


def patient(method):
    """`wrapped` names what decides once patience is over; its settings stand beside."""
    wrapped = method.settings.get("wrapped")
    kind, allowed, aliases = ALLOWED.get(wrapped, (None, {}, {}))
    values = read_settings(method, {**PATIENT, **allowed}, aliases)
    own = {name: values.pop(name) for name in PATIENT if name in values}
    if wrapped == "percentile" and "percentile" not in values:
        raise Refused.setting("patient: the wrapped percentile needs the setting percentile")
    inner = kind(**values) if kind is not None else None
    return pruners.PatientPruner(inner, own["patience"], own.get("min_delta", 0.0))


# Optuna works these out from the first finished trials when they are `auto`, and keeps them for as
# long as its object lives. Ours lives for one request, so they are kept beside the study.
RESOLVED = {
    pruners.SuccessiveHalvingPruner: "_min_resource",
    pruners.HyperbandPruner: "_max_resource",
}


def resolving(pruner):
    """The pruner that works something out (itself or the one it wraps) and its field, or None."""
    inner = getattr(pruner, "_wrapped_pruner", None) or pruner
    field = RESOLVED.get(type(inner))
    return None if field is None else (inner, field)


def resolved(pruner):
    """What has been worked out, or None."""
    found = resolving(pruner)
    value = getattr(*found) if found is not None else None
    return value if isinstance(value, int) else None


def resolve(pruner, value, study):
    """Sets what was worked out before; Hyperband's brackets hang on it and filter draws too."""
    found = resolving(pruner)
    if found is None:
        return
    inner, field = found
    if value is not None:
        setattr(inner, field, value)
    if field == "_max_resource" and isinstance(inner._max_resource, int):
        inner._try_initialization(study)
