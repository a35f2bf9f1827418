"""What a model makes of the observations of a study: losses, what is possible, what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from automl.search.acquisition import log_improvement_over_fantasies, log_probability
from automl.search.activity import Activity
from automl.search.encoding import Array, Cube
from automl.search.gaussian_process import GaussianProcess, fit
from automl.search.observations import Kind, Observation
from automl.study.matern import HyperPrior

__all__ = ["Surrogate"]

#: Losses begin to differ within a shorter way than is usual for a kernel, and much of what they do
#: is a sum of what each setting does; both as was measured (docs/search.md).
_LOSS_PRIOR = HyperPrior(lengthscale=0.4, additive=0.5)
#: Whether a training is possible is nearly free of noise, and seldom hangs on many settings.
_POSSIBLE_PRIOR = HyperPrior(lengthscale=1.5, noise=0.05)
#: What is taken of a place that nobody has been near, between -1 (never possible) and 1.
_UNKNOWN = 0.5
#: Losses further above the median than this many times its distance from the best count as that,
#: but for those within Tukey's fence: of a plateau the best may be its median.
_CLIP, _FENCE = 2.0, 1.5
#: Where more than such a share of the means are so near to the best one, the losses are flat;
#: fewer than so many say nothing.
_FLAT_SHARE, _FLAT_WITHIN, _FLAT_AMONG = 1 / 3, 0.1, 4
_FANTASIES = 8
#: How far an earlier study is from this one, in sides of the cube, before anything is learned: at
#: the usual lengthscale a correlation of about 0.9.
_TASK = 0.3
#: Digits of a standardised loss that count: the unit of a metric must decide nothing.
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Surrogate:
    """The posterior of a study.

    Attributes:
        cube: The space.
        losses: Posterior of the standardised loss, one column a fantasy of what is running.
        best: (s,) The lowest posterior mean among the points with a value, under each fantasy.
        incumbent: (d,) The point of the lowest mean over all fantasies.
        possible: Posterior of whether a training is possible, from -1 to 1, counted from what is
            taken of an unknown place; None where none has failed.
        known: (n, d) Every point that was tried, whatever became of it.
        elsewhere: (m, d) Points that earlier studies have tried.
        activity: Which settings exist under which options.
        is_flat: Whether too many of the points are as good as the best to be told apart.
    """

    cube: Cube
    losses: GaussianProcess
    best: Array
    incumbent: Array
    possible: GaussianProcess | None
    known: Array
    elsewhere: Array
    activity: Activity
    is_flat: bool

    @classmethod
    def of(
        cls,
        cube: Cube,
        observations: Sequence[Observation],
        sign: int,
        generator: np.random.Generator,
    ) -> "Surrogate":
        """The posterior of observations, of which at least one has a value.

        Args:
            cube: The space; at least one setting.
            observations: What is known.
            sign: -1 where a higher value is better, else 1.
            generator: Source of the fantasies.
        """
        points = cube.encode(one.params for one in observations)
        has_value = np.array([one.value is not None for one in observations])
        is_open = np.array([one.kind is Kind.OPEN for one in observations]) & ~has_value
        losses, extra = _standardised([one for one in observations if one.value is not None], sign)
        is_earlier = np.array([one.kind is Kind.EARLIER for one in observations])
        task = is_earlier.astype(float) if is_earlier.any() else None
        owners, features = _with_task(cube.owners, cube.features(points), task)
        seen = features[has_value]
        hyper = fit(owners, seen, losses, extra, _LOSS_PRIOR, has_level=True)
        model = GaussianProcess.condition(
            hyper, owners, seen, losses[:, None], extra, has_level=True
        )
        if is_open.any():
            model = _imagined(model, seen, losses, features[is_open], generator)
        # What is to be improved on is a setting of this study, once one has a value.
        is_rival = has_value & ~is_earlier if (has_value & ~is_earlier).any() else has_value
        rivals = points[is_rival]
        means, _ = model.predict(_here(model, cube.features(rivals)))
        expected = means.mean(axis=1)
        origin = rivals[np.argmin(expected)]
        return cls(
            cube,
            model,
            means.min(axis=0),
            np.where(np.isnan(origin), 0.5, origin),
            _possible(cube, cube.features(points), observations),
            points[~is_earlier],
            points[is_earlier],
            Activity.of(cube, points),
            _is_flat(expected),
        )

    @property
    def lengthscales(self) -> Array:
        """(d,) How far each setting must move to matter, in sides of the cube."""
        return self.losses.hyper.lengthscales[: len(self.cube)]

    def promise(self, points: Array) -> Array:
        """(m,) Logarithm of the expected improvement, and of the chance that training works."""
        means, sd = self.losses.predict(self.features(points))
        promise = log_improvement_over_fantasies(means, sd, self.best)
        return promise + self.chance(points)

    def chance(self, points: Array) -> Array:
        """(m,) Logarithm of the probability that a training is possible at points (m, d)."""
        if self.possible is None:
            return np.zeros(len(points))
        means, sd = self.possible.predict(self._features(points))
        noisy = np.hypot(sd, self.possible.hyper.noise)
        return log_probability(_UNKNOWN + means[:, 0], noisy, 0.0)

    def distance(self, points: Array) -> Array:
        """(m,) Distance of points (m, d) from the nearest known one, in lengthscales."""
        if not len(self.known):
            return np.full(len(points), np.inf)
        scales = self.lengthscales[self.cube.owners]
        nearest = cdist(self._features(points) / scales, self.cube.features(self.known) / scales)
        return np.asarray(nearest.min(axis=1))

    def features(self, points: Array) -> Array:
        """(m, f) Points (m, d) of this study as the model of losses takes them."""
        return _here(self.losses, self._features(points))

    def _features(self, points: Array) -> Array:
        return self.cube.features(self.activity.masked(points))


def _with_task(
    owners: NDArray[np.intp], features: Array, task: Array | None
) -> tuple[NDArray[np.intp], Array]:
    """Features with one more setting, which tells an earlier study's; as they are for None.

    Its lengthscale, learned like any other, says how much of an earlier study holds here: a long
    one takes its values as this study's own, a short one forgets them (a kernel over tasks with
    one correlation; Swersky, Snoek and Adams 2013, "Multi-task Bayesian optimization").
    """
    if task is None:
        return owners, features
    return np.append(owners, owners.max(initial=-1) + 1), np.column_stack([features, _TASK * task])


def _here(model: GaussianProcess, features: Array) -> Array:
    """Features of points in this study, for a model that may know of earlier ones."""
    n_more = len(model.owners) - features.shape[1]
    return np.pad(features, ((0, 0), (0, n_more)))


def _is_flat(expected: Array) -> bool:
    """Whether too many expected losses are as good as the best to be told apart."""
    if len(expected) < _FLAT_AMONG:
        return False
    return bool(np.mean(expected <= expected.min() + _FLAT_WITHIN) > _FLAT_SHARE)


def _standardised(seen: Sequence[Observation], sign: int) -> tuple[Array, Array]:
    """(n,) Losses of mean 0 and spread 1, outliers clipped, and (n,) variances of their noise."""
    noise = np.array([one.sd for one in seen], dtype=float)
    losses, spread = _scaled(np.array([one.value for one in seen], dtype=float) * sign)
    extra = np.square(noise / spread)
    return np.round(losses, _DIGITS), np.asarray(extra.round(_DIGITS), dtype=float)


def _scaled(losses: Array) -> tuple[Array, float]:
    """Losses of mean 0 and spread 1, and what they were divided by."""
    middle = float(np.median(losses))
    low, high = np.quantile(losses, (0.25, 0.75))
    reach = _CLIP * (middle - float(losses.min()))
    limit = max(middle + reach, float(high + _FENCE * (high - low)))
    clipped = np.minimum(losses, limit) if reach > 0 else losses
    spread = float(clipped.std()) or 1.0
    return (clipped - clipped.mean()) / spread, spread


def _imagined(
    model: GaussianProcess,
    seen: Array,
    losses: Array,
    pending: Array,
    generator: np.random.Generator,
) -> GaussianProcess:
    """The posterior under fantasies of what is running: joint draws at features (p, f)."""
    means, _ = model.predict(pending)
    spread = model.covariance(pending) + model.hyper.noise**2 * np.eye(len(pending))
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    imagined = means + root @ generator.standard_normal((len(pending), _FANTASIES))
    repeated = np.repeat(losses[:, None], _FANTASIES, axis=1)
    extra = np.concatenate([model.extra, np.zeros(len(pending))])
    return GaussianProcess.condition(
        model.hyper,
        model.owners,
        np.concatenate([seen, pending]),
        np.concatenate([repeated, imagined]),
        extra,
        has_level=True,
    )


def _possible(
    cube: Cube, features: Array, observations: Sequence[Observation]
) -> GaussianProcess | None:
    """Classification by least squares (Rasmussen and Williams, 2006, sec. 6.5)."""
    failed = np.array([one.kind is Kind.FAILED for one in observations])
    if not failed.any():
        return None
    settled = np.array([one.kind is not Kind.OPEN for one in observations])
    labels = np.where(failed[settled], -1.0, 1.0) - _UNKNOWN
    return _posterior(cube.owners, features[settled], labels)


def _posterior(owners: NDArray[np.intp], features: Array, values: Array) -> GaussianProcess:
    extra = np.zeros(len(values))
    hyper = fit(owners, features, values, extra, _POSSIBLE_PRIOR)
    return GaussianProcess.condition(hyper, owners, features, values[:, None], extra)
