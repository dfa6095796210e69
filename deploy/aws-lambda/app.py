"""What Lambda loads: the service starts while the function is set up, not with the first request."""

from cleancut.apps.serverless.aws import handle
from cleancut.apps.serverless.inprocess import start

__all__ = ["handle"]

start()
