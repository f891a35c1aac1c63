-- One host's share of attempts: at most so many at once over all workers, and none while its
-- breaker is open. KEYS: slots (a sorted set: token, end), state (a hash), failing (a sorted set of
-- states: open until). ARGV: what, now (empty: the server's clock), then what the command needs. Times are in seconds.
local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local slots, state, failing = KEYS[1], KEYS[2], KEYS[3]
local function number(field)
    return tonumber(redis.call('HGET', state, field) or '0')
end

if ARGV[1] == 'enter' then
    -- token, cap, slot's seconds, whether an open breaker holds it; answers {verdict, seconds}
    local token, cap, length, patient = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
    local open_until = number('open_until')
    if patient == '1' and open_until > 0 then
        local closed_at = math.max(open_until, number('probe_until'))
        if now < closed_at then
            return {'open', tostring(closed_at - now)}
        end
    end
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    if redis.call('ZCARD', slots) >= cap then
        -- Each that must wait is given the next place in a queue that moves as the host does.
        local mean = tonumber(redis.call('HGET', state, 'mean') or '1')
        local place = math.max(number('queue'), now) + mean / cap
        redis.call('HSET', state, 'queue', tostring(place))
        redis.call('EXPIRE', state, 86400)
        return {'busy', tostring(place - now)}
    end
    redis.call('ZADD', slots, now + length, token)
    redis.call('EXPIRE', slots, math.ceil(length) + 1)
    if open_until > 0 then
        redis.call('HSET', state, 'probe_until', tostring(now + length))
        return {'probe', '0'}
    end
    return {'go', '0'}
end

-- leave: token, answered | silent | neither, seconds it took, failures that open it, its first and
-- longest seconds open, whether it was a probe; answers how long the breaker is open now
local token, verdict, took = ARGV[3], ARGV[4], tonumber(ARGV[5])
local limit, first, longest, probe = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
redis.call('ZREM', slots, token)
local mean = tonumber(redis.call('HGET', state, 'mean') or took)
redis.call('HSET', state, 'mean', tostring(mean * 0.7 + took * 0.3))
redis.call('EXPIRE', state, 86400)
if verdict == 'answered' then
    if redis.call('HDEL', state, 'failures', 'open_until', 'probe_until', 'opened') > 1 then
        redis.call('ZREM', failing, state)
    end
    return '0'
end
if probe == '1' then
    redis.call('HDEL', state, 'probe_until')
end
if verdict ~= 'silent' then
    return '0'
end
local open_until = number('open_until')
if open_until > 0 and probe ~= '1' then
    return '0' -- it had begun before the breaker opened
end
local failures = redis.call('HINCRBY', state, 'failures', 1)
if open_until == 0 and failures < limit then
    return '0'
end
local opened = redis.call('HINCRBY', state, 'opened', 1)
local length = math.min(first * 2 ^ (opened - 1), longest)
redis.call('HSET', state, 'open_until', tostring(now + length))
redis.call('ZADD', failing, now + length, state)
redis.call('EXPIRE', failing, 86400)
return tostring(length)
