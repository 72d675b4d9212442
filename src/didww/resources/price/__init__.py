"""The prices of an account's plans, one module per service. They share the type `prices`; the service tells them apart."""
