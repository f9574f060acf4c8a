-- What wrk sends, and what it tells at the end as one line of JSON.
local path = os.getenv("BENCH_BODY")
if path and path ~= "" then
  local file = io.open(path, "rb")
  wrk.body = file:read("*a")
  file:close()
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
end
wrk.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

local pause = tonumber(os.getenv("BENCH_PAUSE") or "0")
if pause > 0 then
  -- Milliseconds between an answer and the next request, of each connection.
  function delay()
    return math.random(0, 2 * pause)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    'bench {"requests": %d, "duration": %d, "status": %d, "broken": %d, "p50": %d, "p99": %d}',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
