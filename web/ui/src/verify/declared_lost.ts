// What nobody can give any more, and who said so under a signature: the recorder, in the hearing's own log, or two officers of the
// court, in the archive's. It is no damage, and nothing else is proven less because of it. See docs/formats/main-log.md.
import { fromBase64, fromHex, utf8 } from "./bytes";
import { list, text, type JsonObject } from "./entries";
import { verifyEd25519 } from "./note";

export interface Lost { by: "room" | "officers"; officers: string[]; utc: string; entry: number }

const kOfficersNeeded = 2;

function objectsOf(entry: JsonObject): string[] {
  return list(entry, "objects").map((one) => (typeof one === "object" && !Array.isArray(one) ? text(one, "sha256") : ""));
}

const texts = (entry: JsonObject, key: string): string[] => list(entry, key).map((one) => (typeof one === "string" ? one : ""));

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

// The entries of the archive's log about officers and about this hearing's lost objects, by index: all of them proven to stand there.
// `refused`: orders that two officers of that moment did not sign.
export async function lostByOfficers(
  archive: string, hearing: string, entries: ReadonlyMap<number, JsonObject>,
): Promise<{ lost: Map<string, Lost>; refused: number[] }> {
  const lost = new Map<string, Lost>();
  const refused: number[] = [];
  const officers = new Map<string, string>(); // name -> key, those who are officers at this entry
  for (const [index, entry] of [...entries].sort(([a], [b]) => a - b)) {
    if (text(entry, "kind") === "key") {
      const name = text(entry, "name");
      if (text(entry, "action") !== "revoked") officers.set(name, text(entry, "key"));
      else if (officers.get(name) === text(entry, "key")) officers.delete(name);
      continue;
    }
    const objects = objectsOf(entry);
    const names = texts(entry, "officers");
    if (!(await isSigned(statementOf(archive, hearing, objects), names, texts(entry, "signatures"), officers))) {
      refused.push(index);
      continue;
    }
    for (const digest of objects) lost.set(digest, { by: "officers", officers: names, utc: text(entry, "utc"), entry: index });
  }
  return { lost, refused };
}

async function isSigned(
  statement: string, names: readonly string[], signatures: readonly string[], officers: ReadonlyMap<string, string>,
): Promise<boolean> {
  if (names.length < kOfficersNeeded || names.length !== signatures.length) return false;
  const keys = new Set<string>();
  for (const [i, name] of names.entries()) {
    const key = officers.get(name);
    const raw = key === undefined ? undefined : fromHex(key);
    const signature = fromBase64(signatures[i]!);
    if (key === undefined || !raw || !signature || !(await verifyEd25519(raw, signature, utf8(statement)))) return false;
    keys.add(key);
  }
  return keys.size >= kOfficersNeeded;
}
