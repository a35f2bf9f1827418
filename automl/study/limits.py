"""What a whole study may spend: trials, fresh seeds, time."""

from dataclasses import dataclass

from automl.errors import FixInput

__all__ = ["AUTO", "STOPS", "Limits"]

#: As many fresh seeds as it takes, and the most of them.
AUTO, _MOST_SEEDS = "auto", 20
#: Whether a search may end before its trials are used up, because further gain is unlikely.
STOPS = ("never", AUTO)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the whole study may spend.

    Attributes:
        trials: Logical trials in total, over all resumes; at least 1.
        trial_timeout_s: Wall seconds after which one attempt counts as hung; None for no limit.
        same_failures: Trials in a row with one failure class after which the search stops.
        failed_share: Share of the trials that one driver saw end, at least six, that stops the
            search where so many failed, of whatever class; above 0, at most 1.
        confirm: Seeds with which winner and default are trained again after the search, or
            ``auto`` for as many as it takes until the answer is known.
        confirm_top: Trials that race for being the winner before that; 0 in studies of older
            versions, which confirmed the best value as it was.
        max_wall_s: Wall seconds of the whole study, over all resumes; pauses between drivers do
            not count. None for no limit.
        gpu_hours: GPU hours of all attempts, over all resumes; None for no limit.
        deadline: The moment at which everything is to have ended, ISO 8601 with its zone; None for
            no limit.
        stop: ``auto`` ends the search where the remaining trials are unlikely to gain more than
            the luck of one seed; ``never`` does not.
    """

    trials: int = 20
    trial_timeout_s: float | None = None
    same_failures: int = 3
    failed_share: float = 0.5
    confirm: int | str = 0
    confirm_top: int = 3
    max_wall_s: float | None = None
    gpu_hours: float | None = None
    deadline: str | None = None
    stop: str = STOPS[0]

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise FixInput("trials must be at least 1", got=str(self.trials), where="--trials")
        if self.confirm != AUTO and (not isinstance(self.confirm, int) or self.confirm < 0):
            rule = f"confirm must be {AUTO} or at least 0"
            raise FixInput(rule, got=str(self.confirm), where="--confirm")
        if self.stop not in STOPS:
            rule = f"stop must be one of {', '.join(STOPS)}"
            raise FixInput(rule, got=self.stop, where="--stop")
        if self.confirm_top < 0:
            rule = "confirm_top must be at least 0"
            raise FixInput(rule, got=str(self.confirm_top), where="--confirm-top")
        if not 0.0 < self.failed_share <= 1.0:
            rule = "failed_share must be above 0 and at most 1"
            raise FixInput(rule, got=f"{self.failed_share:g}", where="--failed-share")
        for flag, amount in (
            ("--trial-timeout", self.trial_timeout_s),
            ("--max-wall", self.max_wall_s),
            ("--gpu-hours", self.gpu_hours),
        ):
            if amount is not None and amount <= 0:
                raise FixInput("a limit of time must be positive", got=f"{amount:g}", where=flag)

    @property
    def is_timed(self) -> bool:
        """Whether the study's time is limited, and not only its trials."""
        return any(each is not None for each in (self.max_wall_s, self.gpu_hours, self.deadline))

    @property
    def confirms(self) -> bool:
        """Whether anything is trained again when the search is over."""
        return self.confirm != 0

    @property
    def is_auto(self) -> bool:
        """Whether the trainings of winner and default go on until the answer is known."""
        return self.confirm == AUTO

    @property
    def most_seeds(self) -> int:
        """Seeds that winner and default are each trained with at most."""
        return self.confirm if isinstance(self.confirm, int) else _MOST_SEEDS
