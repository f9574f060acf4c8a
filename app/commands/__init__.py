"""The commands of `sluiceway`, one module each: `add_arguments(parser)` and `run(args)`."""
