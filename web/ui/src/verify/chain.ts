// The chain from the pinned keys to the list of what was recorded. Pure: what it needs from the archive comes through
// LogSource. It proves which bytes belong to the hearing; the objects themselves are checked one by one as they load.
//
// Every link that can be checked is checked even after another has failed, so that a report names all that is wrong.
import type { ArchiveKeys, Proof, ProvenEntry } from "../types";
import { equalBytes, fromHex, toHex, utf8, type Bytes } from "./bytes";
import { lostByOfficers, lostInRoom, type Lost } from "./declared_lost";
import { bundlesOf, parseBundle, parseCanonical, text, whole, type JsonObject } from "./entries";
import { followEpochs, provenEntry, type MainLog } from "./epochs";
import { leafHash, rootOf } from "./merkle";
import {
  canCheckSignatures, checkCosignature, checkSignature, fingerprint, kCosigner, kLogKey, makeKey, parseCheckpoint,
  parseVkey, type Checkpoint, type VerifierKey,
} from "./note";

export type Params = Record<string, string | number>;
export interface Problem { code: string; params: Params; index?: number }
export interface Link { code: string; state: "good" | "bad" | "pending"; params: Params }

export interface Cosigner { name: string; time: number; size: number }

export interface Chain {
  links: Link[];
  problems: Problem[];
  // The entries, in order; undefined where the bytes are not the ones that were signed. Empty when nothing is proven.
  entries: (JsonObject | undefined)[];
  size: number; // of the signed hearing checkpoint
  root: string;
  filed?: number; // entries of the hearing that the main log has
  prefixRoot?: string; // of the first `prefixSize` entries, asked for by the caller
  main?: { origin: string; size: number; root: string }; // of the newest epoch, with entries through all of them
  // The archive's own entries about this hearing, by number in the main log (through all epochs).
  marks: Map<number, JsonObject>;
  details: Map<number, JsonObject>;
  lost: Map<string, Lost>; // objects that were declared lost, by digest
  cosigners: Cosigner[]; // good cosignatures on the main log's checkpoint, covering this hearing
  receipt?: number; // when the archive confirmed that it holds everything, ms since 1970
}

export interface LogSource {
  bundle(index: number, width: number): Promise<Bytes>;
  tile(index: number, width: number): Promise<Bytes>; // level 0
}

export interface ChainInput {
  hearing: string;
  keys: ArchiveKeys;
  proof: Proof;
  log: LogSource;
  prefixSize?: number;
}

export async function verifyChain(input: ChainInput): Promise<Chain> {
  const run = new ChainRun(input);
  if (!(await canCheckSignatures())) {
    run.fail("no-ed25519", {});
    return run.chain;
  }
  const known = await run.mainLog();
  const stationKey = known ? run.stationKey() : undefined;
  const filed = known ? run.filedCheckpoint() : undefined;
  if (stationKey) run.revocation(stationKey);
  const checkpoint = await run.hearingCheckpoint(stationKey, filed);
  if (checkpoint) {
    await run.receipt(checkpoint);
    await run.entries(checkpoint, filed, stationKey);
  }
  if (known) run.marksAndDetails();
  await run.lost(known);
  if (known) await run.cosigners();
  return run.chain;
}

class ChainRun {
  readonly chain: Chain = { links: [], problems: [], entries: [], size: 0, root: "", marks: new Map(), details: new Map(), lost: new Map(), cosigners: [] };
  private stationEntry: JsonObject | undefined;
  private logs: MainLog[] = []; // of the epochs that are believed

  constructor(private readonly input: ChainInput) {}

  fail(code: string, params: Params, index?: number): undefined {
    this.chain.problems.push(index === undefined ? { code, params } : { code, params, index });
    return undefined;
  }

  private link(code: string, state: Link["state"], params: Params = {}): void {
    this.chain.links.push({ code, state, params });
  }

  // False: not even the first epoch is signed by the key that this browser knows.
  async mainLog(): Promise<boolean> {
    const { keys, proof } = this.input;
    const { logs, broken } = await followEpochs(keys, proof.main_checkpoint, proof.epochs);
    this.logs = logs;
    const newest = logs[logs.length - 1];
    const size = newest ? newest.first + newest.checkpoint.size : parseCheckpoint(proof.main_checkpoint)?.size ?? 0;
    const key = newest?.key ?? parseVkey(keys.log_vkey);
    this.link("main-signed", newest ? "good" : "bad", { archive: keys.archive, entries: size, key: key ? fingerprint(key) : "" });
    if (!newest) {
      this.fail("main-signature", { archive: keys.archive });
      return false;
    }
    if (newest.promoted || broken !== undefined) {
      this.link("promoted", broken === undefined ? "good" : "bad", {
        epoch: broken ?? newest.epoch, utc: newest.promoted?.utc ?? "", officers: newest.promoted?.officers.join(", ") ?? "",
      });
    }
    if (broken !== undefined) this.fail("promotion", { archive: keys.archive, epoch: broken });
    else this.chain.main = { origin: newest.checkpoint.origin, size, root: toHex(newest.checkpoint.root) };
    return true;
  }

  // The log that this entry is in; undefined: of an epoch that is not believed.
  private logOf(proven: ProvenEntry): MainLog | undefined {
    const newest = this.input.proof.epochs?.length || 1;
    return this.logs[(proven.epoch ?? newest) - 1];
  }

  private included(proven: ProvenEntry): JsonObject | undefined {
    const log = this.logOf(proven);
    return log && provenEntry(proven, log.checkpoint);
  }

  private numberOf(proven: ProvenEntry): number {
    return (this.logOf(proven)?.first ?? 0) + proven.index;
  }

  // The recorder's key, as the main log enrolled it.
  stationKey(): VerifierKey | undefined {
    const proven = this.input.proof.key_entry;
    if (!proven) {
      this.link("station-known", "pending");
      return this.fail("station-unknown", {});
    }
    const entry = this.included(proven);
    const raw = entry ? fromHex(text(entry, "key")) : undefined;
    const enrolled = entry && text(entry, "kind") === "key" && text(entry, "role") === "station" &&
      (text(entry, "action") === "added" || text(entry, "action") === "renewed") && raw?.length === 32;
    this.link("station-known", enrolled ? "good" : "bad", {
      station: entry ? text(entry, "name") : "", entry: this.numberOf(proven),
      since: entry ? text(entry, "since") || text(entry, "utc") : "",
    });
    if (!enrolled || !raw) return this.fail("station-key", { entry: this.numberOf(proven) });
    this.stationEntry = entry;
    return makeKey(`${this.input.keys.archive}/hearing/${this.input.hearing}`, kLogKey, raw);
  }

  // A key that was taken back since. What it signed before stands; a stolen one proves nothing after. The archive can
  // keep the entry to itself: only somebody who reads the whole main log sees that.
  revocation(key: VerifierKey): void {
    const proven = this.input.proof.revocation_entry;
    if (!proven) return;
    const entry = this.included(proven);
    const ours = entry && text(entry, "kind") === "key" && text(entry, "action") === "revoked" && text(entry, "key") === toHex(key.key);
    const filed = this.input.proof.checkpoint_entry;
    const number = this.numberOf(proven);
    const before = !filed || number < this.numberOf(filed);
    const params = { entry: number, since: ours ? text(entry, "since") : "", why: ours ? `@revoked.${text(entry, "why")}` : "" };
    if (!ours) {
      this.link("revoked", "bad", params);
      this.fail("revocation", { entry: number });
      return;
    }
    const stolen = text(entry, "why") === "stolen";
    if (stolen && before) {
      this.link("revoked", "bad", params);
      this.fail("station-revoked", params);
      return;
    }
    // Filed before the key was taken back, but after the day from which it is not trusted; or finished by a retired one.
    const late = before || (stolen && filedAt(filed.entry) >= Date.parse(params.since));
    this.link("revoked", late ? "pending" : "good", params);
  }

  // The newest checkpoint of this hearing that the main log holds. Absent for the first seconds of a recording.
  filedCheckpoint(): Checkpoint | undefined {
    const proven = this.input.proof.checkpoint_entry;
    if (!proven) {
      this.link("filed", "pending");
      return undefined;
    }
    const entry = this.included(proven);
    const ours = entry && text(entry, "kind") === "hearing-checkpoint" && text(entry, "hearing") === this.input.hearing;
    const checkpoint = ours ? parseCheckpoint(text(entry, "note")) : undefined;
    this.link("filed", checkpoint ? "good" : "bad", {
      entry: this.numberOf(proven), utc: entry ? text(entry, "utc") : "", entries: checkpoint?.size ?? 0,
    });
    if (checkpoint) this.chain.filed = checkpoint.size;
    return checkpoint ?? this.fail("not-in-main", { entry: this.numberOf(proven) });
  }

  async hearingCheckpoint(key: VerifierKey | undefined, filed: Checkpoint | undefined): Promise<Checkpoint | undefined> {
    const checkpoint = parseCheckpoint(this.input.proof.hearing_checkpoint);
    const good = key && checkpoint && checkpoint.origin === key.name && (await checkSignature(checkpoint, key)) === "good";
    this.link("station-signed", good ? "good" : "bad", {
      entries: checkpoint?.size ?? 0, key: key ? fingerprint(key) : "",
      station: this.stationEntry ? text(this.stationEntry, "name") : "",
    });
    if (!good) return this.fail("station-signature", {});
    if (filed && (filed.origin !== key.name || (await checkSignature(filed, key)) !== "good")) {
      return this.fail("filed-signature", {});
    }
    this.chain.size = checkpoint.size;
    this.chain.root = toHex(checkpoint.root);
    if (filed && filed.size > checkpoint.size) {
      this.fail("tail-missing", { shown: checkpoint.size, filed: filed.size });
    }
    return checkpoint;
  }

  // By whoever gives receipts in the epoch in which the hearing was filed, or in a later one: the site that was lost before cannot hold it.
  async receipt(checkpoint: Checkpoint): Promise<void> {
    const filed = this.input.proof.checkpoint_entry;
    const since = (filed && this.logOf(filed)?.epoch) ?? 1;
    let best: { time: number; key: VerifierKey } | undefined;
    let bad = false;
    for (const { epoch, holder } of this.holders()) {
      const cosigned = holder && (await checkCosignature(checkpoint, holder));
      if (cosigned?.state === "bad") bad = true;
      if (holder && cosigned?.state === "good" && epoch >= since && !best) best = { time: cosigned.time!, key: holder };
    }
    const key = best?.key ?? this.holders()[0]?.holder;
    this.link("receipt", bad ? "bad" : best ? "good" : "pending", {
      utc: best ? new Date(best.time).toISOString() : "", key: key ? fingerprint(key) : "",
    });
    if (best && !bad) this.chain.receipt = best.time;
    if (bad) this.fail("receipt-signature", {});
  }

  private holders(): { epoch: number; holder: VerifierKey | undefined }[] {
    return this.logs.length > 0 ? this.logs : [{ epoch: 1, holder: parseVkey(this.input.keys.holder_vkey) }];
  }

  async entries(checkpoint: Checkpoint, filed: Checkpoint | undefined, key: VerifierKey | undefined): Promise<void> {
    const raw = await this.fetchEntries(checkpoint.size);
    const leaves = raw?.map((bytes) => leafHash(bytes));
    const good = leaves !== undefined && equalBytes(rootOf(leaves), checkpoint.root);
    this.link("entries-match", good ? "good" : "bad", { entries: checkpoint.size, root: this.chain.root });
    if (!raw || !leaves) {
      this.fail("entries-unreadable", { entries: checkpoint.size });
      return;
    }
    const trusted = good ? raw.map(() => true) : await this.locate(leaves, checkpoint);
    this.chain.entries = raw.map((bytes, i) => (trusted?.[i] ? parseCanonical(bytes) : undefined));
    if (!good && !trusted) this.chain.entries = [];
    if (good && filed && filed.size <= leaves.length && !equalBytes(rootOf(leaves, filed.size), filed.root)) {
      this.fail("history-changed", { entries: filed.size });
    }
    const prefix = this.input.prefixSize;
    if (good && prefix !== undefined && prefix <= leaves.length) this.chain.prefixRoot = toHex(rootOf(leaves, prefix));
    this.checkOpening(key);
  }

  private async fetchEntries(size: number): Promise<Bytes[] | undefined> {
    const out: Bytes[] = [];
    for (const { index, width } of bundlesOf(size)) {
      try {
        const entries = parseBundle(await this.input.log.bundle(index, width), width);
        if (!entries) return undefined;
        out.push(...entries);
      } catch {
        return undefined;
      }
    }
    return out;
  }

  // The entries do not give the signed root. When the archive's stored leaf hashes do, the difference has an address.
  private async locate(leaves: Bytes[], checkpoint: Checkpoint): Promise<boolean[] | undefined> {
    const signed: Bytes[] = [];
    try {
      for (const { index, width } of bundlesOf(checkpoint.size)) {
        const tile = await this.input.log.tile(index, width);
        if (tile.length !== 32 * width) break;
        for (let i = 0; i < width; i++) signed.push(tile.slice(32 * i, 32 * i + 32));
      }
    } catch {
      signed.length = 0;
    }
    if (signed.length !== checkpoint.size || !equalBytes(rootOf(signed), checkpoint.root)) {
      this.fail("root", { entries: checkpoint.size });
      return undefined;
    }
    const same = leaves.map((leaf, i) => equalBytes(leaf, signed[i]!));
    same.forEach((equal, index) => {
      if (!equal) this.fail("entry-changed", { entry: index }, index);
    });
    return same;
  }

  // Entry 0 binds the list to this hearing, this archive and this recorder.
  private checkOpening(key: VerifierKey | undefined): void {
    const open = this.chain.entries[0];
    if (!open) return;
    const bound = text(open, "kind") === "open" && text(open, "hearing") === this.input.hearing &&
      text(open, "archive") === this.input.keys.archive && key !== undefined &&
      text(open, "station_key") === toHex(key.key);
    if (!bound) this.fail("opening", {});
    // Over several epochs it may have seen what a promotion lost.
    if (this.logs.length === 1 && whole(open, "main_size") > this.logs[0]!.checkpoint.size) this.fail("main-shrank", {});
  }

  private ownEntries(kind: string, served: readonly ProvenEntry[], into: Map<number, JsonObject>): void {
    for (const proven of served) {
      const entry = this.included(proven);
      const ours = entry && text(entry, "kind") === kind && text(entry, "hearing") === this.input.hearing;
      if (ours) into.set(this.numberOf(proven), entry);
      else this.fail("own-entry", { entry: this.numberOf(proven) });
    }
  }

  marksAndDetails(): void {
    this.ownEntries("mark", this.input.proof.mark_entries ?? [], this.chain.marks);
    this.ownEntries("details", this.input.proof.details_entries ?? [], this.chain.details);
  }

  async lost(known: boolean): Promise<void> {
    for (const [digest, one] of lostInRoom(this.chain.entries)) this.chain.lost.set(digest, one);
    if (!known) return;
    const proven = new Map<number, JsonObject>();
    this.ownEntries("lost", this.input.proof.lost_entries ?? [], proven);
    for (const officer of this.input.proof.officer_entries ?? []) {
      const entry = this.included(officer);
      if (entry && text(entry, "kind") === "key" && text(entry, "role") === "officer") proven.set(this.numberOf(officer), entry);
      else this.fail("own-entry", { entry: this.numberOf(officer) });
    }
    const { lost, refused } = await lostByOfficers(this.input.keys.archive, this.input.hearing, proven);
    for (const [digest, one] of lost) this.chain.lost.set(digest, one);
    for (const entry of refused) this.fail("lost-order", { entry });
  }

  // The newest state of each epoch, and the earlier ones that the cosigners saw: each carries the signature of its own log. With how many
  // entries through all epochs each speaks for.
  private async signedStates(): Promise<{ state: Checkpoint; end: number }[]> {
    const newest = this.logs[this.logs.length - 1]!;
    const out = [...this.logs].reverse().map(({ checkpoint, first }) => ({ state: checkpoint, end: first + checkpoint.size }));
    if (!this.chain.main) return out;
    for (const note of this.input.proof.main_cosigned ?? []) {
      const state = parseCheckpoint(note);
      if (state && state.origin === newest.key.name && (await checkSignature(state, newest.key)) === "good") {
        out.push({ state, end: newest.first + state.size });
      } else {
        this.fail("main-signature", { archive: this.input.keys.archive });
      }
    }
    return out;
  }

  async cosigners(): Promise<void> {
    const filed = this.input.proof.checkpoint_entry;
    const states = await this.signedStates();
    for (const { name, vkey } of this.input.keys.cosigners) {
      const key = parseVkey(vkey);
      if (!key || key.type !== kCosigner) continue;
      for (const { state, end } of states) {
        const cosigned = await checkCosignature(state, key);
        if (cosigned.state === "bad") this.fail("cosignature", { name });
        if (cosigned.state !== "good" || !filed || !this.logOf(filed) || this.numberOf(filed) >= end) continue;
        this.chain.cosigners.push({ name, time: cosigned.time!, size: state.size });
        break;
      }
    }
    const first = this.chain.cosigners[0];
    this.link("cosigned", first ? "good" : "pending", {
      names: this.chain.cosigners.map((c) => c.name).join(", "),
      utc: first ? new Date(first.time).toISOString() : "",
    });
  }
}

function filedAt(entry: string): number {
  const parsed = parseCanonical(utf8(entry));
  return parsed ? Date.parse(text(parsed, "utc")) : NaN;
}
