"""Years of old cases from a file (`simpul import`): rows are read, mapped, prepared and taken in chunks."""
