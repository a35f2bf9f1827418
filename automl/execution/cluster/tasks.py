"""Small tasks sent to one node each, and what became of them."""

from collections.abc import Callable
from typing import Any

from automl.execution.cluster import probe_task
from automl.execution.ray_errors import said

__all__ = ["Tasks"]


class Tasks:
    """Sends tasks to nodes; they take no CPU, so that they wait for no trial.

    Args:
        ray: The module, joined to the cluster.
    """

    def __init__(self, ray: Any) -> None:
        # By value: a node may have another version of this package, or none.
        ray.cloudpickle.register_pickle_by_value(probe_task)
        self._ray = ray
        self._small = ray.remote(num_cpus=0, max_retries=0)

    @property
    def here(self) -> str:
        """Id of the driver's own node."""
        return str(self._ray.get_runtime_context().get_node_id())

    def ask(self, node: str, task: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a function on a node; the reference of its answer."""
        sent = self._small(task).options(scheduling_strategy=_on(node))
        return sent.remote(*arguments)

    def actor(self, node: str, made: type, *arguments: Any) -> Any:
        """An object that lives on a node until the driver's job ends, or its handle is dropped."""
        remote = self._ray.remote(num_cpus=0, max_restarts=0, max_concurrency=4)(made)
        return remote.options(scheduling_strategy=_on(node)).remote(*arguments)

    def heard(self, reference: Any) -> tuple[Any, str] | None:
        """An answer, or why there is none; None while it is awaited."""
        if not self._ray.wait([reference], timeout=0)[0]:
            return None
        try:
            return self._ray.get(reference), ""
        except Exception as error:  # noqa: BLE001 -- whatever the task met there
            return None, f"the probe failed: {said(error)}"


def _on(node: str) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(node, soft=False)
