"""The `kairos` command and its jobs."""
