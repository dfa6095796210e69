-- What is asked of it by those who work.

local function claimed(id, n, holder)
  local owner, attempt = field(id, 'owner'), tonumber(of_item(id, n, 'attempts')) + 1
  local before = of_item(id, n, 'holder')
  if before ~= '' then call('SREM', key('held', before), member(id, n)) end
  call('HSET', key('served'), owner, call('HINCRBY', key('sums'), 'turns', 1))
  dequeue(id, n)
  for _, class in ipairs(CLASSES) do
    if call('ZSCORE', key('owners', class), owner) then
      call('ZADD', key('owners', class), call('HGET', key('served'), owner), owner)
    end
  end
  call('HSET', key('item', id, n), 'state', 'running', 'stage', 'waiting', 'attempts', attempt, 'holder', holder)
  call('SADD', key('held', holder), member(id, n))
  call('ZADD', key('holders'), exact(now + a.lease), holder)
  revise(id, n)
  if field(id, 'state') == 'queued' then
    call('HSET', key('job', id), 'state', 'running', 'changed', field(id, 'revision'))
  end
  return {id, tostring(n), tostring(attempt), call('HGETALL', key('job', id)), call('HGETALL', key('item', id, n)),
    call('HGETALL', key('files', id)), exact(tonumber(field(id, 'expires')) - now)}
end

local function next_of(class)
  local owner = call('ZRANGE', key('owners', class), 0, 0)[1]
  return owner and call('ZRANGE', key('todo', class, owner), 0, 0)[1]
end

local function next_picture()
  local background = (tonumber(call('HGET', key('sums'), 'turns') or 0)) % BACKGROUND_TURN == BACKGROUND_TURN - 1
  if background then return next_of('later') or next_of('now') end
  return next_of('now') or next_of('later')
end

function C.take()
  if a.anew then release(a.holder) end
  awaken()
  local text = next_picture()
  while text do
    local id, n = apart(text)
    n = tonumber(n)
    local attempts = tonumber(of_item(id, n, 'attempts'))
    if tonumber(field(id, 'expires')) <= now then
      later(give_up(id))
    elseif attempts >= a.attempts then
      later(settle(id, n, 'failed', a.deadly))
    elseif attempts > 0 and not a.alone then
      return {'alone'}
    else
      return claimed(id, n, a.holder)
    end
    text = next_picture()
  end
  return {}
end

function C.beat()
  for _, holder in ipairs(a.holders) do call('ZADD', key('holders'), exact(now + a.lease), holder) end
  return {}
end

function C.holders() return call('ZRANGE', key('holders'), 0, -1) end

function C.leave()
  release(a.holder)
  return {}
end

function C.holds() return {is_held(a) and '1' or '0'} end

function C.stage()
  if not is_held(a) then return {'0'} end
  call('HSET', key('item', a.job, a.number), 'stage', a.stage)
  revise(a.job, a.number)
  return {'1'}
end

local function put_back(pause)
  dequeue(a.job, a.number)
  let_go(a.job, a.number)
  call('HINCRBY', key('item', a.job, a.number), 'attempts', -1)
  call('HSET', key('item', a.job, a.number), 'state', 'queued')
  revise(a.job, a.number)
  if pause > 0 then
    call('ZADD', key('paused'), exact(now + pause), member(a.job, a.number))
  else
    enqueue(a.job, a.number)
  end
end

function C.back()
  if is_held(a) then put_back(a.pause) end
  return {}
end

function C.put_off()
  if not is_held(a) then return {'lost', {}} end
  local tries = call('HINCRBY', key('item', a.job, a.number), 'tries', 1)
  if tries >= a.most then return {'failed', settle(a.job, a.number, 'failed', a.told)} end
  local pause = math.min(a.longest, a.first * 2 ^ (tries - 1))
  put_back(pause)
  return {tostring(pause), {}}
end

function C.done()
  local result = cjson.decode(a.told)
  if not is_held(a) then
    return call('HEXISTS', key('refs'), result.file) == 1 and {} or {result.file}
  end
  local owner, gain = field(a.job, 'owner'), 0
  for _, row in ipairs(call('HVALS', key('files', a.job))) do
    local kind, n, bytes = row:match('^(%a+):(%d+):(%d+):')
    if kind == 'source' and tonumber(n) == a.number then gain = tonumber(bytes) end
  end
  local no = check_bytes(owner, result.bytes - gain)
  if no then return no end
  keep(a.job, 'result', a.number, result.file, result.bytes, of_item(a.job, a.number, 'name'))
  local made = made_of(result.file)
  if made and tonumber(field(a.job, 'keep')) > 0 then call('HSET', key('made'), made, a.told) end
  return settle(a.job, a.number, 'done', a.told)
end

function C.reuse()
  if not is_held(a) then return {'1', {}} end
  local freed = answered(a.job, a.number)
  return {freed and '1' or '0', freed or {}}
end

function C.made() return {call('HGET', key('made'), a.made) or ''} end

function C.failed() return is_held(a) and settle(a.job, a.number, 'failed', a.told) or {} end
