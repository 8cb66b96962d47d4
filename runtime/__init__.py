"""The one place that builds things: settings, clock, ledger, feature reader, champions."""
