"""What people type: options in, jobs run, answers drawn. Heavy libraries are imported when a command runs."""
