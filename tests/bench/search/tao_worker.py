"""NVIDIA's tao_automl behind two pipes: run by a Python that has it, not by this project's.

Reads one JSON object a line. The first says what is searched; each later one is ``{"ask": true}``,
answered with the recommendations, or ``{"report": id, "value": x, "failed": b}``, answered with
whether the search is complete. Only the documented calls of ``tao_automl.AutoML`` are made.
"""

import importlib
import json
import logging
import sys


def main() -> None:
    logging.disable(logging.CRITICAL)
    # The package writes to stdout; the pipe is kept for the answers.
    out, sys.stdout = sys.stdout, sys.stderr
    automl = importlib.import_module("tao_automl").AutoML

    asked = json.loads(sys.stdin.readline())
    search = automl(
        workspace=asked["workspace"],
        network="bench",
        train_specs=asked["specs"],
        settings=asked["settings"],
        automl_hyperparameters=asked["names"],
        custom_param_ranges=asked["ranges"],
        search_schema=asked["schema"],
    )
    for line in sys.stdin:
        command = json.loads(line)
        if command.get("ask"):
            recommendations = [] if search.is_complete() else search.next_recommendation()
            answer: object = [
                {"id": each.id, "specs": dict(each.specs), "from": each.resume_from_epoch or 0}
                for each in recommendations
            ]
        else:
            status = "failure" if command["failed"] else "success"
            search.report_result(command["report"], command["value"], status=status)
            answer = search.is_complete()
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
