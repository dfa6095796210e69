-- Where pictures wait, and the files that they need.

local function count_pixels(id, n, sign)
  call('HINCRBY', key('sums'), 'pixels', string.format('%d', sign * (tonumber(of_item(id, n, 'pixels')) or 0)))
end

local function enqueue(id, n)
  local class, owner, seq = class_of(id), field(id, 'owner'), tonumber(field(id, 'seq'))
  if call('ZADD', key('todo', class, owner), string.format('%.0f', seq * MOST_PICTURES + n), member(id, n)) == 1 then
    call('ZADD', key('waiting'), field(id, 'created'), member(id, n))
    count_pixels(id, n, 1)
  end
  local served = call('HGET', key('served'), owner) or string.format('%.0f', seq - NEVER)
  call('ZADD', key('owners', class), served, owner)
end

local function dequeue(id, n)
  local class, owner = class_of(id), field(id, 'owner')
  call('ZREM', key('paused'), member(id, n))
  if call('ZREM', key('todo', class, owner), member(id, n)) == 0 then return end
  call('ZREM', key('waiting'), member(id, n))
  count_pixels(id, n, -1)
  if call('EXISTS', key('todo', class, owner)) == 0 then call('ZREM', key('owners', class), owner) end
end

local function keep(id, kind, n, file, bytes, name)
  local owner = field(id, 'owner')
  call('HSET', key('files', id), file, table.concat({kind, n, bytes, name}, ':'))
  call('HINCRBY', key('refs'), file, 1)
  call('HINCRBY', key('bytes'), owner .. '!', bytes)
  call('HINCRBY', key('bytes'), '*', bytes)
end

local function made_of(file) return file:match('^' .. string.rep('%x', 64) .. '%-') and file:sub(1, 64) end

local function free(id, wanted)
  local freed, rows, owner = {}, call('HGETALL', key('files', id)), field(id, 'owner')
  for i = 1, #rows, 2 do
    local file = rows[i]
    local kind, n, bytes = rows[i + 1]:match('^(%a+):(%d+):(%d+):')
    if wanted(kind, n, file) then
      call('HDEL', key('files', id), file)
      if call('HINCRBY', key('bytes'), owner .. '!', string.format('%d', -bytes)) <= 0 then call('HDEL', key('bytes'), owner .. '!') end
      call('HINCRBY', key('bytes'), '*', string.format('%d', -bytes))
      if call('HINCRBY', key('refs'), file, -1) <= 0 then
        call('HDEL', key('refs'), file)
        local made = made_of(file)
        local known = made and call('HGET', key('made'), made)
        if known and cjson.decode(known).file == file then call('HDEL', key('made'), made) end
        freed[#freed + 1] = file
      end
    end
  end
  return freed
end
