// Merkle trees of RFC 6962: leaf = H(00 || entry), node = H(01 || left || right), split at the largest power of two
// strictly below the size.
import { concatBytes, equalBytes, type Bytes } from "./bytes";
import { sha256 } from "./sha256";

const kLeaf = Uint8Array.of(0);
const kNode = Uint8Array.of(1);
export const kMaxProofHashes = 63;

export function leafHash(entry: Uint8Array): Bytes {
  return sha256(concatBytes(kLeaf, entry));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(concatBytes(kNode, left, right));
}

// The root of the first `size` leaves.
export function rootOf(leaves: readonly Bytes[], size: number = leaves.length): Bytes {
  if (size > leaves.length) throw new RangeError("more leaves asked for than there are");
  if (size === 0) return sha256(new Uint8Array(0));
  // Whole subtrees, largest first; equal heights merge as in a binary counter.
  const stack: { height: number; hash: Bytes }[] = [];
  for (let i = 0; i < size; i++) {
    let top = { height: 0, hash: leaves[i]! };
    while (stack.length > 0 && stack[stack.length - 1]!.height === top.height) {
      top = { height: top.height + 1, hash: nodeHash(stack.pop()!.hash, top.hash) };
    }
    stack.push(top);
  }
  let hash = stack.pop()!.hash;
  while (stack.length > 0) hash = nodeHash(stack.pop()!.hash, hash);
  return hash;
}

// RFC 9162 section 2.1.3.2. The root comes from a verified checkpoint, never from the proof.
export function verifyInclusion(
  index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[], root: Uint8Array,
): boolean {
  if (index < 0 || index >= size || proof.length > kMaxProofHashes) return false;
  let fn = index;
  let sn = size - 1;
  let hash: Uint8Array = leaf;
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(p, hash);
      while (fn !== 0 && fn % 2 === 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      hash = nodeHash(hash, p);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equalBytes(hash, root);
}

// The hashes that prove leaf `index` in the tree of the first `size` leaves; the leaf's sibling first.
export async function proveInclusion(
  index: number, size: number, subtree: (start: number, end: number) => Promise<Bytes>,
): Promise<Bytes[]> {
  const proof: Bytes[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    let k = 1;
    while (k * 2 < end - start) k *= 2;
    if (index < start + k) {
      proof.unshift(await subtree(start + k, end));
      end = start + k;
    } else {
      proof.unshift(await subtree(start, start + k));
      start += k;
    }
  }
  return proof;
}
