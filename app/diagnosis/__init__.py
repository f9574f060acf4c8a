"""Looks at everything a service depends on, and says what to do. Changes nothing.

Each module looks at one thing and returns findings; `examination` reads the settings and puts them
together.
"""
