// SHA-256 without a promise, for the many small hashes of a tree (FIPS 180-4). Objects use WebCrypto: see digest().
import type { Bytes } from "./bytes";

const kRound = new Uint32Array(64);
const kStart = new Uint32Array(8);

// The constants are the fractional parts of roots of primes; computing them is shorter than listing them, and the
// unit test compares the result with WebCrypto.
(function fill() {
  let found = 0;
  for (let n = 2; found < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (found < 8) kStart[found] = fraction(Math.sqrt(n));
    kRound[found++] = fraction(Math.cbrt(n));
  }
})();

function fraction(x: number): number {
  return ((x - Math.floor(x)) * 4294967296) >>> 0;
}

export function sha256(message: Uint8Array): Bytes {
  const padded = new Uint8Array(((message.length + 72) >> 6) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(message.length / 536870912));
  view.setUint32(padded.length - 4, (message.length << 3) >>> 0);
  const hash = Uint32Array.from(kStart);
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += 64) compress(hash, words, view, block);
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  hash.forEach((word, i) => outView.setUint32(4 * i, word));
  return out;
}

function compress(hash: Uint32Array, w: Uint32Array, view: DataView, block: number): void {
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(block + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) >>> 0;
    const s1 = (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)) >>> 0;
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + (s1 >>> 0) + (((e & f) ^ (~e & g)) >>> 0) + kRound[i]! + w[i]!) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = ((s0 >>> 0) + (((a & b) ^ (a & c) ^ (b & c)) >>> 0)) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const end = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) hash[i] = hash[i]! + end[i]!;
}

function rotate(x: number, n: number): number {
  return (x >>> n) | (x << (32 - n));
}

// For whole objects: the browser's own, about a hundred times faster than the above.
export async function digest(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
