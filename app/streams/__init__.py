"""Stream configurations: which streams exist and what each of them takes."""
