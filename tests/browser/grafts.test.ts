// What came back of an earlier part of the register, as far as the page can judge it: by the states that later parts go on from.
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../web/ui/src/verify/bytes";
import { canonical, type JsonObject } from "../../web/ui/src/verify/entries";
import type { MainLog } from "../../web/ui/src/verify/epochs";
import { graftIn } from "../../web/ui/src/verify/grafts";
import { kLogKey, makeKey } from "../../web/ui/src/verify/note";
import { kArchive, kHearing, signer } from "./sample_archive";

const originOf = (epoch: number) => (epoch === 1 ? kArchive : `${kArchive}/epoch/${epoch}`);
const sizes = [7, 4, 9];
const logs: MainLog[] = await Promise.all(sizes.map(async (size, i) => ({
  epoch: i + 1, first: sizes.slice(0, i).reduce((a, b) => a + b, 0), key: makeKey(originOf(i + 1), kLogKey, (await signer(originOf(i + 1), 1)).pub), holder: undefined,
  checkpoint: { text: "", origin: originOf(i + 1), size, root: new Uint8Array(32), signatures: [] },
})));

const one = { hearing: kHearing, root: "ab".repeat(32), size: 5 };
const graft = (changes: JsonObject = {}): JsonObject => ({
  kind: "graft", v: 1, utc: "2026-11-23T10:00:00.000Z", origin: kArchive, size: 9, root: "cd".repeat(32), hearings: [one], ...changes,
});

const judged = (epoch: number, entry: JsonObject, of = logs) => graftIn(of, epoch, utf8(canonical(entry)));

test("what came back of an earlier part is counted from the state that the next one goes on from", () => {
  assert.deepEqual(judged(2, graft()), { epoch: 1, entries: 2 });
  assert.deepEqual(judged(3, graft()), { epoch: 1, entries: 2 });
  assert.deepEqual(judged(3, graft({ origin: originOf(2), size: 5 })), { epoch: 2, entries: 1 });
  assert.deepEqual(judged(2, graft({ hearings: [] })), { epoch: 1, entries: 2 });
  assert.deepEqual(judged(2, graft({ hearings: [one, { ...one, hearing: "019d0a3c-7c00-7abc-8def-0123456789ac" }] })), { epoch: 1, entries: 2 });
});

test("what no earlier part can have had", () => {
  const bad: JsonObject[] = [
    { size: 7 }, { size: 6 }, { size: -1 }, { size: "9" }, { root: "cd" }, { origin: originOf(2), size: 99 }, { origin: originOf(3), size: 99 },
    { origin: `${kArchive}/epoch/1` }, { origin: "other.test.example" }, { origin: "" }, { v: 2 }, { hearings: [one, one] }, { hearings: [{ ...one, size: 0 }] },
    { hearings: [{ ...one, root: "xy" }] }, { hearings: [{ ...one, hearing: "" }] }, { hearings: ["x"] }, { hearings: [[]] }, { hearings: "x" },
  ];
  for (const change of bad) assert.equal(judged(2, graft(change)), "bad", JSON.stringify(change));
  assert.equal(judged(1, graft()), "bad", "the first part takes nothing back");
  assert.equal(judged(3, graft(), logs.slice(1)), "bad", "of a part that is not believed");
  assert.equal(judged(2, { kind: "scrub", v: 1 }), undefined);
  assert.equal(graftIn(logs, 2, utf8(JSON.stringify({ v: 1, kind: "graft" }))), undefined, "not canonical: what it is is said elsewhere");
});
