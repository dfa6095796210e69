"""What Google's functions framework loads. The first request starts the service: the framework forks after loading."""

from cleancut.apps.serverless.google import handle as cleancut

__all__ = ["cleancut"]
