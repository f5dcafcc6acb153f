-- Lends places on that are far away. KEYS: those that are lent. ARGV: for how long, members
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + ARGV[1]), ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], 60000)
return 0
