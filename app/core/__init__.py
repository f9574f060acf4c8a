"""What travels through the house, and nothing that does I/O."""
