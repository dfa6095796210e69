"""The OpenAPI description of a service: of this one, in the manner in which it gives access."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from cleancut.apps.server.access import Manner


def describe(app: FastAPI, manner: Manner) -> dict[str, Any]:
    """Describe a service; where it needs no keys, none are spoken of, and where it is public they may be left out."""
    if app.openapi_schema is None:
        described = FastAPI.openapi(app)
        for operations in described["paths"].values():
            for operation in operations.values():
                if "security" in operation:
                    operation["security"] = _needed(operation["security"], manner)
        if manner == "local":
            described.get("components", {}).pop("securitySchemes", None)
    return app.openapi_schema or {}


def _needed(security: list[dict[str, Any]], manner: Manner) -> list[dict[str, Any]]:
    return {"local": [], "public": [{}, *security], "keys": security}[manner]
