// Does what the page shows equal what was signed? The timeline comes from the archive's catalogue, the entries from
// the signed log: every segment, gap, mark and waveform of one must be in the other.
import type { Details, Gap, Segment, Timeline } from "../types";
import type { Problem } from "./chain";
import { canonical, list, text, whole, type JsonObject } from "./entries";

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
  let roomMarks = 0;
  const limit = Math.min(entries.length, timeline.log_size);
  entries.forEach((entry, index) => {
    if (!entry) return;
    const kind = text(entry, "kind");
    if (kind === "segment") {
      objectOf.set(index, text(entry, "sha256"));
      if (index < limit) compareSegment(entry, index, shown, problems);
    } else if (kind === "gap" && index < limit) {
      compareGap(entry, index, gaps.get(index), problems);
    } else if (kind === "mark" && index < limit) {
      roomMarks++;
    } else if (kind === "peaks") {
      peakDigests.add(text(entry, "sha256"));
    } else if (!kKnownKinds.has(kind)) {
      problems.push({ code: "unknown-kind", params: { kind, entry: index }, index });
    }
  });
  for (const [index, { stream, segment }] of shown) {
    if (index < limit && entries[index] && text(entries[index], "kind") !== "segment") {
      problems.push({ code: "segment-invented", params: { stream, at: segment.utc }, index });
    }
  }
  for (const gap of timeline.gaps) {
    if (gap.index < limit && entries[gap.index] && text(entries[gap.index]!, "kind") !== "gap") {
      problems.push({ code: "gap-invented", params: { at: gap.from }, index: gap.index });
    }
  }
  const shownMarks = timeline.marks.filter((mark) => mark.origin === "room").length;
  if (entries.every((entry) => entry) && entries.length <= timeline.log_size && shownMarks < roomMarks) {
    problems.push({ code: "marks-missing", params: { shown: shownMarks, signed: roomMarks } });
  }
  return { problems, objectOf, peakDigests };
}

const kKnownKinds = new Set(["open", "segment", "gap", "mark", "stream", "peaks", "lost", "close"]);

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

// The members of a details document that the pages show, in one form, so that two documents can be compared.
export function shownDetails(details: Partial<Details>): string {
  return canonical({
    cases: details.cases ?? [],
    parties: (details.parties ?? []).map((p) => ({ name: p.name, role: p.role ?? "" })),
    judges: details.judges ?? [],
    clerk: details.clerk ?? "",
    title: details.title ?? "",
    scheduled: details.scheduled ?? "",
    public: details.public ?? true,
  });
}
