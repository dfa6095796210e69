-- How a picture, and with it a job, ends; what is told of it; who has claimed it.

local function finish(id, state) -- end a job
  local job = key('job', id)
  local revision = call('HINCRBY', job, 'revision', 1)
  local expires = now + tonumber(field(id, 'keep'))
  call('HSET', job, 'state', state, 'ended', exact(now), 'expires', exact(expires), 'changed', revision, 'live', 0)
  call('ZADD', key('expires'), exact(expires), id)
  if field(id, 'webhook') ~= '' then
    call('HSET', job, 'posting', 'pending')
    call('ZADD', key('posts'), exact(now), id)
  else
    call('HSET', job, 'posting', '')
  end
  call('PUBLISH', key('ended'), id)
end

local function let_go(id, n)
  local holder = of_item(id, n, 'holder')
  call('HSET', key('item', id, n), 'stage', '', 'holder', '')
  if holder == '' then return end
  call('SREM', key('held', holder), member(id, n))
end

local function is_ours(told) return told.status and told.status >= 500 and told.error ~= 'Deadline' end

local function settle(id, n, state, told)
  dequeue(id, n)
  let_go(id, n)
  local about = cjson.decode(told)
  local dead = state == 'failed' and is_ours(about)
  call('HSET', key('item', id, n), 'state', state, 'told', told)
  revise(id, n)
  local freed = {}
  if dead then
    call('ZADD', key('dead'), exact(now), member(id, n)) -- its picture stays, so that it can be sent again
    call('HINCRBY', key('job', id), 'dead', 1)
  else
    extend(freed, free(id, function(kind, number) return kind == 'source' and number == tostring(n) end))
  end
  if state == 'done' then call('HINCRBY', key('job', id), 'good', 1) end
  if call('HINCRBY', key('job', id), 'live', -1) > 0 then return freed end
  finish(id, (tonumber(field(id, 'good')) or 0) > 0 and 'done' or 'failed')
  if (tonumber(field(id, 'dead')) or 0) == 0 then
    extend(freed, free(id, function(kind) return kind == 'asset' end))
  end
  return freed
end

local function pictures(id) return tonumber(field(id, 'pictures')) or 0 end

local function forget(id)
  local owner, idem = field(id, 'owner'), field(id, 'key')
  if idem ~= '' and call('HGET', key('keys', owner), idem) == id then call('HDEL', key('keys', owner), idem) end
  for n = 1, pictures(id) do
    dequeue(id, n)
    let_go(id, n)
    call('ZREM', key('dead'), member(id, n))
    call('DEL', key('item', id, n))
  end
  call('ZREM', key('owned', owner), id)
  if call('EXISTS', key('owned', owner)) == 0 and not call('ZSCORE', key('owners', 'now'), owner) then
    call('HDEL', key('served'), owner)
  end
  call('ZREM', key('expires'), id)
  call('ZREM', key('posts'), id)
  call('DEL', key('job', id), key('files', id))
end

local function later(files) -- whoever removes leftovers will find them
  if #files > 0 then call('SADD', key('freed'), unpack(files)) end
end

local function give_up(id)
  local freed = {}
  local late = field(id, 'urgent') == '1' and a.late_now or a.late
  for n = 1, pictures(id) do
    local state = of_item(id, n, 'state')
    if state == 'queued' or state == 'running' then extend(freed, settle(id, n, 'failed', late)) end
  end
  return freed
end

local function release(holder) -- what it has claimed waits again; it is shown as running until it is claimed anew
  for _, text in ipairs(call('SMEMBERS', key('held', holder))) do
    local id, n = apart(text)
    if of_item(id, n, 'state') == 'running' and of_item(id, n, 'holder') == holder then enqueue(id, tonumber(n)) end
  end
  call('DEL', key('held', holder))
  call('ZREM', key('holders'), holder)
end

local function awaken()
  for _, text in ipairs(call('ZRANGEBYSCORE', key('paused'), '-inf', exact(now))) do
    local id, n = apart(text)
    call('ZREM', key('paused'), text)
    enqueue(id, tonumber(n))
  end
  for _, holder in ipairs(call('ZRANGEBYSCORE', key('holders'), '-inf', '(' .. exact(now))) do release(holder) end
end

local function is_held(claim)
  local item = call('HMGET', key('item', claim.job, claim.number), 'state', 'holder', 'attempts')
  return item[1] == 'running' and item[2] == claim.holder and tonumber(item[3]) == claim.attempt
end

local function told(id)
  local job = call('HGETALL', key('job', id))
  if #job == 0 then return {} end
  local items = {}
  for n = 1, pictures(id) do items[n] = call('HGETALL', key('item', id, n)) end
  return {job, items}
end
