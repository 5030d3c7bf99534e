// What the page knows of the station: asked twice a second, and never shown as fresher than it is.
import { ApiError, post, request } from "../src/http";
import type { StreamInfo } from "../src/types";

export interface Alarm { kind: string; since: string }
export interface Stream extends StreamInfo {
  state: "connecting" | "waiting" | "ready" | "recording" | "ending";
  codec?: string;
  problem?: string;
  problem_since?: string;
  silent_ms?: number;
  bytes?: number;
  recorded_ms?: number;
  levels?: { peak: number; rms: number }; // linear, 0 to 255
  alarms?: Alarm[];
}
export interface Pause { reason: string; since: string; person: string }
export interface Unexplained { gap: number; from: string; to: string; reason: string; streams: string[] }
export interface OpenHearing {
  id: string;
  title: string;
  cases: string[];
  public: boolean;
  corrected: number; // how often another case was put in place of the one that was opened
  opened: string;
  elapsed_ms: number;
  entries: number;
  pause?: Pause;
  muted: (Pause & { stream: string })[];
  unexplained?: Unexplained[];
}
export interface State {
  station: string;
  court: string;
  room: string;
  archive: string;
  now: string;
  state: "ready" | "recording" | "paused" | "finishing" | "fault";
  clock: { state: string; error_ms: number };
  streams: Stream[];
  trouble?: string;
  trouble_since?: string;
  hearing?: OpenHearing;
  lamp?: { colour: "green" | "amber" | "red"; why: string };
  spool?: { hours_left?: number };
  second?: { state: string; problem?: string };
  upload?: { waiting_bytes?: number; problem?: string };
  place?: { court?: Record<string, string>; room?: Record<string, string>; zone?: string };
  page: { phrases: string[]; docket: boolean; password: boolean };
}

const kAskMs = 500;
const kPatienceMs = 2500;
const kStaleMs = 5000;
const kStartMs = 6000; // so long a stream may take to begin before that is a fault

export class Desk {
  state: State | undefined;
  lost: number | undefined; // since when the station does not answer, by its clock; else undefined
  signedOut = false;
  private freshAt = 0;    // performance.now() when the station's clock last went on
  private skew = NaN; // station's wall clock minus performance.now()
  private startingSince: number | undefined;
  private listeners = new Set<() => void>();
  private timer = 0;
  private asking: Promise<void> | undefined;

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    const again = () => void this.look().finally(() => (this.timer = window.setTimeout(again, kAskMs)));
    clearTimeout(this.timer);
    again();
  }

  // The station's wall clock; stands still while it does not answer.
  now(): number {
    if (this.lost !== undefined) return this.lost;
    return Number.isNaN(this.skew) ? Date.now() : performance.now() + this.skew;
  }

  elapsed(): number {
    const hearing = this.state?.hearing;
    return hearing ? Math.max(0, hearing.elapsed_ms + this.now() - Date.parse(this.state!.now)) : 0;
  }

  // A stream that has only just been asked to record is no fault yet.
  get word(): State["state"] | "starting" | "lost" {
    if (this.lost !== undefined || !this.state) return "lost";
    if (this.startingSince !== undefined && performance.now() - this.startingSince < kStartMs) return "starting";
    // What has come back after a failure is not recorded before its first second is durable.
    const back = this.state.state === "recording" && this.state.streams.some((stream) => isDown(this.state!, stream));
    return back ? "fault" : this.state.state;
  }

  async ask<T>(verb: string, body: object): Promise<T> {
    const answer = await post<T>(`/station/${verb}`, body);
    await this.asking; // what it saw may be older
    await this.look();
    return answer;
  }

  async signIn(password: string): Promise<void> {
    await this.session("POST", { password });
    this.signedOut = false;
    await this.look();
  }

  async signOut(): Promise<void> {
    await this.session("DELETE", {});
    await this.look();
  }

  private async session(method: string, body: object): Promise<void> {
    await request("/station/session", { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  private look(): Promise<void> {
    this.asking = this.read();
    return this.asking;
  }

  private async read(): Promise<void> {
    const asked = performance.now();
    try {
      const response = await request("/station/state", { signal: AbortSignal.timeout(kPatienceMs) });
      this.take((await response.json()) as State, (asked + performance.now()) / 2);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.signedOut = true;
      else if (this.lost === undefined) this.lost = this.now();
    }
    for (const listener of this.listeners) listener();
  }

  private take(state: State, at: number): void {
    // A state that stands still is that of a recorder which hangs, whatever it says.
    if (state.now !== this.state?.now) this.freshAt = performance.now();
    const hangs = performance.now() - this.freshAt > kStaleMs;
    // The state is up to half a second old: the latest clock that was seen is the nearest.
    const skew = Date.parse(state.now) - at;
    if (!(Math.abs(skew - this.skew) < 2000)) this.skew = skew;
    else this.skew = Math.max(skew, this.skew - 5);
    const starts = state.state === "fault" && !state.trouble && !state.streams.some((s) => s.problem);
    this.startingSince = starts ? this.startingSince ?? performance.now() : undefined;
    this.state = state;
    this.lost = hangs ? Date.parse(state.now) : undefined;
    this.signedOut = false;
  }
}

export const isMuted = (hearing: OpenHearing | undefined, stream: string): boolean => hearing?.muted.some((m) => m.stream === stream) ?? false;

// A stream that should record and does not; without a hearing, one that could not.
export function isDown(state: State, stream: Stream): boolean {
  const wanted = state.hearing && !state.hearing.pause && !isMuted(state.hearing, stream.name);
  if (!wanted) return stream.problem !== undefined && (stream.state === "connecting" || stream.state === "waiting");
  return stream.problem !== undefined || (stream.state !== "recording" && stream.state !== "ending");
}
