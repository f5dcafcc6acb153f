-- Finds the earliest place for a request in the allowance of everything, and in its own if it has
-- one, and takes it. Times are microseconds of Redis' clock.
--
-- KEYS: state, places of everything, those that are lent, places of the bucket (if it has an allowance)
-- ARGV: member, longest wait, requests and period of everything, step between two that have waited,
--       bucket, requests and period of the bucket, id of the process, its turn, number of turns, for how
--       long a place is lent, whether this one is if it is far away, the memory of Redis that the process
--       knows and the time of its last place ('' and 0 for none), then the members that are lent to the
--       process
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local state, all, lent, own = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, patience = ARGV[1], tonumber(ARGV[2])
local requests, period, step = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local bucket, ownRequests, ownPeriod = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local process, turn, turns, loan = ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])

local memory, lastKnown = ARGV[14], tonumber(ARGV[15])

local function text(n) return string.format('%.0f', n) end

-- Redis may have lost what it was told, wholly or since it was last written to its disk. Each process
-- that knows of a memory before tells again what it was given.
local mine, last = unpack(redis.call('HMGET', state, 'memory', 'last'))
last = tonumber(last) or 0
if last > now + 1000000 then -- the clock was set back, so that no time in here means anything any more
  for _, field in ipairs(redis.call('HKEYS', state)) do
    if not string.match(field, '^limit:') then redis.call('HDEL', state, field) end
  end
  redis.call('DEL', all, lent)
  mine, last = nil, 0
end
if not mine or memory == mine and last < lastKnown then
  mine = text(now)
  redis.call('HSET', state, 'memory', mine)
  redis.call('PEXPIRE', state, 7 * 24 * 3600 * 1000)
end
if memory ~= '' and memory ~= mine then return {'lost', 0, text(now), turn, 0, mine} end

-- keep keeps a key for a time at least, in microseconds, and a minute.
local function keep(key, time)
  local ms = math.ceil(time / 1000) + 60000
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, text(ms)) end
end

-- A place that is lent is lent on with each call of its process. Those of a process that is not heard of
-- any more go to others.
for i = 16, #ARGV do redis.call('ZADD', lent, 'XX', text(now + loan), ARGV[i]) end
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', lent, '-inf', text(now))) do
  local place = redis.call('ZSCORE', all, lost)
  if place and tonumber(place) > now then redis.call('ZREM', all, lost) end
end
redis.call('ZREMRANGEBYSCORE', lent, '-inf', text(now))

-- A turn is for when Redis is away. It is lent for a minute, and lent on with each call.
local function lend(i)
  local holder = redis.call('HGET', state, 'turn:' .. i)
  local seen, id = string.match(holder or '', '^(%d+) (.*)$')
  if not holder or id == process or now - tonumber(seen) > 60000000 then
    redis.call('HSET', state, 'turn:' .. i, text(now) .. ' ' .. process)
    return true
  end
end
if turns > 0 then
  if turn < 0 or not lend(turn) then
    turn = -1
    for i = 0, turns - 1 do
      if lend(i) then turn = i; break end
    end
  end
end

local known = redis.call('HMGET', state, 'ban', 'pause', 'front', 'pause:' .. bucket, 'limit:' .. bucket)
local ban, pause, front = tonumber(known[1]) or 0, tonumber(known[2]) or 0, tonumber(known[3]) or 0
local ownPause = tonumber(known[4]) or 0
if ban > now then
  return {'ban', ban - now, text(now), turn, 0, mine}
end

redis.call('ZREMRANGEBYSCORE', all, '-inf', text(now - period))
local at = math.max(now, pause, ownPause)
if own then
  ownRequests = tonumber(known[5]) or ownRequests
  redis.call('ZREMRANGEBYSCORE', own, '-inf', text(now - ownPeriod))
  for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', own, '(' .. text(now), '+inf')) do
    if not redis.call('ZSCORE', all, ahead) then redis.call('ZREM', own, ahead) end
  end
  local last = redis.call('ZREVRANGE', own, 0, 0, 'WITHSCORES')[2]
  local oldest = redis.call('ZREVRANGE', own, ownRequests - 1, ownRequests - 1, 'WITHSCORES')[2]
  at = math.max(at, tonumber(last) or 0, oldest and tonumber(oldest) + ownPeriod or 0)
end
-- Before the front there is no place for anybody.
local earliest = at <= math.max(now, front)
at = math.max(at, front)

-- later returns a time after t if t is too near to others, and nil if it is a place.
local function later(t)
  local near = redis.call('ZRANGEBYSCORE', all, '(' .. text(t - period), '(' .. text(t + period), 'WITHSCORES')
  local times, mine = {}, nil
  for i = 2, #near, 2 do
    local other = tonumber(near[i])
    if not mine and other > t then
      times[#times + 1] = t
      mine = #times
    end
    times[#times + 1] = other
  end
  if not mine then
    times[#times + 1] = t
    mine = #times
  end
  if t > now and mine > 1 and t - times[mine - 1] < step then return times[mine - 1] + step end
  if mine < #times and times[mine + 1] - t < step then return times[mine + 1] + step end
  for first = math.max(1, mine - requests), math.min(mine, #times - requests) do
    if times[first + requests] - times[first] < period then
      if first < mine then return times[first] + period end
      return times[mine + 1] + step
    end
  end
end
for _ = 1, 10000 do
  local next = later(at)
  if not next then break end
  at = next
end

if at - now > patience then
  return {'late', at - now, text(now), turn, 0, mine}
end
redis.call('ZADD', all, text(at), member)
redis.call('HSET', state, 'last', text(math.max(now, last)))
if earliest then redis.call('HSET', state, 'front', text(at)) end
keep(all, at - now + 2 * period)
redis.call('PEXPIRE', state, 7 * 24 * 3600 * 1000)
if own then
  redis.call('ZADD', own, text(at), member)
  keep(own, at - now + ownPeriod)
  if ARGV[13] == '1' and at - now > loan then
    redis.call('ZADD', lent, text(now + loan), member)
    keep(lent, loan)
  end
end
return {'place', at - now, text(math.max(now, last)), turn, math.max(pause, now) - now, mine}
