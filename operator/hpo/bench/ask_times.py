"""How long a draw takes behind 1,000 and 10,000 finished trials, on PostgreSQL.

    python bench/ask_times.py postgres://user:password@host:port/database [most trials]

Makes a schema `bench_…` of its own and drops it at the end. Trials are written straight into the
tables, as asking and telling ten thousand would leave them; then 20 draws are asked for one after
the other, each told before the next, as an Experiment with one trial at a time does. The first
draw of each fills the cache of finished trials, as the first after a restart, and stands apart.
"""

import statistics
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path

import numpy as np
import optuna
import sqlalchemy

sys.path.insert(0, str(Path(__file__).parents[1]))

from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.storages._rdb import models  # noqa: E402
from optuna.trial import TrialState  # noqa: E402
from optuna_service.config import from_url  # noqa: E402
from optuna_service.definition import parse_definition  # noqa: E402
from optuna_service.storage import NUMBER, Storage, rows_of  # noqa: E402
from optuna_service.studies import ASSIGNMENTS, Studies  # noqa: E402

PARAMETERS = 5
DRAWS = 20
BATCH = 1000


def definition_of(algorithm, finished):
    name = f"bench/{algorithm}/{finished}"
    parameter = {"type": "double", "min": "0", "max": "1"}
    body = {
        "name": name,
        "directions": ["minimize"],
        "algorithm": {"name": algorithm, "settings": {}},
        "parameters": [{**parameter, "name": f"x{place}"} for place in range(PARAMETERS)],
        "seed": 7,
    }
    return parse_definition(body, name)


def fill(storage, study_id, first, finished, source):
    """Finished trials `first` to `finished`, as rows of all the tables they are spread over."""
    with storage.backend().scoped_session.session_factory() as session:
        for start in range(first, finished, BATCH):
            numbers = range(start, min(start + BATCH, finished))
            now = datetime.now()
            trials = [
                models.TrialModel(
                    study_id=study_id,
                    number=number,
                    state=TrialState.COMPLETE,
                    datetime_start=now,
                    datetime_complete=now,
                )
                for number in numbers
            ]
            session.add_all(trials)
            session.flush()
            for number, trial in zip(numbers, trials, strict=True):
                session.add_all(rows_about(trial.trial_id, number, source.random(PARAMETERS)))
            session.commit()


def rows_about(trial_id, number, point):
    params = {f"x{place}": float(value) for place, value in enumerate(point)}
    template = optuna.trial.create_trial(
        state=TrialState.COMPLETE,
        value=float(((point - 0.3) ** 2).sum()),
        params=params,
        distributions={name: FloatDistribution(0, 1) for name in params},
        user_attrs={ASSIGNMENTS: {name: repr(value) for name, value in params.items()}},
        system_attrs={NUMBER: number},
    )
    yield from rows_of(trial_id, template)
    yield models.TrialValueModel(
        trial_id=trial_id,
        objective=0,
        value=template.value,
        value_type=models.TrialValueModel.TrialValueType.FINITE,
    )


def measure(studies, definition, finished):
    """Seconds of each draw."""
    took = []
    for number in range(finished, finished + DRAWS):
        began = time.perf_counter()
        drawn = dict(studies.ask(definition, number))
        took.append(time.perf_counter() - began)
        value = sum((float(each) - 0.3) ** 2 for each in drawn.values())
        studies.tell(definition, number, TrialState.COMPLETE, [value])
    return took


def run(storage, algorithm, finished):
    definition = definition_of(algorithm, finished)
    studies = Studies(storage)
    # Trial 0 comes from the service itself, so that the study is one of its own.
    studies.ask(definition, 0)
    studies.tell(definition, 0, TrialState.COMPLETE, [1.0])
    study_id = storage.backend().get_study_id_from_name(definition.name)
    fill(storage, study_id, 1, finished, np.random.default_rng(7))
    storage.forget(definition.name)
    first, *rest = measure(studies, definition, finished)
    low, high = statistics.median(rest), max(rest)
    print(
        f"{algorithm:8} {finished:6} finished: first {first * 1000:7.0f} ms, "
        f"then p50 {low * 1000:6.1f} ms, most {high * 1000:6.1f} ms",
        flush=True,
    )


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    most = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    schema = f"bench_{uuid.uuid4().hex[:8]}"
    storage = Storage.postgres(from_url(sys.argv[1]), schema, connections=4)
    storage.prepare()
    try:
        for finished in (each for each in (1000, 10_000) if each <= most):
            for algorithm in ("random", "tpe"):
                run(storage, algorithm, finished)
    finally:
        with storage.backend().engine.begin() as connection:
            connection.execute(sqlalchemy.text(f"DROP SCHEMA {schema} CASCADE"))
        storage.close()


if __name__ == "__main__":
    main()
