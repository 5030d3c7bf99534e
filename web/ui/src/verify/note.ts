// Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature v1), strictly.
import { concatBytes, equalBytes, fromBase64, fromHex, parseDecimal, toBase64, toHex, utf8, type Bytes } from "./bytes";
import { sha256 } from "./sha256";

export const kLogKey = 0x01; // Ed25519 over the text
export const kCosigner = 0x04; // Ed25519 cosignature/v1
const kMaxNoteLength = 64 * 1024;
const kMaxSignatures = 64;

export interface VerifierKey {
  name: string;
  id: Bytes;
  type: number;
  key: Bytes;
}

export interface NoteSignature {
  name: string;
  id: Bytes;
  bytes: Bytes;
}

export interface Checkpoint {
  text: string; // what is signed, with its last newline
  origin: string;
  size: number;
  root: Bytes;
  signatures: NoteSignature[];
}

export function keyId(name: string, type: number, key: Uint8Array): Bytes {
  return sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(type), key)).slice(0, 4);
}

export function makeKey(name: string, type: number, key: Bytes): VerifierKey {
  return { name, type, key, id: keyId(name, type, key) };
}

// "<name>+<8 hex>+<base64(type || public key)>"; undefined when it is not exactly that.
export function parseVkey(text: string): VerifierKey | undefined {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text);
  if (!match) return undefined;
  const id = fromHex(match[2]!);
  const body = fromBase64(match[3]!);
  if (!id || !body || body.length !== 33) return undefined;
  const key = makeKey(match[1]!, body[0]!, body.slice(1));
  return equalBytes(key.id, id) && (key.type === kLogKey || key.type === kCosigner) ? key : undefined;
}

export function vkeyText(key: VerifierKey): string {
  return `${key.name}+${toHex(key.id)}+${toBase64(concatBytes(Uint8Array.of(key.type), key.key))}`;
}

// A short name for a key that two people can compare by voice: eight groups of four digits of its SHA-256.
export function fingerprint(key: VerifierKey): string {
  return toHex(sha256(key.key)).slice(0, 32).replace(/(.{4})(?=.)/g, "$1 ");
}

export function parseCheckpoint(note: string): Checkpoint | undefined {
  if (note.length > kMaxNoteLength || !note.endsWith("\n") || /[\u0000-\u0009\u000b-\u001f]/u.test(note)) return undefined;
  const split = note.lastIndexOf("\n\n");
  if (split < 0) return undefined;
  const text = note.slice(0, split + 1);
  const lines = text.split("\n");
  if (lines.length !== 4) return undefined; // three lines and the end: no extension lines in this profile
  const [origin, sizeText, rootText] = lines as [string, string, string];
  const size = parseDecimal(sizeText);
  const root = fromBase64(rootText);
  const signatures = parseSignatures(note.slice(split + 2, -1).split("\n"));
  if (!origin || size === undefined || !root || root.length !== 32 || !signatures) return undefined;
  return { text, origin, size, root, signatures };
}

function parseSignatures(lines: string[]): NoteSignature[] | undefined {
  if (lines.length < 1 || lines.length > kMaxSignatures) return undefined;
  const out: NoteSignature[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    const body = match ? fromBase64(match[2]!) : undefined;
    if (!match || !body || body.length < 5) return undefined;
    const id = body.slice(0, 4);
    const unique = `${match[1]!} ${toHex(id)}`;
    if (seen.has(unique)) return undefined;
    seen.add(unique);
    out.push({ name: match[1]!, id, bytes: body.slice(4) });
  }
  return out;
}

export type SignatureState = "good" | "bad" | "absent";

function lineFor(checkpoint: Checkpoint, key: VerifierKey): NoteSignature | undefined {
  return checkpoint.signatures.find((s) => s.name === key.name && equalBytes(s.id, key.id));
}

export async function checkSignature(checkpoint: Checkpoint, key: VerifierKey): Promise<SignatureState> {
  const line = lineFor(checkpoint, key);
  if (!line || key.type !== kLogKey) return "absent";
  return (await verifyEd25519(key.key, line.bytes, utf8(checkpoint.text))) ? "good" : "bad";
}

export interface Cosigned {
  state: SignatureState;
  time?: number; // ms since 1970, when good
}

export async function checkCosignature(checkpoint: Checkpoint, key: VerifierKey): Promise<Cosigned> {
  const line = lineFor(checkpoint, key);
  if (!line || key.type !== kCosigner) return { state: "absent" };
  if (line.bytes.length !== 72) return { state: "bad" };
  const seconds = new DataView(line.bytes.buffer, line.bytes.byteOffset).getBigUint64(0);
  if (seconds > 8_640_000_000_000n) return { state: "bad" };
  const message = utf8(`cosignature/v1\ntime ${seconds}\n${checkpoint.text}`);
  if (!(await verifyEd25519(key.key, line.bytes.slice(8), message))) return { state: "bad" };
  return { state: "good", time: Number(seconds) * 1000 };
}

// True when this browser can check Ed25519 signatures (and the page has a secure address).
export async function canCheckSignatures(): Promise<boolean> {
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32).fill(9), "Ed25519", false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

export async function verifyEd25519(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false;
  }
}
