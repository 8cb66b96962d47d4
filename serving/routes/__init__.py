"""The endpoints of ``/v1``, one module a noun."""
