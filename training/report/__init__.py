"""What is written about a model: its card, plots, and its page in the docs."""
