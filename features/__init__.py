"""From raw files to features: contracts, importer, event lake, feature tables, Feast."""
