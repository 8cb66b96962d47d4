"""From the lake to registered models: labels, point-in-time sets, fits, backtests, gates."""
