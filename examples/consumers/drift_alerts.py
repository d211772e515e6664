"""Prints drift alerts from Kafka. Needs nothing of Atlas: only the brokers and the schema registry.

    pip install confluent-kafka[avro,schema-registry]
    python drift_alerts.py localhost:9092 http://localhost:8081
"""

import sys

from confluent_kafka import DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer


def main(brokers: str, registry: str) -> None:
    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "drift-pager",
            "auto.offset.reset": "earliest",
            "value.deserializer": AvroDeserializer(SchemaRegistryClient({"url": registry})),
        }
    )
    consumer.subscribe(["atlas.drift"])
    while True:
        message = consumer.poll(1.0)
        if message is None or message.error():
            continue
        event = message.value()
        if event["alert"]:
            print(f"{event['learning_key']}: {event['direction']} in {event['reason']}: {event['message']}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
