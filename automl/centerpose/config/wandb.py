"""The ``wandb`` block: logging to Weights & Biases."""

from dataclasses import dataclass

from automl.centerpose.config.fields import Facts, setting

__all__ = ["Wandb"]


@dataclass(frozen=True, slots=True)
class Wandb:
    """Where and how an action reports to Weights & Biases."""

    enable: bool = setting(
        True,
        Facts(
            "Log to Weights & Biases",
            "Sends metrics to Weights & Biases. The container needs a login for it and goes on "
            "without one; the trainer of this package never sends anything.",
        ),
    )
    project: str = setting(
        "TAO Toolkit", Facts("Project", "Project that the logged trainings are filed under.")
    )
    entity: str = setting(
        "",
        Facts(
            "Entity",
            "Team or user account that owns the project. Empty means the account's own default.",
            optional=True,
        ),
    )
    group: str = setting(
        "",
        Facts(
            "Group",
            "Name that keeps related trainings together, such as the trials of one study.",
            optional=True,
        ),
    )
    tags: tuple[str, ...] = setting(
        ("tao-toolkit",), Facts("Tags", "Labels to filter trainings by.")
    )
    reinit: bool = setting(
        False, Facts("Allow a second start", "Lets one process begin a second logged training.")
    )
    sync_tensorboard: bool = setting(
        False,
        Facts("Mirror TensorBoard", "Copies what TensorBoard receives into the logged training."),
    )
    save_code: bool = setting(
        False, Facts("Save code", "Uploads the main script beside the metrics.")
    )
    name: str = setting(
        "TAO Toolkit Training",
        Facts("Display name", "Name under which the training appears in the project."),
    )
    run_id: str = setting(
        "",
        Facts(
            "Identifier",
            "Identifier of a logged training to continue. Empty starts a new one.",
        ),
    )
