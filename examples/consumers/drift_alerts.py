"""Prints drift alerts from Kafka. Needs nothing of Atlas: only the brokers and the schema registry.

    pip install "confluent-kafka[avro,schemaregistry]"
    python drift_alerts.py localhost:9092 http://localhost:8081 [atlas.drift]
"""

import signal
import sys
from datetime import datetime, timedelta, timezone

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

NEWS = timedelta(days=1)


def is_news(meta: dict) -> bool:
    """Leaves out what is tried on a branch, what a rebuild published again, and what an import or a first start finds."""
    derivation = meta["derivation"] or {}
    if derivation.get("branch") is not None or derivation.get("revision", 0) > 0:
        return False
    return datetime.now(timezone.utc) - meta["occurred_at"] < NEWS


def main(brokers: str, registry: str, topic: str = "atlas.drift") -> None:
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "drift-pager",
            # A group without a place begins at the start: what is appended while it joins is not missed.
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    running = True

    def stop(*_: object) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    seen: dict[str, int] = {}
    try:
        while running:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                # Brokers that go away come back; the client reconnects by itself.
                print(message.error(), file=sys.stderr, flush=True)
                continue
            event = decode(message.value(), SerializationContext(topic, MessageField.VALUE))
            meta = event["meta"]
            # After a crash of its writer an event may stand in the topic twice.
            if meta["sequence"] > seen.get(meta["source"], -1):
                seen[meta["source"]] = meta["sequence"]
                if event.get("alert") and is_news(meta):
                    what = f"{event['direction']} in {event['reason']}: {event['message']}"
                    print(f"{event['learning_key']}: {what} (session {meta['session_id']})", flush=True)
            # Only now is it done with: what is not committed comes again after a crash.
            consumer.commit(message, asynchronous=False)
    finally:
        consumer.close()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
