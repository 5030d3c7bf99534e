// Are the case details on the page the filed ones, and is every change of them a correction that the register or the
// hearing's own signed list holds?
import type { Correction, Details, Hearing } from "../types";
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

const keyOf = (one: { origin: string; index: number }): string => `${one.origin} ${one.index}`;

// The entries of both logs. What the hearing's list has beyond its newest checkpoint in the main log is not in the
// archive's answers yet.
function signedCorrections(chain: Chain): Map<string, JsonObject> {
  const out = new Map([...chain.details].map(([index, entry]) => [keyOf({ origin: "archive", index }), entry]));
  chain.entries.slice(0, chain.filed ?? 0).forEach((entry, index) => {
    if (entry && text(entry, "kind") === "details") out.set(keyOf({ origin: "room", index }), entry);
  });
  return out;
}

// True when corrections are signed that the answer does not show: it may be older than the register.
export function missesCorrections(chain: Chain, hearing: Hearing): boolean {
  const shown = new Set(hearing.corrections.map(keyOf));
  return [...signedCorrections(chain).keys()].some((key) => !shown.has(key));
}

// Version 0 is named by the opening entry, each later one by the correction that made it. Nothing is claimed where the
// opening is not proven, nor of a version whose document is lost and which is shown empty.
export function compareDetails(chain: Chain, hearing: Hearing): Problem[] {
  const opening = chain.entries[0];
  if (!opening || !chain.main) return [];
  const problems: Problem[] = [];
  const corrections = hearing.corrections;
  const signed = signedCorrections(chain);
  const versions = [...corrections.map((c) => ({ shown: c.before, document: c.document })),
    { shown: hearing.details, document: hearing.details_document }];
  let named: string | undefined = text(opening, "details_sha256") || undefined;
  versions.forEach(({ shown, document }, i) => {
    if (named !== undefined && !sameDetails(shown, document, named)) {
      problems.push(i === 0 ? { code: "details-differ", params: {} } : { code: "correction-differs", params: { utc: corrections[i - 1]!.utc } });
    }
    const correction = corrections[i];
    if (!correction) return;
    const entry = signed.get(keyOf(correction));
    // Newer than the signatures that were asked for: not proven yet.
    named = entry ? text(entry, "details_sha256") : undefined;
    if (!entry && isInvented(chain, correction)) problems.push({ code: "correction-invented", params: { utc: correction.utc } });
    if (entry && !sameWords(correction, entry)) problems.push({ code: "correction-differs", params: { utc: correction.utc } });
  });
  if ((hearing.continues ?? "") !== text(opening, "continues")) problems.push({ code: "continues-differs", params: {} });
  // The page's head shows the row that the search found.
  if (shownDetails(hearing) !== shownDetails(hearing.details)) problems.push({ code: "details-differ", params: {} });
  const shown = new Set(corrections.map(keyOf));
  signed.forEach((entry, key) => {
    if (!shown.has(key)) problems.push({ code: "correction-hidden", params: { utc: text(entry, "utc") } });
  });
  problems.push(...misplaced(corrections, signed));
  return problems;
}

// Another order would make an earlier version the one that counts. Each log keeps its own; after a correction of the
// archive's comes one of the room's only when it was made later. The other way round nothing has to be shown: the
// archive may correct what the room corrected, whatever the room's clock says.
function misplaced(corrections: Correction[], signed: Map<string, JsonObject>): Problem[] {
  const last = { archive: -1, room: -1 };
  const newest = { archive: -Infinity, room: -Infinity };
  for (const correction of corrections) {
    const entry = signed.get(keyOf(correction));
    if (!entry) continue;
    const { origin, index } = correction;
    newest[origin] = Math.max(newest[origin], Date.parse(text(entry, "utc")));
    const late = origin === "room" && newest.room <= newest.archive;
    if (index <= last[origin] || late) return [{ code: "correction-differs", params: { utc: correction.utc } }];
    last[origin] = index;
  }
  return [];
}

function isInvented(chain: Chain, correction: Correction): boolean {
  if (correction.origin !== "room") return correction.index < chain.main!.size;
  const entry = chain.entries[correction.index];
  return entry !== undefined && text(entry, "kind") !== "details";
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

function sameWords(correction: Correction, entry: JsonObject): boolean {
  if (correction.utc !== text(entry, "utc")) return false;
  if (correction.origin === "room") return correction.account_name === text(entry, "person") && correction.reason === "";
  if (correction.reason_document === undefined) return correction.reason === "";
  const note = documentOf(correction.reason_document, text(entry, "reason_sha256"));
  return note !== undefined && text(note, "text") === correction.reason;
}
