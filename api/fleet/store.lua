-- What a Store does to its token. KEYS: token, lock
-- ARGV: what to do, owner of the lock of the caller ('' for none), then by what is done
--
-- token is a hash: data, print (a fingerprint of the refresh token), spending (the owner that uses it
-- up; if that does not hold the lock any more, nobody can tell whether it is spent), aside (the last
-- token that was put aside)
local token, lock = KEYS[1], KEYS[2]
local what, owner = ARGV[1], ARGV[2]
local holder = redis.call('GET', lock)

if what == 'lock' then -- for so many milliseconds
  if holder and holder ~= owner then return {'held', 0} end -- its own: of a try without an answer
  redis.call('SET', lock, owner, 'PX', ARGV[3])
  return {'locked', 0}
end
if what == 'load' then
  local kept = redis.call('HMGET', token, 'data', 'spending')
  local spender = kept[2]
  local spent = spender and spender ~= holder and string.match(spender, '^[^.]*') ~= ARGV[3] -- another store
  return {kept[1] or '', spent and 1 or 0}
end
if owner ~= '' and holder ~= owner then return {'lost', 0} end
if what == 'renew' then
  redis.call('PEXPIRE', lock, ARGV[3])
  return {'ok', 0}
end
if what == 'unlock' then
  redis.call('DEL', lock)
  if redis.call('HGET', token, 'spending') == owner then redis.call('HDEL', token, 'spending') end
  return {'ok', 0}
end
if what == 'save' then -- data, print
  if owner == '' and holder then return {'held', 0} end
  local old = redis.call('HMGET', token, 'data', 'print', 'spending')
  if old[3] and old[3] ~= owner and old[2] ~= ARGV[4] then redis.call('HSET', token, 'aside', old[1]) end
  -- Whoever saves the same token again under the lock is about to spend it.
  if owner ~= '' and ARGV[4] ~= '' and old[2] == ARGV[4] then
    redis.call('HSET', token, 'spending', owner)
  else
    redis.call('HDEL', token, 'spending')
  end
  redis.call('HSET', token, 'data', ARGV[3], 'print', ARGV[4])
  return {'ok', 0}
end
if what == 'delete' or what == 'discard' then
  local data = redis.call('HGET', token, 'data')
  redis.call('HDEL', token, 'data', 'print', 'spending')
  if what == 'discard' and data then redis.call('HSET', token, 'aside', data) end
  return {'ok', 0}
end
return redis.error_reply('there is no such thing to do')
