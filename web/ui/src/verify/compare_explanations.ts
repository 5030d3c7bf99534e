// Are the explanations beside the gaps those that were filed? Each is an entry of the hearing's signed list, which names
// the gap by its index and the words by the digest of their document.
import type { Explanation, Gap, Timeline } from "../types";
import { toHex, utf8 } from "./bytes";
import type { Chain, Problem } from "./chain";
import { parseCanonical, text, whole, type JsonObject } from "./entries";
import { sha256 } from "./sha256";

export function compareExplanations(chain: Chain, timeline: Timeline): Problem[] {
  const problems: Problem[] = [];
  const shown = new Set<number>();
  for (const gap of timeline.gaps) {
    for (const one of gap.explanations ?? []) {
      shown.add(one.index);
      const entry = chain.entries[one.index];
      if (!entry) continue; // newer than the signatures that were asked for, or in a list that is not proven
      const problem = text(entry, "kind") === "explanation" ? difference(gap, one, entry) : "explanation-invented";
      if (problem) problems.push({ code: problem, params: { at: gap.from, words: one.text } });
    }
  }
  chain.entries.forEach((entry, index) => {
    if (!entry || text(entry, "kind") !== "explanation" || shown.has(index)) return;
    const gap = timeline.gaps.find((g) => g.index === whole(entry, "gap"));
    if (gap) problems.push({ code: "explanation-hidden", params: { at: gap.from } });
  });
  return problems;
}

// A note that is lost leaves no words to compare; words without their note are nobody's.
function difference(gap: Gap, one: Explanation, entry: JsonObject): string | undefined {
  const same = gap.index === whole(entry, "gap") && (one.person ?? "") === text(entry, "person") && (one.reason ?? "") === text(entry, "reason");
  if (!same) return "explanation-differs";
  if (one.document === undefined) return one.text === "" ? undefined : "explanation-differs";
  const bytes = utf8(one.document);
  const note = parseCanonical(bytes);
  const signed = note !== undefined && toHex(sha256(bytes)) === text(entry, "note_sha256") && text(note, "text") === one.text;
  return signed ? undefined : "explanation-differs";
}
