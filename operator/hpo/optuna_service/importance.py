"""How much each parameter matters for an objective, by PED-ANOVA (https://arxiv.org/abs/2304.10255)."""

import warnings
from urllib.parse import unquote

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import TrialState

from .problems import BadRequest, NotFound
from .routes import answer

EVALUATOR = "PedAnovaImportanceEvaluator"
# The best tenth is looked at, at least two of them; with fewer trials it says nothing.
LEAST_TRIALS = 10


def importance_view(study, rest):
    """`/importance` is of the first objective, `/importance/{n}` of another, from 0."""
    if len(rest) > 1:
        raise NotFound("the address is importance, or importance/{number of the objective}")
    return answer(importances(study, objective_number(study, rest)))


def objective_number(study, rest):
    text = unquote(rest[0]) if rest else "0"
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise BadRequest(f"{text!r} is no number of an objective: 0, 1, 2, …")
    if int(text) >= len(study.directions):
        raise BadRequest(f"objective {text} is none of the {len(study.directions)} of the study")
    return int(text)


def importances(study, objective):
    """Sums to 1, the most important first; nothing where there are too few complete trials."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    shares = {} if len(trials) < LEAST_TRIALS else shares_of(study, objective)
    return {
        "evaluator": EVALUATOR,
        "trials": len(trials),
        "importances": [{"parameter": name, "importance": share} for name, share in shares.items()],
    }


def shares_of(study, objective):
    # Given a target, the evaluator takes lower ones as better.
    sign = -1 if study.directions[objective] is StudyDirection.MAXIMIZE else 1
    with warnings.catch_warnings():
        # Warns of exactly that, and that it is new.
        warnings.simplefilter("ignore")
        return get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(),
            target=lambda trial: sign * trial.values[objective],
        )
