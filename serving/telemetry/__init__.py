"""What a worker tells of itself: log lines, metrics, timings."""
