"""HTTP: one module for each wire, and what they share."""
