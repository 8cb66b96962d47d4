"""Where strategies play: the same questions, rules and log for everybody."""
