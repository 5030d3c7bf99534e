// All streams of a hearing on one wall clock.
//
// The clock runs on performance.now(); while a microphone plays it is the master and the clock follows it, because
// ears notice what eyes forgive. Every other element is led to the clock: within kServoMs by its speed, beyond by a
// seek. Where an element has nothing yet, the clock waits for it, so that no stream is ever shown beside another's past.
import type { Timeline } from "../types";
import { parseUtc } from "../time";
import { missingAt, StreamPlan, type Missing } from "./plan";
import { Sound } from "./sound";
import { Track, type ObjectLoader } from "./track";

const kTickMs = 100;
const kSeekMs = 250;
const kServo = 0.05;
const kAheadMs = 25_000;

export interface Loop { from: number; to?: number }

export class Player {
  readonly tracks: Track[];
  readonly sound: Sound;
  start: number;
  end: number;
  rate = 1;
  playing = false;
  waiting = false; // playing, but the clock stands until the media are here
  loop: Loop | undefined;
  private anchorWall: number;
  private anchorAt = performance.now();
  private timer: number;
  private readonly listeners = new Set<() => void>();

  constructor(public timeline: Timeline, load: ObjectLoader, at?: number) {
    this.start = parseUtc(timeline.start);
    this.end = parseUtc(timeline.end);
    const lengthS = (this.end - this.start) / 1000;
    this.tracks = timeline.streams.map((s) => new Track(new StreamPlan(s, this.start), lengthS, load));
    this.sound = new Sound(new Map(this.tracks.filter((t) => t.hasSound && t.state !== "unsupported").map((t) =>
      [t.plan.stream.name, t.element])));
    this.anchorWall = this.clamp(at ?? this.start);
    this.timer = window.setInterval(() => this.tick(), kTickMs);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  private clamp(wall: number): number {
    return Math.min(Math.max(wall, this.start), this.end);
  }

  get wall(): number {
    if (!this.playing || this.waiting) return this.anchorWall;
    return this.clamp(this.anchorWall + (performance.now() - this.anchorAt) * this.rate);
  }

  private anchor(wall: number): void {
    this.anchorWall = this.clamp(wall);
    this.anchorAt = performance.now();
  }

  play(): void {
    if (this.playing) return;
    this.sound.start();
    if (this.wall >= this.end - 50 && !this.timeline.live) this.anchor(this.start);
    this.anchor(this.wall);
    this.playing = true;
    this.tick();
    this.changed();
  }

  pause(backMs = 0): void {
    if (!this.playing) return;
    this.anchor(this.wall - backMs);
    this.playing = false;
    this.waiting = false;
    this.tick();
    this.changed();
  }

  seek(wall: number): void {
    this.anchor(wall);
    this.tick();
    this.changed();
  }

  setRate(rate: number): void {
    this.anchor(this.wall);
    this.rate = Math.min(3, Math.max(0.5, Math.round(rate * 100) / 100));
    this.tick();
    this.changed();
  }

  // Live: the archive has more than before.
  extend(timeline: Timeline): void {
    this.timeline = timeline;
    this.end = parseUtc(timeline.end);
    for (const stream of timeline.streams) {
      const track = this.tracks.find((t) => t.plan.stream.name === stream.name);
      track?.plan.extend(stream);
      track?.extendTo((this.end - this.start) / 1000);
    }
    this.changed();
  }

  missing(track: Track): Missing {
    return missingAt(track.plan, this.timeline, this.wall);
  }

  private tick(): void {
    const wall = this.wall;
    if (this.playing && this.loop?.to !== undefined && (wall >= this.loop.to || wall < this.loop.from - 500)) {
      this.seek(this.loop.from);
      return;
    }
    let short = false;
    for (const track of this.tracks) {
      track.feed(wall, kAheadMs * Math.max(1, this.rate));
      this.judge(track, wall);
      if (track.state === "loading") short = true;
    }
    this.wait(short, wall);
    for (const track of this.tracks) this.lead(track, this.wall);
    this.followMaster();
    if (this.playing && !this.waiting && wall >= this.end) this.pause();
    this.changed();
  }

  private judge(track: Track, wall: number): void {
    if (track.state === "unsupported") return;
    const position = track.plan.locate(wall);
    if (!position) track.state = "gap";
    else if (track.isRefused(position.placed.segment.index)) track.state = "altered";
    else if (track.playable(position.media) !== undefined) track.state = "ready";
    else track.state = track.waitingForNetwork ? "failed" : "loading";
  }

  private wait(short: boolean, wall: number): void {
    if (!this.playing || short === this.waiting) return;
    this.anchor(wall);
    this.waiting = short;
  }

  private lead(track: Track, wall: number): void {
    const element = track.element;
    const position = track.state === "ready" ? track.plan.locate(wall) : undefined;
    const run = this.playing && !this.waiting && position !== undefined;
    if (!run && !element.paused) element.pause();
    const target = position && track.playable(position.media);
    if (target === undefined) {
      track.errorMs = 0;
      return;
    }
    track.errorMs = (element.currentTime - target) * 1000;
    element.dataset["errorMs"] = track.errorMs.toFixed(0);
    const limit = run ? kSeekMs : 20;
    if (Math.abs(track.errorMs) > limit && !element.seeking) element.currentTime = target;
    const isMaster = track === this.master();
    const correction = isMaster || Math.abs(track.errorMs) < 15 ? 0 : Math.max(-kServo, Math.min(kServo, track.errorMs / 500));
    const rate = this.rate * (1 - correction);
    if (Math.abs(element.playbackRate - rate) > 0.001) element.playbackRate = rate;
    if (run && element.paused) element.play().catch(() => undefined);
  }

  // The first microphone that can be heard and is playing.
  private master(): Track | undefined {
    return this.tracks.find((t) => t.hasSound && t.state === "ready" && !t.element.paused && !t.element.seeking &&
      t.element.readyState >= 3 && this.sound.audible(t.plan.stream.name));
  }

  private followMaster(): void {
    if (!this.playing || this.waiting) return;
    const master = this.master();
    const wall = this.wall;
    const heard = master?.plan.wallAt(master.element.currentTime, wall);
    if (heard !== undefined && Math.abs(heard - wall) < kSeekMs) this.anchor(wall + (heard - wall) * 0.2);
  }

  close(): void {
    clearInterval(this.timer);
    for (const track of this.tracks) track.close();
    this.sound.close();
  }
}
