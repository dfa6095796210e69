"""Workers of a Ray cluster, one picture each at a time; one that ends is replaced, and its picture given to another.

Ray could try again by itself, but on the worker that ended, which may wait for ever for room on a smaller cluster; and
a picture that ends every worker would be tried for ever. Here each is tried three times.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from cleancut.errors import BadSetting, CleancutError, ClusterFailed, GivenUp
from cleancut.jobs.batch.nouns import Review
from cleancut.jobs.batch.work import Made, Way
from cleancut.jobs.cluster.worker import Share, Worker
from cleancut.limits import Limits
from cleancut.models.runtime import Load
from cleancut.types import Picture

TRIES = 3
"""How often work on a picture is begun, if the worker ends."""

_STARTS = 3
"""Workers that may end as they start, for each that is wanted, before the cluster is given up."""

_SENT = 32
"""Pictures that recipes name which the cluster holds at once."""

_LOOK = 0.2
"""Seconds between looks at whether the caller wants to stop."""


class Pool:
    """So many workers, as far as the cluster has room for them.

    Args:
        ray: the module, joined to a cluster.
        share: what each worker gets of its node.
        count: workers; 0 is as many as the cluster has room for now.
        models: loaded by each worker before its first picture.

    Attributes:
        count: workers that are wanted.

    Raises:
        BadSetting: the cluster has room for none.
    """

    def __init__(self, ray: ModuleType, share: Share, count: int, models: Sequence[str]) -> None:
        self._ray, self._share, self._models = ray, share, tuple(models)
        self.count = count or room_for(ray.cluster_resources(), share)
        needs = {"num_cpus": share.cpus, "num_gpus": share.gpus, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        if share.memory:
            needs["memory"] = share.memory
        self._actor = ray.remote(**needs)(Worker)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._starting: dict[Any, Any] = {}  # workers by what tells that they are ready
        self._lock = threading.Lock()
        self._failure: CleancutError | None = None
        self._ended = 0
        self._closed = threading.Event()
        self._sent: dict[int, tuple[Picture, Any]] = {}
        for _ in range(self.count):
            self._hire()
        self._clerk = threading.Thread(target=self._look_after, name="cleancut-hire", daemon=True)
        self._clerk.start()

    def close(self) -> None:
        """End all workers."""
        self._closed.set()
        self._clerk.join()
        while not self._idle.empty():
            self._ray.kill(self._idle.get())
        for actor in self._starting.values():
            self._ray.kill(actor)

    def cut(
        self,
        source: bytes,
        ways: Sequence[Way],
        *,
        load: Load,
        assets: Mapping[str, Picture],
        limits: Limits,
        review: Review | None = None,
        check: Callable[[], None] = lambda: None,
        name: str | None = None,
    ) -> Iterator[Made | CleancutError]:
        """Cut one picture on some node, as `jobs.batch.work` does here; `load` is not asked, workers have their own.

        Raises:
            ClusterFailed: no worker can be had.
            Stopped: as `check` says.
        """
        sent = {key: self._put(picture) for key, picture in assets.items()}
        for _ in range(TRIES):
            actor = self._take(check)
            try:
                made = self._done(actor, (source, ways, sent, limits, review, name), check)
            except self._ray.exceptions.RayTaskError as error:  # the worker lives; nobody foresaw what it raised
                self._idle.put(actor)
                raise _cause(error) from error
            except self._ray.exceptions.RayError:  # the worker, its node or what it has answered is gone
                self._let_go(actor)
                continue
            self._idle.put(actor)
            yield from made
            return
        told = f"The worker ended each of the {TRIES} times it worked on this picture; it may need more memory."
        yield from [GivenUp(told)] * len(ways)

    def _done(self, actor: Any, given: tuple[Any, ...], check: Callable[[], None]) -> list[Made | CleancutError]:
        source, ways, sent, limits, review, name = given
        answer = actor.cut.remote(source, ways, sent, limits, review, name)
        while not self._ray.wait([answer], timeout=_LOOK)[0]:
            check()
        made: list[Made | CleancutError] = self._ray.get(answer)
        return made

    def _take(self, check: Callable[[], None]) -> Any:
        """Wait for a worker that is free."""
        while True:
            check()
            if self._failure is not None:
                raise self._failure
            try:
                return self._idle.get(timeout=_LOOK)
            except queue.Empty:
                continue

    def _let_go(self, actor: Any) -> None:
        """Have another worker in place of one that ended."""
        self._ray.kill(actor)
        if not self._closed.is_set():
            self._hire()

    def _hire(self) -> None:
        actor = self._actor.remote(self._share)
        with self._lock:
            self._starting[actor.ready.remote(self._models)] = actor

    def _look_after(self) -> None:
        """Put workers to work once they are ready, and replace those that end before."""
        while not self._closed.is_set():
            with self._lock:
                waiting = list(self._starting)
            if not waiting:
                self._closed.wait(_LOOK)
                continue
            for ref in self._ray.wait(waiting, timeout=_LOOK)[0]:
                with self._lock:
                    actor = self._starting.pop(ref)
                self._started(ref, actor)

    def _started(self, ref: Any, actor: Any) -> None:
        try:
            self._ray.get(ref)
        except CleancutError as error:  # the same on every node: the model, the device
            self._failure = _cause(error)
        except self._ray.exceptions.RayError as error:
            self._ended += 1
            if self._ended > _STARTS * self.count:
                self._failure = ClusterFailed("Workers end as they start; do all nodes have this version of cleancut?")
                self._failure.__cause__ = error
            else:
                self._hire()
        else:
            self._ended = 0
            self._idle.put(actor)

    def _put(self, picture: Picture) -> Any:
        """Send a picture that recipes name to the cluster once, however many pictures are cut with it."""
        with self._lock:
            if id(picture) not in self._sent:
                while len(self._sent) >= _SENT:
                    del self._sent[next(iter(self._sent))]
                self._sent[id(picture)] = (picture, self._ray.put(picture))
            return self._sent[id(picture)][1]


def _cause(error: Any) -> Any:
    """Give what was raised in a worker; Ray wraps it in a page of text."""
    return getattr(error, "cause", None) or error


def room_for(resources: Mapping[str, float], share: Share) -> int:
    """Count the workers that a cluster has room for.

    >>> room_for({"CPU": 8, "GPU": 1}, Share(gpus=0.25))
    4

    Raises:
        BadSetting: there is room for none.
    """
    wanted = {"CPU": share.cpus, "GPU": share.gpus, "memory": float(share.memory)}
    room = min(int(resources.get(name, 0.0) / each + 1e-6) for name, each in wanted.items() if each)
    if room < 1:
        told = ", ".join(f"{each:g} {name}" for name, each in wanted.items() if each)
        raise BadSetting(f"The cluster has no room for one worker of {told}; ask for less, or add nodes.")
    return room
