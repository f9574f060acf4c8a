"""Which partitions a record may go to; answers for topics that do not exist without asking long."""

import asyncio
import itertools
import time
from collections.abc import Sequence

from app.core.errors import EventError, SinkUnavailable, TopicUnavailable
from app.sinks.kafka.broker import BrokerUnreachable
from app.sinks.kafka.metadata import LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC, Metadata
from app.sinks.kafka.supervisor import Supervisor
from app.sinks.kafka.verdicts import name_of

MAX_REMEMBERED = 1_000
MOST_TOPICS = 200
_LOOK_AGAIN = 0.1
_HINT = "Send it again after a pause."


class _Question:
    """A topic that is asked for, until when, and the answer that many may await."""

    __slots__ = ("answer", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.answer: asyncio.Future[EventError | None] = asyncio.get_running_loop().create_future()


class Topics:
    """Knows topics, asks for those it does not know, and remembers those that are not there.

    A question takes at most `patience` seconds, however many ask it; its bad answer is given for
    `remember` seconds without asking again. Questions of one moment go out together. What is
    remembered is bounded.
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
        self._open: dict[str, _Question] = {}
        self._asking: asyncio.Task[None] | None = None
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
        question = self._open.get(topic)
        if question is None:
            question = self._open[topic] = _Question(time.monotonic() + self._patience)
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(question.answer)

    def gone(self, topic: str) -> EventError:
        """Remember that a topic does not exist any more; return what to tell."""
        return self._remembered(topic, _missing(topic, create=self._create))

    async def close(self) -> None:
        """Answer those who still wait."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        for topic in list(self._open):
            self._settle(topic, SinkUnavailable("The service is stopping.", hint=_HINT))

    async def _ask(self) -> None:
        """Ask until every question is answered, or too old."""
        try:
            await asyncio.sleep(0)  # more of the same moment
            while self._open:
                topics = list(itertools.islice(self._open, MOST_TOPICS))
                trouble = await self._ask_for(topics)
                now = time.monotonic()
                left = [t for t in topics if t in self._open]
                for topic in left:
                    if self._open[topic].until <= now:
                        self._settle(topic, _undecided(topic, trouble))
                    else:  # behind those that were not asked for yet
                        self._open[topic] = self._open.pop(topic)
                if left:
                    await asyncio.sleep(_LOOK_AGAIN)
        finally:
            self._asking = None

    async def _ask_for(self, topics: Sequence[str]) -> str:
        """Ask once and settle what can be settled; return why the others cannot."""
        producer = self._supervisor.producer
        if producer is None:
            return ""
        try:
            async with asyncio.timeout(self._patience):
                codes = await producer.look_up(topics, create=self._create)
        except (BrokerUnreachable, TimeoutError):
            return ""
        trouble = ""
        now = time.monotonic()
        for topic, code in codes.items():
            if code == 0:
                self._metadata.touch(topic, now)
                self._settle(topic, None)
            elif self._may_yet_come(code):
                trouble = name_of(code)
            else:
                self._settle(topic, self._remembered(topic, self._refusal(topic, code)))
        return trouble

    def _settle(self, topic: str, answer: EventError | None) -> None:
        question = self._open.pop(topic, None)
        if question is not None and not question.answer.done():
            question.answer.set_result(answer)

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


def _undecided(topic: str, trouble: str) -> SinkUnavailable:
    return SinkUnavailable(
        f"It could not be found out where Kafka has the topic {topic}: "
        f"{trouble or 'no broker answered in time'}.",
        hint=_HINT,
    )


def _missing(topic: str, *, create: bool) -> TopicUnavailable:
    hint = f"An operator must create it: kafka-topics.sh --create --topic {topic} ..."
    if not create:
        hint += " (or set sink.create_topics, if the brokers are to create topics by themselves)"
    return TopicUnavailable(f"Kafka has no topic {topic}.", hint=hint)
