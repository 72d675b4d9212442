"""Commands for records of any type, made from the declaration of the type."""
