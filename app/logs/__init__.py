"""What the service says about itself, on standard error: one bounded line for each thing said."""

from app.logs.setup import ACCESS, complain, configure_logs

__all__ = ["ACCESS", "complain", "configure_logs"]
