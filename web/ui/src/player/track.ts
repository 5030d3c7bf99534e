// One stream in one media element: fetches whole objects, appends only those whose SHA-256 is the signed one, keeps a
// window around the wall clock and throws away the rest. The clock belongs to Player; a track only follows it.
import type { Bytes } from "../verify/bytes";
import type { Placed, StreamPlan } from "./plan";
import { kPadS } from "./plan";

export type TrackState = "idle" | "ready" | "loading" | "gap" | "altered" | "failed" | "unsupported";

// Resolves with the bytes when they are the signed ones, with "bad" when they are not; rejects when not reachable.
export type ObjectLoader = (placed: Placed, stream: string, signal: AbortSignal) => Promise<Bytes | "bad">;

const kBehindMs = 15_000;
const kKeepMs = 60_000;
const kRetryMs = 3_000;
const kReorderS = 0.5;

export class Track {
  readonly element: HTMLVideoElement | HTMLAudioElement;
  readonly hasSound: boolean;
  readonly hasPicture: boolean;
  readonly codecs: string;
  state: TrackState = "idle";
  errorMs = 0; // how far the element is from where it should be
  private readonly source = new MediaSource();
  private buffer: SourceBuffer | undefined;
  private readonly appended = new Map<number, Placed>();
  private readonly refused = new Set<number>();
  private loading: { placed: Placed; abort: AbortController } | undefined;
  private changes: Promise<void> = Promise.resolve();
  private tidying = false;
  private retryAt = 0;
  private closed = false;

  constructor(readonly plan: StreamPlan, durationS: number, private readonly load: ObjectLoader) {
    const video = plan.stream.medium === "video";
    this.codecs = plan.placed[0]?.segment.codecs ?? "";
    this.hasPicture = video;
    this.hasSound = !video || this.codecs.includes(",");
    this.element = document.createElement(video ? "video" : "audio");
    this.element.preload = "auto";
    this.element.preservesPitch = true;
    this.element.dataset["stream"] = plan.stream.name;
    if (video) (this.element as HTMLVideoElement).playsInline = true;
    if (!this.hasSound) this.element.muted = true;
    const type = this.mimeType(this.codecs);
    if (!this.codecs || !MediaSource.isTypeSupported(type)) {
      this.state = this.codecs ? "unsupported" : "gap";
      return;
    }
    this.element.src = URL.createObjectURL(this.source);
    this.source.addEventListener("sourceopen", () => {
      if (this.buffer || this.closed) return;
      URL.revokeObjectURL(this.element.src);
      this.source.duration = durationS + kPadS + 5;
      this.buffer = this.source.addSourceBuffer(type);
      this.buffer.mode = "segments";
    }, { once: true });
  }

  private mimeType(codecs: string): string {
    return `${this.plan.stream.medium}/mp4; codecs="${codecs}"`;
  }

  extendTo(durationS: number): void {
    if (this.buffer && !this.buffer.updating && this.source.readyState === "open" && durationS + kPadS > this.source.duration) {
      this.source.duration = durationS + kPadS + 5;
    }
  }

  isRefused(index: number): boolean {
    return this.refused.has(index);
  }

  // Refuses a segment before it was ever asked for: its entry is not proven.
  refuse(index: number): void {
    this.refused.add(index);
  }

  // Called a few times a second: fetch what is needed next, forget what is far away.
  feed(wall: number, aheadMs: number): void {
    if (!this.buffer || this.closed || this.state === "unsupported") return;
    const wanted = this.plan.covering(wall - 1000, wall + aheadMs);
    if (this.loading) {
      if (wanted.some((p) => p === this.loading!.placed)) return;
      this.loading.abort.abort();
      this.loading = undefined;
    }
    if (performance.now() < this.retryAt) return;
    const next = wanted.find((p) => !this.appended.has(p.segment.index) && !this.refused.has(p.segment.index));
    if (next) void this.fetch(next, wall);
    else this.tidy(wall);
  }

  private tidy(wall: number): void {
    if (this.tidying) return;
    this.tidying = true;
    this.alone(() => this.evict(wall, kKeepMs)).catch(() => undefined).finally(() => { this.tidying = false; });
  }

  // A buffer takes one change at a time: each waits for the one before it.
  private alone(job: () => Promise<void>): Promise<void> {
    const run = this.changes.then(job);
    this.changes = run.catch(() => undefined);
    return run;
  }

  private async fetch(placed: Placed, wall: number): Promise<void> {
    const abort = new AbortController();
    const mine = { placed, abort };
    this.loading = mine;
    try {
      const bytes = await this.load(placed, this.plan.stream.name, abort.signal);
      if (this.closed || abort.signal.aborted) return;
      if (bytes === "bad") this.refused.add(placed.segment.index);
      else await this.alone(() => this.append(placed, bytes, wall));
      this.retryAt = 0;
    } catch (error) {
      if (!abort.signal.aborted) this.retryAt = performance.now() + kRetryMs;
      if (error instanceof MediaFault) this.refused.add(placed.segment.index);
    } finally {
      if (this.loading === mine) this.loading = undefined;
    }
  }

  private async append(placed: Placed, bytes: Bytes, wall: number): Promise<void> {
    const buffer = this.buffer!;
    await this.settled();
    for (let attempt = 0; ; attempt++) {
      try {
        buffer.changeType(this.mimeType(placed.segment.codecs));
        buffer.timestampOffset = placed.offset;
        buffer.appendBuffer(bytes);
        break;
      } catch (error) {
        const full = error instanceof DOMException && error.name === "QuotaExceededError";
        if (!full || attempt > 1) throw error;
        await this.evict(wall, attempt === 0 ? kBehindMs : 2_000);
      }
    }
    await this.settled();
    if (this.element.error) throw new MediaFault();
    this.appended.set(placed.segment.index, placed);
  }

  private async evict(wall: number, keepMs: number): Promise<void> {
    const buffer = this.buffer!;
    for (const [index, placed] of [...this.appended]) {
      const behind = wall - placed.to > Math.min(keepMs, kBehindMs);
      const ahead = placed.from - wall > Math.max(2 * keepMs, kKeepMs);
      if (!behind && !ahead) continue;
      this.appended.delete(index);
      if (this.source.readyState !== "open") return;
      buffer.remove(placed.mediaFrom, placed.mediaTo);
      await this.settled();
    }
  }

  private settled(): Promise<void> {
    const buffer = this.buffer!;
    if (!buffer.updating) return Promise.resolve();
    return new Promise((resolve) => buffer.addEventListener("updateend", () => resolve(), { once: true }));
  }

  // Where to play for `media`; undefined while it is not buffered. The first picture of a run comes a few frames after
  // its first decode time when pictures are reordered: those moments are shown by the first picture.
  playable(media: number): number | undefined {
    const ranges = this.element.buffered;
    for (let i = 0; i < ranges.length; i++) {
      if (media >= ranges.start(i) - kReorderS && media < ranges.end(i) - 0.01) return Math.max(media, ranges.start(i) + 0.001);
      // The last frames of a run may end a little before its declared end.
      if (media >= ranges.end(i) - 0.01 && media < ranges.end(i) + 0.1) return Math.max(ranges.start(i), ranges.end(i) - 0.02);
    }
    return undefined;
  }

  get waitingForNetwork(): boolean {
    return this.retryAt > performance.now();
  }

  close(): void {
    this.closed = true;
    this.loading?.abort.abort();
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
  }
}

// The decoder refused proven bytes: the recording is whole, this browser cannot show it.
class MediaFault extends Error {}
