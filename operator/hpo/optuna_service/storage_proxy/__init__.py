"""Optuna's gRPC storage proxy for users' own scripts, confined to the studies of their namespace."""
