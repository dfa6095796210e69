-- The commands of the shared store; each is one script, so it is done as a whole or not at all.
--
-- KEYS[1]: the prefix of every key. ARGV: command, seconds since the epoch ("" asks Redis), JSON of its arguments.
-- Answers are lists; one that begins with "!" is a refusal, and names it.
--
-- P:epoch              there as long as Redis has not lost its data
-- P:job:ID             a job                         P:item:ID:N     a picture of it
-- P:files:ID           file → "kind:number:bytes:name"
-- P:refs               file → how many rows name it  P:freed         files that nothing names, yet to be removed
-- P:made               result key → file, and what is told of it (JSON)
-- P:bytes, P:owned     bytes by owner ("*" is all)   P:owned:OWNER   its jobs by arrival
-- P:keys:OWNER         Idempotency-Key → job
-- P:owners:CLASS       who waits, by the last turn   P:todo:CLASS:OWNER   its pictures by arrival
-- P:waiting            pictures that wait, by age    P:paused        pictures that wait until a time
-- P:holders            by the end of their lease     P:held:HOLDER   what each has claimed
-- P:dead               pictures we failed at, by time
-- P:expires, P:posts   jobs by the time when they are given up or wiped, and when their webhook is due

local P, command = KEYS[1], ARGV[1]
local a = cjson.decode(ARGV[3])
local call = redis.call
local now = tonumber(ARGV[2])
if now == nil then
  local time = call('TIME')
  now = time[1] + time[2] / 1e6
end

local CLASSES = {'now', 'later'}
local BACKGROUND_TURN = 8 -- one turn in so many goes to what nobody waits for
local NEVER = 2 ^ 50      -- who was never served comes before all who were
local MOST_PICTURES = 2 ^ 20

local function key(...) return P .. ':' .. table.concat({...}, ':') end
local function member(id, n) return id .. ':' .. n end
local function apart(text) return text:match('^(.*):(%d+)$') end
local function exact(seconds) return string.format('%.6f', seconds) end
local function field(id, name) return call('HGET', key('job', id), name) or '' end
local function of_item(id, n, name) return call('HGET', key('item', id, n), name) or '' end
local function refused(why, ...) return {'!', why, ...} end
local function extend(list, more) for _, value in ipairs(more) do list[#list + 1] = value end end

local function revise(id, n)
  call('HSET', key('item', id, n), 'revision', call('HINCRBY', key('job', id), 'revision', 1))
end

local function class_of(id) return field(id, 'urgent') == '1' and 'now' or 'later' end
