// Does what the page shows equal what was signed? The timeline comes from the archive's catalogue, the entries from
// the signed log: every segment, gap and waveform of one must be in the other. The timeline must be younger than
// the checkpoint, or a truthful archive would seem to hide what was recorded in between.
import type { Gap, Segment, Timeline } from "../types";
import type { Problem } from "./chain";
import { list, text, whole, type JsonObject } from "./entries";

export interface Comparison {
  problems: Problem[];
  // Entry index -> the SHA-256 that its object must have. Only objects found here may be played as proven.
  objectOf: Map<number, string>;
  peakDigests: Set<string>;
}

export function compareTimeline(entries: readonly (JsonObject | undefined)[], timeline: Timeline): Comparison {
  const problems: Problem[] = [];
  const objectOf = new Map<number, string>();
  const peakDigests = new Set<string>();
  const shown = segmentsByIndex(timeline);
  const gaps = new Map(timeline.gaps.map((gap) => [gap.index, gap]));
  const closed = entries.length > 0 && kindAt(entries, entries.length - 1) === "close";
  entries.forEach((entry, index) => {
    if (!entry) return;
    const kind = text(entry, "kind");
    if (kind === "segment") {
      objectOf.set(index, text(entry, "sha256"));
      compareSegment(entry, index, shown, problems);
    } else if (kind === "gap") {
      compareGap(entry, index, gaps.get(index), problems);
    } else if (kind === "peaks") {
      peakDigests.add(text(entry, "sha256"));
    } else if (!kKnownKinds.has(kind)) {
      problems.push({ code: "unknown-kind", params: { kind, entry: index }, index });
    }
  });
  // What lies behind the newest signed entry is not proven yet; behind the end of a finished hearing nothing can lie.
  const invented = (index: number, kind: string) =>
    entries.length > 0 && (index < entries.length ? ![kind, ""].includes(kindAt(entries, index)) : closed);
  for (const [index, { stream, segment }] of shown) {
    if (invented(index, "segment")) problems.push({ code: "segment-invented", params: { stream, at: segment.utc }, index });
  }
  for (const gap of timeline.gaps) {
    if (invented(gap.index, "gap")) problems.push({ code: "gap-invented", params: { at: gap.from }, index: gap.index });
  }
  problems.push(...compareEnd(entries, timeline));
  return { problems, objectOf, peakDigests };
}

const kindAt = (entries: readonly (JsonObject | undefined)[], index: number) => (entries[index] ? text(entries[index], "kind") : "");

// The last moment that the entries account for, in ms; undefined when they tell of none.
export function lastMoment(entries: readonly (JsonObject | undefined)[]): number | undefined {
  let last: number | undefined;
  for (const entry of entries) {
    if (!entry) continue;
    const kind = text(entry, "kind");
    const end = kind === "segment" ? Date.parse(text(entry, "utc")) + whole(entry, "duration_90k") / 90
      : kind === "gap" ? Date.parse(text(entry, "to")) : kind === "open" ? Date.parse(text(entry, "utc")) : NaN;
    if (!Number.isNaN(end)) last = Math.max(last ?? end, end);
  }
  return last;
}

// A hearing that is shown as finished must end with the recorder's own word that it is, at the moment shown.
function compareEnd(entries: readonly (JsonObject | undefined)[], timeline: Timeline): Problem[] {
  const last = entries[entries.length - 1];
  if (!last) return [];
  const at = lastMoment(entries) ?? 0;
  const closed = text(last, "kind") === "close";
  if (!timeline.live && !closed) return [{ code: "end-missing", params: { at: new Date(at).toISOString(), entries: entries.length } }];
  if (!closed || entries.some((entry) => !entry)) return [];
  const end = Date.parse(timeline.end);
  const signed = Math.max(at, Date.parse(text(last, "utc")));
  if (timeline.live || end < Math.floor(signed) || end > signed) {
    return [{ code: "end-differs", params: { at: text(last, "utc"), shown: timeline.live ? "@state.open" : timeline.end } }];
  }
  return [];
}

const kKnownKinds = new Set(["open", "segment", "gap", "explanation", "mark", "details", "stream", "peaks", "lost", "close"]);

function segmentsByIndex(timeline: Timeline): Map<number, { stream: string; segment: Segment }> {
  const out = new Map<number, { stream: string; segment: Segment }>();
  for (const stream of timeline.streams) {
    for (const segment of stream.segments) out.set(segment.index, { stream: stream.name, segment });
  }
  return out;
}

function compareSegment(
  entry: JsonObject, index: number, shown: Map<number, { stream: string; segment: Segment }>, problems: Problem[],
): void {
  const stream = text(entry, "stream");
  const at = text(entry, "utc");
  const found = shown.get(index);
  if (!found) {
    problems.push({ code: "segment-hidden", params: { stream, at }, index });
    return;
  }
  const segment = found.segment;
  const differs = (what: string) =>
    problems.push({ code: "segment-differs", params: { stream, at, what: `@field.${what}` }, index });
  if (found.stream !== stream) differs("stream");
  else if (segment.sha256 !== text(entry, "sha256")) differs("sha256");
  else if (segment.utc !== at) differs("utc");
  else if (segment.start_90k !== whole(entry, "start_90k") || segment.duration_90k !== whole(entry, "duration_90k") ||
           segment.run !== whole(entry, "run") || segment.seq !== whole(entry, "seq")) differs("position");
  else if (segment.bytes !== whole(entry, "bytes")) differs("bytes");
}

function compareGap(entry: JsonObject, index: number, gap: Gap | undefined, problems: Problem[]): void {
  const at = text(entry, "from");
  if (!gap) {
    problems.push({ code: "gap-hidden", params: { at }, index });
    return;
  }
  const same = gap.from === at && gap.to === text(entry, "to") && gap.reason === text(entry, "reason") &&
    gap.streams.join() === list(entry, "streams").join();
  if (!same) problems.push({ code: "gap-differs", params: { at }, index });
}
