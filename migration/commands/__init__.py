"""The commands of `sluiceway migrate`, one module each: `add_arguments(parser)` and `run(args)`."""
