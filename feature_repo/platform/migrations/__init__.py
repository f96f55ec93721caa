"""Alembic migrations of the platform tables."""
