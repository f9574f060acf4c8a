"""Who sends: API keys and tokens, and what they prove."""
