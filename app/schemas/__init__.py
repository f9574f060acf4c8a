"""Schemas by URI: fetched from repositories, made whole, compiled, explained."""
