"""Learners that the real suite measures on public data; the products use those in training/trainers."""
