// The main log as this page checks it: signature, growth since the last visit, and single entries by their proof.
import { api } from "../api";
import { pageMemory } from "../parts/memory";
import { toHex, utf8, type Bytes } from "../verify/bytes";
import type { LogSource, Problem } from "../verify/chain";
import { bundlesOf, parseBundle } from "../verify/entries";
import { followEpochs, type MainLog } from "../verify/epochs";
import { graftIn, type CameBack } from "../verify/grafts";
import { leafHash, proveInclusion, rootOf, verifyInclusion } from "../verify/merkle";
import { checkCosignature, parseCheckpoint, parseVkey, type Checkpoint } from "../verify/note";
import { checkMainGrowth, pinKeys } from "../verify/pins";

export interface MainCheck {
  note: string;
  size: number; // entries through all epochs
  root: string;
  checkpoint: Checkpoint | undefined; // of the newest epoch; only when it follows from the key that is known
  first: number; // number of the entry that it begins with
  logs: MainLog[]; // of all epochs that are believed
  problems: Problem[];
  cosigners: { name: string; state: "good" | "bad" | "absent"; time?: number }[];
}

export async function checkMain(): Promise<MainCheck> {
  const [served, main] = await Promise.all([api.keys(), api.mainEpochs()]);
  const { pins, problems } = pinKeys(pageMemory, served, new Date().toISOString());
  const { logs, broken } = await followEpochs(pins.keys, main.checkpoint, main.epochs);
  const checkpoint = parseCheckpoint(main.checkpoint);
  const newest = broken === undefined ? logs[logs.length - 1] : undefined;
  const first = newest?.first ?? 0;
  const out: MainCheck = {
    note: main.checkpoint, size: first + (checkpoint?.size ?? 0), root: checkpoint ? toHex(checkpoint.root) : "", checkpoint: newest?.checkpoint, first,
    logs, problems, cosigners: [],
  };
  if (broken !== undefined) problems.push({ code: "promotion", params: { archive: pins.keys.archive, epoch: broken } });
  else if (!newest) problems.push({ code: "main-signature", params: { archive: pins.keys.archive } });
  else problems.push(...checkMainGrowth(pageMemory, { origin: newest.checkpoint.origin, size: out.size, root: out.root }));
  for (const { name, vkey } of pins.keys.cosigners) {
    const cosigner = parseVkey(vkey);
    if (checkpoint && cosigner) out.cosigners.push({ name, ...(await checkCosignature(checkpoint, cosigner)) });
  }
  return out;
}

// Leaf hashes by tile, kept: one tile proves many entries.
export class MainTree {
  private readonly tiles = new Map<number, Bytes[]>();
  private readonly log: LogSource = api.mainLog();

  // Of the newest of these.
  constructor(readonly logs: readonly MainLog[]) {}

  private get newest(): MainLog {
    return this.logs[this.logs.length - 1]!;
  }
  get checkpoint(): Checkpoint {
    return this.newest.checkpoint;
  }
  // The number of its entry 0.
  get first(): number {
    return this.newest.first;
  }

  private async leaves(start: number, end: number): Promise<Bytes[]> {
    const out: Bytes[] = [];
    for (let index = Math.floor(start / 256); index * 256 < end; index++) {
      const width = Math.min(256, this.checkpoint.size - 256 * index);
      let tile = this.tiles.get(index);
      if (!tile) {
        const bytes = await this.log.tile(index, width);
        if (bytes.length !== 32 * width) throw new Error("a tile of the wrong length");
        tile = [];
        for (let i = 0; i < width; i++) tile.push(bytes.slice(32 * i, 32 * i + 32));
        this.tiles.set(index, tile);
      }
      out.push(...tile.slice(Math.max(0, start - 256 * index), Math.max(0, end - 256 * index)));
    }
    return out;
  }

  // The proof hashes, and whether they lead from these bytes to the signed root.
  async prove(number: number, entry: string): Promise<{ good: boolean; proof: string[] }> {
    const { size, root } = this.checkpoint;
    const index = number - this.first;
    const proof = await proveInclusion(index, size, async (start, end) => rootOf(await this.leaves(start, end)));
    return { good: verifyInclusion(index, size, leafHash(utf8(entry)), proof, root), proof: proof.map(toHex) };
  }

  // What this entry of the newest log says of an earlier one; "bad": what cannot be. undefined: it says nothing of that.
  graftIn(entry: Bytes): CameBack | "bad" | undefined {
    return graftIn(this.logs, this.newest.epoch, entry);
  }

  // Reads every entry and rebuilds the root: nothing is missing, nothing was changed. The numbers of those that take back what no epoch had.
  async readAll(progress: (done: number) => void, signal: AbortSignal): Promise<{ good: boolean; badGrafts: number[] }> {
    const leaves: Bytes[] = [];
    const badGrafts: number[] = [];
    for (const { index, width } of bundlesOf(this.checkpoint.size)) {
      if (signal.aborted) return { good: false, badGrafts };
      const entries = parseBundle(await this.log.bundle(index, width), width);
      if (!entries) return { good: false, badGrafts };
      for (const entry of entries) {
        if (this.graftIn(entry) === "bad") badGrafts.push(this.first + leaves.length);
        leaves.push(leafHash(entry));
      }
      progress(leaves.length);
    }
    return { good: toHex(rootOf(leaves)) === toHex(this.checkpoint.root), badGrafts };
  }
}
