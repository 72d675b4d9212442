"""How a declaration of a resource works: records, fields, types, rules, filters."""
