"""Events made up from old schemas, and a search for those that both judges do not agree on."""
