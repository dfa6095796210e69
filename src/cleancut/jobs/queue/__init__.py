"""Jobs that several machines share: words and numbers in Redis, pictures in a folder or an object store.

`shared.py` is the store (`lua/` are its commands), `depot.py` holds the files, `ledger.py` the orders that outlive a
Redis without its data, `turns.py` is what Dramatiq delivers, `worker.py` who takes them. docs/queue.md tells the rest.
"""
