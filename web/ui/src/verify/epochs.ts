// The main logs of an archive, one an epoch, from the key of the first one, which this browser knows, to the newest. A later one is believed
// because two officers that the ones before name signed what it goes on from: docs/formats/proof-and-policy.md.
import type { ArchiveKeys, ProvenEntry, ProvenEpoch } from "../types";
import { equalBytes, fromHex, utf8, type Bytes } from "./bytes";
import { parseCanonical, text, texts, whole, type JsonObject } from "./entries";
import { leafHash, verifyInclusion } from "./merkle";
import { checkSignature, kCosigner, kLogKey, makeKey, parseCheckpoint, parseVkey, vkeyText, type Checkpoint, type VerifierKey } from "./note";
import { Officers } from "./officers";

const kMaxEpochs = 1000;

export interface MainLog {
  epoch: number;
  first: number; // number of its entry 0, through all epochs
  checkpoint: Checkpoint; // signed by its own key
  key: VerifierKey;
  holder: VerifierKey | undefined; // gives receipts meanwhile
  promoted?: { utc: string; officers: string[] }; // who began it, and when; not the first
}

export interface Epochs {
  logs: MainLog[]; // those that are believed, in order; none: the first is not signed by the key that is known
  broken?: number; // the epoch that does not follow from those
}

// The archive and the epoch whose log has this origin.
export function epochOf(origin: string): { archive: string; epoch: number } {
  const match = /^([^/]+)\/epoch\/([1-9][0-9]{0,6})$/.exec(origin);
  return match ? { archive: match[1]!, epoch: Number(match[2]) } : { archive: origin, epoch: 1 };
}

// The entry, when it is proven to stand at its index under this checkpoint.
export function provenEntry(proven: ProvenEntry, checkpoint: Checkpoint): JsonObject | undefined {
  const bytes = utf8(proven.entry);
  const hashes = proven.inclusion.map((hash) => fromHex(hash));
  if (hashes.some((hash) => !hash || hash.length !== 32)) return undefined;
  const good = verifyInclusion(proven.index, checkpoint.size, leafHash(bytes), hashes as Bytes[], checkpoint.root);
  return good ? parseCanonical(bytes) : undefined;
}

// `newest`: the newest epoch's checkpoint; `served`: what the archive says of each epoch, nothing when it was never promoted.
export async function followEpochs(keys: ArchiveKeys, newest: string, served: readonly ProvenEpoch[] = []): Promise<Epochs> {
  const headOf = (i: number) => parseCheckpoint(i + 1 >= served.length ? newest : served[i]!.checkpoint ?? "");
  const key = parseVkey(keys.log_vkey);
  const first = headOf(0);
  if (!key || !first || (served[0]?.epoch ?? 1) !== 1 || !(await isHead(first, key))) return { logs: [] };
  const logs: MainLog[] = [{ epoch: 1, first: 0, checkpoint: first, key, holder: holderKey(keys.holder_vkey) }];
  const officers = new Officers();
  for (let i = 1; i < served.length; i++) {
    const before = logs[i - 1]!;
    const head = i < kMaxEpochs && takeOfficers(officers, served[i - 1]!, before.checkpoint) ? headOf(i) : undefined;
    const next = head && (await follow(keys.archive, before, served[i]!, head, officers));
    if (!next) return { logs, broken: i + 1 };
    logs.push(next);
  }
  return { logs };
}

async function isHead(checkpoint: Checkpoint, key: VerifierKey): Promise<boolean> {
  return checkpoint.origin === key.name && (await checkSignature(checkpoint, key)) === "good";
}

function holderKey(vkey: string): VerifierKey | undefined {
  const key = parseVkey(vkey);
  return key?.type === kCosigner ? key : undefined;
}

// False: one that the archive calls an officer's is not proven to be that.
function takeOfficers(officers: Officers, served: ProvenEpoch, checkpoint: Checkpoint): boolean {
  const sorted = [...(served.officer_entries ?? [])].sort((a, b) => a.index - b.index);
  for (const proven of sorted) {
    const entry = provenEntry(proven, checkpoint);
    if (!entry || text(entry, "kind") !== "key" || text(entry, "role") !== "officer") return false;
    officers.take(entry);
  }
  return true;
}

async function follow(archive: string, before: MainLog, served: ProvenEpoch, head: Checkpoint, officers: Officers): Promise<MainLog | undefined> {
  const epoch = before.epoch + 1;
  const certificate = served.promotion?.index === 0 ? provenEntry(served.promotion, head) : undefined;
  if (!certificate || served.epoch !== epoch || text(certificate, "kind") !== "promotion" || whole(certificate, "v") !== 1) return undefined;
  if (text(certificate, "archive") !== archive || whole(certificate, "epoch") !== epoch) return undefined;
  const pinned = certificate["previous"];
  if (typeof pinned !== "object" || Array.isArray(pinned) || !isState(pinned, before.checkpoint)) return undefined;
  const raw = fromHex(text(certificate, "log_key"));
  const holder = holderKey(text(certificate, "holder"));
  if (raw?.length !== 32 || !holder) return undefined;
  const key = makeKey(`${archive}/epoch/${epoch}`, kLogKey, raw);
  const statement = ["greffe promotes v1", archive, epoch, text(pinned, "origin"), whole(pinned, "size"), text(pinned, "root"), vkeyText(key),
    text(certificate, "holder"), text(certificate, "machine_url"), text(certificate, "machine_key")].map((line) => `${line}\n`).join("");
  const names = texts(certificate, "officers");
  if (!(await officers.signed(statement, names, texts(certificate, "signatures"))) || !(await isHead(head, key))) return undefined;
  return {
    epoch, first: before.first + before.checkpoint.size, checkpoint: head, key, holder, promoted: { utc: text(certificate, "utc"), officers: names },
  };
}

function isState(pinned: JsonObject, checkpoint: Checkpoint): boolean {
  const root = fromHex(text(pinned, "root"));
  return text(pinned, "origin") === checkpoint.origin && whole(pinned, "size") === checkpoint.size && root !== undefined &&
    equalBytes(root, checkpoint.root);
}
