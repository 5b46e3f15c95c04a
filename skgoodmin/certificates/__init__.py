"""What is known of a trained network, and of all others: bounds and witnesses."""
