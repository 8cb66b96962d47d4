"""Who: customers, contacts, wishes, the consent journal, and how all of it is forgotten."""
