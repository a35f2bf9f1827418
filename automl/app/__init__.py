"""The use-cases (plan, run, resume, report, ...) and the only wiring between the other rooms."""
