"""The declaration of resources: records, fields, types, rules, filters."""
