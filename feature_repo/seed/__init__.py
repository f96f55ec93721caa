"""Worlds for the source databases: real task histories, and a synthetic one."""
