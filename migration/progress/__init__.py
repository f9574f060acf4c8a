"""How far each schema has come on its way from the wiki to the repository, and what is next."""
