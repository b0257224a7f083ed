/** The program that puts units into buckets at the gateway. Pure. */
import { seedOf } from '../../traffic/unit-hash.ts';
import { BUCKET_HEADER, UNIT_HEADER, VARIANT_HEADER } from '../../traffic/unit-headers.ts';

/** What tells one unit from another: `spec.unit` of an ABTest. */
export type Unit = { readonly header?: string | undefined; readonly cookie?: string | undefined };

/** What request log and outcomes take as a unit; a longer one would be cut off there. */
export const UNIT_MAX = 512;

type Assignment = {
  readonly salt: string;
  readonly unit: Unit;
};

/**
 * Lua for Envoy's Lua filter (LuaJIT, Lua 5.1 with `bit`). Of what a tenant wrote nothing gets into
 * it but as an escaped string. No request can make it slow: it looks at each byte a few times at most,
 * and no pattern of it has to go back.
 * Lua's `%` is never negative, and `bit.tobit` wraps exactly up to 2^51: a 32-bit hash times at most
 * 16 bits stays below.
 */
export const assignmentLua = ({ salt, unit }: Assignment): string => `\
local bit = require("bit")
local bxor, lshift, rshift, tobit = bit.bxor, bit.lshift, bit.rshift, bit.tobit
local SEED = ${seedOf(salt)}
local NAME = ${luaString(unit.header?.toLowerCase() ?? `${unit.cookie ?? ''}=`)}

local function times(hash, high, low)
  return tobit(hash * low + lshift(hash * high, 16))
end

local function bucket_of(unit)
  local hash = SEED
  for at = 1, #unit do
    hash = times(bxor(hash, unit:byte(at)), 0x0100, 0x0193)
  end
  hash = times(bxor(hash, rshift(hash, 16)), 0x85eb, 0xca6b)
  hash = times(bxor(hash, rshift(hash, 13)), 0xc2b2, 0xae35)
  return bxor(hash, rshift(hash, 16)) % 4294967296 % 100
end

${unit.header === undefined ? COOKIE_LUA : HEADER_LUA}
function envoy_on_request(handle)
  local headers = handle:headers()
  local unit = unit_of(headers)
  headers:remove("${BUCKET_HEADER}")
  headers:remove("${UNIT_HEADER}")
  headers:remove("${VARIANT_HEADER}")
  if unit ~= nil and #unit > 0 and #unit <= ${UNIT_MAX} and not unit:find("[^ -~]") then
    headers:add("${UNIT_HEADER}", unit)
    headers:add("${BUCKET_HEADER}", string.format("%02d", bucket_of(unit)))
  end
  handle:clearRouteCache()
end
`;

/** Several values leave open which one is meant. */
const HEADER_LUA = `\
local function unit_of(headers)
  if headers:getNumValues(NAME) == 1 then
    return headers:getAtIndex(NAME, 0)
  end
end
`;

/** Of several cookies of the name the first counts: the one of the longest path (RFC 6265, 5.4). */
const COOKIE_LUA = `\
local function unit_of(headers)
  for at = 0, headers:getNumValues("cookie") - 1 do
    for pair in headers:getAtIndex("cookie", at):gmatch("[^;]+") do
      local first = pair:find("[^ \\t]")
      if first ~= nil and pair:sub(first, first + #NAME - 1) == NAME then
        local last = #pair
        while pair:byte(last) == 32 or pair:byte(last) == 9 do
          last = last - 1
        end
        return pair:sub(first + #NAME, last)
      end
    end
  end
end
`;

/** Letters, digits, dots and dashes as they are, every other byte by its number. */
const luaString = (text: string): string => {
  const bytes = [...new TextEncoder().encode(text)];
  const escaped = bytes.map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9.-]/.test(character) ? character : `\\${String(byte).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
};
