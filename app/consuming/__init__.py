"""Old raw lines, from Kafka or a file, through the service's own pipeline into its sink."""
