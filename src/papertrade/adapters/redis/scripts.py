"""What the server runs: one constant script for each operation, so that each happens whole or not at all.

A script that fails in its middle keeps what it wrote before, so every script looks first (erased, commit id, fence,
version, chain, what kind each key is, whether the journal is as long as it should be) and writes last, by commands that
cannot fail then. Versions come and go as text and are compared as text; the only arithmetic is on numbers below 2**53,
which Lua keeps exactly. Nothing is ever put into the text of a script: names, keys and records are arguments.

KEYS, always the same: 1 stream (hash: v version, h chain, b base, c chain of the base, n number of commits, f fence,
o owned, x erased), 2 journal (Redis stream, id ``version-0``, fields chain and record), 3 commits (hash: id to
``first:last:seal``), 4 order of commits (sorted set by last version), 5 snapshot (hash), 6 names (sorted set), 7 news
(capped Redis stream).
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final, NamedTuple


class Script(NamedTuple):
    """A script and the name that the server knows it by."""

    name: str
    text: str
    sha: str


# What every script begins with. `fault` finds a journal or key that is not what this store wrote.
_LOOK: Final = """
local s = redis.call('HMGET', KEYS[1], 'v', 'h', 'b', 'c', 'f', 'o', 'x', 'n')
if s[7] then return {'ERASED', s[7]} end
local there = s[1]
local v, h, b, c, n = s[1] or '0', s[2] or GENESIS, s[3] or '0', s[4] or GENESIS, s[8] or '0'
local function fault()
  local kinds = {'hash', 'stream', 'hash', 'zset', 'hash', 'zset', 'stream'}
  for i, kind in ipairs(kinds) do
    local found = redis.call('TYPE', KEYS[i]).ok
    if found ~= 'none' and found ~= kind then return 'key ' .. i .. ' is a ' .. found end
  end
  local held = redis.call('XLEN', KEYS[2])
  if held ~= tonumber(v) - tonumber(b) then
    return 'its journal holds ' .. held .. ' records after ' .. b .. ', and its head says ' .. v
  end
  local ids = redis.call('ZCARD', KEYS[4])
  if redis.call('HLEN', KEYS[3]) ~= ids then return 'its commit ids are not in order' end
  if ids ~= tonumber(n) then return 'it has ' .. ids .. ' commit ids, and ' .. n .. ' were written' end
  if ids ~= redis.call('ZCOUNT', KEYS[4], b, v) then return 'a commit id leads beyond its journal' end
  if not there and redis.call('ZSCORE', KEYS[6], ARGV[1]) then return 'its head is missing' end
end
local function chain_of(version)
  if not string.find(version, '^%d+$') or #version > 16 then return '' end
  if version == b then return c end
  local found = redis.call('XRANGE', KEYS[2], version .. '-0', version .. '-0')[1]
  return found and found[2][2] or ''
end
local function unordered(id)
  if redis.call('ZSCORE', KEYS[4], id) then return 'the commit id ' .. id .. ' has no range' end
end
local function unconfirmed()
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  local id, chain = b .. '-0', c
  if last then id, chain = last[1], last[2][2] end
  if id ~= v .. '-0' or chain ~= h then return 'its last record does not confirm its head ' .. v end
end
"""

# ARGV: name, expected, fence, chain before, number of commits, (id, last, first:last:seal)...,
# (version, chain, record)...
_APPEND: Final = """
local ids = tonumber(ARGV[5])
for i = 6, 3 + 3 * ids, 3 do
  local found = redis.call('HGET', KEYS[3], ARGV[i])
  if found then
    local first, last = string.match(found, '^(%d+):(%d+):')
    if not first then return {'CORRUPT', 'the commits hold what is no commit'} end
    return {'SEEN', found, chain_of(last), v, b, redis.call('XRANGE', KEYS[2], first .. '-0', last .. '-0')}
  end
  local lost = unordered(ARGV[i])
  if lost then return {'CORRUPT', lost} end
end
local owner = s[6] == '1' and s[5] or ''
if ARGV[3] ~= '*' and ARGV[3] ~= owner then return {'FENCED', owner} end
local wrong = fault() or (ARGV[4] == '' and unconfirmed())  -- who knows the hash has confirmed it
if wrong then return {'CORRUPT', wrong} end
if ARGV[2] ~= v then return {'CONFLICT', v} end
if ARGV[4] == '' then return {'AT', v, h} end
if ARGV[4] ~= h then return {'OTHER', v, h} end
if #ARGV == 5 then return {'OK'} end
local last = v
for i = 6 + 3 * ids, #ARGV, 3 do
  redis.call('XADD', KEYS[2], ARGV[i] .. '-0', 'chain', ARGV[i + 1], 'record', ARGV[i + 2])
  last, h = ARGV[i], ARGV[i + 1]
end
redis.call('HSET', KEYS[1], 'v', last, 'h', h)
for i = 6, 3 + 3 * ids, 3 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
  redis.call('ZADD', KEYS[4], ARGV[i + 1], ARGV[i])
end
if ids > 0 then redis.call('HSET', KEYS[1], 'n', redis.call('ZCARD', KEYS[4])) end
if not there then redis.call('ZADD', KEYS[6], 0, ARGV[1]) end
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'stream', ARGV[1], 'version', last)
return {'OK'}
"""

# ARGV: name. The head, which the last record has to confirm.
_HEAD: Final = """
local wrong = fault() or unconfirmed()
if wrong then return {'CORRUPT', wrong} end
return {'HEAD', v, h, b, c, there and '1' or '0'}
"""

# ARGV: name, first, last, count.
_PAGE: Final = """
return {'PAGE', b, c, redis.call('XRANGE', KEYS[2], ARGV[2] .. '-0', ARGV[3] .. '-0', 'COUNT', ARGV[4])}
"""

# ARGV: name, commit id.
_FIND: Final = """
local found = redis.call('HGET', KEYS[3], ARGV[2])
if not found then
  local lost = unordered(ARGV[2])
  if lost then return {'CORRUPT', lost} end
  return {'FOUND', v, ''}
end
return {'FOUND', v, found, chain_of(string.match(found, '^%d+:(%d+):') or '')}
"""

# ARGV: name, first last-version, and the one that is too much. Answers (id, range with seal, place in the order, hash).
_COMMITS: Final = """
local found = {'COMMITS', v}
local ordered = redis.call('ZRANGEBYSCORE', KEYS[4], ARGV[2], '(' .. ARGV[3], 'WITHSCORES')
for i = 1, #ordered, 2 do
  local id, at = ordered[i], ordered[i + 1]
  for _, value in ipairs({id, redis.call('HGET', KEYS[3], id) or '', at, chain_of(at)}) do found[#found + 1] = value end
end
return found
"""

_TAKE: Final = """
local wrong = fault()
if wrong then return {'CORRUPT', wrong} end
redis.call('HINCRBY', KEYS[1], 'f', 1)
redis.call('HSET', KEYS[1], 'o', '1')
return {'FENCE', redis.call('HGET', KEYS[1], 'f')}
"""

# ARGV: name, fence.
_RELEASE: Final = """
if s[6] == '1' and s[5] == ARGV[2] then redis.call('HSET', KEYS[1], 'o', '0') end
return {'OK'}
"""

# ARGV: name, version, chain, data, hash of the data.
_PUT_SNAPSHOT: Final = """
local wrong = fault()
if wrong then return {'CORRUPT', wrong} end
if not there or tonumber(ARGV[2]) > tonumber(v) then return {'AHEAD'} end
if tonumber(ARGV[2]) < tonumber(b) then return {'TRIMMED', b} end
if chain_of(ARGV[2]) ~= ARGV[3] then return {'FOREIGN'} end
local kept = tonumber(redis.call('HGET', KEYS[5], 'version') or '')
if kept and kept > tonumber(ARGV[2]) and kept <= tonumber(v) then return {'OK'} end
redis.call('HSET', KEYS[5], 'version', ARGV[2], 'chain', ARGV[3], 'data', ARGV[4], 'hash', ARGV[5])
return {'OK'}
"""

_GET_SNAPSHOT: Final = """
local k = redis.call('HMGET', KEYS[5], 'version', 'chain', 'data', 'hash')
if not k[1] then return {'NONE'} end
return {'SNAPSHOT', k[1], k[2] or '', k[3] or '', k[4] or '', chain_of(k[1])}
"""

# ARGV: name, version. Drops at most so much that the server is not held up; the client asks again.
_TRIM: Final = """
local wrong = fault()
if wrong then return {'CORRUPT', wrong} end
local upto = tonumber(ARGV[2])
if upto > tonumber(v) then return {'CORRUPT', 'it has no version ' .. ARGV[2]} end
if upto < tonumber(b) then return {'TRIM', b} end
upto = math.min(upto, tonumber(b) + 5000)
local text, after = string.format('%.0f', upto), string.format('%.0f', upto + 1)
if text ~= b then
  c = redis.call('XRANGE', KEYS[2], text .. '-0', text .. '-0')[1][2][2]
  redis.call('XTRIM', KEYS[2], 'MINID', after .. '-0')  -- first: it helps when memory is full
  redis.call('HSET', KEYS[1], 'b', text, 'c', c)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', text)) do
  local empty = after .. ':' .. text .. ':'  -- of a batch that another may still come to stand beside
  if string.sub(redis.call('HGET', KEYS[3], id) or '', 1, #empty) ~= empty then
    redis.call('HDEL', KEYS[3], id)
    redis.call('ZREM', KEYS[4], id)
  end
end
redis.call('HSET', KEYS[1], 'n', redis.call('ZCARD', KEYS[4]))
local kept = redis.call('HGET', KEYS[5], 'version')
if kept and tonumber(kept) < upto then redis.call('DEL', KEYS[5]) end
return {'TRIM', text}
"""

# ARGV: name, version, chain.
_SEED: Final = """
local wrong = fault()
if wrong then return {'CORRUPT', wrong} end
if there then
  if tonumber(ARGV[2]) < tonumber(b) then return {'TRIMMED', b} end
  if chain_of(ARGV[2]) == ARGV[3] then return {'OK'} end
  return {'CORRUPT', 'it is at version ' .. v .. ' and has no version ' .. ARGV[2] .. ' with this chain'}
end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'h', ARGV[3], 'b', ARGV[2], 'c', ARGV[3])
redis.call('ZADD', KEYS[6], 0, ARGV[1])
return {'OK'}
"""

# ARGV: name, note. Runs on an erased stream too, and leaves the first tombstone as it is.
_ERASE: Final = """
if redis.call('HEXISTS', KEYS[1], 'x') == 1 then return {'OK'} end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('HSET', KEYS[1], 'x', ARGV[2])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'stream', ARGV[1], 'version', 'erased')
return {'OK'}
"""


def _script(name: str, text: str, look: bool = True) -> Script:
    whole = (f"local GENESIS = '{'0' * 64}'{_LOOK}" if look else "") + text
    return Script(name, whole, sha1(whole.encode("ascii"), usedforsecurity=False).hexdigest())


APPEND: Final = _script("append", _APPEND)
HEAD: Final = _script("head", _HEAD)
PAGE: Final = _script("page", _PAGE)
FIND: Final = _script("find", _FIND)
COMMITS: Final = _script("commits", _COMMITS)
TAKE: Final = _script("take", _TAKE)
RELEASE: Final = _script("release", _RELEASE)
PUT_SNAPSHOT: Final = _script("put_snapshot", _PUT_SNAPSHOT)
GET_SNAPSHOT: Final = _script("get_snapshot", _GET_SNAPSHOT)
TRIM: Final = _script("trim", _TRIM)
SEED: Final = _script("seed", _SEED)
ERASE: Final = _script("erase", _ERASE, look=False)

SCRIPTS: Final = (
    APPEND, HEAD, PAGE, FIND, COMMITS, TAKE, RELEASE, PUT_SNAPSHOT, GET_SNAPSHOT, TRIM, SEED, ERASE,
)  # fmt: skip
BY_SHA: Final = {script.sha: script for script in SCRIPTS}
