// The officers of the court, as the archive's register names them, and what they sign together. See docs/formats/main-log.md.
import { fromBase64, fromHex, utf8 } from "./bytes";
import { text, type JsonObject } from "./entries";
import { verifyEd25519 } from "./note";

const kOfficersNeeded = 2;

export class Officers {
  private readonly keys = new Map<string, string>(); // name -> key, those who are officers after the entries taken so far

  // In the order of the log.
  take(entry: JsonObject): void {
    const name = text(entry, "name");
    if (text(entry, "action") !== "revoked") this.keys.set(name, text(entry, "key"));
    else if (this.keys.get(name) === text(entry, "key")) this.keys.delete(name);
  }

  // Whether each of these is an officer and signed exactly this, with two keys at least.
  async signed(statement: string, names: readonly string[], signatures: readonly string[]): Promise<boolean> {
    if (names.length < kOfficersNeeded || names.length !== signatures.length) return false;
    const used = new Set<string>();
    for (const [i, name] of names.entries()) {
      const key = this.keys.get(name);
      const raw = key === undefined ? undefined : fromHex(key);
      const signature = fromBase64(signatures[i]!);
      if (key === undefined || !raw || !signature || !(await verifyEd25519(raw, signature, utf8(statement)))) return false;
      used.add(key);
    }
    return used.size >= kOfficersNeeded;
  }
}
