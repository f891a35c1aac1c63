"""One circuit breaker for scripts in Redis: Lua functions over a hash that holds its state.

closed     calls go; so many failures in a row open it
open       no call goes until `open_until`; each opening in a row lasts twice as long as the last
half-open  after that one call goes as a probe (`probe_until`); its end closes or opens it again

A script that guards something prepends LUA, and so decides in one step with what else it counts.
Times have the script's own unit.
"""

LUA = """
local function breaker_number(state, field)
    return tonumber(redis.call('HGET', state, field) or '0')
end

-- How long no call may go yet; 0: one may, as a probe if the breaker is not closed.
local function breaker_wait(state, now)
    local open_until = breaker_number(state, 'open_until')
    if open_until == 0 then return 0 end
    return math.max(0, math.max(open_until, breaker_number(state, 'probe_until')) - now)
end

local function breaker_is_closed(state)
    return breaker_number(state, 'open_until') == 0
end

local function breaker_probes(state, now, length)
    redis.call('HSET', state, 'probe_until', tostring(now + length))
end

-- True if it was not closed before.
local function breaker_succeeded(state)
    return redis.call('HDEL', state, 'failures', 'open_until', 'probe_until', 'opened') > 1
end

-- How long it is open from now on; 0: it stays as it is.
local function breaker_failed(state, now, threshold, first, longest)
    local failures = redis.call('HINCRBY', state, 'failures', 1)
    local open_until = breaker_number(state, 'open_until')
    if open_until == 0 and failures < threshold then return 0 end
    if now < open_until then return 0 end -- the call had begun before it opened
    local opened = redis.call('HINCRBY', state, 'opened', 1)
    local length = math.min(first * 2 ^ (opened - 1), longest)
    redis.call('HSET', state, 'open_until', tostring(now + length))
    redis.call('HDEL', state, 'probe_until')
    return length
end
"""
