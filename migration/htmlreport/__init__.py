"""One HTML file that shows what was found to people who do not read code."""
