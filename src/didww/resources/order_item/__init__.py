"""What an order holds: a class for each kind of item, in a module of its own."""
