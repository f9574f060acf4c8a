"""The Kafka sink: acknowledged means that all in-sync replicas have it.

It stands on aiokafka's connections, protocol and record format, and does the producing itself: what
happens to a batch between the queue and the acknowledgement is what this service answers for (see
docs/kafka.md for what was measured and decided).
"""
