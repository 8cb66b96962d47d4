"""What a shop and its delivery layer see of the truth, as events."""
