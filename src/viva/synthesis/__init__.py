"""Synthesis: steps that turn items and responses into training data, each with its provenance."""

__all__: list[str] = []
