"""What the exit codes mean, as every command that drives a study says it."""

__all__ = ["EXIT_CODES"]

EXIT_CODES = """\
exit codes:
  0    finished with a usable trial (policy off: the training succeeded)
  1    an error inside automl itself
  2    a flag, study file, spec, skill or data set breaks a rule
  3    the machine lacks something the study needs
  4    finished, but no trial is usable (policy off: the training failed)
  5    stopped itself: a row of trials failed of one cause, or half of all failed (--failed-share)
  6    --require is not met; automl reproduce: trained again, and a metric differs
  7    the study is in use, or is not what it was
  75   stopped early, can be resumed
  130  stopped by Ctrl-C, can be resumed (143: by SIGTERM, 129: its terminal was closed)
"""
