-- Enters what a process has sent while Redis was away, and holds everything until the others have
-- done so, too. KEYS: state, then a set of places for each request
-- ARGV: how long to hold, then the period, the age and the member of each request
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for i = 2, #KEYS do
  local period, age, member = tonumber(ARGV[3 * i - 4]), tonumber(ARGV[3 * i - 3]), ARGV[3 * i - 2]
  redis.call('ZADD', KEYS[i], string.format('%.0f', now - age), member)
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.ceil(period / 1000) + 60000))
end
local old = tonumber(redis.call('HGET', KEYS[1], 'pause')) or 0
redis.call('HSET', KEYS[1], 'pause', string.format('%.0f', math.max(old, now + tonumber(ARGV[1]))))
redis.call('PEXPIRE', KEYS[1], 7 * 24 * 3600 * 1000)
return 0
