"""The data model: one module per resource, named in the singular."""
