"""Search for settings: what may vary, on which rows it is judged, and what was tried."""
