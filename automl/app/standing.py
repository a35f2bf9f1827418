"""Where a driven study stands, as its ``state.json`` says it."""

import os
import socket
from dataclasses import asdict

from automl.app.following import Following
from automl.search.engine import Engine
from automl.study.clock import utc_now
from automl.study.config import StudyConfig
from automl.study.confirmation import n_asked
from automl.study.records import TrialRecord
from automl.study.state import BestTrial, StudyState, StudyStatus, counts_of

__all__ = ["state_of"]


def state_of(
    config: StudyConfig,
    engine: Engine,
    following: Following,
    status: StudyStatus,
    best: TrialRecord | None,
) -> StudyState:
    """The snapshot of a study that this process drives, without its wall time."""
    records = engine.records()
    return StudyState(
        name=config.name,
        status=status,
        updated_at=utc_now().isoformat(),
        trials=n_asked(records, config),
        counts=counts_of(records),
        best=BestTrial.of(best),
        driver={"pid": os.getpid(), "host": socket.gethostname()},
        limits=asdict(config.limits),
        seconds=sum(record.seconds for record in records),
        gpu_seconds=sum(record.gpu_seconds for record in records),
        live=following.live if status is StudyStatus.RUNNING else (),
        ended=following.ended,
        notes=following.notes,
    )
