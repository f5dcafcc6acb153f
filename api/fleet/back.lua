-- Gives places back. KEYS: state, places of everything, places of the bucket. ARGV: member
local at = redis.call('ZSCORE', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[1]) end
local front = redis.call('HGET', KEYS[1], 'front')
if at and front and tonumber(at) < tonumber(front) then
  redis.call('HSET', KEYS[1], 'front', at)
end
return 0
