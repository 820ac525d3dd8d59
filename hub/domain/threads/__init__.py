"""Coordination threads: rooms between agencies, over one or several cases. Pure, as all of the domain."""
