"""What whoever runs the service decides: variables `CLEANCUT_…`, flags of `cleancut serve`, or arguments.

>>> Settings(port=0, serve_models="u2netp, silueta").serve_models
('u2netp', 'silueta')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import click
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cleancut.errors import BadSetting
from cleancut.limits import ServiceLimits


def _listed(value: Any) -> Any:
    """Read a list as a variable holds it: names with commas between them."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""A list of names; in a variable, with commas between them."""

Ports = Annotated[tuple[Annotated[int, Field(ge=1, le=65_535)], ...], NoDecode, BeforeValidator(_listed)]
"""A list of ports, written likewise."""


class Settings(BaseSettings):
    """Every setting, each a field; a variable is `CLEANCUT_` and the field's name in capitals. Sorted by name."""

    model_config = SettingsConfigDict(env_prefix="CLEANCUT_", extra="ignore", frozen=True, arbitrary_types_allowed=True)

    allow_urls: bool = Field(False, description="Fetch pictures from addresses that callers name.")
    audit_log: str | None = Field(None, description="File that is told who asked for what; none by default.")
    audit_names: bool = Field(False, description="Write what callers call their pictures into the audit log too.")
    batch: int = Field(1, ge=1, le=64, description="Pictures that a network is asked about at once; 1 is off.")
    cache: Literal["memory", "disk", "off"] = Field("memory", description="Where results are kept for a while.")
    cache_dir: str | None = Field(None, description="Folder of the cache on disk; it must be the service's own.")
    cors_origins: Names = Field((), description="Origins whose pages may use the service, https://www.example.com.")
    device: str = Field("auto", description="Device to run on; an absent one is an error.")
    emulate_credits: bool = Field(False, description="Tell clients of remove.bg what it would charge, instead of 0.")
    feedback_dir: str | None = Field(
        None, description="Folder for ratings, and for pictures sent to /v1.0/improve; none keeps none."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    jobs: bool = Field(True, description="Take jobs: work that outlives its request and is spooled to the disk.")
    keys_file: str | None = Field(None, description="File of the keys; by default in our data folder.")
    limits: ServiceLimits = Field(default_factory=ServiceLimits.from_env, exclude=True)
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is told on stderr.")
    model: str = Field("cleancut-small", description="Model that a request uses which names none.")
    page: bool = Field(True, description="Show the web page at /.")
    port: int = Field(7000, ge=0, le=65_535, description="Port to listen on; 0 is one that is free.")
    precision: str = Field("auto", description="Arithmetic of the network.")
    proxy_headers: bool = Field(False, description="Trust the headers of a proxy in front about who calls.")
    public: bool = Field(False, description="Let whoever can reach the address use the service, without keys.")
    queue: str | None = Field(None, description="Hand work to cleancut worker through this Redis, redis://….")
    queue_storage: str | None = Field(
        None, description="Folder or address (s3://…) of a queue's pictures; by default in our data folder."
    )
    redis_url: SecretStr | None = Field(None, description="Redis that counts rates for several services, redis://….")
    require_keys: bool = Field(False, description="Demand keys on localhost too, as behind a proxy.")
    serve_models: Names = Field((), description="Models that may be asked for; by default those on this machine.")
    spool: str | None = Field(None, description="Folder of jobs, the service's own; by default in our data folder.")
    threads: int | None = Field(
        None, ge=1, le=1024, description="Threads of one network; by default its share of them."
    )
    url_ports: Ports = Field((80, 443), description="Ports that pictures are fetched from.")
    webhook_secret: SecretStr | None = Field(
        None, min_length=32, description="What webhooks are signed with; by default made once and kept with the jobs."
    )


def read_settings(**given: Any) -> Settings:
    """Take settings from the arguments, else from the environment, else their defaults.

    Raises:
        BadSetting: a value does not fit; the sentence names its variable.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"CLEANCUT_{str(first['loc'][0]).upper()}: {first['msg'].rstrip('.')}.") from None


@dataclass(frozen=True, slots=True)
class Flag:
    """A setting as a command line offers it.

    Attributes:
        name: of the field.
        doc: what it does.
        default: as the help shows it; None where there is none to show.
        type: what it takes; None for a switch.
    """

    name: str
    doc: str
    default: str | None
    type: click.ParamType[Any] | None


def flags() -> list[Flag]:
    """List the settings that may be flags: all but secrets, which every user of the machine could read off a list of
    its processes.
    """  # noqa: D205
    fields = Settings.model_fields.items()
    return [_flag(name, field) for name, field in fields if not (field.exclude or _is_secret(field.annotation))]


def _flag(name: str, field: FieldInfo) -> Flag:
    default, kind = field.default, field.annotation
    doc = field.description or ""
    if kind is bool:
        return Flag(name, doc, None, None)
    listed = ",".join(map(str, default)) if isinstance(default, tuple) else default
    shown = None if listed in (None, "") else str(listed)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    return Flag(name, doc, shown, click.Choice(choices) if choices else click.STRING)


def _is_secret(kind: Any) -> bool:
    return SecretStr in (kind, *get_args(kind))
