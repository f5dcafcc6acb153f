-- Gives places back. KEYS: state, places of everything, those that are lent, places of the bucket
-- ARGV: member
local at = redis.call('ZSCORE', KEYS[2], ARGV[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
local front = redis.call('HGET', KEYS[1], 'front')
if at and front and tonumber(at) < tonumber(front) then
  redis.call('HSET', KEYS[1], 'front', at)
end
return 0
