"""The items of an order, one module per item class."""
