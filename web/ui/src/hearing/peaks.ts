// Loudness of each microphone, ten values a second, for the waveforms. Drawn only when the bytes are the signed ones.
import { api } from "../api";
import { parseUtc } from "../time";
import type { Peaks } from "../types";
import { checkObject } from "../verify/verify";

const kStepMs = 100;

interface Block { from: number; values: Uint8Array }

export class PeakStore {
  private readonly blocks = new Map<string, Block[]>();
  private readonly asked = new Set<string>();
  readonly altered: Peaks[] = [];
  version = 0;

  constructor(private readonly hearing: string, private readonly changed: () => void) {}

  load(peaks: readonly Peaks[], signed: ReadonlySet<string>): void {
    for (const one of peaks) {
      const key = `${one.stream} ${one.utc} ${one.sha256}`;
      if (this.asked.has(key)) continue;
      this.asked.add(key);
      if (signed.size > 0 && !signed.has(one.sha256)) this.altered.push(one);
      else void this.fetch(one);
    }
  }

  private async fetch(one: Peaks): Promise<void> {
    try {
      const bytes = await api.object(this.hearing, one.sha256, "bin");
      if (!(await checkObject(bytes, one.sha256)).good) {
        this.altered.push(one);
        return;
      }
      const blocks = this.blocks.get(one.stream) ?? [];
      blocks.push({ from: parseUtc(one.utc), values: bytes });
      this.blocks.set(one.stream, blocks);
      this.version++;
      this.changed();
    } catch {
      // A waveform that cannot be had leaves its lane flat; the sound itself is not affected.
    }
  }

  // The loudest value in [from, to), 0..1; undefined where there is none.
  loudest(stream: string, from: number, to: number): number | undefined {
    let top = -1;
    for (const block of this.blocks.get(stream) ?? []) {
      const first = Math.max(0, Math.floor((from - block.from) / kStepMs));
      const last = Math.min(block.values.length, Math.ceil((to - block.from) / kStepMs));
      for (let i = first; i < last; i++) if (block.values[i]! > top) top = block.values[i]!;
    }
    return top < 0 ? undefined : top / 255;
  }
}
