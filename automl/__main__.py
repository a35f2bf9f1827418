"""``python -m automl``: the same program as the ``automl`` command."""

from automl.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
