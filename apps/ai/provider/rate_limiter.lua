-- The rate limiter and the circuit breaker of all workers, in one atomic step per question.
-- See rate_limiter.py; `resume_platform/redis/circuit_breaker.py` is prepended.
-- KEYS[1]: the namespace. ARGV[1]: acquire | settle, ARGV[2]: now in ms (0: the server's).
local P = KEYS[1]
local CALLS, TOKENS, SERVED, LAST = P .. 'calls', P .. 'tokens', P .. 'served', P .. 'last'
local USERS, DUE, DAYS, STATE = P .. 'users', P .. 'due', P .. 'days', P .. 'state'
local function waiting(user) return P .. 'waiting:' .. user end
local function days(user) return P .. 'days:' .. user end
local function num(v) return tonumber(v or '0') or 0 end

local now = num(ARGV[2])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end

local function leave(user, row)
  redis.call('ZREM', waiting(user), row)
  redis.call('ZREM', DUE, user .. '|' .. row)
  if redis.call('EXISTS', waiting(user)) == 0 then redis.call('SREM', USERS, user) end
end

local function prune(window, grace)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', CALLS, '-inf', now - window)) do
    local user = string.match(id, '^(.-):')
    redis.call('HINCRBY', STATE, 'tokens', -num(redis.call('HGET', TOKENS, id)))
    redis.call('HDEL', TOKENS, id)
    if redis.call('HINCRBY', SERVED, user, -1) <= 0 then
      redis.call('HDEL', SERVED, user)
      redis.call('HDEL', LAST, user)
    end
  end
  redis.call('ZREMRANGEBYSCORE', CALLS, '-inf', now - window)
  for _, who in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', now - grace)) do
    local user, row = string.match(who, '^(.-)|(.*)$')
    leave(user, row)
  end
end

-- How many rows of all users come before this one in a fair queue of users.
local function ahead_of(user, row, arrival)
  local rank = redis.call('ZRANK', waiting(user), row)
  if not rank then rank = redis.call('ZCOUNT', waiting(user), '-inf', arrival) end
  local round = num(redis.call('HGET', SERVED, user)) + rank
  local last, ahead = num(redis.call('HGET', LAST, user)), rank
  for _, other in ipairs(redis.call('SMEMBERS', USERS)) do
    if other ~= user then
      local n = redis.call('ZCARD', waiting(other))
      local served = num(redis.call('HGET', SERVED, other))
      local before = math.max(0, math.min(round - served, n))
      if before < n and served + before == round then
        local theirs = num(redis.call('HGET', LAST, other))
        if theirs < last or (theirs == last and other < user) then before = before + 1 end
      end
      ahead = ahead + before
    end
  end
  return ahead, rank
end

local function score_at(index)
  local found = redis.call('ZRANGE', CALLS, index, index, 'WITHSCORES')
  return found[2] and num(found[2])
end

local function when_requests(position, cap, window)
  local used = redis.call('ZCARD', CALLS)
  local free = cap - used
  if position < free then return now end
  local k = position - free
  local cycle, r = math.floor(k / cap), k % cap
  local oldest = r < used and score_at(r) or now
  return oldest + window * (cycle + 1)
end

local function when_tokens(position, need, tpm, window)
  local wanted = (position + 1) * need
  local room = tpm - num(redis.call('HGET', STATE, 'tokens'))
  if room >= wanted then return now end
  local log = redis.call('ZRANGE', CALLS, 0, -1, 'WITHSCORES')
  for i = 1, #log, 2 do
    room = room + num(redis.call('HGET', TOKENS, log[i]))
    if room >= wanted then return num(log[i + 1]) + window end
  end
  return now + window * math.ceil(wanted / tpm)
end

-- The calls of each bucket that still counts, and their sum.
local function calls_of_day(key, oldest)
  local calls, sum, log = {}, 0, redis.call('HGETALL', key)
  for i = 1, #log, 2 do
    if num(log[i]) <= oldest then
      redis.call('HDEL', key, log[i])
    else
      calls[num(log[i])] = num(log[i + 1])
      sum = sum + num(log[i + 1])
    end
  end
  return calls, sum
end

-- A user may have `share` of what the others leave of the day, but one call at least: whoever comes
-- later finds something left. Waiting is the user's own doing where alone they would wait as well.
local function when_day(user, rank, position, rpd, share, day, step)
  local oldest = (now - day) / step - 1
  local calls, used = calls_of_day(DAYS, oldest)
  local mine, own = calls_of_day(days(user), oldest)
  local limit = own + rank + 1 > math.max(1, share * rpd) and 'rpd' or 'rpd_others'
  local function fits()
    return used + position + 1 <= rpd and own + rank + 1 <= math.max(1, share * (rpd - used + own))
  end
  if fits() then return now, limit end
  local buckets = {}
  for bucket in pairs(calls) do table.insert(buckets, bucket) end
  table.sort(buckets)
  for _, bucket in ipairs(buckets) do
    used, own = used - calls[bucket], own - (mine[bucket] or 0)
    if fits() then return bucket * step + step + day, limit end
  end
  return now + day, limit
end

if ARGV[1] == 'acquire' then
  local user, row, arrival = ARGV[3], ARGV[4], num(ARGV[5])
  local tpm = num(ARGV[8])
  local need = math.min(num(ARGV[6]), tpm)
  local rpm, rpd, window, day, step = num(ARGV[7]), num(ARGV[9]), num(ARGV[10]), num(ARGV[11]), num(ARGV[12])
  local max_wait, reserve, grace, probe = num(ARGV[13]), num(ARGV[14]), num(ARGV[15]), num(ARGV[16])
  local share = num(ARGV[17])
  prune(window, grace)

  local pause = breaker_wait(STATE, now)
  if pause > 0 then return { 'circuit', pause, '' } end

  local position, rank = ahead_of(user, row, arrival)
  -- A share stays free for who has had nothing in this window, so that nobody waits for a crowd.
  local is_newcomer = rank == 0 and redis.call('HEXISTS', SERVED, user) == 0
  local cap = is_newcomer and rpm or rpm - reserve
  local at, limit = when_requests(position, cap, window), 'rpm'
  local t = when_tokens(position, need, tpm, window)
  if t > at then at, limit = t, 'tpm' end
  local whose
  t, whose = when_day(user, rank, position, rpd, share, day, step)
  if t > at then at, limit = t, whose end
  t = num(redis.call('HGET', STATE, 'hold_until'))
  if t > at then at, limit = t, 'provider' end

  if at <= now then
    local id = user .. ':' .. redis.call('HINCRBY', STATE, 'calls', 1)
    redis.call('ZADD', CALLS, now, id)
    redis.call('HSET', TOKENS, id, need)
    redis.call('HINCRBY', STATE, 'tokens', need)
    redis.call('HINCRBY', SERVED, user, 1)
    redis.call('HSET', LAST, user, redis.call('HGET', STATE, 'calls'))
    for _, key in ipairs({ DAYS, days(user) }) do redis.call('HINCRBY', key, math.floor(now / step), 1) end
    if not breaker_is_closed(STATE) then breaker_probes(STATE, now, probe) end
    leave(user, row)
    for _, key in ipairs({ CALLS, TOKENS, SERVED, LAST, DAYS, days(user), STATE }) do
      redis.call('PEXPIRE', key, day + step)
    end
    return { 'go', 0, id }
  end
  if at - now > max_wait then
    -- Without a place, so that who waits for the day's budget holds up nobody's minute.
    leave(user, row)
    return { limit == 'rpd_others' and 'wait' or 'over', at - now, limit }
  end
  redis.call('ZADD', waiting(user), 'NX', arrival, row)
  redis.call('ZADD', DUE, at, user .. '|' .. row)
  redis.call('SADD', USERS, user)
  for _, key in ipairs({ waiting(user), DUE, USERS }) do redis.call('PEXPIRE', key, day + step) end
  return { 'wait', at - now, limit }
end

if ARGV[1] == 'settle' then
  local id, used, outcome, hold = ARGV[3], num(ARGV[4]), ARGV[5], num(ARGV[6])
  local threshold, cool, most = num(ARGV[7]), num(ARGV[8]), num(ARGV[9])
  if used >= 0 and redis.call('HEXISTS', TOKENS, id) == 1 then
    redis.call('HINCRBY', STATE, 'tokens', used - num(redis.call('HGET', TOKENS, id)))
    redis.call('HSET', TOKENS, id, used)
  end
  if hold > 0 then redis.call('HSET', STATE, 'hold_until', now + hold) end
  if outcome == 'up' then
    breaker_succeeded(STATE)
    return { 'settled', 0, '' }
  end
  local seconds = breaker_failed(STATE, now, threshold, cool, most)
  return { seconds > 0 and 'opened' or 'settled', seconds, '' }
end
