"""Everything that speaks Kafka: an agency's own two topics at the hub's broker."""
