// What an old epoch had behind the state that its successor goes on from, and that came back: a `graft` in a newer log says so
// (docs/formats/main-log.md). Of an earlier epoch this page is shown no more than the state that is gone on from: that it came back is the newer
// log's word, and nothing else is claimed.
import { fromHex, type Bytes } from "./bytes";
import { list, parseCanonical, text, whole, type Json, type JsonObject } from "./entries";
import { epochOf, type MainLog } from "./epochs";

export interface CameBack {
  epoch: number; // whose log came back
  entries: number; // behind the state that the next epoch goes on from
}

const isHash = (hash: string): boolean => fromHex(hash)?.length === 32;

function isHearing(one: Json): boolean {
  if (typeof one !== "object" || Array.isArray(one)) return false;
  return text(one, "hearing") !== "" && isHash(text(one, "root")) && whole(one, "size") > 0;
}

// What a proven entry of the log of `epoch` says of an earlier one. "bad": what cannot be, by the epochs that are believed. undefined: nothing.
export function graftIn(logs: readonly MainLog[], epoch: number, bytes: Bytes): CameBack | "bad" | undefined {
  const entry = parseCanonical(bytes);
  return entry && text(entry, "kind") === "graft" ? cameBack(logs, epoch, entry) ?? "bad" : undefined;
}

function cameBack(logs: readonly MainLog[], epoch: number, entry: JsonObject): CameBack | undefined {
  const origin = text(entry, "origin");
  const old = logs.find((log) => log.checkpoint.origin === origin);
  const size = whole(entry, "size");
  if (whole(entry, "v") !== 1 || !old || epochOf(origin).epoch >= epoch || size <= old.checkpoint.size || !isHash(text(entry, "root"))) return undefined;
  const hearings = list(entry, "hearings");
  const named = new Set(hearings.map((one) => (isHearing(one) ? text(one as JsonObject, "hearing") : "")));
  if (named.has("") || named.size !== hearings.length || !Array.isArray(entry["hearings"])) return undefined;
  return { epoch: old.epoch, entries: size - old.checkpoint.size };
}
