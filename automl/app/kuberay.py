"""A study as a RayJob of KubeRay: a Ray cluster that is made for it and goes with it.

The head drives the study over the cluster that KubeRay makes. Studies lie on a volume claim that
all pods mount, data there too or in an object store; what is secret is named, never written down.
"""

import shlex
from dataclasses import dataclass
from typing import Any

__all__ = ["KubeRayJob", "check_manifest", "manifest"]

_GPU = "nvidia.com/gpu"
_SHARED = "studies"
_MEMORY = "dshm"
_AT = "/studies"
#: Fields of ray.io/v1 that a manifest of ours may have, each to the kind of its value; a mapping
#: of its own where a structure follows, None where Kubernetes' own types do.
_JOB_FIELDS: dict[str, Any] = {
    "entrypoint": str,
    "submissionMode": str,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "backoffLimit": int,
    "rayClusterSpec": {
        "rayVersion": str,
        "enableInTreeAutoscaling": bool,
        "headGroupSpec": {"rayStartParams": dict, "template": None},
        "workerGroupSpecs": [
            {
                "groupName": str,
                "replicas": int,
                "minReplicas": int,
                "maxReplicas": int,
                "rayStartParams": dict,
                "template": None,
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class KubeRayJob:
    """What is asked for.

    Attributes:
        name: The study, and the job.
        image: An image with this package, the trainer's parts and Ray.
        ray_version: Of that image.
        study_file: Path of the study file as the pods see it.
        claim: The volume claim that the studies lie on; every pod mounts it.
        nodes: Worker pods at most; the autoscaler begins with one.
        gpus_per_node: GPUs of a worker.
        cpus_per_node: CPUs of a worker.
        memory: Memory of a worker, such as ``64Gi``.
        secret: The Kubernetes secret whose entries become environment variables; empty for none.
    """

    name: str
    image: str
    ray_version: str
    study_file: str
    claim: str
    nodes: int = 1
    gpus_per_node: int = 1
    cpus_per_node: int = 8
    memory: str = "32Gi"
    secret: str = ""


def manifest(job: KubeRayJob) -> dict[str, Any]:
    """The RayJob, as plain values."""
    cluster = {
        "rayVersion": job.ray_version,
        "enableInTreeAutoscaling": True,
        "headGroupSpec": {
            # Trials run on the workers; the head drives.
            "rayStartParams": {"num-gpus": "0", "num-cpus": "0"},
            "template": _pod(job, "ray-head", {"cpu": "2", "memory": "8Gi"}),
        },
        "workerGroupSpecs": [
            {
                "groupName": "trials",
                "replicas": 1,
                "minReplicas": 0,
                "maxReplicas": job.nodes,
                "rayStartParams": {},
                "template": _pod(job, "ray-worker", _worker_resources(job)),
            }
        ],
    }
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {"name": job.name.lower().replace("_", "-").replace(".", "-")},
        "spec": {
            "entrypoint": _entrypoint(job),
            "submissionMode": "K8sJobMode",
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": 600,
            # A cluster that was lost is made again; the entrypoint goes on with the study.
            "backoffLimit": 3,
            "rayClusterSpec": cluster,
        },
    }


def _entrypoint(job: KubeRayJob) -> str:
    """Goes on with the study where it has begun, and begins it elsewhere."""
    where = ["--studies-dir", _AT, "--ray-address", "auto", "--plain"]
    run = shlex.join(["automl", "run", job.study_file, "--name", job.name, *where])
    resume = shlex.join(["automl", "resume", job.name, *where])
    known = shlex.quote(f"{_AT}/{job.name}/resolved.json")
    return f"bash -c {shlex.quote(f'if [ -e {known} ]; then {resume}; else {run}; fi')}"


def _worker_resources(job: KubeRayJob) -> dict[str, str]:
    found = {"cpu": str(job.cpus_per_node), "memory": job.memory}
    return found | ({_GPU: str(job.gpus_per_node)} if job.gpus_per_node else {})


def _pod(job: KubeRayJob, name: str, resources: dict[str, str]) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": name,
        "image": job.image,
        "resources": {"limits": resources, "requests": resources},
        # Data loaders hand images over in shared memory, of which a pod has 64 MB by itself.
        "volumeMounts": [
            {"name": _MEMORY, "mountPath": "/dev/shm"},  # noqa: S108 -- of a pod
            {"name": _SHARED, "mountPath": _AT},
        ],
    }
    volumes = [
        {"name": _MEMORY, "emptyDir": {"medium": "Memory"}},
        {"name": _SHARED, "persistentVolumeClaim": {"claimName": job.claim}},
    ]
    if job.secret:
        container["envFrom"] = [{"secretRef": {"name": job.secret}}]
    return {"spec": {"containers": [container], "volumes": volumes}}


def check_manifest(value: dict[str, Any]) -> None:
    """Makes sure that every field is one that RayJob of ray.io/v1 has, of its kind.

    Raises:
        ValueError: One is not; the error names it.
    """
    if (value.get("apiVersion"), value.get("kind")) != ("ray.io/v1", "RayJob"):
        raise ValueError("it is no RayJob of ray.io/v1")
    _check(value["spec"], _JOB_FIELDS, "spec")


def _check(value: Any, form: Any, where: str) -> None:
    if isinstance(form, list):
        for place, each in enumerate(value):
            _check(each, form[0], f"{where}[{place}]")
    elif isinstance(form, dict):
        for name, each in value.items():
            if name not in form:
                raise ValueError(f"{where}.{name} is no field of it")
            _check(each, form[name], f"{where}.{name}")
    elif form is not None and type(value) is not form:
        raise ValueError(f"{where} must be of the kind {form.__name__}")
