"""The versions that a worker serves, and how it follows the registry."""
