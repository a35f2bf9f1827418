"""What usually fixes each class of failure, in one sentence for a reader of a report."""

from collections.abc import Mapping

from automl.study.records import FailureClass

__all__ = ["ADVICE"]

ADVICE: Mapping[FailureClass, str] = {
    FailureClass.OOM: "lower the batch or image size, or narrow its range with --search",
    FailureClass.DIVERGED: "lower the upper end of the learning rate's range",
    FailureClass.NO_METRIC: "compare the objective with the metrics in the trial's status.json",
    FailureClass.DATA: "fix the file that the evidence names; automl data check finds more",
    FailureClass.SPEC: "take the refused setting out of --set and --search",
    FailureClass.IMAGE: "check that the container image is on this machine and starts",
    FailureClass.GPU: "look at the driver's log; the device or its driver is at fault",
    FailureClass.SHM: "give the container more shared memory, or the loader fewer workers",
    FailureClass.DISK: "free space on the disk that holds the study, or keep fewer checkpoints",
    FailureClass.HANG: "raise --trial-timeout if the training only was slow",
    FailureClass.KILLED: "find out who ended the process: the out-of-memory killer, or a person",
    FailureClass.UNKNOWN: "read the end of the trial's log.txt",
}
