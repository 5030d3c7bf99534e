// Where a stream's media lie on the hearing's wall clock. Pure.
//
// Element time 0 stands for kPadS seconds before the hearing's start. Each run is placed by the wall clock of its first
// segment and is then continuous in media time; inside a run the wall clock of every segment corrects the mapping, so
// that the drift of a camera's clock never adds up.
import type { Gap, Segment, Stream, Timeline } from "../types";
import { parseUtc } from "../time";

export const kPadS = 10;

export interface Placed {
  segment: Segment;
  from: number; // wall ms
  to: number;
  mediaFrom: number; // element seconds
  mediaTo: number;
  offset: number; // SourceBuffer.timestampOffset of its run
}

export interface Position { placed: Placed; media: number }

export class StreamPlan {
  readonly placed: Placed[] = [];
  private readonly offsets = new Map<number, number>();

  constructor(readonly stream: Stream, private readonly origin: number) {
    this.extend(stream);
  }

  // Live: segments that were not there before.
  extend(stream: Stream): void {
    const last = this.placed[this.placed.length - 1]?.segment.seq ?? -1;
    const fresh = stream.segments.filter((s) => s.seq > last).sort((a, b) => a.seq - b.seq);
    for (const segment of fresh) this.placed.push(this.place(segment));
  }

  private place(segment: Segment): Placed {
    const from = parseUtc(segment.utc);
    const start = segment.start_90k / 90000;
    let offset = this.offsets.get(segment.run);
    if (offset === undefined) {
      offset = (from - this.origin) / 1000 + kPadS - start;
      this.offsets.set(segment.run, offset);
    }
    const length = segment.duration_90k / 90000;
    return { segment, from, to: from + length * 1000, mediaFrom: start + offset, mediaTo: start + offset + length, offset };
  }

  // The last segment that starts at or before `wall`, as an index; -1 before the first.
  indexAt(wall: number): number {
    let low = 0;
    let high = this.placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.placed[middle]!.from <= wall) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // undefined where nothing was recorded. Seams shorter than kSeamMs between two segments are not gaps.
  locate(wall: number): Position | undefined {
    const at = this.indexAt(wall);
    const placed = this.placed[at];
    const first = this.placed[at + 1];
    // Streams of one hearing begin within a frame or two of each other.
    if (first && (!placed || wall >= placed.to) && first.from - wall < kSeamMs) return { placed: first, media: first.mediaFrom };
    if (!placed) return undefined;
    const next = this.placed[at + 1];
    const end = next && next.from - placed.to < kSeamMs ? next.from : placed.to;
    if (wall >= end) return undefined;
    const media = Math.min(placed.mediaFrom + (wall - placed.from) / 1000, placed.mediaTo - 0.001);
    return { placed, media };
  }

  wallAt(media: number, near: number): number | undefined {
    for (const at of [this.indexAt(near), this.indexAt(near) + 1, this.indexAt(near) - 1]) {
      const placed = this.placed[at];
      if (placed && media >= placed.mediaFrom - 0.05 && media <= placed.mediaTo + 0.05) {
        return placed.from + (media - placed.mediaFrom) * 1000;
      }
    }
    return undefined;
  }

  // Segments that [from, to) touches, in order.
  covering(from: number, to: number): Placed[] {
    const out: Placed[] = [];
    for (let i = Math.max(0, this.indexAt(from)); i < this.placed.length && this.placed[i]!.from < to; i++) {
      if (this.placed[i]!.to > from) out.push(this.placed[i]!);
    }
    return out;
  }

  // Moments between from and to where this stream has nothing.
  holes(from: number, to: number): { from: number; to: number }[] {
    const out: { from: number; to: number }[] = [];
    let end = from;
    for (const placed of this.placed) {
      if (placed.from - end >= kSeamMs) out.push({ from: end, to: placed.from });
      end = Math.max(end, placed.to);
    }
    if (to - end >= kTailMs) out.push({ from: end, to });
    return out;
  }
}

const kSeamMs = 400;
const kTailMs = 2000; // streams end within a fragment of each other

export interface Missing { from: number; to: number; gap?: Gap }

// What is missing at `wall` on this stream and why: a declared gap, or a hole that nobody declared.
export function missingAt(plan: StreamPlan, timeline: Timeline, wall: number): Missing {
  const name = plan.stream.name;
  for (const gap of timeline.gaps) {
    const from = parseUtc(gap.from);
    const to = parseUtc(gap.to);
    if (wall >= from - kSeamMs && wall < to + kSeamMs && (gap.streams.includes("*") || gap.streams.includes(name))) {
      return { from, to, gap };
    }
  }
  const at = plan.indexAt(wall);
  return { from: plan.placed[at]?.to ?? parseUtc(timeline.start), to: plan.placed[at + 1]?.from ?? parseUtc(timeline.end) };
}

// Holes of one stream that no gap covers: time that is missing without an explanation.
export function undeclaredHoles(plan: StreamPlan, timeline: Timeline): { from: number; to: number }[] {
  const ours = timeline.gaps.filter((g) => g.streams.includes("*") || g.streams.includes(plan.stream.name));
  return plan.holes(parseUtc(timeline.start), parseUtc(timeline.end)).filter((hole) => {
    let missing = hole.to - hole.from;
    for (const gap of ours) {
      missing -= Math.max(0, Math.min(hole.to, parseUtc(gap.to)) - Math.max(hole.from, parseUtc(gap.from)));
    }
    return missing >= kTailMs;
  });
}
