"""rembg's sessions: a model that is loaded once, on a device, by rembg's names of both."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cleancut.errors import BadSetting, NotDownloaded
from cleancut.models import licenses
from cleancut.models.runtime import DEVICES, Engine, engine
from cleancut.types import Recipe

MODEL: Final = Recipe().model
"""The model without a name given: ours, as rembg's (bria-rmbg) may not be used commercially."""

CUSTOM: Final = {"u2net_custom": "u2net", "dis_custom": "isnet-general-use", "ben_custom": "isnet-general-use"}
"""rembg's names for a file of one's own (`model_path`), and the model whose input and output it shares."""

_REMOTE = ("atlascloud", "withoutbg")

OF_SESSIONS: Final[tuple[str, ...]] = (
    "providers",
    "model_path",
    "accept_license",
    "api_key",
    "sam_model",
    "sam_quant",
    "timeout",
)
"""What more `new_session` takes. Those of remote services and of SAM are taken and not needed."""


@dataclass(frozen=True, slots=True)
class Session:
    """A model that was loaded once, for any number of calls and threads; `new_session` makes it.

    Attributes:
        model_name: what it was asked for by.
        engine: what holds its network.
        model: the name the engine knows it by.
    """

    model_name: str
    engine: Engine
    model: str


def new_session(model_name: str = MODEL, *args: Any, sess_opts: Any = None, **extras: Any) -> Session:
    """Load a model once, as rembg's function of this name does; weights that are missing are downloaded.

    Args:
        model_name: any model of ours, rembg's names among them; u2net_custom, dis_custom and ben_custom take a file.
        args: none.
        sess_opts: options of onnxruntime, of which `intra_op_num_threads` counts; else `$OMP_NUM_THREADS` does.
        extras: `providers` (names of onnxruntime's execution providers, or our devices; the first one counts),
            `model_path` of a custom model, `accept_license` (for this process) of one that restricts its use.

    Raises:
        BadSetting: a parameter is unknown or does not fit.
        UnknownModel: there is none of that name.
        WeightsError: its weights cannot be had, or are not the ones its table names.
        DeviceFailed: the device is absent; nothing falls back to another in silence.

    >>> new_session().model_name
    'cleancut-small'
    """
    no_more(args)
    return opened(model_name, extras, sess_opts)


def opened(
    model_name: str, extras: Mapping[str, Any], sess_opts: Any = None, say: Callable[[str], None] = lambda _: None
) -> Session:
    """Do what `new_session` does, and say what takes long."""
    known(extras, OF_SESSIONS)
    running = _engine(extras.get("providers"), sess_opts)
    model = _model(running, model_name, extras.get("model_path"))
    if extras.get("accept_license"):
        licenses.accept(running.model(model), keep=False)
    load(running, model, say)
    return Session(model_name, running, model)


def _engine(providers: Any, sess_opts: Any) -> Engine:
    """Give the process's engine for the provider named first, or one of its own where threads are asked for."""
    device = _device(providers)
    threads = getattr(sess_opts, "intra_op_num_threads", 0) or _threads()
    return Engine(device, threads=threads) if threads else engine(device)


def _threads() -> int:
    stated = os.environ.get("OMP_NUM_THREADS", "").strip() or "0"
    if not stated.isdecimal():
        raise BadSetting(f"OMP_NUM_THREADS must be a number of threads, not {stated!r}.")
    return int(stated)


def _device(providers: Any) -> str:
    if not providers:
        return "auto"
    if isinstance(providers, str) or not isinstance(providers, Sequence):
        raise BadSetting('providers must be a list of names, such as ["CPUExecutionProvider"].')
    first = providers[0] if isinstance(providers[0], str) else next(iter(providers[0]), "")
    devices = {provider: device for device, provider in DEVICES.items()}
    return devices.get(first, str(first))


def _model(running: Engine, name: str, path: Any) -> str:
    """Give the name that an engine knows a model by."""
    if name in _REMOTE:
        raise BadSetting(f"{name} sends pictures to a service, which cleancut never does; name a model that runs here.")
    if name not in CUSTOM:
        return running.model(name).name
    if not isinstance(path, str | Path):
        raise BadSetting(f"{name} needs model_path, the path of an ONNX file.")
    return running.add(Path(path).expanduser(), CUSTOM[name])


def load(running: Engine, model: str, say: Callable[[str], None]) -> None:
    """Load a network; weights that are not on this machine are downloaded first, as users of rembg expect.

    Raises:
        WeightsError, Broken: as `new_session` says.
    """
    try:
        running.load(model)
    except NotDownloaded:
        from cleancut.models.download import pull  # noqa: PLC0415

        say(f"The weights of {model} are not here yet; downloading them.")
        pull(running.model(model))
        running.load(model)


def known(given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse what would be swallowed.

    Raises:
        BadSetting: a name is unknown.
    """
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            raise BadSetting(f"There is no parameter {name!r} here; {hint}")


def no_more(args: Sequence[Any]) -> None:
    """Refuse arguments without a name, which nothing would look at.

    Raises:
        BadSetting: there are some.
    """
    if args:
        raise BadSetting("There are too many arguments without a name; give their names.")
