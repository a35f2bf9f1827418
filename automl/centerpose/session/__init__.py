"""What every action runs within: its status file, signals, failures and checkpoints."""
