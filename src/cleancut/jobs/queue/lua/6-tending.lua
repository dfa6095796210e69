-- What is asked of it by those who see to it that jobs end, and by those who look.

function C.cancel()
  if call('EXISTS', key('job', a.id)) == 0 then return {} end
  local id, freed = a.id, free(a.id, function() return true end)
  if field(id, 'ended') ~= '' then
    forget(id)
    return freed
  end
  local owner, idem = field(id, 'owner'), field(id, 'key')
  if idem ~= '' then call('HDEL', key('keys', owner), idem) end
  for n = 1, pictures(id) do
    dequeue(id, n)
    let_go(id, n)
    call('ZREM', key('dead'), member(id, n))
    call('DEL', key('item', id, n))
  end
  call('HSET', key('job', id), 'recipe', '{}', 'key', '', 'fingerprint', '', 'webhook', '', 'finish', '', 'pictures', 0)
  finish(id, 'cancelled')
  return freed
end

function C.expired()
  awaken()
  local freed, gone = {}, {}
  for _, id in ipairs(call('ZRANGEBYSCORE', key('expires'), '-inf', exact(now), 'LIMIT', 0, 200)) do
    if field(id, 'ended') == '' then
      extend(freed, give_up(id))
    else
      extend(freed, free(id, function() return true end))
      gone[#gone + 1] = member(id, pictures(id))
      forget(id)
    end
  end
  extend(freed, call('SPOP', key('freed'), 1000))
  return {freed, gone}
end

function C.files() return call('HKEYS', key('refs')) end

function C.due()
  for _, id in ipairs(call('ZRANGEBYSCORE', key('posts'), '-inf', exact(now))) do
    local posts = tonumber(field(id, 'posts'))
    if posts >= #a.pauses then
      call('HSET', key('job', id), 'posting', 'failed', 'webhook', '')
      call('ZREM', key('posts'), id)
    else
      call('HSET', key('job', id), 'posts', posts + 1)
      call('ZADD', key('posts'), exact(now + a.pauses[posts + 1]), id)
      return {told(id), field(id, 'webhook'), tostring(posts + 1)}
    end
  end
  return {}
end

function C.delivered()
  if call('EXISTS', key('job', a.id)) == 1 then
    call('HSET', key('job', a.id), 'posting', 'delivered', 'webhook', '')
  end
  call('ZREM', key('posts'), a.id)
  return {}
end

function C.restore() -- settle a picture as it had been before everything was lost
  local state, about = of_item(a.job, a.number, 'state'), cjson.decode(a.told)
  if state ~= 'queued' then return {} end
  if about.file then keep(a.job, 'result', a.number, about.file, about.bytes, of_item(a.job, a.number, 'name')) end
  later(settle(a.job, a.number, about.file and 'done' or 'failed', a.told))
  return {}
end

function C.dead() return call('ZREVRANGE', key('dead'), 0, a.most - 1) end

function C.again()
  if call('ZREM', key('dead'), member(a.job, a.number)) == 0 then return {'0'} end
  local job = key('job', a.job)
  call('HINCRBY', job, 'dead', -1)
  call('HINCRBY', job, 'live', 1)
  local item = key('item', a.job, a.number)
  call('HSET', item, 'state', 'queued', 'told', '', 'attempts', 0, 'tries', 0)
  if field(a.job, 'ended') ~= '' then
    local posting = field(a.job, 'webhook') ~= '' and 'waiting' or field(a.job, 'posting')
    call('HSET', job, 'state', 'queued', 'ended', '', 'expires', exact(now + a.seconds), 'posting', posting)
    call('ZADD', key('expires'), exact(now + a.seconds), a.job)
    call('ZREM', key('posts'), a.job)
  end
  enqueue(a.job, a.number)
  revise(a.job, a.number)
  call('HSET', job, 'changed', field(a.job, 'revision'))
  return {'1'}
end

function C.gauges()
  awaken()
  local running = 0
  for _, holder in ipairs(call('ZRANGE', key('holders'), 0, -1)) do
    running = running + call('SCARD', key('held', holder))
  end
  local oldest = call('ZRANGE', key('waiting'), 0, 0, 'WITHSCORES')[2]
  return {tostring(call('ZCARD', key('waiting'))), oldest and exact(now - oldest) or '0',
    tostring(call('HGET', key('sums'), 'pixels') or 0), tostring(running), tostring(call('ZCARD', key('paused'))),
    tostring(call('ZCARD', key('dead'))), tostring(call('HGET', key('bytes'), '*') or 0)}
end

if command ~= 'found' and not a.forced and call('EXISTS', key('epoch')) == 0 then return refused('lost') end
return C[command]()
