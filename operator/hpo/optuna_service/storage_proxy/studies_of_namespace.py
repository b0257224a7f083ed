"""What Optuna's storage has no question for: names by id, and the studies of one namespace alone.

Ids are looked up each time: a check that hangs on what was true before is none.
"""

import json
from collections import defaultdict

from optuna.storages._rdb import models
from optuna.study._frozen import FrozenStudy

MOST_STUDIES = 10_000
# PostgreSQL takes a larger id for an error instead of an unknown one.
LARGEST_ID = 2**31 - 1


def name_of_study(backend, study_id):
    """None where there is no such study."""
    if not 0 < study_id <= LARGEST_ID:
        return None
    with session_of(backend) as session:
        row = session.query(models.StudyModel.study_name).filter_by(study_id=study_id).first()
    return None if row is None else row[0]


def study_of_trial(backend, trial_id):
    """(id, name) of the study, or None."""
    if not 0 < trial_id <= LARGEST_ID:
        return None
    with session_of(backend) as session:
        row = (
            session.query(models.StudyModel.study_id, models.StudyModel.study_name)
            .join(models.TrialModel, models.TrialModel.study_id == models.StudyModel.study_id)
            .filter(models.TrialModel.trial_id == trial_id)
            .first()
        )
    return None if row is None else (row[0], row[1])


def studies_of(backend, prefix):
    """FrozenStudys whose names begin with `prefix`, the MOST_STUDIES oldest, with attributes."""
    with session_of(backend) as session:
        rows = (
            session.query(models.StudyModel.study_id, models.StudyModel.study_name)
            .filter(models.StudyModel.study_name.startswith(prefix, autoescape=True))
            .order_by(models.StudyModel.study_id)
            .limit(MOST_STUDIES)
            .all()
        )
        # SQLite's LIKE does not tell capital letters from small ones.
        names = {row[0]: row[1] for row in rows if row[1].startswith(prefix)}
        directions = of_studies(session, models.StudyDirectionModel, names)
        user = of_studies(session, models.StudyUserAttributeModel, names)
        system = of_studies(session, models.StudySystemAttributeModel, names)
        return [
            FrozenStudy(
                study_name=name,
                direction=None,
                directions=[
                    each.direction for each in sorted(directions[study_id], key=lambda d: d.objective)
                ],
                user_attrs={each.key: json.loads(each.value_json) for each in user[study_id]},
                system_attrs={each.key: json.loads(each.value_json) for each in system[study_id]},
                study_id=study_id,
            )
            for study_id, name in names.items()
        ]


def of_studies(session, model, ids):
    found = defaultdict(list)
    for row in session.query(model).filter(model.study_id.in_(list(ids))):
        found[row.study_id].append(row)
    return found


def session_of(backend):
    """A session of the storage's own; closes by itself, which returns the connection."""
    return backend.scoped_session.session_factory()
