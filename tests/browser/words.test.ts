// Every label exists in the three languages, and no label stands outside the glossary.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const kSource = join(process.env["GREFFE_UI"]!, "src");
const kStation = join(process.env["GREFFE_UI"]!, "station"); // its words are added to the common ones
const read = (folder: string, language: string) => JSON.parse(readFileSync(join(folder, "lang", `${language}.json`), "utf8")) as Record<string, string>;
const dictionary = (language: string) => ({ ...read(kSource, language), ...read(kStation, language) });
const words = { en: dictionary("en"), fr: dictionary("fr"), zh: dictionary("zh") };
const base = (key: string) => key.replace(/#(one|other)$/, "");
const keys = (d: Record<string, string>) => [...new Set(Object.keys(d).map(base))].sort();

function sources(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const path = join(folder, item.name);
    if (item.isDirectory()) return sources(path);
    return /\.tsx?$/.test(item.name) ? [{ path, text: readFileSync(path, "utf8") }] : [];
  });
}
const all = [...sources(kSource), ...sources(kStation)];

test("the three languages have the same keys", () => {
  assert.deepEqual(keys(words.fr), keys(words.en));
  assert.deepEqual(keys(words.zh), keys(words.en));
});

test("the common pages need no word of the station", () => {
  const common = new Set(keys(read(kSource, "en")));
  for (const { path, text } of sources(kSource)) {
    for (const match of text.matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(common.has(match[1]!), `${path}: ${match[1]}`);
  }
  for (const language of ["fr", "zh"]) assert.deepEqual(keys(read(kStation, language)), keys(read(kStation, "en")));
});

test("every text is there and names the same parameters", () => {
  for (const [language, d] of Object.entries(words)) {
    for (const [key, text] of Object.entries(d)) {
      assert.notEqual(text.trim(), "", `${language} ${key}`);
      const english = words.en[key] ?? words.en[`${base(key)}#other`] ?? "";
      const named = (s: string) => [...new Set([...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].filter((n) => n !== "n").sort();
      assert.deepEqual(named(text), named(english), `${language} ${key}`);
    }
  }
});

test("plural forms are the ones the language needs", () => {
  for (const key of Object.keys(words.en).filter((k) => k.includes("#"))) {
    assert.ok(words.en[`${base(key)}#one`] && words.en[`${base(key)}#other`], key);
    assert.ok(words.fr[`${base(key)}#one`] && words.fr[`${base(key)}#other`], key);
    assert.ok(words.zh[`${base(key)}#other`], key);
  }
});

test("every key that the pages name exists", () => {
  const known = new Set(keys(words.en));
  for (const { path, text } of all) {
    for (const match of text.matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(known.has(match[1]!), `${path}: ${match[1]}`);
    for (const match of text.matchAll(/\bt\([^")]*\? "([^"]+)" : "([^"]+)"/g)) {
      assert.ok(known.has(match[1]!) && known.has(match[2]!), `${path}: ${match[0]}`);
    }
    for (const match of text.matchAll(/\b(?:fail|problem)\("([a-z-]+)"/g)) assert.ok(known.has(`problem.${match[1]}`), `${path}: ${match[1]}`);
    if (!path.endsWith("i18n.ts")) for (const match of text.matchAll(/code: "([a-z-]+)"/g)) assert.ok(known.has(`problem.${match[1]}`), `${path}: ${match[1]}`);
  }
});

test("whatever the archive's status names by a code has words of its own", () => {
  const source = readFileSync(join(kSource, "../../status_routes.cc"), "utf8");
  const states = [...readFileSync(join(kSource, "../../../archive/store/volume.cc"), "utf8").matchAll(/case VolumeState::\w+: return "(\w+)"/g)]
    .map((m) => m[1]!);
  const troubles = states.filter((state) => !["active", "draining", "retired"].includes(state));  // those are asked for
  const codes = [...source.matchAll(/\breason\("([a-z-]+)",/g)].map((m) => m[1]!);
  assert.ok(codes.length >= 5 && states.length >= 3, `${codes} ${states}`);
  const known = new Set(keys(words.en));
  for (const state of states) assert.ok(known.has(`status.volume.${state}`), `status.volume.${state}`);
  for (const code of [...codes, ...troubles.map((state) => `volume-${state}`)]) {
    for (const part of ["reason", "what", "todo"]) assert.ok(known.has(`status.${part}.${code}`), `status.${part}.${code}`);
  }
});

test("whatever a station names by a code has words of its own", () => {
  const source = (path: string) => readFileSync(join(kSource, "../../..", path), "utf8");
  const found = (path: string, pattern: RegExp, least: number) => {
    const out = [...source(path).matchAll(pattern)].map((m) => m[1]!);
    assert.ok(out.length >= least, `${path}: ${out}`);
    return out;
  };
  const reasons = [.../kGapReasons = \{([^}]*)\}/.exec(source("archive/format/hearing_entries.cc"))![1]!.matchAll(/"([a-z-]+)"/g)].map((m) => m[1]!);
  const needed = [
    ...reasons.map((reason) => `reason.${reason}`),
    ...found("ingest/recorder_state.cc", /case LiveLane::State::\w+: return "(\w+)"/g, 5).map((state) => `tile.state.${state}`),
    ...[...source("ingest/recorder_state.cc").matchAll(/\bword = .*/g)].flatMap((m) => [...m[0].matchAll(/"([a-z]+)"/g)]).map((m) => `station.word.${m[1]}`),
    ...found("ingest/recorder.cc", /\{"(\w+)", &Recorder::/g, 7).map((verb) => `failed.${verb}`),
    ...["locked", "holdover", "free"].map((state) => `clock.${state}`),
  ];
  assert.ok(needed.length > 25, `${needed}`);
  const known = new Set(keys(words.en));
  for (const key of needed) assert.ok(known.has(key), key);
});

test("no words stand in the pages themselves", () => {
  for (const { path, text } of all.filter((f) => f.path.endsWith(".tsx"))) {
    for (const match of text.matchAll(/(?:aria-label|title|placeholder|alt)="([^"]*\p{L}{3}[^"]*)"/gu)) assert.fail(`${path}: ${match[0]}`);
    for (const match of text.matchAll(/<[a-z][^<>{}]*>\s*([^<>{}]*\p{L}{3}[^<>{}]*)\s*<\//gu)) assert.fail(`${path}: ${match[1]}`);
  }
});

test("clerks never read the machinery's words outside the proof and the operators' pages", () => {
  const machinery = /\b(segment|checkpoint|cosigned|digest|replica|spool|deposit|scrub|epoch|enrol)/i;
  const allowed = /^(proof|link|problem|key|field|status|audit|kind|badge\.no-proof)\b/;
  for (const [key, text] of Object.entries(words.en)) if (!allowed.test(key)) assert.doesNotMatch(text, machinery, key);
});
