"""The way of an event: decode, stream, schema, enrich, validate, produce, outcome."""
