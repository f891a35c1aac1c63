-- One host's share of attempts: at most so many at once over all workers, and none while its
-- circuit breaker is open (its functions are prepended). KEYS: slots (a sorted set: token, end),
-- state (a hash), failing (a sorted set of states: open until). ARGV: command, now (empty: the
-- server's clock), then what the command needs. Times are in seconds.
local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local slots, state, failing = KEYS[1], KEYS[2], KEYS[3]
local DAY = 86400

if ARGV[1] == 'acquire' then
    -- token, cap, slot's seconds, whether an open breaker holds it; answers {permit, seconds}
    local token, cap, length, waits = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
    local wait = breaker_wait(state, now)
    if waits and wait > 0 then
        return {'open', tostring(wait)}
    end
    redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
    if redis.call('ZCARD', slots) >= cap then
        -- Each that must wait is given the next turn of a queue that moves as fast as the host does.
        local mean = tonumber(redis.call('HGET', state, 'mean') or '1')
        local turn = math.max(breaker_number(state, 'queue'), now) + mean / cap
        redis.call('HSET', state, 'queue', tostring(turn))
        redis.call('EXPIRE', state, DAY)
        return {'busy', tostring(turn - now)}
    end
    redis.call('ZADD', slots, now + length, token)
    redis.call('EXPIRE', slots, math.ceil(length) + 1)
    if breaker_is_closed(state) then
        return {'go', '0'}
    end
    breaker_probes(state, now, length)
    return {'probe', '0'}
end

-- release: token, answered | silent | not_asked, seconds it took, failures that open the breaker,
-- its first and longest seconds open, whether it was a probe; answers how long it is open now
local token, outcome, took, probe = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[9] == '1'
local threshold, first, longest = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
redis.call('ZREM', slots, token)
local mean = tonumber(redis.call('HGET', state, 'mean') or took)
redis.call('HSET', state, 'mean', tostring(mean * 0.7 + took * 0.3))
redis.call('EXPIRE', state, DAY)
if outcome == 'answered' then
    if breaker_succeeded(state) then
        redis.call('ZREM', failing, state)
    end
    return '0'
end
if probe then
    redis.call('HDEL', state, 'probe_until')
end
if outcome ~= 'silent' or not (probe or breaker_is_closed(state)) then
    return '0' -- nothing new: it was not asked, or had begun before the breaker opened
end
local length = breaker_failed(state, now, threshold, first, longest)
if length > 0 then
    redis.call('ZADD', failing, now + length, state)
    redis.call('EXPIRE', failing, DAY)
end
return tostring(length)
