"""How the ledger is kept: tables, dialects, statements as text, migrations, and what can go wrong."""
