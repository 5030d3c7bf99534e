// Marks the words that were searched for, however the archive forgave their spelling: case, accents, full width.

interface Folded { text: string; at: number[] } // at[i]: where folded character i stands in the original

function fold(text: string): Folded {
  let out = "";
  const at: number[] = [];
  let index = 0;
  for (const character of text) {
    const plain = character.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    for (const unit of plain) {
      const one = kBrackets.get(unit) ?? unit;
      out += one;
      for (let i = 0; i < one.length; i++) at.push(index);
    }
    index += character.length;
  }
  at.push(index);
  return { text: out, at };
}

const kBrackets = new Map([["〔", "("], ["〕", ")"], ["【", "("], ["】", ")"], ["［", "("], ["］", ")"], ["〈", "("], ["〉", ")"]]);

export function wordsOf(query: string): string[] {
  return fold(query).text.split(/\s+/).filter((word) => word.length > 0).slice(0, 20);
}

// [from, to) in the original text, in order, not overlapping.
export function matches(text: string, words: readonly string[]): [number, number][] {
  const folded = fold(text);
  const hit = new Array<boolean>(folded.text.length).fill(false);
  for (const word of words) {
    for (let i = folded.text.indexOf(word); i >= 0; i = folded.text.indexOf(word, i + 1)) {
      const latin = /[a-z]/.test(word[0]!) && i > 0 && /[a-z]/.test(folded.text[i - 1]!);
      if (!latin) hit.fill(true, i, i + word.length);
    }
  }
  const out: [number, number][] = [];
  for (let i = 0; i < hit.length; i++) {
    if (!hit[i]) continue;
    let end = i;
    while (end < hit.length && hit[end]) end++;
    out.push([folded.at[i]!, folded.at[end]!]);
    i = end;
  }
  return out;
}

export function Highlight({ text, words }: { text: string; words: readonly string[] }) {
  const parts: preact.ComponentChildren[] = [];
  let done = 0;
  for (const [from, to] of words.length > 0 ? matches(text, words) : []) {
    if (from > done) parts.push(text.slice(done, from));
    parts.push(<mark>{text.slice(from, to)}</mark>);
    done = to;
  }
  parts.push(text.slice(done));
  return <>{parts}</>;
}
