"""From on-wiki schemas of draft 3 to draft-07 in a repository, and what they mean there."""
