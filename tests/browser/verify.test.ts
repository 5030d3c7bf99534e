// The checks behind the badge, against an archive that lies in every way it can.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ArchiveKeys, Hearing, Timeline } from "../../web/ui/src/types";
import { compareDetails, missesCorrections } from "../../web/ui/src/verify/compare_details";
import { toBase64, toHex, utf8, type Bytes } from "../../web/ui/src/verify/bytes";
import { canonical, parseCanonical, type JsonObject } from "../../web/ui/src/verify/entries";
import { leafHash, nodeHash, proveInclusion, rootOf, verifyInclusion } from "../../web/ui/src/verify/merkle";
import { parseCheckpoint, parseVkey } from "../../web/ui/src/verify/note";
import { memoryOf, pinKeys } from "../../web/ui/src/verify/pins";
import { digest, sha256 } from "../../web/ui/src/verify/sha256";
import { checkObject, verifyHearing } from "../../web/ui/src/verify/verify";
import {
  archive, codes, holder, kArchive, kHearing, kOrigin, log, memory, note, resign, second, segment, signer, sourceOf, station, stranger, type Served,
} from "./sample_archive";

test("own SHA-256 equals WebCrypto at every length around the block size", async () => {
  for (let length = 0; length < 200; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.equal(toHex(sha256(bytes)), toHex(await digest(bytes)));
  }
});

test("roots and proofs agree with the recursive definition", async () => {
  const leaves = Array.from({ length: 70 }, (_, i) => leafHash(utf8(String(i))));
  const slow = (list: Bytes[]): Bytes => {
    if (list.length === 1) return list[0]!;
    let k = 1;
    while (k * 2 < list.length) k *= 2;
    return nodeHash(slow(list.slice(0, k)), slow(list.slice(k)));
  };
  for (let size = 1; size <= leaves.length; size++) {
    const root = rootOf(leaves, size);
    assert.equal(toHex(root), toHex(slow(leaves.slice(0, size))));
    for (let i = 0; i < size; i++) {
      const proof = await proveInclusion(i, size, async (a, b) => rootOf(leaves.slice(a, b)));
      assert.ok(verifyInclusion(i, size, leaves[i]!, proof, root));
      assert.ok(!verifyInclusion(i, size, leafHash(utf8("x")), proof, root));
      assert.ok(!verifyInclusion(i, size, leaves[i]!, [...proof, root], root));
    }
  }
  assert.equal(toHex(rootOf([])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("strict readers refuse what is not exactly right", async () => {
  for (const bad of ['{"a":1,"a":1}', '{"b":1,"a":1}', '{"a":1.5}', '{"a":null}', '{"a": 1}', "[1]", '{"a":1}\n']) {
    assert.equal(parseCanonical(utf8(bad)), undefined, bad);
  }
  const good = await note("o", [utf8("x")], [log]);
  assert.ok(parseCheckpoint(good));
  for (const bad of [good.slice(0, -1), good.replace("\n1\n", "\n01\n"), good.replace("o\n", "o\r\n"), good.replace("\n\n", "\nextra\n\n"), good + good.split("\n\n")[1]]) {
    assert.equal(parseCheckpoint(bad), undefined);
  }
  assert.equal(parseVkey(log.vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+")), undefined);
});

test("a truthful archive has no problems, a receipt and a second copy", async () => {
  for (const count of [5, 300]) {
    const served = await archive(count);
    const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-23T00:00:00.000Z");
    assert.deepEqual(verdict.problems, []);
    assert.ok(verdict.chain.links.every((link) => link.state === "good"));
    assert.equal(verdict.chain.receipt, 1_790_000_000_000);
    assert.equal(verdict.chain.cosigners[0]?.name, "second");
    assert.equal(verdict.objectOf.size, count);
  }
});

test("a flipped byte in an object", async () => {
  const bytes = utf8("media 0");
  const expected = toHex(sha256(bytes));
  assert.ok((await checkObject(bytes, expected)).good);
  bytes[0]! ^= 1;
  assert.ok(!(await checkObject(bytes, expected)).good);
});

test("an edited entry is found and named, also when the timeline is edited with it", async () => {
  const served = await archive();
  const entry = new TextDecoder().decode(served.entries[3]);
  served.entries[3] = utf8(entry.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${"0".repeat(64)}"`));
  served.timeline.streams[0]!.segments[2]!.sha256 = "0".repeat(64);
  const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-23T00:00:00.000Z");
  assert.deepEqual(verdict.problems.map((p) => [p.code, p.index, p.params["stream"]]), [["entry-changed-at", 3, "cam-bench"]]);
  assert.equal(verdict.objectOf.get(3), undefined);
});

test("an edited entry with leaf hashes edited too", async () => {
  const served = await archive();
  served.entries[3] = utf8(canonical({ kind: "segment", v: 1 }));
  served.leaves[3] = leafHash(served.entries[3]!);
  assert.deepEqual(await codes(served), ["root"]);
});

test("a cut tail, signed by the station itself", async () => {
  const served = await archive();
  served.entries.length = 4;
  served.leaves.length = 4;
  served.timeline.log_size = 4;
  served.timeline.streams[0]!.segments.length = 3;
  served.timeline.gaps = [];
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-23T00:00:00.000Z");
  assert.deepEqual(verdict.problems.map((p) => [p.code, p.params["at"]]),
    [["tail-missing", "2026-11-22T09:00:30.000Z"], ["end-missing", "2026-11-22T09:00:30.000Z"]]);
});

test("a cut tail with an archive's register of that time: only the recorder's own end is missing", async () => {
  const served = await archive();
  served.entries.length = 4;
  served.timeline.log_size = 4;
  served.timeline.streams[0]!.segments.length = 3;
  served.timeline.gaps = [];
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  delete served.proof.checkpoint_entry;
  assert.deepEqual(await codes(served), ["end-missing"]);
});

test("a timeline that ends before what is signed, whatever it says of its age", async () => {
  for (const live of [false, true]) {
    const served = await archive();
    served.timeline.log_size = 4;
    served.timeline.live = live;
    served.timeline.streams[0]!.segments.length = 3;
    served.timeline.gaps = [];
    const found = await codes(served);
    assert.deepEqual(found.filter((code) => code !== "end-differs"), ["segment-hidden", "segment-hidden", "gap-hidden"]);
    assert.equal(found.includes("end-differs"), live);
  }
  const served = await archive();
  served.timeline.streams[0]!.segments.push({ ...served.timeline.streams[0]!.segments[0]!, index: 20, seq: 20 });
  served.timeline.log_size = 21;
  assert.deepEqual(await codes(served), ["segment-invented"]);
});

test("a timeline that is only older than the checkpoint is asked for again", async () => {
  const served = await archive();
  const old = structuredClone(served.timeline);
  old.log_size = 4;
  old.live = true;
  old.streams[0]!.segments.length = 3;
  old.gaps = [];
  const verdict = await verifyHearing(kHearing, old, sourceOf(served), memory(), "2026-11-23T00:00:00.000Z");
  assert.deepEqual(verdict.problems, []);
  assert.equal(verdict.timeline, served.timeline);
});

test("a list signed by a stranger's key", async () => {
  const served = await archive();
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [stranger, holder]);
  assert.deepEqual(await codes(served), ["station-signature"]);
});

test("a main log signed by another key than the pinned one", async () => {
  const store = memory();
  assert.deepEqual(await codes(await archive(), store), []);
  const other = await signer(kArchive, 1);
  const served = await archive();
  served.keys.log_vkey = other.vkey;
  assert.deepEqual(await codes(served, store), ["key-changed"]);
});

test("a false inclusion proof, a false receipt, a false cosignature", async () => {
  let served = await archive();
  served.proof.checkpoint_entry!.inclusion.reverse();
  assert.ok((await codes(served)).includes("not-in-main"));
  served = await archive();
  served.proof.key_entry!.entry = served.proof.key_entry!.entry.replace('"name":"s"', '"name":"t"');
  assert.ok((await codes(served)).includes("station-key"));
  const flip = (text: string, name: string) => text.split("\n").map((l) => (l.includes(` ${name} `) ? l.slice(0, -8) + "AAAAAAA=" : l)).join("\n");
  served = await archive();
  served.proof.hearing_checkpoint = flip(served.proof.hearing_checkpoint, holder.name);
  assert.deepEqual(await codes(served), ["receipt-signature"]);
  served = await archive();
  served.proof.main_cosigned = served.proof.main_cosigned!.map((n) => flip(n, second.name));
  assert.deepEqual(await codes(served), ["cosignature"]);
});

test("a timeline that hides, invents or changes something", async () => {
  let served = await archive();
  served.timeline.streams[0]!.segments.splice(1, 1);
  assert.deepEqual(await codes(served), ["segment-hidden"]);
  served = await archive();
  served.timeline.gaps = [];
  assert.deepEqual(await codes(served), ["gap-hidden"]);
  served = await archive();
  served.timeline.gaps[0]!.reason = "mediation";
  assert.deepEqual(await codes(served), ["gap-differs"]);
  served = await archive();
  served.timeline.streams[0]!.segments[0]!.utc = "2026-11-22T10:00:00.000Z";
  assert.deepEqual(await codes(served), ["segment-differs"]);
  served = await archive();
  served.timeline.streams[0]!.segments[0]!.sha256 = "1".repeat(64);
  assert.deepEqual(await codes(served), ["segment-differs"]);
});

// A mark of the courtroom in the hearing's list, and one that was added in the archive, with what the archive says of them.
async function withMarks() {
  const notes = ["spoken", "added"].map((text) => canonical({ kind: "mark", salt: "5".repeat(64), text, v: 1 }));
  const served = await archive();
  const at = "2026-11-22T09:00:05.000Z";
  const digests = notes.map((document) => toHex(sha256(utf8(document))));
  served.entries[1] = utf8(canonical({ kind: "mark", v: 1, at, note_sha256: digests[0]! }));
  served.timeline.streams[0]!.segments.shift();
  served.leaves = served.entries.map((e) => leafHash(e));
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  await resign(served, [{ kind: "mark", v: 1, hearing: kHearing, at, account: "u-1", note_sha256: digests[1]!, utc: at }]);
  served.proof.mark_entries = [served.proven(4)];
  served.timeline.marks = [
    { id: "room-1", index: 1, document: notes[0]!, at, text: "spoken", account_name: "", origin: "room" },
    { id: "archive-4", index: 4, document: notes[1]!, at, text: "added", account_name: "Claire", origin: "archive" },
  ];
  return served;
}

test("marks are proven by their entries and notes, or told to be false", async () => {
  const served = await withMarks();
  const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-23T00:00:00.000Z");
  assert.deepEqual(verdict.problems, []);
  assert.deepEqual([...verdict.provenMarks].sort(), ["archive-4", "room-1"]);
  const after = async (change: (served: Awaited<ReturnType<typeof withMarks>>) => void) => {
    const copy = await withMarks();
    change(copy);
    return codes(copy);
  };
  for (const i of [0, 1]) {
    assert.deepEqual(await after((s) => { s.timeline.marks[i]!.text = "invented"; }), ["mark-differs"]);
    assert.deepEqual(await after((s) => { s.timeline.marks[i]!.at = "2026-11-22T09:00:06.000Z"; }), ["mark-differs"]);
    assert.deepEqual(await after((s) => { s.timeline.marks[i]!.stream = "cam-bench"; }), ["mark-differs"]);
    assert.deepEqual(await after((s) => { s.timeline.marks[i]!.document = s.timeline.marks[1 - i]!.document!; }), ["mark-differs"]);
    assert.deepEqual(await after((s) => { delete s.timeline.marks[i]!.document; }), ["mark-differs"]);
    assert.deepEqual(await after((s) => { s.timeline.marks.splice(i, 1); }), ["mark-hidden"]);
    assert.deepEqual(await after((s) => { s.timeline.marks[i]!.index = 2; }), ["mark-invented", "mark-hidden"]);
  }
  assert.deepEqual(await after((s) => { s.proof.mark_entries = []; }), ["mark-invented"]);
  assert.deepEqual(await after((s) => { s.proof.mark_entries![0]!.inclusion.pop(); }), ["own-entry", "mark-invented"]);
  // Newer than the signatures: neither proven nor false.
  assert.deepEqual(await after((s) => { s.timeline.marks.push({ ...s.timeline.marks[1]!, id: "archive-9", index: 9 }); }), []);
});

// The gap of the sample (entry 6) with an explanation that was filed later, in the place of the first segment's entry.
async function withExplanation() {
  const served = await archive();
  const document = canonical({ kind: "explanation", salt: "5".repeat(64), text: "The plug was pulled.", v: 1 });
  const entry = { kind: "explanation", v: 1, gap: 6, note_sha256: toHex(sha256(utf8(document))), person: "u-17", reason: "power" };
  served.entries[1] = utf8(canonical(entry));
  served.timeline.streams[0]!.segments.shift();
  served.leaves = served.entries.map((e) => leafHash(e));
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  await resign(served, []);
  served.timeline.gaps[0]!.explanations = [{ index: 1, document, text: "The plug was pulled.", person: "u-17", reason: "power" }];
  return served;
}

test("an explanation beside a gap is the one that was filed, or told to be false", async () => {
  assert.deepEqual(await codes(await withExplanation()), []);
  const after = async (change: (one: NonNullable<Timeline["gaps"][0]["explanations"]>[0], served: Served) => void) => {
    const copy = await withExplanation();
    change(copy.timeline.gaps[0]!.explanations![0]!, copy);
    return codes(copy);
  };
  assert.deepEqual(await after((one) => { one.text = "Nothing happened."; }), ["explanation-differs"]);
  assert.deepEqual(await after((one) => { one.person = "u-18"; }), ["explanation-differs"]);
  assert.deepEqual(await after((one) => { one.reason = "recess"; }), ["explanation-differs"]);
  assert.deepEqual(await after((one) => { delete one.document; }), ["explanation-differs"]);
  assert.deepEqual(await after((one) => { one.index = 2; }), ["explanation-invented", "explanation-hidden"]);
  assert.deepEqual(await after((_, served) => { delete served.timeline.gaps[0]!.explanations; }), ["explanation-hidden"]);
  assert.deepEqual(await after((one) => { one.index = 99; }), ["explanation-hidden"]);
  assert.deepEqual(await after((one) => { delete one.document; one.text = ""; }), []);  // its document is lost
});

// A hearing whose details were corrected once, and the archive's answer about it.
async function withCorrection() {
  const details = { cases: ["RG 1"], parties: [], judges: ["J"], clerk: "", title: "A c. B", public: true };
  const documents = [details, { ...details, cases: ["RG 2"] }].map((d) => canonical({ ...d, salt: "6".repeat(64), v: 1 }));
  const reason = canonical({ kind: "reason", salt: "7".repeat(64), text: "typed wrongly", v: 1 });
  const digest = (document: string) => toHex(sha256(utf8(document)));
  const served = await archive();
  served.entries[0] = utf8(canonical({ ...parseCanonical(served.entries[0]!)!, details_sha256: digest(documents[0]!) }));
  served.leaves = served.entries.map((e) => leafHash(e));
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  const utc = "2026-11-23T08:00:00.000Z";
  await resign(served, [{ kind: "details", v: 1, hearing: kHearing, account: "u-1", details_sha256: digest(documents[1]!), reason_sha256: digest(reason), utc }]);
  served.proof.details_entries = [served.proven(4)];
  const hearing = { ...details, cases: ["RG 2"], details: { ...details, cases: ["RG 2"] }, details_document: documents[1],
    corrections: [{ origin: "archive", utc, account_name: "Claire", index: 4, reason: "typed wrongly", reason_document: reason, before: details, document: documents[0], details_sha256: digest(documents[0]!) }] };
  return { served, hearing: hearing as unknown as Hearing };
}

test("details and corrections are proven by their documents and entries", async () => {
  const found = async (change: (hearing: Hearing, served: Served) => void) => {
    const { served, hearing } = await withCorrection();
    change(hearing, served);
    const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-24T00:00:00.000Z");
    return [...verdict.problems, ...compareDetails(verdict.chain, hearing)].map((p) => p.code);
  };
  assert.deepEqual(await found(() => undefined), []);
  assert.deepEqual(await found((h) => { h.title = "C c. D"; }), ["details-differ"]);
  assert.deepEqual(await found((h) => { h.continues = "0193a5b0-7c11-7abc-8def-0123456789ac"; }), ["continues-differs"]);
  assert.deepEqual(await found((h) => { h.details.cases = h.cases = ["RG 3"]; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { h.corrections[0]!.before.cases = ["RG 3"]; }), ["details-differ"]);
  assert.deepEqual(await found((h) => { h.corrections[0]!.reason = "because"; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { h.corrections[0]!.document = h.details_document!; }), ["details-differ"]);
  assert.deepEqual(await found((_, s) => { s.proof.details_entries = []; }), ["correction-invented"]);
  assert.deepEqual(await found((h) => { h.corrections = []; }), ["details-differ", "correction-hidden"]);
  assert.deepEqual(await found((h) => { h.corrections.push({ ...h.corrections[0]!, index: 9, before: h.details, document: h.details_document! }); }), []);
  const { served, hearing } = await withCorrection();
  const { chain } = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-24T00:00:00.000Z");
  assert.equal(missesCorrections(chain, hearing), false);
  assert.equal(missesCorrections(chain, { ...hearing, corrections: [] }), true);
});

// The same, and the room had corrected it before, in the place of a segment.
async function withRoomCorrection(utc = "2026-11-22T09:00:10.000Z") {
  const { served, hearing } = await withCorrection();
  const right = canonical({ cases: ["RG room"], parties: [], judges: ["J"], clerk: "", title: "A c. B", public: false, salt: "8".repeat(64), v: 1 });
  const digest = toHex(sha256(utf8(right)));
  served.entries[1] = utf8(canonical({ kind: "details", v: 1, details_sha256: digest, person: "g-07", utc }));
  served.timeline.streams[0]!.segments.shift();
  served.leaves = served.entries.map((e) => leafHash(e));
  served.proof.hearing_checkpoint = await note(kOrigin, served.entries, [station, holder]);
  await resign(served, [JSON.parse(served.proof.details_entries![0]!.entry) as JsonObject]);
  served.proof.details_entries = [served.proven(4)];
  const clerk = hearing.corrections[0]!;
  const room = { ...clerk, origin: "room" as const, index: 1, utc, account_name: "g-07", reason: "" };
  delete room.reason_document;
  const before = JSON.parse(right) as Hearing["details"];
  hearing.corrections = [room, { ...clerk, before, document: right, details_sha256: digest }];
  return { served, hearing };
}

test("what the courtroom corrected is proven by the hearing's own list", async () => {
  const found = async (change: (hearing: Hearing, served: Served) => void, utc?: string) => {
    const { served, hearing } = await withRoomCorrection(utc);
    change(hearing, served);
    const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-24T00:00:00.000Z");
    return [...verdict.problems, ...compareDetails(verdict.chain, hearing)].map((p) => p.code);
  };
  const room = (h: Hearing) => h.corrections[0]!;
  assert.deepEqual(await found(() => undefined), []);
  assert.deepEqual(await found((h) => { room(h).account_name = "g-08"; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { room(h).utc = "2026-11-22T09:00:11.000Z"; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { room(h).reason = "typed wrongly"; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { h.corrections[1]!.before.public = true; }), ["correction-differs"]);
  assert.deepEqual(await found((h) => { room(h).index = 2; }), ["correction-invented", "correction-hidden"]);
  assert.deepEqual(await found((h) => { h.corrections = h.corrections.slice(1); }), ["details-differ", "correction-hidden"]);
  // An earlier version is not made the one that counts.
  const turned = (h: Hearing) => {
    const [first, second] = h.corrections as [Hearing["corrections"][0], Hearing["corrections"][0]];
    const latest = { ...h.details }, document = h.details_document!;
    Object.assign(h, { ...second.before, details: second.before, details_document: second.document });
    h.corrections = [{ ...second, before: first.before, document: first.document! }, { ...first, before: latest, document }];
  };
  assert.deepEqual(await found(turned), ["correction-differs"]);
  assert.deepEqual(await found(turned, "2026-11-23T08:00:00.001Z"), []);  // it was made after the archive's
  assert.deepEqual(await found(() => undefined, "2036-11-22T09:00:10.000Z"), []);  // its clock was ahead; the archive corrected it after
  const { served, hearing } = await withRoomCorrection();
  const { chain } = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-24T00:00:00.000Z");
  assert.equal(missesCorrections(chain, hearing), false);
  assert.equal(missesCorrections(chain, { ...hearing, corrections: hearing.corrections.slice(1) }), true);
});

test("a recorder's key that was revoked is told, and stops the proof when it was stolen before", async () => {
  const key = { kind: "key", v: 1, action: "revoked", role: "station", name: "s", key: toHex(station.pub), utc: "2026-11-24T00:00:00.000Z" };
  const stateAfter = async (why: string, since: string, first = false) => {
    const served = await archive();
    await resign(served, [{ ...key, why, since }, ...(first ? [JSON.parse(served.proof.checkpoint_entry!.entry) as JsonObject] : [])]);
    served.proof.revocation_entry = served.proven(4);
    if (first) served.proof.checkpoint_entry = served.proven(5);
    const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-25T00:00:00.000Z");
    return [verdict.chain.links.find((l) => l.code === "revoked")?.state, ...verdict.problems.map((p) => p.code)];
  };
  assert.deepEqual(await stateAfter("retired", "2026-11-24T00:00:00.000Z"), ["good"]);
  assert.deepEqual(await stateAfter("stolen", "2026-11-24T00:00:00.000Z"), ["good"]);
  assert.deepEqual(await stateAfter("stolen", "2026-11-20T00:00:00.000Z"), ["pending"]);
  assert.deepEqual(await stateAfter("retired", "2026-11-20T00:00:00.000Z", true), ["pending"]);
  assert.deepEqual(await stateAfter("stolen", "2026-11-20T00:00:00.000Z", true), ["bad", "station-revoked"]);
  const served = await archive();
  served.proof.revocation_entry = served.proof.key_entry!;
  assert.deepEqual(await codes(served), ["revocation"]);
});

test("a history that was rewritten between two visits", async () => {
  const store = memory();
  assert.deepEqual(await codes(await archive(7), store), []);
  assert.ok((await codes(await archive(5), store)).some((c) => c === "tail-missing" || c === "main-split"));
});

// Two officers, and their order that the first piece is lost; `change` makes something of it false.
async function withOrder(change: (order: JsonObject, officers: JsonObject[]) => void = () => undefined) {
  const served = await archive();
  const lost = toHex(sha256(utf8("media 0")));
  const pairs = await Promise.all([1, 2].map(() => crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as Promise<CryptoKeyPair>));
  const statement = utf8(`greffe declares lost v1\n${kArchive}\n${kHearing}\n${lost}\n`);
  const officers: JsonObject[] = await Promise.all(pairs.map(async (pair, i) => ({
    kind: "key", v: 1, action: "added", role: "officer", name: `officer-${i + 1}`,
    key: toHex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))),
  })));
  const order: JsonObject = {
    kind: "lost", v: 1, hearing: kHearing, objects: [{ sha256: lost }], officers: ["officer-1", "officer-2"], utc: "2026-11-24T00:00:00.000Z",
    signatures: await Promise.all(pairs.map(async (pair) => toBase64(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, statement))))),
  };
  change(order, officers);
  await resign(served, [...officers, order]);
  served.proof.officer_entries = officers.map((_, i) => served.proven(4 + i));
  served.proof.lost_entries = [served.proven(4 + officers.length)];
  return { served, lost };
}

test("a piece is lost when two officers of that moment signed it, or the recorder did, and not otherwise", async () => {
  const judged = async (served: Served) => {
    const verdict = await verifyHearing(kHearing, served.timeline, sourceOf(served), memory(), "2026-11-25T00:00:00.000Z");
    return { lost: [...verdict.chain.lost.keys()], codes: verdict.problems.map((p) => p.code), of: verdict.chain.lost };
  };
  const { served, lost } = await withOrder();
  const good = await judged(served);
  assert.deepEqual([good.lost, good.codes], [[lost], []]);
  assert.deepEqual(good.of.get(lost)!.officers, ["officer-1", "officer-2"]);
  const refused = async (change: Parameters<typeof withOrder>[0]) => assert.deepEqual(await judged((await withOrder(change)).served), { lost: [], codes: ["lost-order"], of: new Map() });
  await refused((order) => { order["objects"] = [{ sha256: "1".repeat(64) }]; });
  await refused((order) => { order["signatures"] = [...(order["signatures"] as string[])].reverse(); });
  await refused((order) => { order["officers"] = ["officer-1"]; order["signatures"] = (order["signatures"] as string[]).slice(0, 1); });
  await refused((order) => { order["officers"] = ["officer-1", "officer-1"]; order["signatures"] = [0, 0].map((i) => (order["signatures"] as string[])[i]!); });
  await refused((order) => { order["officers"] = []; order["signatures"] = []; });
  await refused((_, officers) => { officers.push({ ...officers[1]!, action: "revoked" }); });
  await refused((_, officers) => { officers[1]!["key"] = officers[0]!["key"]!; });
  const stranger = await withOrder((_, officers) => { officers[1]!["role"] = "station"; });
  assert.deepEqual((await judged(stranger.served)).codes, ["own-entry", "lost-order"]);
  const moved = await withOrder();
  moved.served.proof.lost_entries![0]!.index = 3;
  assert.deepEqual((await judged(moved.served)).codes, ["own-entry"]);
  const room = await archive();
  room.entries[7] = utf8(canonical({ kind: "lost", v: 1, objects: [{ sha256: lost }], reason: "unreadable" }));
  room.leaves = room.entries.map((e) => leafHash(e));
  room.proof.hearing_checkpoint = await note(kOrigin, room.entries, [station, holder]);
  await resign(room, []);
  const found = await judged(room);
  assert.deepEqual([found.lost, found.of.get(lost)!.by], [[lost], "room"]);
});

test("what was pinned of one archive says nothing of another whose copies are shown here", () => {
  const common = memory();
  const keys = (archive: string, vkey: string): ArchiveKeys => ({ archive, log_vkey: vkey, holder_vkey: vkey, cosigners: [] });
  assert.deepEqual(pinKeys(memoryOf(common, undefined), keys("dr.example", "a"), "1").problems, []);
  assert.deepEqual(pinKeys(memoryOf(common, "one.example"), keys("one.example", "b"), "2").problems, []);
  assert.deepEqual(pinKeys(memoryOf(common, "one.example"), keys("one.example", "b"), "3").pins.since, "2");
  assert.deepEqual(pinKeys(memoryOf(common, "one.example"), keys("one.example", "c"), "4").problems.map((p) => p.code), ["key-changed", "key-changed"]);
  assert.deepEqual(pinKeys(memoryOf(common, undefined), keys("dr.example", "a"), "5").problems, []);
});
