-- Keeps what an answer says about the limits. KEYS: state
-- ARGV: field to set to the later of what it is and now plus a time; that time in microseconds;
--       field to set as it is ('' for none); its value
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local time = tonumber(ARGV[2])
if time > 0 then
  local old = tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', math.max(old, now + time)))
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], ARGV[3], ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], 7 * 24 * 3600 * 1000)
return 0
