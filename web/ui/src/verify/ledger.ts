// Which of a hearing's objects have been checked in this page, and with what result.
import type { Segment, Timeline } from "../types";
import type { Problem } from "./chain";

export type SegmentState = "unchecked" | "good" | "bad" | "lost"; // lost: declared so, and not here

interface Known { stream: string; segment: Segment }

export class Ledger {
  private readonly known = new Map<number, Known>();
  private readonly states = new Map<number, SegmentState>();
  readonly problems: Problem[] = [];
  totalMs = 0;
  checkedMs = 0;
  version = 0; // rises with every change: what was drawn from this ledger is stale when it differs

  load(timeline: Timeline): void {
    for (const stream of timeline.streams) {
      for (const segment of stream.segments) {
        if (this.known.has(segment.index)) continue;
        this.known.set(segment.index, { stream: stream.name, segment });
        this.totalMs += segment.duration_90k / 90;
      }
    }
    this.version++;
  }

  state(index: number): SegmentState {
    return this.states.get(index) ?? "unchecked";
  }

  good(index: number): void {
    if (this.state(index) !== "unchecked" && this.state(index) !== "lost") return;
    this.states.set(index, "good");
    this.checkedMs += (this.known.get(index)?.segment.duration_90k ?? 0) / 90;
    this.version++;
  }

  lost(index: number): void {
    if (this.state(index) !== "unchecked") return;
    this.states.set(index, "lost");
    this.version++;
  }

  bad(index: number, problem?: Problem): void {
    if (this.state(index) === "bad") return;
    if (this.state(index) === "good") this.checkedMs -= (this.known.get(index)?.segment.duration_90k ?? 0) / 90;
    this.states.set(index, "bad");
    if (problem) this.problems.push(problem);
    this.version++;
  }

  unchecked(): Known[] {
    return [...this.known.values()].filter(({ segment }) => this.state(segment.index) === "unchecked");
  }

  count(state: SegmentState): number {
    let n = 0;
    for (const index of this.known.keys()) if (this.state(index) === state) n++;
    return n;
  }
}
