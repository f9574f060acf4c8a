"""Tools that move a schema from the old system to the new and prove that it means the same."""
