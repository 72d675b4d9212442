"""The prices of an account's plans, one module per price list. All are of the type `prices`."""
