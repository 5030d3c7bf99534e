// Are the case details on the page the filed ones, and is every change of them a correction that the register holds?
import type { Details, Hearing } from "../types";
import { toHex, utf8 } from "./bytes";
import type { Chain, Problem } from "./chain";
import { canonical, parseCanonical, text, type JsonObject } from "./entries";
import { sha256 } from "./sha256";

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

// True when the register holds corrections that the answer does not show: it may be older than the register.
export function missesCorrections(chain: Chain, hearing: Hearing): boolean {
  const shown = new Set(hearing.corrections.map((c) => c.index));
  return [...chain.details.keys()].some((index) => !shown.has(index));
}

// Version 0 is named by the opening entry, each later one by the correction that made it. Nothing is claimed where the
// opening is not proven, nor of a version whose document is lost and which is shown empty.
export function compareDetails(chain: Chain, hearing: Hearing): Problem[] {
  const opening = chain.entries[0];
  if (!opening || !chain.main) return [];
  const problems: Problem[] = [];
  const corrections = [...hearing.corrections].sort((a, b) => a.index - b.index);
  const versions = [...corrections.map((c) => ({ shown: c.before, document: c.document })),
    { shown: hearing.details, document: hearing.details_document }];
  let named: string | undefined = text(opening, "details_sha256") || undefined;
  versions.forEach(({ shown, document }, i) => {
    if (named !== undefined && !sameDetails(shown, document, named)) {
      problems.push(i === 0 ? { code: "details-differ", params: {} } : { code: "correction-differs", params: { utc: corrections[i - 1]!.utc } });
    }
    const correction = corrections[i];
    if (!correction) return;
    const entry = chain.details.get(correction.index);
    // Newer than the signatures that were asked for: not proven yet.
    named = entry ? text(entry, "details_sha256") : undefined;
    if (!entry && correction.index < chain.main!.size) problems.push({ code: "correction-invented", params: { utc: correction.utc } });
    if (entry && !sameReason(correction, entry)) problems.push({ code: "correction-differs", params: { utc: correction.utc } });
  });
  if ((hearing.continues ?? "") !== text(opening, "continues")) problems.push({ code: "continues-differs", params: {} });
  // The page's head shows the row that the search found.
  if (shownDetails(hearing) !== shownDetails(hearing.details)) problems.push({ code: "details-differ", params: {} });
  const shown = new Set(corrections.map((c) => c.index));
  chain.details.forEach((entry, index) => {
    if (!shown.has(index)) problems.push({ code: "correction-hidden", params: { utc: text(entry, "utc") } });
  });
  return problems;
}

function documentOf(document: string | undefined, digest: string): JsonObject | undefined {
  if (document === undefined) return undefined;
  const bytes = utf8(document);
  return toHex(sha256(bytes)) === digest ? parseCanonical(bytes) : undefined;
}

function sameDetails(shown: Details, document: string | undefined, digest: string): boolean {
  if (document === undefined) return shownDetails(shown) === shownDetails({});
  const parsed = documentOf(document, digest);
  return parsed !== undefined && shownDetails(parsed as Partial<Details>) === shownDetails(shown);
}

function sameReason(correction: Hearing["corrections"][number], entry: JsonObject): boolean {
  if (correction.utc !== text(entry, "utc")) return false;
  if (correction.reason_document === undefined) return correction.reason === "";
  const note = documentOf(correction.reason_document, text(entry, "reason_sha256"));
  return note !== undefined && text(note, "text") === correction.reason;
}
