"""The Redis store: accounts on a Redis server. Imported only by name, because it needs the driver (extra ``redis``)."""

from papertrade.adapters.redis.aio import AsyncRedisStore
from papertrade.adapters.redis.opening import DURABILITIES
from papertrade.adapters.redis.store import RedisStore

__all__ = ["DURABILITIES", "AsyncRedisStore", "RedisStore"]
