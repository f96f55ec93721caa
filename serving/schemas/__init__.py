"""What requests, answers and refusals look like."""
