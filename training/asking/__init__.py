"""What routes are made of: pools of items, orders, and what answers say beside scores."""
