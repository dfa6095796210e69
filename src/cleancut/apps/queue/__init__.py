"""The service in two tiers: `tier.py` hands work over and waits, `hands.py` does it, `wire.py` says what crosses."""
