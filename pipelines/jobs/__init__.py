"""The jobs behind the command: each a plain function with a verb for a name, usable from a notebook as well."""
