"""The engine: chooses a device, loads networks, keeps them. The only object with state.

>>> engine = Engine(device="cpu")
>>> engine.load("cleancut-small").provider
'cpu'
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cleancut.errors import Broken, DeviceFailed, ModelFailed
from cleancut.limits import processors
from cleancut.models import openvino, sessions, weights
from cleancut.models.devices import DEVICES, PRECISIONS, TABLE, Choice, candidates, check
from cleancut.models.registry import Model, file_model, registry
from cleancut.models.sessions import silent_onnxruntime
from cleancut.models.triton import address, connection
from cleancut.types import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEVICES", "PRECISIONS", "Engine", "Load", "Loaded", "available", "engine", "silent_onnxruntime"]

_STARTS: Mapping[str, Callable[[Model, bytes, Choice, int], Network]] = {
    "onnxruntime": sessions.start,
    "openvino": openvino.start,
}

_ARENA = 400
"""Bytes that running a network takes for each byte of its input: 43 to 400 were measured (docs/decisions/0008)."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A network ready to run, with what a report says of it.

    Attributes:
        model: its table.
        network: the function.
        provider: the device that runs it, such as "cpu" or "cuda:1".
        sha256: of its weights; empty where it has none.
        precision: the arithmetic of its float32 layers; layers that the file has in 8 bits stay in 8 bits.
        notes: which better devices are installed and could not be used, a sentence each.
    """

    model: Model
    network: Network
    provider: str
    sha256: str
    precision: str = "fp32"
    notes: tuple[str, ...] = ()


Load: TypeAlias = Callable[[str], Loaded]
"""Takes a model's name. In life `Engine.load`, in tests any function."""


class Engine:
    """Loads networks and keeps the ones used last, up to a bound in bytes. Threads may share it.

    Args:
        device: one of `DEVICES`, with a number where there are several ("cuda:1"), or "auto": the best that is
            installed and starts. One that is asked for and absent is an error. "triton://host:port" is a server.
        max_bytes: bound on the memory of the networks kept, as estimated; the one in use always stays.
        threads: threads of one network on the CPU; by default the processors this process may use.
        precision: one of `PRECISIONS`; what the device cannot do is an error.

    Raises:
        DeviceFailed: there is no such device, or it never computes in that precision.
        BadSetting: there is no such precision.
    """

    def __init__(
        self,
        device: str = "auto",
        max_bytes: int = 2_000_000_000,
        threads: int | None = None,
        precision: str = "auto",
    ) -> None:
        check(device, precision)
        self.device = device
        self.precision = precision
        self.max_bytes = max_bytes
        self.threads = threads or processors()
        self._files: dict[str, Model] = {}
        self._kept: OrderedDict[str, tuple[Loaded, int]] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def model(self, name: str) -> Model:
        """Give a model by name, those added from files included.

        Raises:
            UnknownModel: there is none of that name.
        """
        return self._files.get(name) or registry()[name]

    def add(self, path: str | Path, like: str) -> str:
        """Add an ONNX file that takes and answers what the model `like` does; give the name it goes by.

        Raises:
            UnknownModel: there is no model `like`.
            NotDownloaded: the file cannot be read.
        """
        model = file_model(Path(path), self.model(like))
        with self._lock:
            if self._files.get(model.name) != model:  # the same file, like another model now
                self._kept.pop(model.name, None)
            self._files[model.name] = model
        return model.name

    def load(self, name: str) -> Loaded:
        """Give a model's network, from memory where it was loaded before.

        Raises:
            UnknownModel, NotDownloaded, WrongHash: as the registry and the weights say.
            DeviceFailed: the device is absent or cannot be started.
            ModelFailed: the file is not a graph that can run.
        """
        model = self.model(name)
        if not model.weights:
            return Loaded(model, _no_network, "cpu", "")
        if model.settings:  # of one network there is one copy, whatever it is asked for
            return replace(self.load(name.partition(":")[0]), model=model)
        name = model.name  # an alias must not load a second copy
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:  # one lock a name: two threads never load one network twice, nor wait for another's
            with self._lock:
                if name in self._kept:
                    self._kept.move_to_end(name)
                    return self._kept[name][0]
            loaded, size = self._found(model) if address.is_one(self.device) else self._read(model)
            with self._lock:
                self._kept[name] = (loaded, size)
                self._drop_oldest()
            return loaded

    def _read(self, model: Model) -> tuple[Loaded, int]:
        """Start a network from its weights; tell the memory it takes."""
        data, sha256 = weights.read(model)
        return self._started(model, data, sha256), footprint(model, len(data))

    def _found(self, model: Model) -> tuple[Loaded, int]:
        """Find a network on a server; it takes no memory here."""
        from cleancut.models.triton.served import served  # noqa: PLC0415 - most never ask a server

        found = served(model, self.device, lambda: self._forget(model.name))
        if self.precision not in ("auto", found.precision):
            raise DeviceFailed(f"{found.provider} computes in {found.precision}; leave the precision to the server.")
        return Loaded(model, found.network, found.provider, found.sha256, found.precision), 0

    def _forget(self, name: str) -> None:
        with self._lock:
            self._kept.pop(name, None)

    def _started(self, model: Model, data: bytes, sha256: str) -> Loaded:
        """Start a network on the first device that takes it; the last one's failure is everybody's."""
        *better, last = candidates(self.device, self.precision, available())
        notes: list[str] = []
        for choice in better:
            try:
                network = _STARTS[choice.device.runtime](model, data, choice, self.threads)
            except Broken as error:
                notes.append(str(error))
            else:
                return Loaded(model, network, str(choice), sha256, choice.precision, tuple(notes))
        network = _STARTS[last.device.runtime](model, data, last, self.threads)
        return Loaded(model, network, str(last), sha256, last.precision, tuple(notes))

    def _drop_oldest(self) -> None:
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self.max_bytes:
            self._kept.popitem(last=False)


def _no_network(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """Stand for the network of a model that has none."""
    raise ModelFailed("This model has no network that could be asked.")


def footprint(model: Model, size: int) -> int:
    """Estimate the memory in bytes of a network whose file has `size` bytes, once it has run.

    >>> footprint(registry()["u2netp"], 4_574_861)
    496094861
    """
    width, height = model.input.size
    return size + _ARENA * width * height * 3 * 4


_engines: dict[tuple[str, str], Engine] = {}
_engines_lock = threading.Lock()


def engine(device: str = "auto", precision: str = "auto") -> Engine:
    """Give the engine of this process for a device and a precision; the same one every time."""
    with _engines_lock:
        if (device, precision) not in _engines:
            _engines[device, precision] = Engine(device, precision=precision)
        return _engines[device, precision]


def available() -> list[str]:
    """List the devices that are installed, the ones to prefer first; whether one starts is known when it is tried."""
    offered = silent_onnxruntime().get_available_providers()
    found = {
        "onnxruntime": lambda device: device.provider in offered,
        "openvino": lambda device: openvino.installed(),
        "triton": lambda device: connection.installed(),
    }
    return [name for name, device in TABLE.items() if found[device.runtime](device)]
