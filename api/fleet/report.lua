-- Enters what a process has sent while Redis was away. The first one to do so holds everything until
-- the others have done so, too. KEYS: state, then a set of places for each request
-- ARGV: how long to hold, then the period, the age and the member of each request
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for i = 2, #KEYS do
  local period, age, member = tonumber(ARGV[3 * i - 4]), tonumber(ARGV[3 * i - 3]), ARGV[3 * i - 2]
  redis.call('ZADD', KEYS[i], string.format('%.0f', now - age), member)
  local ms = math.ceil(period / 1000) + 60000
  if redis.call('PTTL', KEYS[i]) < ms then redis.call('PEXPIRE', KEYS[i], string.format('%.0f', ms)) end
end
local hold = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'pause', 'held')
if hold > 0 and now - (tonumber(known[2]) or 0) > 2 * hold then
  redis.call('HSET', KEYS[1], 'held', string.format('%.0f', now),
    'pause', string.format('%.0f', math.max(tonumber(known[1]) or 0, now + hold)))
end
redis.call('PEXPIRE', KEYS[1], 7 * 24 * 3600 * 1000)
return 0
