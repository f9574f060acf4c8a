"""The soak: honest clients, abusive ones and random faults for minutes, and accounts at the end."""
