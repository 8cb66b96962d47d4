"""Pure numbers: intervals, scores, calibration, off-policy estimates. Imports nothing of Kairos."""
