"""``automl kuberay``: a study as a RayJob of a Kubernetes cluster."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl.cli.usage import Parser

    Commands = argparse._SubParsersAction[Parser]

__all__ = ["add_kuberay", "kuberay"]


def add_kuberay(commands: "Commands") -> None:
    """Declares the command."""
    text = "print a RayJob that runs a study on a Kubernetes cluster with KubeRay"
    command = commands.add_parser("kuberay", help=text, description=f"{text.capitalize()}.")
    command.epilog = "automl kuberay STUDY.yaml --image IMAGE --claim NAME | kubectl apply -f -"
    command.set_defaults(handler="automl.cli.kuberay_commands:kuberay")
    text = "the study file, by its path in the pods (studies are at /studies)"
    command.add_argument("study_file", metavar="STUDY.yaml", help=text)
    command.add_argument("--name", required=True, help="name of the study")
    command.add_argument("--image", required=True, help="image with automl and its trainer")
    text = "volume claim that the studies lie on, ReadWriteMany"
    command.add_argument("--claim", required=True, metavar="NAME", help=text)
    text = "secret whose entries become environment variables, such as AWS_ACCESS_KEY_ID"
    command.add_argument("--secret", default="", metavar="NAME", help=text)
    for name, least, default, text in (
        ("nodes", "N", 1, "worker pods at most"),
        ("gpus-per-node", "G", 1, "GPUs of a worker"),
        ("cpus-per-node", "C", 8, "CPUs of a worker"),
    ):
        command.add_argument(
            f"--{name}", type=int, default=default, metavar=least,
            help=f"{text} (default: {default})",
        )  # fmt: skip
    text = "memory of a worker (default: 32Gi)"
    command.add_argument("--memory", default="32Gi", metavar="SIZE", help=text)


def kuberay(arguments: argparse.Namespace) -> int:
    """Prints the manifest."""
    from importlib.metadata import version

    from automl.app.kuberay import KubeRayJob, manifest
    from automl.study.folder import check_name
    from automl.yamltext import dump_yaml

    job = KubeRayJob(
        name=check_name(arguments.name),
        image=arguments.image,
        ray_version=version("ray"),
        study_file=arguments.study_file,
        claim=arguments.claim,
        nodes=arguments.nodes,
        gpus_per_node=arguments.gpus_per_node,
        cpus_per_node=arguments.cpus_per_node,
        memory=arguments.memory,
        secret=arguments.secret,
    )
    sys.stdout.write(dump_yaml(manifest(job)))
    return 0
