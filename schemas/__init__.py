"""The shared schemas of the hub: the registry that validates and explains, regions and categories."""
