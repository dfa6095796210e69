"""The engine: chooses a device, loads networks, keeps them. The only object with state.

>>> engine = Engine(device="cpu")
>>> engine.load("cleancut-small").provider
'cpu'
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

from numpy.typing import NDArray

from cleancut.errors import DeviceFailed, ModelFailed
from cleancut.limits import processors
from cleancut.models import weights
from cleancut.models.registry import Model, file_model, registry
from cleancut.types import Network

DEVICES = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Names of devices, the ones to prefer first, and what onnxruntime calls them."""

_AUTOMATIC = ("cuda", "rocm", "coreml", "directml", "openvino", "cpu")
"""TensorRT builds an engine for minutes at its first run, so it must be asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A network ready to run, with what a report says of it."""

    model: Model
    network: Network
    provider: str
    sha256: str


Load: TypeAlias = Callable[[str], Loaded]
"""Takes a model's name. In life `Engine.load`, in tests any function."""


class Engine:
    """Loads networks and keeps the ones used last, up to a bound in bytes. Threads may share it.

    Args:
        device: one of `DEVICES`, or "auto": the best that is installed. An absent one is an error.
        max_bytes: bound on the weights kept, by their size on disk; the one in use always stays.
        threads: threads of one network on the CPU; by default the processors this process may use.
    """

    def __init__(self, device: str = "auto", max_bytes: int = 2_000_000_000, threads: int | None = None) -> None:
        if device != "auto" and device not in DEVICES:
            raise DeviceFailed(f"There is no device {device!r}; there are auto, {', '.join(DEVICES)}.")
        self.device = device
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
        self._files[model.name] = model
        return model.name

    def load(self, name: str) -> Loaded:
        """Give a model's network, from memory where it was loaded before.

        Raises:
            UnknownModel, NotDownloaded, WrongHash: as the registry and the weights say.
            DeviceFailed: the device is absent.
            ModelFailed: the file is not a graph that can run.
        """
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:  # one lock a name: two threads never load one network twice, nor wait for another's
            with self._lock:
                if name in self._kept:
                    self._kept.move_to_end(name)
                    return self._kept[name][0]
            model = self.model(name)
            data, sha256 = weights.read(model)
            provider = choose(self.device, available())
            loaded = Loaded(model, _session(model, data, provider, self.threads), provider, sha256)
            with self._lock:
                self._kept[name] = (loaded, len(data))
                self._drop_oldest()
            return loaded

    def _drop_oldest(self) -> None:
        while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self.max_bytes:
            self._kept.popitem(last=False)


_engines: dict[str, Engine] = {}
_engines_lock = threading.Lock()


def engine(device: str = "auto") -> Engine:
    """Give the engine of this process for a device; the same one every time."""
    with _engines_lock:
        if device not in _engines:
            _engines[device] = Engine(device)
        return _engines[device]


def silent_onnxruntime() -> ModuleType:
    """Import onnxruntime with its telemetry switched off; the only place that imports it.

    Its official builds write an identifier of the device to the user's cache and send events about every session.
    The variable must be set before the library loads; after that, only its later events can be switched off.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415 - importing it costs more than most commands need

    onnxruntime.disable_telemetry_events()
    return cast(ModuleType, onnxruntime)


def available() -> list[str]:
    """List the devices that the installed onnxruntime offers, the ones to prefer first."""
    onnxruntime = silent_onnxruntime()
    offered = onnxruntime.get_available_providers()
    return [device for device, provider in DEVICES.items() if provider in offered]


def choose(device: str, offered: Iterable[str]) -> str:
    """Choose a device among those offered; an absent one is never replaced in silence.

    Raises:
        DeviceFailed: it is absent.

    >>> choose("auto", ["tensorrt", "cuda", "cpu"])
    'cuda'
    """
    offered = list(offered)
    if device == "auto":
        return next(name for name in _AUTOMATIC if name in offered)
    if device not in offered:
        raise DeviceFailed(f"The device {device} is not installed; there are {', '.join(offered)}.")
    return device


def _session(model: Model, data: bytes, device: str, threads: int) -> Network:
    """Make a session of onnxruntime a function of named arrays."""
    onnxruntime = silent_onnxruntime()
    from onnxruntime.capi import onnxruntime_pybind11_state as state  # noqa: PLC0415

    refusals = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented,
                state.RuntimeException, state.EPFail, state.NoSuchFile)  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=[DEVICES[device]])
    except refusals as error:
        raise ModelFailed(f"The weights of {model.name} are not a graph that onnxruntime can load.") from error
    if session.get_providers()[0] != DEVICES[device]:
        raise DeviceFailed(f"The device {device} is installed but could not be started; its driver may be missing.")
    wanted = [model.output.name or session.get_outputs()[0].name]
    given = model.input.name or session.get_inputs()[0].name

    def network(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        feeds = {given if name == "image" else name: array for name, array in inputs.items()}
        try:
            return dict(zip(wanted, session.run(wanted, feeds), strict=True))
        except (*refusals, ValueError) as error:
            raise ModelFailed(f"The network of {model.name} does not take what its table says.") from error

    return network
