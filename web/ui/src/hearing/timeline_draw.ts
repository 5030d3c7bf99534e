// Paints the timeline: axis, marks, one lane per stream with its waveform, gaps and the strip of what was checked.
import { t } from "../i18n";
import { undeclaredHoles } from "../player/plan";
import type { Track } from "../player/track";
import { clock, duration, parseUtc } from "../time";
import { shortStreamName } from "./names";
import type { Room } from "./room";

export interface View { from: number; to: number }
export interface Lane { track: Track; top: number; height: number }

export const kAxis = 22;
export const kMarks = 18;
const kPictureLane = 24;
const kSoundLane = 38;
const kStrip = 4;

export function lanesOf(tracks: readonly Track[]): Lane[] {
  let top = kAxis + kMarks;
  return tracks.map((track) => {
    const height = track.hasPicture ? kPictureLane : kSoundLane;
    const lane = { track, top, height };
    top += height;
    return lane;
  });
}

export const heightOf = (tracks: readonly Track[]): number =>
  tracks.reduce((sum, track) => sum + (track.hasPicture ? kPictureLane : kSoundLane), kAxis + kMarks);

interface Brush {
  g: CanvasRenderingContext2D;
  width: number;
  height: number;
  room: Room;
  view: View;
  lanes: Lane[];
  x: (ms: number) => number;
  colour: (name: string) => string;
}

export function draw(canvas: HTMLCanvasElement, room: Room, view: View): void {
  const scale = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = heightOf(room.player.tracks);
  if (width === 0) return;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const g = canvas.getContext("2d")!;
  g.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const brush: Brush = {
    g, width, height, room, view, lanes: lanesOf(room.player.tracks),
    x: (ms) => ((ms - view.from) / (view.to - view.from)) * width,
    colour: (name) => style.getPropertyValue(`--${name}`).trim(),
  };
  g.font = `12px ${style.fontFamily}`;
  g.textBaseline = "middle";
  drawAxis(brush);
  for (const lane of brush.lanes) drawLane(brush, lane);
  drawGaps(brush);
  drawMarks(brush);
  if (matchMedia("(max-width: 899px)").matches) drawNames(brush);
}

// On a narrow screen there is no column for the names.
function drawNames({ g, room, lanes, colour, width }: Brush): void {
  for (const { track, top } of lanes) {
    const name = shortStreamName(track.plan.stream.name, room.hearing.streams);
    const wide = Math.min(g.measureText(name).width, width / 2);
    g.fillStyle = colour("paper");
    g.fillRect(0, top + 1, wide + 8, 15);
    g.fillStyle = colour("ink-soft");
    g.fillText(name, 4, top + 9, width / 2);
  }
}

const kSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400].map((s) => s * 1000);

function drawAxis({ g, width, height, room, view, x, colour }: Brush): void {
  const zone = room.hearing.zone;
  const room80 = ((view.to - view.from) / width) * 84;
  const step = kSteps.find((s) => s >= room80) ?? 86_400_000;
  // Ticks fall on whole units of the courtroom's clock, also in zones with half hours.
  const shown = clock(view.from, zone).split(":").map(Number);
  const sinceMidnight = ((shown[0]! * 60 + shown[1]!) * 60 + shown[2]!) * 1000 + (view.from % 1000);
  g.lineWidth = 1;
  for (let at = view.from - (sinceMidnight % step); at <= view.to; at += step) {
    const left = Math.round(x(at)) + 0.5;
    g.strokeStyle = colour("line-soft");
    g.beginPath();
    g.moveTo(left, kAxis - 5);
    g.lineTo(left, height);
    g.stroke();
    const label = clock(at, zone, step < 60_000);
    const wide = g.measureText(label).width;
    g.fillStyle = colour("ink-soft");
    if (left + 3 >= 0 && left + 3 + wide <= width) g.fillText(label, left + 3, kAxis / 2 - 1);
  }
}

function drawLane(brush: Brush, lane: Lane): void {
  const { g, width, view, x, colour, room } = brush;
  const { track, top, height } = lane;
  const body = height - kStrip - 3;
  g.fillStyle = colour("line-soft");
  g.fillRect(0, top + height - 1, width, 1);
  const strips: Record<string, string> = { good: colour("good"), bad: colour("bad"), unchecked: colour("unchecked"), lost: colour("attention") };
  for (const placed of track.plan.covering(view.from, view.to)) {
    const left = x(placed.from);
    const right = Math.max(x(placed.to), left + 0.5);
    g.fillStyle = colour(track.hasPicture ? "lane-picture" : "lane-sound");
    g.fillRect(left, top + 1, right - left, body);
    if (right - left > 6) {
      g.fillStyle = colour("paper");
      g.fillRect(left, top + 1, 1, body);
    }
    const state = room.ledger.state(placed.segment.index);
    g.fillStyle = strips[state]!;
    g.fillRect(left, top + height - kStrip - 1, right - left, kStrip);
    if (state === "bad") drawCross(brush, left, right, top, body);
    if (state === "lost") hatch(brush, left, top + 1, right - left, body, "attention");
  }
  if (!track.hasPicture) drawWave(brush, lane, body);
}

// Red is never alone: a failed stretch is crossed out as well.
function drawCross({ g, colour }: Brush, left: number, right: number, top: number, body: number): void {
  g.fillStyle = colour("bad-soft");
  g.fillRect(left, top + 1, right - left, body);
  g.strokeStyle = colour("bad");
  g.lineWidth = 1.5;
  g.beginPath();
  g.moveTo(left, top + 1);
  g.lineTo(right, top + 1 + body);
  g.moveTo(left, top + 1 + body);
  g.lineTo(right, top + 1);
  g.stroke();
}

function drawWave({ g, width, view, room, colour }: Brush, lane: Lane, body: number): void {
  const middle = lane.top + 1 + body / 2;
  const step = (view.to - view.from) / width;
  g.fillStyle = colour("wave");
  for (let px = 0; px < width; px++) {
    const from = view.from + px * step;
    const value = room.peaks.loudest(lane.track.plan.stream.name, from, from + Math.max(step, 100));
    if (value === undefined) continue;
    const half = Math.max(0.5, (value * (body - 2)) / 2);
    g.fillRect(px, middle - half, 1, 2 * half);
  }
}

function hatch({ g, colour }: Brush, left: number, top: number, wide: number, high: number, ink: string): void {
  g.save();
  g.beginPath();
  g.rect(left, top, wide, high);
  g.clip();
  g.fillStyle = colour("gap");
  g.fillRect(left, top, wide, high);
  g.strokeStyle = colour(ink);
  g.lineWidth = 1;
  g.beginPath();
  for (let at = left - high - (left % 7); at < left + wide; at += 7) {
    g.moveTo(at, top + high);
    g.lineTo(at + high, top);
  }
  g.stroke();
  g.restore();
}

function label(brush: Brush, text: string, left: number, right: number, middle: number, ink: string): void {
  const { g, colour, width } = brush;
  const from = Math.max(0, left);
  const to = Math.min(width, right);
  const wide = g.measureText(text).width + 10;
  if (wide > to - from) return;
  const at = (from + to - wide) / 2;
  g.fillStyle = colour("paper");
  g.fillRect(at, middle - 9, wide, 18);
  g.fillStyle = colour(ink);
  g.fillText(text, at + 5, middle + 1);
}

function drawGaps(brush: Brush): void {
  const { room, view, lanes, x } = brush;
  const first = lanes[0]?.top ?? 0;
  const last = lanes[lanes.length - 1];
  for (const gap of room.timeline.gaps) {
    const [from, to] = [parseUtc(gap.from), parseUtc(gap.to)];
    if (to < view.from || from > view.to) continue;
    const left = x(from);
    const right = Math.max(x(to), left + 2);
    const ink = gap.excused ? "ink-soft" : "attention";
    const ours = gap.streams.includes("*") ? lanes : lanes.filter((l) => gap.streams.includes(l.track.plan.stream.name));
    for (const lane of ours) hatch(brush, left, lane.top + 1, right - left, lane.height - 2, gap.excused ? "hatch" : "attention");
    const text = t("gap.label", { reason: t(`reason.${gap.reason}`), length: duration(to - from) });
    if (ours.length === lanes.length && last) label(brush, text, left, right, (first + last.top + last.height) / 2, ink);
    else for (const lane of ours) label(brush, text, left, right, lane.top + lane.height / 2, ink);
  }
  for (const lane of lanes) {
    for (const hole of undeclaredHoles(lane.track.plan, room.timeline)) {
      if (hole.to < view.from || hole.from > view.to) continue;
      const [left, right] = [x(hole.from), x(hole.to)];
      hatch(brush, left, lane.top + 1, Math.max(2, right - left), lane.height - 2, "bad");
      label(brush, t("reason.undeclared"), left, right, lane.top + lane.height / 2, "bad");
    }
  }
}

function drawMarks({ g, height, room, view, x, colour }: Brush): void {
  for (const mark of room.timeline.marks) {
    const at = parseUtc(mark.at);
    if (at < view.from || at > view.to) continue;
    const left = Math.round(x(at)) + 0.5;
    g.strokeStyle = colour("accent-soft");
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(left, kAxis + 2);
    g.lineTo(left, height);
    g.stroke();
    g.fillStyle = colour("accent");
    g.beginPath();
    g.moveTo(left - 0.5, kAxis + 2);
    g.lineTo(left + 10, kAxis + 5.5);
    g.lineTo(left - 0.5, kAxis + 10);
    g.fill();
    g.fillRect(left - 0.5, kAxis + 2, 1.5, kMarks - 3);
  }
}
