"""What a load balancer does to a request: the Lua script that runs in the proxy for each one.

Sources: aws/alb-vpc-terraform.md sections 1.5 (redirects) and 1.8 (headers).
"""

import json
from collections.abc import Mapping

from tsubo.core import alb_replies
from tsubo.model.elbv2 import Listener

REDIRECT_METADATA = "envoy.filters.http.lua"
"""The key of a route's metadata under which the script finds `redirect`."""

_SCRIPT = r"""
local function random_hex(length)
  local digits = {}
  for i = 1, length do digits[i] = string.format("%x", math.random(0, 15)) end
  return table.concat(digits)
end

math.randomseed(os.time() + (tonumber(tostring({}):match("0x(%x+)"), 16) or 0) % 2147483647)

local function trace_id(given)
  local fresh = string.format("1-%08x-%s", os.time(), random_hex(24))
  if not given or #given > 7168 then return "Root=" .. fresh end
  local kept = given:gsub("Self=[^;]*;?", "")
  local name = kept:find("Root=", 1, true) and "Self=" or "Root="
  return name .. fresh .. (kept ~= "" and ";" .. kept or "")
end

local function without_port(address) return (address:gsub(":%d+$", "")) end

local function redirect(handle, template)
  local headers = handle:headers()
  local path, query = headers:get(":path"):match("^/?([^?]*)%??(.*)$")
  local values = { protocol = PROTOCOL:lower(), host = without_port(headers:get(":authority")), port = tostring(PORT),
                   path = path, query = query }
  local function fill(text) return (text:gsub("#{(%w+)}", values)) end
  local scheme = fill(template.protocol):lower()
  local location = scheme .. "://" .. fill(template.host) .. ":" .. fill(template.port) .. fill(template.path)
  local asked = fill(template.query)
  if asked ~= "" then location = location .. "?" .. asked end
  handle:respond({ [":status"] = template.status, location = location, server = SERVER,
                   ["content-type"] = "text/html" }, template.body)
end

local function forwarded_for(handle, headers)
  if FORWARDED_FOR == "preserve" then return end
  if FORWARDED_FOR == "remove" then return headers:remove("x-forwarded-for") end
  local client = handle:streamInfo():downstreamDirectRemoteAddress()
  if not CLIENT_PORT then client = without_port(client) end
  local given = headers:get("x-forwarded-for")
  headers:replace("x-forwarded-for", given and given .. ", " .. client or client)
end

function envoy_on_request(handle)
  local template = handle:metadata():get("redirect")
  if template then return redirect(handle, template) end
  local headers = handle:headers()
  forwarded_for(handle, headers)
  headers:replace("x-forwarded-port", tostring(PORT))
  headers:replace("x-amzn-trace-id", trace_id(headers:get("x-amzn-trace-id")))
  local host = headers:get(":authority")
  if PORT ~= 80 and PORT ~= 443 and not PRESERVE_HOST and not host:find(":%d+$") then
    headers:replace(":authority", host .. ":" .. PORT)
  end
end
"""


def script(listener: Listener, attributes: Mapping[str, str]) -> str:
    """Return the script of one listener, given the load balancer's attributes."""
    constants = {
        "PORT": listener.port,
        "PROTOCOL": listener.protocol,
        "SERVER": alb_replies.SERVER,
        "FORWARDED_FOR": attributes.get("routing.http.xff_header_processing.mode", "append"),
        "CLIENT_PORT": attributes.get("routing.http.xff_client_port.enabled") == "true",
        "PRESERVE_HOST": attributes.get("routing.http.preserve_host_header.enabled") == "true",
    }
    return "".join(f"local {name} = {json.dumps(value)}\n" for name, value in constants.items()) + _SCRIPT
