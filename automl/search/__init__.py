"""The search engine over an Optuna study: what to try, what to stop, what was learnt."""
