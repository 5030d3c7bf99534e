// One open hearing: its timeline, its player, what was proven about it. Components listen and draw; nothing here draws.
import { api } from "../api";
import { ApiError } from "../http";
import { Player } from "../player/player";
import type { Placed } from "../player/plan";
import { parseUtc } from "../time";
import type { Hearing, Mark, Timeline } from "../types";
import type { Bytes } from "../verify/bytes";
import type { Problem } from "../verify/chain";
import { compareDetails, missesCorrections } from "../verify/compare_details";
import { Ledger } from "../verify/ledger";
import { memoryOf, type Memory } from "../verify/pins";
import { checkObject, verifyHearing, type Verdict } from "../verify/verify";
import { PeakStore } from "./peaks";

const kLiveMs = 5_000;
// Answers after which asking again is of no use: the archive has no whole copy of the piece.
const kLost: { [status: number]: string } = { 404: "object-missing", 410: "object-missing", 422: "object-damaged" };

export class Room {
  readonly ledger = new Ledger();
  readonly peaks: PeakStore;
  readonly player: Player;
  verdict: Verdict | undefined;
  verifyError = "";
  detailsProblems: Problem[] = [];
  sweep: { done: number; total: number; running: boolean } | undefined;
  readonly memory: Memory;
  private readonly verified: Promise<void>;
  private readonly listeners = new Set<() => void>();
  private timer = 0;
  private closed = false;
  private sweepAbort: AbortController | undefined;

  constructor(public hearing: Hearing, public timeline: Timeline, memory: Memory, at?: number) {
    this.memory = memoryOf(memory, hearing.archive);
    this.ledger.load(timeline);
    this.player = new Player(timeline, (placed, stream, signal) => this.load(placed, stream, signal), at);
    this.peaks = new PeakStore(hearing.id, () => this.changed());
    this.verified = this.verify();
    if (timeline.live) this.timer = window.setInterval(() => void this.poll(), kLiveMs);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  // Those that name a moment come first: the badge has room for one.
  get problems(): Problem[] {
    const all = [...(this.verdict?.problems ?? []), ...this.detailsProblems, ...this.ledger.problems];
    const placed = (problem: Problem) => problem.params["at"] !== undefined;
    return [...all.filter(placed), ...all.filter((problem) => !placed(problem))];
  }

  private async verify(): Promise<void> {
    try {
      const source = { keys: () => api.keys(this.hearing.archive), proof: api.proof, timeline: api.timeline, log: api.hearingLog };
      const verdict = await verifyHearing(this.hearing.id, this.timeline, source, this.memory, new Date().toISOString());
      if (this.closed) return;
      this.verdict = verdict;
      if (verdict.timeline !== this.timeline) this.show(verdict.timeline);
      for (const problem of verdict.problems) {
        if (problem.index === undefined) continue;
        this.ledger.bad(problem.index);
        for (const track of this.player.tracks) track.refuse(problem.index);
      }
      for (const [index, digest] of verdict.objectOf) if (verdict.chain.lost.has(digest)) this.ledger.lost(index);
      this.peaks.load(this.timeline.peaks, verdict.peakDigests);
      void this.checkDetails();
    } catch (error) {
      this.verifyError = error instanceof ApiError ? error.message || String(error.status) : String(error);
      this.peaks.load(this.timeline.peaks, new Set());
    }
    this.changed();
  }

  // Every object passes here, for playing and for the full check alike.
  private async load(placed: Placed, stream: string, signal: AbortSignal): Promise<Bytes | "bad"> {
    await this.verified;
    const segment = placed.segment;
    let bytes: Bytes;
    try {
      bytes = await api.object(this.hearing.id, segment.sha256, "mp4", signal);
    } catch (error) {
      const lost = error instanceof ApiError ? kLost[error.status] : undefined;
      if (!lost) throw error;
      if (this.ledger.state(segment.index) === "lost") return "bad"; // as was said
      this.ledger.bad(segment.index, {
        code: lost, params: { stream, at: segment.utc, end: placed.to }, index: segment.index,
      });
      this.changed();
      return "bad";
    }
    // Against the signed entry where there is one; without it the bytes can be played, but nothing is proven by them.
    const signed = this.verdict?.objectOf.get(segment.index);
    const check = await checkObject(bytes, signed ?? segment.sha256);
    if (!check.good) {
      this.ledger.bad(segment.index, {
        code: "object-altered",
        params: { stream, at: segment.utc, end: placed.to, expected: check.expected, got: check.got, bytes: bytes.length },
        index: segment.index,
      });
      this.changed();
      return "bad";
    }
    if (signed) this.ledger.good(segment.index);
    this.changed();
    return bytes;
  }

  // An answer that is older than the register is asked for again: somebody else may have corrected the details just now.
  private async checkDetails(): Promise<void> {
    const chain = this.verdict!.chain;
    if (missesCorrections(chain, this.hearing)) this.hearing = await api.hearing(this.hearing.id).catch(() => this.hearing);
    this.detailsProblems = compareDetails(chain, this.hearing);
    this.changed();
  }

  // "Check everything now": all objects, one after the other, without playing them.
  async checkAll(): Promise<void> {
    if (this.sweep?.running) return;
    await this.verified;
    const todo = this.ledger.unchecked();
    const sweep = { done: 0, total: todo.length, running: true };
    const abort = new AbortController();
    this.sweep = sweep;
    this.sweepAbort = abort;
    this.changed();
    for (const { stream, segment } of todo) {
      if (abort.signal.aborted) break;
      const length = segment.duration_90k / 90;
      const from = parseUtc(segment.utc);
      const placed = { segment, from, to: from + length, mediaFrom: 0, mediaTo: 0, offset: 0 };
      try {
        await this.load(placed, stream, abort.signal);
      } catch {
        if (!abort.signal.aborted) this.verifyError = "unreachable";
        break;
      }
      sweep.done++;
      this.changed();
    }
    sweep.running = false;
    this.changed();
  }

  stopCheck(): void {
    this.sweepAbort?.abort();
  }

  addMark(mark: Mark): void {
    this.timeline.marks = [...this.timeline.marks, mark].sort((a, b) => parseUtc(a.at) - parseUtc(b.at));
    this.changed();
  }

  setHearing(hearing: Hearing): void {
    this.hearing = hearing;
    this.changed();
  }

  private show(timeline: Timeline): void {
    this.timeline = timeline;
    this.ledger.load(timeline);
    this.player.extend(timeline);
  }

  private async poll(): Promise<void> {
    try {
      const timeline = await api.timeline(this.hearing.id);
      if (this.closed || timeline.log_size < this.timeline.log_size) return;
      const grown = timeline.log_size > this.timeline.log_size;
      this.show(timeline);
      if (grown) await this.verify();
      if (!timeline.live) clearInterval(this.timer);
      this.changed();
    } catch {
      // The next poll tries again; playing what is here goes on.
    }
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.sweepAbort?.abort();
    this.player.close();
    this.listeners.clear();
  }
}
