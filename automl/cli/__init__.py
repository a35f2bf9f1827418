"""The command line: argv to use-case, result to text, error to exit code; prints, alone."""
