#!/bin/sh
# Formats an empty folder once, then the broker in the foreground. -f: the class path's * is Java's to expand.
set -euf
settings=/mnt/shared/config/server.properties
java="java ${KAFKA_HEAP_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${KAFKA_OPTS:-} -cp /opt/kafka/libs/*"
$java kafka.tools.StorageTool format --ignore-formatted -t "${CLUSTER_ID:-MkU3OEVBNTcwNTJENDM2Qg}" -c $settings
exec $java kafka.Kafka $settings
