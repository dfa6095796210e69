-- What is asked of the store by those who hand jobs in.

local C = {}

local function same(owner, idem, fingerprint) -- the job of the same order, or a refusal
  local id = idem ~= '' and call('HGET', key('keys', owner), idem)
  if not id then return nil end
  return field(id, 'fingerprint') == fingerprint and told(id) or refused('reused')
end

local function check_bytes(owner, more)
  local own = tonumber(call('HGET', key('bytes'), owner .. '!') or 0)
  if own + more > a.per_owner then return refused('much') end
  if tonumber(call('HGET', key('bytes'), '*') or 0) + more > a.all then return refused('full') end
end

local function check_room(owner, more, urgent)
  local memory = call('INFO', 'memory')
  local most = tonumber(memory:match('maxmemory:(%d+)'))
  if most > 0 and tonumber(memory:match('used_memory:(%d+)')) > most * a.memory then return refused('full') end
  local count = call('ZCARD', key('owned', owner))
  if count >= a.jobs and not urgent then return refused('many', tostring(count)) end
  return check_bytes(owner, more)
end

local function answered(id, n) -- answer a picture by a result that is there already
  local known = of_item(id, n, 'made') ~= '' and call('HGET', key('made'), of_item(id, n, 'made'))
  if not known then return nil end
  local result = cjson.decode(known)
  keep(id, 'result', n, result.file, result.bytes, of_item(id, n, 'name'))
  return settle(id, n, 'done', known)
end

function C.found() return {call('SET', key('epoch'), exact(now), 'NX') and '1' or '0'} end

function C.known() return same(a.owner, a.key, a.fingerprint) or {} end

function C.check_room() return check_room(a.owner, a.more, false) or {} end

function C.put()
  if call('EXISTS', key('job', a.id)) == 1 then return {told(a.id), '1'} end
  local before = same(a.owner, a.key, a.fingerprint)
  if before then return before[1] == '!' and before or {before, '0'} end
  local no = not a.forced and check_room(a.owner, a.more, a.urgent)
  if no then return no end
  local seq = call('HINCRBY', key('sums'), 'jobs', 1)
  call('HSET', key('job', a.id), 'id', a.id, 'owner', a.owner, 'state', 'queued', 'created', exact(a.created or now),
    'ended', '', 'expires', exact((a.created or now) + a.seconds), 'revision', 1, 'changed', 1, 'recipe', a.recipe,
    'key', a.key, 'fingerprint', a.fingerprint, 'webhook', a.webhook, 'posting', a.webhook ~= '' and 'waiting' or '',
    'posts', 0, 'urgent', a.urgent and 1 or 0, 'seq', seq, 'live', #a.pictures, 'pictures', #a.pictures,
    'version', a.version, 'finish', a.finish, 'keep', a.keep)
  call('ZADD', key('expires'), exact((a.created or now) + a.seconds), a.id)
  if a.key ~= '' then call('HSET', key('keys', a.owner), a.key, a.id) end
  if not a.urgent then call('ZADD', key('owned', a.owner), seq, a.id) end
  for n, each in ipairs(a.pictures) do
    call('HSET', key('item', a.id, n), 'name', each.name, 'state', 'queued', 'stage', '', 'attempts', 0, 'tries', 0,
      'holder', '', 'revision', 1, 'told', '', 'pixels', each.pixels, 'made', each.made)
    keep(a.id, 'source', n, each.file, each.bytes, each.name)
  end
  for _, each in ipairs(a.assets) do keep(a.id, 'asset', 0, each.file, each.bytes, each.name) end
  for n = 1, #a.pictures do
    enqueue(a.id, n)
    later(answered(a.id, n) or {})
  end
  return {told(a.id), '1'}
end

function C.get() return told(a.id) end

function C.owned()
  local found = {}
  for _, id in ipairs(call('ZREVRANGE', key('owned', a.owner), 0, -1)) do found[#found + 1] = told(id) end
  return found
end

function C.all()
  local found = {}
  for _, id in ipairs(call('ZRANGE', key('expires'), 0, a.most - 1)) do found[#found + 1] = told(id) end
  return found
end

function C.revision() return {call('HGET', key('job', a.id), 'revision') or ''} end
