"""Optuna behind HTTP: draws parameters of trials, decides which to stop, keeps what came of them."""
