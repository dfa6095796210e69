"""What remove.bg's clients read of a balance: what is left of a key's month, as credits, and of its minute."""

from __future__ import annotations

from typing import Any

from cleancut.apps.server.service import Caller, Service

WITHOUT_QUOTA = 1_000_000
"""Credits of a caller whose pictures nobody counts: clients take 0 for a reason to stop."""


async def told(service: Service, who: Caller) -> dict[str, Any]:
    """Give the balance, with exactly the keys that strict clients accept."""
    left = await _left(service, who)
    credits = {"total": left, "subscription": left, "payg": 0, "enterprise": 0}
    return {"data": {"attributes": {"credits": credits, "api": {"free_calls": 0, "sizes": "all"}}}}


async def _left(service: Service, who: Caller) -> int:
    balance = None if service.keys is None else await service.keys.balance(who.key_id)
    if balance is None or balance.quota is None:
        return WITHOUT_QUOTA
    return max(0, balance.quota - balance.spent)


async def rate(service: Service, who: Caller) -> dict[str, str]:
    """Give the headers that tell what is left of the key's minute, in megapixels; none where it has no rate."""
    window = None if service.keys is None else await service.keys.window(who.key_id)
    if window is None:
        return {}
    stated = {"Limit": window.limit, "Remaining": window.remaining, "Reset": window.reset}
    return {f"X-RateLimit-{name}": str(value) for name, value in stated.items()}
