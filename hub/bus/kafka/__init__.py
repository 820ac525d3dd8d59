"""The broker port on Apache Kafka (kafka-python 3)."""
