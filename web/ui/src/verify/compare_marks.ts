// Are the marks on the page those that were made? A mark of the courtroom is an entry of the hearing's signed list; one
// that was added later is an entry of the archive's register. Its words are a document that the entry names by digest.
import type { Mark, Timeline } from "../types";
import { toHex, utf8 } from "./bytes";
import type { Chain, Problem } from "./chain";
import { parseCanonical, text, type JsonObject } from "./entries";
import { sha256 } from "./sha256";

export interface MarkComparison {
  problems: Problem[];
  proven: Set<string>; // ids of marks whose moment and words are the signed ones
}

export function compareMarks(chain: Chain, timeline: Timeline): MarkComparison {
  const problems: Problem[] = [];
  const proven = new Set<string>();
  const shown = new Set<string>();
  for (const mark of timeline.marks) {
    shown.add(`${mark.origin} ${mark.index}`);
    const entry = mark.origin === "room" ? chain.entries[mark.index] : chain.marks.get(mark.index);
    const ours = entry && text(entry, "kind") === "mark" ? entry : undefined;
    // Newer than the signatures that were asked for, or in a list that is not proven: nothing is claimed.
    if (!ours && !couldBeProven(chain, mark)) continue;
    const problem = ours ? difference(mark, ours) : "mark-invented";
    if (problem) problems.push({ code: problem, params: { at: mark.at, words: mark.text } });
    else if (mark.document !== undefined) proven.add(mark.id);
  }
  const hidden = (origin: Mark["origin"], index: number, entry: JsonObject | undefined) => {
    if (!entry || text(entry, "kind") !== "mark" || shown.has(`${origin} ${index}`)) return;
    problems.push({ code: "mark-hidden", params: { at: text(entry, "at") } });
  };
  chain.entries.forEach((entry, index) => hidden("room", index, entry));
  chain.marks.forEach((entry, index) => hidden("archive", index, entry));
  return { problems, proven };
}

function couldBeProven(chain: Chain, mark: Mark): boolean {
  if (mark.origin === "room") return mark.index < chain.entries.length && chain.entries[mark.index] !== undefined;
  return chain.main !== undefined && mark.index < chain.main.size;
}

// A note that is lost leaves no words to compare; words without their note are nobody's.
function difference(mark: Mark, entry: JsonObject): string | undefined {
  if (mark.at !== text(entry, "at") || (mark.stream ?? "") !== text(entry, "stream")) return "mark-differs";
  if (mark.document === undefined) return mark.text === "" ? undefined : "mark-differs";
  const bytes = utf8(mark.document);
  const note = parseCanonical(bytes);
  const same = note !== undefined && toHex(sha256(bytes)) === text(entry, "note_sha256") && text(note, "text") === mark.text;
  return same ? undefined : "mark-differs";
}
