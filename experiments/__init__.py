"""Did it help? Design and analysis of experiments."""
