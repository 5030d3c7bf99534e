// A truthful archive with one hearing, as the page sees it; a test changes one thing of it. Keys are made here.
import type { ArchiveKeys, Proof, ProvenEntry, Timeline } from "../../web/ui/src/types";
import { concatBytes, toBase64, toHex, utf8, type Bytes } from "../../web/ui/src/verify/bytes";
import { canonical, type JsonObject } from "../../web/ui/src/verify/entries";
import { leafHash, proveInclusion, rootOf } from "../../web/ui/src/verify/merkle";
import { keyId } from "../../web/ui/src/verify/note";
import { sha256 } from "../../web/ui/src/verify/sha256";
import { verifyHearing, type VerifySource } from "../../web/ui/src/verify/verify";

export const kHearing = "0193a5b0-7c11-7abc-8def-0123456789ab";
export const kArchive = "archive.test.example";
export const kOrigin = `${kArchive}/hearing/${kHearing}`;

export interface Signer { name: string; type: number; pub: Bytes; vkey: string; line(text: string): Promise<string>; sign(text: string): Promise<string> }

export async function signer(name: string, type: number): Promise<Signer> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const pub = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const id = keyId(name, type, pub);
  const hex = toHex(id);
  const sign = async (text: string) => new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, utf8(text)));
  return {
    name, type, pub, vkey: `${name}+${hex}+${toBase64(concatBytes(Uint8Array.of(type), pub))}`,
    async line(text) {
      const time = new Uint8Array(8);
      new DataView(time.buffer).setBigUint64(0, 1_790_000_000n);
      const message = type === 1 ? text : `cosignature/v1\ntime 1790000000\n${text}`;
      return `\u2014 ${name} ${toBase64(concatBytes(id, ...(type === 1 ? [] : [time]), await sign(message)))}\n`;
    },
    sign: async (text) => toBase64(await sign(text)),
  };
}

export function memory() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

export async function note(origin: string, entries: Bytes[], signers: Signer[]): Promise<string> {
  const text = `${origin}\n${entries.length}\n${toBase64(rootOf(entries.map((e) => leafHash(e))))}\n`;
  return `${text}\n${(await Promise.all(signers.map((s) => s.line(text)))).join("")}`;
}

export function segment(seq: number): JsonObject {
  return {
    kind: "segment", v: 1, stream: "cam-bench", seq, run: 0, sha256: toHex(sha256(utf8(`media ${seq}`))), bytes: 7, init_bytes: 2,
    start_90k: 90000 + seq * 900000, duration_90k: 900000, codecs: "avc1.64001f", flags: [], boot: "b", mono_ms: seq,
    utc: `2026-11-22T09:00:${String(seq * 10).padStart(2, "0")}.000Z`, clock: { error_ms: 2, state: "locked" },
  };
}

export const log = await signer(kArchive, 1);
export const holder = await signer(`${kArchive}/holder`, 4);
export const second = await signer("second.test.example", 4);
export const station = await signer(kOrigin, 1);
export const stranger = await signer(kOrigin, 1);

// Everything a truthful archive serves; a test changes one thing of it.
export async function archive(count = 5) {
  const json: JsonObject[] = [
    { kind: "open", v: 1, archive: kArchive, hearing: kHearing, station: "s", utc: "2026-11-22T09:00:00.000Z", station_key: toHex(station.pub), main_size: 1 },
    ...Array.from({ length: count }, (_, i) => segment(i)),
    { kind: "gap", v: 1, streams: ["*"], from: "2026-11-22T09:01:00.000Z", to: "2026-11-22T09:02:00.000Z", reason: "recess" },
    { kind: "close", v: 1, utc: "2026-11-22T09:02:00.000Z" },
  ];
  const entries = json.map((e) => utf8(canonical(e)));
  const hearingNote = await note(kOrigin, entries, [station, holder]);
  const main = [
    utf8(canonical({ kind: "genesis", v: 1 })),
    utf8(canonical({ kind: "key", v: 1, action: "added", role: "station", name: "s", key: toHex(station.pub), since: "2026-11-01T00:00:00.000Z" })),
    utf8(canonical({ kind: "hearing-checkpoint", v: 1, hearing: kHearing, note: hearingNote, closed: true, utc: "2026-11-22T09:03:00.000Z" })),
    utf8(canonical({ kind: "scrub", v: 1 })),
  ];
  const leaves = main.map((e) => leafHash(e));
  const proven = async (index: number) => ({
    index, entry: new TextDecoder().decode(main[index]),
    inclusion: (await proveInclusion(index, main.length, async (a, b) => rootOf(leaves.slice(a, b)))).map(toHex),
  });
  const proof: Proof = {
    hearing_checkpoint: hearingNote, main_checkpoint: await note(kArchive, main, [log]), main_size: main.length,
    main_cosigned: [await note(kArchive, main.slice(0, 3), [log, second])],
    checkpoint_entry: await proven(2), key_entry: await proven(1),
  };
  const timeline: Timeline = {
    start: "2026-11-22T09:00:00.000Z", end: "2026-11-22T09:02:00.000Z", live: false, log_size: entries.length, marks: [], peaks: [],
    streams: [{ name: "cam-bench", medium: "video", source: "room", segments: json.map((e, index) => ({ ...e, index }) as never)
      .filter((e: JsonObject) => e["kind"] === "segment") }],
    gaps: [{ index: count + 1, streams: ["*"], from: "2026-11-22T09:01:00.000Z", to: "2026-11-22T09:02:00.000Z", reason: "recess", excused: true }],
    account: {
      declared_ms: 120_000, recorded_ms: count * 10_000, excused_ms: 60_000, unexcused_ms: 60_000 - count * 10_000,
      unexplained_ms: 60_000 - count * 10_000, joins: 0, join_error_ms: 0, streams: [],
    },
  };
  const keys: ArchiveKeys = {
    archive: kArchive, log_vkey: log.vkey, holder_vkey: holder.vkey, cosigners: [{ name: "second", vkey: second.vkey }],
  };
  const served = { entries, main, leaves: entries.map((e) => leafHash(e)), proof, timeline, keys };
  return Object.assign(served, { proven: (index: number): ProvenEntry => { throw new Error(`entry ${index}: resign() first`); } });
}

export type Served = Awaited<ReturnType<typeof archive>>;

export function sourceOf(served: Served): VerifySource {
  const bundle = (list: Bytes[]) => concatBytes(...list.flatMap((e) => [Uint8Array.of(e.length >> 8, e.length & 255), e]));
  return {
    keys: async () => served.keys,
    proof: async () => served.proof,
    timeline: async () => served.timeline,
    log: () => ({
      bundle: async (i, width) => bundle(served.entries.slice(256 * i, 256 * i + width)),
      tile: async (i, width) => concatBytes(...served.leaves.slice(256 * i, 256 * i + width)),
    }),
  };
}

export async function codes(served: Served, store = memory()): Promise<string[]> {
  const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), store, "2026-11-23T00:00:00.000Z");
  return verdict.problems.map((p) => p.code);
}

// The main log once more, with these entries behind the usual four, and every proof anew.
export async function resign(served: Served, more: JsonObject[]): Promise<void> {
  const old = served.proof;
  const main = [...served.main.slice(0, 2),
    utf8(canonical({ kind: "hearing-checkpoint", v: 1, hearing: kHearing, note: old.hearing_checkpoint, closed: true, utc: "2026-11-22T09:03:00.000Z" })),
    ...served.main.slice(3), ...more.map((e) => utf8(canonical(e)))];
  const leaves = main.map((e) => leafHash(e));
  const proofs = await Promise.all(main.map(async (bytes, index) => ({
    index, entry: new TextDecoder().decode(bytes),
    inclusion: (await proveInclusion(index, main.length, async (a, b) => rootOf(leaves.slice(a, b)))).map(toHex),
  })));
  served.proven = (index: number) => structuredClone(proofs[index]!);
  served.proof = { ...old, main_checkpoint: await note(kArchive, main, [log]), main_size: main.length, main_cosigned: [],
    checkpoint_entry: proofs[2]!, key_entry: proofs[1]! };
}
