"""The spool: records that wait on this machine's disk until the sink takes them again."""
