-- For wrk: distinct questions, so that no answer was given before. 100 people of all, in an order drawn anew each time,
-- about a task that is drawn too. Arguments: seed, path, token, file of people, file of tasks, limit, explain.
local people, tasks, path, tail = {}, {}, nil, nil
local asked = 100

local function lines(name, into)
  for line in io.lines(name) do into[#into + 1] = '"' .. line .. '"' end
end

function init(args)
  math.randomseed(tonumber(args[1]))
  path = args[2]
  lines(args[4], people)
  lines(args[5], tasks)
  tail = '],"limit":' .. args[6] .. ',"explain":' .. args[7] .. '}'
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. args[3]
end

function request()
  for place = 1, asked do
    local other = math.random(place, #people)
    people[place], people[other] = people[other], people[place]
  end
  local named = table.concat(people, ",", 1, asked)
  local body = '{"task_id":' .. tasks[math.random(#tasks)] .. ',"candidates":[' .. named .. tail
  return wrk.format(nil, path, nil, body)
end

function done(summary, latency)
  local wrong = summary.errors
  local failed = wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout
  io.write(string.format(
    '{"answers":%d,"seconds":%.6f,"bytes":%d,"failed":%d,"p50":%.3f,"p99":%.3f}\n', summary.requests,
    summary.duration / 1e6, summary.bytes, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
