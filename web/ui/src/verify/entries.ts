// Log entries as the page reads them: strict canonical JSON, bundles of the tiles format, and the few kinds it needs.
import { fromUtf8, type Bytes } from "./bytes";

export type Json = string | number | boolean | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

// Canonical JSON (RFC 8785, integers only): parse, write again, compare. Duplicate keys, floats, blanks and wrong key
// order all fail the comparison.
export function parseCanonical(bytes: Uint8Array): JsonObject | undefined {
  const text = fromUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return canonical(value, 0) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

export function canonical(value: Json, depth = 0): string {
  if (depth > 16) throw new Error("too deep");
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Error("not a whole number");
    return String(value);
  }
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (value === null || value === undefined) throw new Error("null");
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key]!, depth + 1)}`);
  return `{${members.join(",")}}`;
}

// u16 length, bytes, again. undefined unless it holds exactly `count` entries and nothing else.
export function parseBundle(bundle: Bytes, count: number): Bytes[] | undefined {
  const out: Bytes[] = [];
  let at = 0;
  while (at < bundle.length) {
    if (at + 2 > bundle.length) return undefined;
    const length = bundle[at]! * 256 + bundle[at + 1]!;
    at += 2;
    if (at + length > bundle.length) return undefined;
    out.push(bundle.slice(at, at + length));
    at += length;
  }
  return out.length === count ? out : undefined;
}

// "000", "x001/234": three digits a group, all but the last prefixed.
export function tileIndexPath(index: number): string {
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return path;
}

// The bundles of a log of `size` entries: index and width (256 = full).
export function bundlesOf(size: number): { index: number; width: number }[] {
  const out: { index: number; width: number }[] = [];
  for (let start = 0; start < size; start += 256) out.push({ index: start / 256, width: Math.min(256, size - start) });
  return out;
}

export const text = (json: JsonObject, key: string): string => (typeof json[key] === "string" ? json[key] : "");
export const whole = (json: JsonObject, key: string): number => (typeof json[key] === "number" ? json[key] : -1);
export const list = (json: JsonObject, key: string): Json[] => (Array.isArray(json[key]) ? json[key] : []);
export const texts = (json: JsonObject, key: string): string[] => list(json, key).map((one) => (typeof one === "string" ? one : ""));
