"""The embedded broker: a message is taken once, whole, in the order it came, by one of any number of takers."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from metamapper.lib.brokers import broker_settings, folder_url

QUEUE = Queue("inspections", Exchange("inspections", type="direct"), routing_key="inspections")
OTHER = Queue("default", Exchange("default", type="direct"), routing_key="default")


def connected(home: Path) -> Connection:
    return Connection(folder_url(), transport_options=broker_settings(folder_url(), home)["broker_transport_options"])


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with connected(tmp_path) as connection:
        yield connection


def put(connection: Connection, *bodies: object, queue: Queue = QUEUE) -> None:
    with connection.Producer() as producer:
        for body in bodies:
            producer.publish(body, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue])


def take(connection: Connection, queue: Queue = QUEUE) -> Any:
    with connection.SimpleQueue(queue) as simple:
        message = simple.get(block=False)
        message.ack()
        return message.payload


def test_messages_come_in_order_and_once(connection: Connection) -> None:
    put(connection, 1, 2, 3)
    assert [take(connection) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Empty):
        take(connection)


def test_queues_are_apart(connection: Connection) -> None:
    put(connection, "inspect")
    put(connection, "mail", queue=OTHER)
    assert take(connection, OTHER) == "mail"
    assert take(connection) == "inspect"


def test_the_folder_is_for_its_owner_only(connection: Connection, tmp_path: Path) -> None:
    put(connection, 1)
    assert stat.S_IMODE((tmp_path / "broker").stat().st_mode) == 0o700


def test_what_is_not_a_message_is_dropped(connection: Connection, tmp_path: Path) -> None:
    put(connection, 1)
    (tmp_path / "broker" / "0.inspections.message").write_bytes(b"\xff{not json")
    assert take(connection) == 1
    assert not list((tmp_path / "broker").iterdir())


def test_events_are_not_kept(connection: Connection, tmp_path: Path) -> None:
    events = Exchange("celeryev", type="topic")
    with connection.Producer() as producer:
        producer.publish({}, exchange=events, routing_key="worker.heartbeat", declare=[events])
    assert not list(tmp_path.rglob("*.message"))


def test_many_takers_take_each_message_once(tmp_path: Path) -> None:
    with connected(tmp_path) as producer:
        put(producer, *range(200))
    taken: list[int] = []

    def take_all() -> None:
        with connected(tmp_path) as mine:
            try:
                while True:
                    taken.append(take(mine))
            except Empty:
                return

    threads = [threading.Thread(target=take_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(200))
