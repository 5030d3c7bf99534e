// What this browser saw first: keys, and how far the logs had grown. Later visits must agree with it.
import type { ArchiveKeys } from "../types";
import type { Problem } from "./chain";
import { epochOf } from "./epochs";

export interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

// Each archive whose copies are shown here has a memory of its own: its keys are others, and its log has grown otherwise.
export function memoryOf(memory: Memory, archive: string | undefined): Memory {
  if (!archive) return memory;
  const own = (key: string) => `${key}@${archive}`;
  return {
    getItem: (key) => memory.getItem(own(key)), setItem: (key, value) => memory.setItem(own(key), value),
    removeItem: (key) => memory.removeItem(own(key)),
  };
}

export interface Pins { keys: ArchiveKeys; since: string }

const kKeysItem = "greffe.pinned-keys";
const kMainItem = "greffe.main-seen";
const hearingItem = (hearing: string) => `greffe.seen.${hearing}`;

export function pinnedKeys(memory: Memory): Pins | undefined {
  const pins = readItem<Pins>(memory, kKeysItem);
  return pins && typeof pins.keys?.log_vkey === "string" ? pins : undefined;
}

// The keys to check with: those seen first. Each one that has changed since is a problem with its name; a cosigner
// that has joined since is pinned now, one that has left is only missing.
export function pinKeys(memory: Memory, served: ArchiveKeys, now: string): { pins: Pins; problems: Problem[] } {
  const old = pinnedKeys(memory);
  if (!old) {
    const pins = { keys: served, since: now };
    memory.setItem(kKeysItem, JSON.stringify(pins));
    return { pins, problems: [] };
  }
  const problems: Problem[] = [];
  const changed = (what: string, name: string) =>
    problems.push({ code: "key-changed", params: { what: `@key.${what}`, name, since: old.since } });
  if (old.keys.log_vkey !== served.log_vkey) changed("log", served.archive);
  if (old.keys.holder_vkey !== served.holder_vkey) changed("holder", served.archive);
  const cosigners = [...(old.keys.cosigners ?? [])];
  for (const cosigner of served.cosigners ?? []) {
    const pinned = cosigners.find((c) => c.name === cosigner.name);
    if (!pinned) cosigners.push(cosigner);
    else if (pinned.vkey !== cosigner.vkey) changed("cosigner", cosigner.name);
  }
  const pins = { keys: { ...old.keys, cosigners }, since: old.since };
  if (cosigners.length !== (old.keys.cosigners ?? []).length) memory.setItem(kKeysItem, JSON.stringify(pins));
  return { pins, problems };
}

// Only when a person has compared the fingerprints by another way: the page asks twice.
export function repinKeys(memory: Memory, served: ArchiveKeys, now: string): void {
  memory.setItem(kKeysItem, JSON.stringify({ keys: served, since: now }));
  memory.removeItem(kMainItem);
}

export interface Seen { origin: string; size: number; root: string }

export function seenMain(memory: Memory): Seen | undefined {
  return readItem<Seen>(memory, kMainItem);
}

// A log only grows. Smaller than before, or another root at the same size, means history was rewritten; and after a promotion nobody goes
// back to the epoch before. `size`: entries through all epochs.
export function checkMainGrowth(memory: Memory, now: Seen): Problem[] {
  const old = seenMain(memory);
  const [before, after] = [epochOf(old?.origin ?? ""), epochOf(now.origin)];
  if (before.archive === after.archive && before.epoch > after.epoch) {
    return [{ code: "epoch-went-back", params: { before: before.epoch, now: after.epoch } }];
  }
  if (old && old.origin === now.origin) {
    if (now.size < old.size) return [{ code: "main-went-back", params: { before: old.size, now: now.size } }];
    if (now.size === old.size && now.root !== old.root) return [{ code: "main-split", params: { entries: now.size } }];
  }
  memory.setItem(kMainItem, JSON.stringify(now));
  return [];
}

export function seenHearing(memory: Memory, hearing: string): Seen | undefined {
  return readItem<Seen>(memory, hearingItem(hearing));
}

// `prefixRoot` is the root over the first `old.size` entries as they are today.
export function checkHearingGrowth(memory: Memory, hearing: string, now: Seen, prefixRoot: string | undefined): Problem[] {
  const old = seenHearing(memory, hearing);
  if (old) {
    if (now.size < old.size) return [{ code: "tail-missing", params: { shown: now.size, filed: old.size } }];
    if (prefixRoot !== undefined && prefixRoot !== old.root) {
      return [{ code: "history-changed", params: { entries: old.size } }];
    }
  }
  memory.setItem(hearingItem(hearing), JSON.stringify(now));
  return [];
}

function readItem<T>(memory: Memory, key: string): T | undefined {
  const value = memory.getItem(key);
  if (value === null) return undefined;
  try {
    return JSON.parse(value) as T;
  } catch {
    return undefined;
  }
}
