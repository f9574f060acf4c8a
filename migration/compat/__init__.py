"""Comparison of two schemas: what is proven, what is broken (by an example), what is not known."""
