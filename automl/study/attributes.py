"""The names under which a study keeps its own facts on the trials of its Optuna storage.

Optuna numbers every start; a study numbers configurations. One logical trial is therefore one or
more Optuna trials with the same ``number``: the newest of them says where the trial stands, the
older ones were superseded. Names and values here are written to disk and never change meaning.
"""

__all__ = [
    "ASKED_AT",
    "ATTEMPT",
    "AUDITED",
    "CHECKPOINT",
    "CONFIRMS",
    "CURRENT_FORMAT",
    "DRAW",
    "EVIDENCE",
    "EXIT_CODE",
    "FAILURE",
    "FIXED",
    "FORMAT",
    "GOES_ON",
    "GPU_SECONDS",
    "HISTORY",
    "MEASURED",
    "NOTE",
    "NUMBER",
    "OUTSIDE",
    "PARAMS",
    "PAUSED",
    "REFUSED",
    "RESUME_FROM",
    "SECONDS",
    "SEED",
    "SOURCE",
    "SOURCE_CONFIRM",
    "SOURCE_DEFAULT",
    "SOURCE_EARLIER",
    "SOURCE_RACE",
    "SOURCE_SAMPLER",
    "SOURCE_USER",
    "SPACE_DIGEST",
    "SUPERSEDED",
]

# Given when a trial is put into the queue, in the one operation that creates it.
NUMBER = "number"  # the logical number, from 0
ATTEMPT = "attempt"  # from 1
DRAW = "draw"  # how many proposals for this number were thrown away as repetitions, from 0
SOURCE = "source"  # one of those below
FIXED = "fixed"  # values that are not drawn, by Optuna's parameter name
OUTSIDE = "outside"  # why these params are not in the search space; such a trial is not modelled
RESUME_FROM = "resume_from"  # checkpoint to continue from, relative to the study folder
HISTORY = "history"  # measurements inherited from earlier attempts
CONFIRMS = "confirms"  # the number of the trial whose params are trained again
SEED = "seed"  # what such a training is seeded with
GOES_ON = "goes_on"  # why it goes on after it was paused
AUDITED = "audited"  # why it would have ended, where it goes on so that this can be checked

# Given when the trial is handed out.
PARAMS = "params"  # dotted key to value; absent until every parameter has its value
ASKED_AT = "asked_at"  # ISO 8601, UTC
NOTE = "note"  # a remark for the reader
REFUSED = "refused"  # why it was never started; told as the worst value, it is no measurement

# Given while it trains: one for each measured epoch, the epoch's number at its end.
MEASURED = "measured:"  # metrics, seconds, and what was decided then

# Given when its attempt has ended and it may go on later; the trial stays running in Optuna.
PAUSED = "paused"  # reason, epoch and checkpoint

# Given before the trial's end is told.
FAILURE = "failure"  # FailureClass; its presence means: the told value is no measurement
EVIDENCE = "evidence"
EXIT_CODE = "exit_code"
CHECKPOINT = "checkpoint"
SECONDS = "seconds"
GPU_SECONDS = "gpu_seconds"
SUPERSEDED = "superseded"  # why another Optuna trial goes on under this number

SOURCE_DEFAULT = "default"
SOURCE_SAMPLER = "sampler"
SOURCE_EARLIER = "earlier"  # settings that were among the best of an earlier study
SOURCE_USER = "user"
SOURCE_RACE = "race"  # fresh seeds that choose among the best, and are no part of a confirmation
SOURCE_CONFIRM = "confirm"

# On the study itself.
SPACE_DIGEST = "space_digest"
FORMAT = "format"  # which version of these names the trials carry
CURRENT_FORMAT = 1
