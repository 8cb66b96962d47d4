"""From features to a reserved decision: policy, catalogue, eligibility, value, choice, ledger."""
