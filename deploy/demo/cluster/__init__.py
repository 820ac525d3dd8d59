"""`make run-cluster`: the demo on PostgreSQL and three Kafka brokers, the hub as six processes."""
