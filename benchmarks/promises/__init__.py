"""The promises P1–P8 under load, kills and faults, counted; and what they cost beside the bare driver."""
