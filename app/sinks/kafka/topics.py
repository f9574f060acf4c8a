"""Which partitions a record may go to; answers for topics that do not exist without asking long."""

import asyncio
import time
from collections.abc import Sequence

from app.core.errors import EventError, SinkUnavailable, TopicUnavailable
from app.sinks.kafka.broker import BrokerUnreachable
from app.sinks.kafka.metadata import LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC, Metadata
from app.sinks.kafka.supervisor import Supervisor
from app.sinks.kafka.verdicts import name_of

MAX_REMEMBERED = 1_000
_LOOK_AGAIN = 0.1


class Topics:
    """Knows topics, asks for those it does not know, and remembers those that are not there.

    A question takes at most `patience` seconds, however many ask it; its bad answer is given for
    `remember` seconds without asking again. Both kinds of memory are bounded.
    """

    def __init__(
        self,
        *,
        metadata: Metadata,
        supervisor: Supervisor,
        create: bool,
        patience: float = 0.8,
        remember: float = 5.0,
    ) -> None:
        self._metadata = metadata
        self._supervisor = supervisor
        self._create = create
        self._patience = 5.0 if create else patience
        self._remember = remember
        self._asked: dict[str, asyncio.Task[EventError | None]] = {}
        self._absent: dict[str, tuple[float, EventError]] = {}

    def leaders(self, topic: str) -> Sequence[int] | None:
        """Return the leader of each partition, None if the topic must be looked up first."""
        return self._metadata.leaders.get(topic)

    async def look_up(self, topic: str) -> EventError | None:
        """Return None once the topic is known, else why records for it cannot be taken."""
        absent = self._absent.get(topic)
        if absent is not None:
            if absent[0] > time.monotonic():
                return absent[1]
            del self._absent[topic]
        question = self._asked.get(topic)
        if question is None:
            question = asyncio.create_task(self._answer(topic))
            self._asked[topic] = question
            question.add_done_callback(lambda _: self._asked.pop(topic, None))
        return await asyncio.shield(question)

    def gone(self, topic: str) -> EventError:
        """Remember that a topic does not exist any more; return what to tell."""
        return self._remembered(topic, _missing(topic, create=self._create))

    async def close(self) -> None:
        """Answer those who still wait."""
        for question in list(self._asked.values()):
            question.cancel()
        await asyncio.gather(*self._asked.values(), return_exceptions=True)

    async def _answer(self, topic: str) -> EventError | None:
        code = LEADER_NOT_AVAILABLE
        trouble = "no broker answered in time"
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    producer = self._supervisor.producer
                    if producer is not None:
                        try:
                            code = await producer.look_up(topic, create=self._create)
                        except BrokerUnreachable as error:
                            trouble = str(error)
                        else:
                            if code == 0:
                                self._metadata.touch(topic, time.monotonic())
                                return None
                            if not self._may_yet_come(code):
                                return self._remembered(topic, self._refusal(topic, code))
                            trouble = name_of(code)
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError:
            return SinkUnavailable(
                f"It could not be found out where Kafka has the topic {topic}: {trouble}.",
                hint="Send it again after a pause.",
            )

    def _may_yet_come(self, code: int) -> bool:
        return code == LEADER_NOT_AVAILABLE or (self._create and code == UNKNOWN_TOPIC)

    def _refusal(self, topic: str, code: int) -> EventError:
        if code == UNKNOWN_TOPIC:
            return _missing(topic, create=self._create)
        return TopicUnavailable(
            f"Kafka does not let this service use the topic {topic}: {name_of(code)}.",
            hint="An operator must give it the right to describe and write that topic.",
        )

    def _remembered(self, topic: str, failure: EventError) -> EventError:
        while len(self._absent) >= MAX_REMEMBERED:
            del self._absent[next(iter(self._absent))]
        self._absent[topic] = (time.monotonic() + self._remember, failure)
        return failure


def _missing(topic: str, *, create: bool) -> TopicUnavailable:
    hint = f"An operator must create it: kafka-topics.sh --create --topic {topic} ..."
    if not create:
        hint += " (or set sink.create_topics, if the brokers are to create topics by themselves)"
    return TopicUnavailable(f"Kafka has no topic {topic}.", hint=hint)
