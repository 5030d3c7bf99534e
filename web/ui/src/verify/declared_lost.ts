// What nobody can give any more, and who said so under a signature: the recorder, in the hearing's own log, or two officers of the
// court, in the archive's. It is no damage, and nothing else is proven less because of it. See docs/formats/main-log.md.
import { list, text, texts, type JsonObject } from "./entries";
import { Officers } from "./officers";

export interface Lost { by: "room" | "officers"; officers: string[]; utc: string; entry: number }

function objectsOf(entry: JsonObject): string[] {
  return list(entry, "objects").map((one) => (typeof one === "object" && !Array.isArray(one) ? text(one, "sha256") : ""));
}

// What the recorder declared, of its signed entries.
export function lostInRoom(entries: readonly (JsonObject | undefined)[]): Map<string, Lost> {
  const out = new Map<string, Lost>();
  entries.forEach((entry, index) => {
    if (!entry || text(entry, "kind") !== "lost") return;
    for (const digest of objectsOf(entry)) out.set(digest, { by: "room", officers: [], utc: "", entry: index });
  });
  return out;
}

// What each officer signs; the digests in rising order.
function statementOf(archive: string, hearing: string, objects: readonly string[]): string {
  return `greffe declares lost v1\n${archive}\n${hearing}\n${[...objects].sort().map((digest) => `${digest}\n`).join("")}`;
}

// The entries of the archive's log about officers and about this hearing's lost objects, by number: all of them proven to stand there.
// `refused`: orders that two officers of that moment did not sign.
export async function lostByOfficers(
  archive: string, hearing: string, entries: ReadonlyMap<number, JsonObject>,
): Promise<{ lost: Map<string, Lost>; refused: number[] }> {
  const lost = new Map<string, Lost>();
  const refused: number[] = [];
  const officers = new Officers();
  for (const [index, entry] of [...entries].sort(([a], [b]) => a - b)) {
    if (text(entry, "kind") === "key") {
      officers.take(entry);
      continue;
    }
    const objects = objectsOf(entry);
    const names = texts(entry, "officers");
    if (!(await officers.signed(statementOf(archive, hearing, objects), names, texts(entry, "signatures")))) {
      refused.push(index);
      continue;
    }
    for (const digest of objects) lost.set(digest, { by: "officers", officers: names, utc: text(entry, "utc"), entry: index });
  }
  return { lost, refused };
}
